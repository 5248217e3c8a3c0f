//! The fake of `contact`: fields that a test has set.

use super::ask;
use crate::Fault;

pub(crate) fn field(name: &str) -> Result<Option<String>, Fault> {
    ask("contact", |world| Ok(world.contact.get(name).cloned()))
}
