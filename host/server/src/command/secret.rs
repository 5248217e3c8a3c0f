//! Secrets on their way in: from a file, or from standard input.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

/// Longer is no secret of Meta's; tokens have about 300 bytes.
const MAX_SECRET_BYTES: u64 = 8_192;

/// Reads a secret; `-` is standard input. White space around it is dropped.
pub(super) fn read(what: &str, file: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        let opened =
            std::fs::File::open(file).with_context(|| format!("could not open {} for the {what}", file.display()))?;
        opened.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes)?;
    }
    let secret = Zeroizing::new(bytes.trim_ascii().to_vec());
    if secret.is_empty() {
        bail!("the {what} is empty");
    }
    // Something was pasted after it, or it is the wrong file.
    if secret.iter().any(u8::is_ascii_control) {
        bail!("the {what} must be one line; look into {}", file.display());
    }
    if secret.len() as u64 > MAX_SECRET_BYTES {
        bail!("the {what} is longer than {MAX_SECRET_BYTES} bytes; is this the right file?");
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_a_secret_is_dropped_and_nothing_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "  abc\n").unwrap();
        assert_eq!(read("secret", &file).unwrap().as_slice(), b"abc");
        std::fs::write(&file, " \n").unwrap();
        assert!(read("secret", &file).is_err());
        std::fs::write(&file, vec![b'x'; 8_193]).unwrap();
        assert!(read("secret", &file).is_err());
        std::fs::write(&file, "abc\nbellhop app add").unwrap();
        assert!(read("secret", &file).unwrap_err().to_string().contains("one line"));
        assert!(read("secret", &folder.path().join("missing")).is_err());
    }
}
