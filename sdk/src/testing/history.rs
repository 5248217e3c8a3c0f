//! The fake of `history`: lines that a test has set.

use super::ask;
use crate::Fault;
use crate::history::Line;

pub(crate) fn recent(limit: u32) -> Result<Vec<Line>, Fault> {
    ask("history", |world| {
        let skipped = world.history.len().saturating_sub(limit as usize);
        Ok(world.history.iter().skip(skipped).cloned().collect())
    })
}
