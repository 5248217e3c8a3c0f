//! Hostile and harmless guests through the whole crate: what each may do, and how each call ends.

mod answers;
mod bundled;
mod grants;
mod hosts;
mod isolation;
mod resources;
