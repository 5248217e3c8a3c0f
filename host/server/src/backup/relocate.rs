//! Moves a store and its keyring to a database of the other engine, and never lets both answer: the source is closed before
//! the first row is copied, and the target opens after the source is closed for good. A move that was cut short goes on where
//! it stopped.

use super::BackupError;
use super::standing::Standing;
use crate::db::{Copied, Copy, Db, incarnation_begin};

/// A store and its keyring.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// The store.
    pub store: Db,
    /// Its keyring.
    pub keyring: Db,
    /// What an operator calls it; never a password.
    pub place: String,
}

/// Copies everything. `may_go_on` is asked after each batch; when it says no, the move stops there, and another call goes on.
/// The rows of each table, or `None` when it was stopped.
///
/// # Errors
/// [`BackupError`]; another call goes on, or [`relocate_cancel`] takes the source back.
pub async fn relocate(
    mut from: Relocation,
    mut to: Relocation,
    mut may_go_on: impl FnMut(&Copied) -> bool,
) -> Result<Option<Vec<(String, i64)>>, BackupError> {
    if from.store.engine() == to.store.engine() {
        return Err(BackupError::SameEngine);
    }
    let mut counts = Vec::new();
    let id = match begin(&mut from, &mut to).await? {
        Begun::Copying(id) => {
            // The keys first: content without its key would be lost if the source went away now.
            for (source, target) in [(&from.keyring, &to.keyring), (&from.store, &to.store)] {
                let mut copy = Copy::begin(&id, source, target).await?;
                while let Some(copied) = copy.step().await? {
                    if !may_go_on(&copied) {
                        return Ok(None);
                    }
                }
                counts.extend(copy.verify().await?);
            }
            id
        }
        Begun::Copied(id) => id,
    };
    // First the source is closed for good, then the target opens: in between neither answers, and never do both.
    from.store = set(&from.store, Standing::Moved(id, to.place.clone())).await?;
    for target in [&to.keyring, &to.store] {
        target.copy_forget().await?;
    }
    set(&to.store, Standing::Living).await?;
    Ok(Some(counts))
}

/// Takes a source back whose move did not come to its end; what was copied so far is of no use any more.
///
/// # Errors
/// [`BackupError::NotMoving`]; [`BackupError::Moved`] when the target may be answering already.
pub async fn relocate_cancel(store: &Db) -> Result<(), BackupError> {
    match Standing::of(store).await? {
        Standing::Moving(..) => set(store, Standing::Living).await.map(drop),
        Standing::Moved(_, place) => Err(BackupError::Moved(place)),
        Standing::Living | Standing::Filling(..) => Err(BackupError::NotMoving),
    }
}

/// How far a move is.
enum Begun {
    /// Rows are left to be copied.
    Copying(String),
    /// The source is closed for good.
    Copied(String),
}

/// Closes the source and marks the target, unless an earlier call has.
async fn begin(from: &mut Relocation, to: &mut Relocation) -> Result<Begun, BackupError> {
    let there = Standing::of(&to.store).await?;
    match (Standing::of(&from.store).await?, there) {
        (Standing::Living, Standing::Living) => {
            // Before anything is marked: a target that somebody works with must not be closed under them.
            to.store.check_unused().await?;
            to.keyring.check_unused().await?;
            let id = uuid::Uuid::now_v7().to_string();
            to.store = set(&to.store, Standing::Filling(id.clone(), from.place.clone())).await?;
            from.store = set(&from.store, Standing::Moving(id.clone(), to.place.clone())).await?;
            Ok(Begun::Copying(id))
        }
        (Standing::Moving(id, _), Standing::Filling(other, _)) if other == id => Ok(Begun::Copying(id)),
        (Standing::Moved(id, _), Standing::Filling(other, _)) if other == id => Ok(Begun::Copied(id)),
        (Standing::Living, _) => Err(BackupError::OtherMove(to.place.clone())),
        (Standing::Moving(_, place), _) => Err(BackupError::Moving(place)),
        (Standing::Moved(_, place), _) => Err(BackupError::Moved(place)),
        (Standing::Filling(_, place), _) => Err(BackupError::Filling(place)),
    }
}

/// Writes a standing as a new life of the store, so that whoever has it open writes nothing more; the handle for that life.
async fn set(store: &Db, standing: Standing) -> Result<Db, BackupError> {
    let mut transaction = store.begin_write().await?;
    standing.set_in(&mut transaction).await?;
    incarnation_begin(&mut transaction).await?;
    transaction.commit().await?;
    Ok(store.renewed().await?)
}
