//! A host of the harness: `bellhop serve` in a child process, exactly as the binary runs it, but for a death that may be arranged
//! beforehand. Ends with its parent, however that ends.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bellhop::command::{self, Cli};
use bellhop::db::{Moment, watch_moments};
use clap::Parser;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime;
use tokio::time::timeout;

use crate::child;

/// The hidden command's part: the whole host, until it is killed or has reached a moment.
pub(crate) const PART: &str = "mortal";

/// The hidden command's part: any command of the binary.
pub(crate) const COMMAND_PART: &str = "command";

/// What it says before it ends itself.
const DYING: &str = "dying at ";

/// How long a host may take to serve on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// The child: a configuration, and the moment of its death with the number of times that it may be passed before.
pub(crate) fn child(arguments: &[String]) -> anyhow::Result<()> {
    if let [_, name, nth] = arguments {
        let fatal = Moment::parse(name).with_context(|| format!("there is no moment `{name}`"))?;
        let left = AtomicU64::new(nth.parse()?);
        watch_moments(move |moment| {
            if moment == fatal && left.fetch_sub(1, Ordering::Relaxed) == 1 {
                // Nobody may hear it; it dies all the same. No destructor runs, nothing is flushed.
                drop(writeln!(io::stdout(), "{DYING}{}", moment.as_str()));
                process::abort();
            }
        });
    }
    crate::host::child_serve(arguments)
}

/// The child that runs a command, exactly as the binary does.
pub(crate) fn child_command(arguments: &[String]) -> anyhow::Result<()> {
    let cli = Cli::parse_from(std::iter::once("bellhop").chain(arguments.iter().map(String::as_str)));
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command::run(cli))
}

/// Runs a command to its end; what it said.
pub(crate) async fn command(config: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut child = Command::new(std::env::current_exe().context("where is this program?")?)
        .args([child::COMMAND, COMMAND_PART, "--config"])
        .arg(config)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("a command could not be started")?;
    // It ends when its input does.
    let input = child.stdin.take();
    let output = child.wait_with_output().await?;
    drop(input);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "`{}` failed: {said}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}

/// A host process. Killed, by its id, when it is dropped.
pub(crate) struct Host {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _input: Option<ChildStdin>,
}

impl Host {
    /// Starts a process; it does not serve yet.
    pub(crate) fn start(config: &Path, log: &Path, death: Option<(Moment, u64)>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("where is this program?")?;
        let mut command = Command::new(program);
        command.arg(child::COMMAND).arg(PART).arg(config);
        if let Some((moment, nth)) = death {
            command.arg(moment.as_str()).arg(nth.to_string());
        }
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().context("a host could not be started")?;
        let output = child.stdout.take().context("a child has an output")?;
        let input = child.stdin.take();
        Ok(Self { child, lines: BufReader::new(output).lines(), _input: input })
    }

    /// Waits until it serves: the address for webhooks, or `None` when it has reached its moment before.
    pub(crate) async fn serving(&mut self) -> anyhow::Result<Option<SocketAddr>> {
        let line = timeout(PATIENCE, self.lines.next_line()).await.context("a host does not begin to serve")??;
        let line = line.unwrap_or_default();
        if line.starts_with(DYING) {
            return Ok(None);
        }
        // "webhooks on http://A, health and API on http://B"
        let mut urls = line.split([' ', ',']).filter_map(|word| word.strip_prefix("http://"));
        let address = urls.next().and_then(|url| url.parse().ok());
        address.map(Some).with_context(|| format!("a host said something else at its start: `{line}`"))
    }

    /// Waits for its arranged death.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn dying(&mut self) -> anyhow::Result<()> {
        while let Some(line) = self.lines.next_line().await? {
            if line.starts_with(DYING) {
                return Ok(());
            }
        }
        bail!("a host ended by itself, see its log")
    }

    /// `kill -9`, and waits until the process is gone.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("a host could not be killed")
    }

    /// False when it ended though nobody ended it.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}
