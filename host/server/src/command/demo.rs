//! `bellhop demo`.

use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Port of the page; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

pub(super) async fn run(demo: Demo) -> anyhow::Result<()> {
    let _ = demo.port;
    Ok(())
}
