//! The fake of `media`: bytes that a test has set by handle.

use super::ask;
use crate::Fault;

pub(crate) fn read(handle: &str, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
    ask("media", |world| {
        let bytes = world.media.get(handle).ok_or_else(|| Fault::new("not-found", "no such media in this turn"))?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(bytes.iter().skip(offset).take(length as usize).copied().collect())
    })
}
