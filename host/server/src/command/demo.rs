//! `bellhop demo`: the whole of Bellhop on this machine, with a sample business and a stand-in for Meta. Needs no Meta app, no
//! database and no key, reads no configuration, talks to nothing but itself, and leaves nothing behind.

mod page;
mod running;
mod sample;
mod story;

use clap::Args;

use crate::command::{log, say, serve};

pub use running::{RunningDemo, start};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Port of the page; a free one is taken when this one is not, and 0 always takes a free one.
    #[arg(long, default_value_t = 4242)]
    port: u16,
}

pub(super) async fn run(demo: Demo) -> anyhow::Result<()> {
    log::quiet();
    log::panics_by_place();
    let running = start(demo.port).await?;
    say(format_args!("Bellhop's demo is at {}", running.url()));
    say("Stop it with Ctrl-C; nothing of it stays on this machine.");
    serve::told_to_stop().await?;
    running.stop().await;
    Ok(())
}
