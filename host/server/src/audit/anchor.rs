//! The anchor file: once a day the head of every chain is written down beside the store, so that a log that was cut at its end or
//! written anew as a whole is noticed. Text, one line a chain and day, only ever appended to; holds no content.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::AuditError;
use super::chain::{Verified, heads, verify};
use crate::db::{Db, DbError};

/// The name of the file in the data folder.
const FILE: &str = "audit-anchors.txt";

/// Enough of the file's end to have a whole line: one has some 120 bytes.
const TAIL_BYTES: u64 = 1_024;

/// The head of a chain on some day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The day, in UTC.
    pub day: Date,
    /// Whose chain.
    pub workspace: WorkspaceId,
    /// The last batch that day.
    pub seq: i64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// Where anchors lie. Clones share the file.
#[derive(Debug, Clone)]
pub struct Anchors {
    file: PathBuf,
}

/// A chain that holds, and what the anchors say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The chain.
    pub verified: Verified,
    /// Anchors that it reaches.
    pub n_reached: usize,
    /// The oldest anchor that it does not reach.
    pub missed: Option<Anchor>,
}

impl Anchors {
    /// The file of a data folder; made at the first anchor.
    pub fn of_folder(data_folder: &Path) -> Self {
        Self { file: data_folder.join(FILE) }
    }

    /// Writes down the heads of all chains, unless that was done today; how many. On disk when this returns.
    ///
    /// # Errors
    /// [`AuditError::Db`], [`AuditError::Anchors`]; tried again, the day's lines may stand there twice, which harms nothing.
    pub async fn drop_daily(&self, db: &Db, now: Timestamp) -> Result<usize, AuditError> {
        let today = day_of(now)?;
        let file = self.file.clone();
        if blocking(move || last_day(&file)).await? >= Some(today) {
            return Ok(0);
        }
        let heads = heads(db).await?;
        let n_heads = heads.len();
        let lines = heads.into_iter().map(|(workspace, seq, hash)| format!("{today} {workspace} {seq} {hash}\n"));
        let (file, lines) = (self.file.clone(), lines.collect::<String>());
        blocking(move || append(&file, &lines)).await?;
        Ok(n_heads)
    }

    /// All anchors, oldest first. Lines that were not written whole are left out.
    ///
    /// # Errors
    /// [`AuditError::Anchors`].
    pub async fn read(&self) -> Result<Vec<Anchor>, AuditError> {
        let file = self.file.clone();
        let read = move || match std::fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        };
        Ok(blocking(read).await?.lines().filter_map(parse).collect())
    }
}

/// Checks the whole chain of a workspace, and that it reaches the anchors that were dropped along it. `on_batch` is called after each
/// batch, for whoever waits.
///
/// # Errors
/// As [`verify`].
pub async fn examine(
    db: &Db,
    workspace: &WorkspaceId,
    anchors: &[Anchor],
    mut on_batch: impl FnMut(&Verified),
) -> Result<Examined, AuditError> {
    let mut open: Vec<&Anchor> = anchors.iter().filter(|anchor| anchor.workspace == *workspace).collect();
    let n_anchors = open.len();
    let compare = |verified: &Verified| {
        on_batch(verified);
        let is_head = |anchor: &&Anchor| anchor.seq == verified.n_batches && anchor.hash == hex::encode(verified.head);
        open.retain(|anchor| !is_head(anchor));
    };
    let verified = verify(db, workspace, compare).await?;
    Ok(Examined { verified, n_reached: n_anchors - open.len(), missed: open.first().map(|anchor| (*anchor).clone()) })
}

fn parse(line: &str) -> Option<Anchor> {
    let mut words = line.split(' ');
    let anchor = Anchor {
        day: words.next()?.parse().ok()?,
        workspace: WorkspaceId::parse(words.next()?).ok()?,
        seq: words.next()?.parse().ok()?,
        hash: words.next()?.to_owned(),
    };
    // What a crash cut short has no whole hash.
    (anchor.hash.len() == 64 && words.next().is_none()).then_some(anchor)
}

fn day_of(at: Timestamp) -> Result<Date, AuditError> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).map_err(|_| DbError::Unreadable("time"))?;
    Ok(at.to_zoned(TimeZone::UTC).date())
}

/// The day of the newest whole line.
fn last_day(file: &Path) -> io::Result<Option<Date>> {
    Ok(String::from_utf8_lossy(&tail(file)?).lines().rev().find_map(parse).map(|anchor| anchor.day))
}

/// The end of the file; nothing of one that is not there.
fn tail(file: &Path) -> io::Result<Vec<u8>> {
    let mut tail = Vec::new();
    match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => {
            let mut file = opened?;
            let bytes = file.metadata()?.len();
            file.seek(SeekFrom::Start(bytes.saturating_sub(TAIL_BYTES)))?;
            file.read_to_end(&mut tail)?;
        }
    }
    Ok(tail)
}

/// A line that was cut short before is left as it is; new ones begin on a line of their own.
fn append(file: &Path, lines: &str) -> io::Result<()> {
    let is_torn = tail(file)?.last().is_some_and(|last| *last != b'\n');
    let lines = if is_torn { format!("\n{lines}") } else { lines.to_owned() };
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, AuditError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(io::Error::other(panicked))).map_err(AuditError::Anchors)
}
