//! The bench program as its own child: a hidden command runs a part of a benchmark in a process of its own, so that its
//! memory and processor time can be told apart. A child speaks in lines of `name value` on its standard output; it ends when
//! its standard input is closed, so none outlives its parent.

use std::collections::HashMap;
use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use anyhow::{Context, bail};

use crate::{crash, floor, host, waiting_calls};

/// The hidden command.
pub(crate) const COMMAND: &str = "child";

/// A line after which the parent stops reading.
const READY: &str = "ready";

/// Runs the part that a parent asked for.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let Some((part, rest)) = arguments.split_first() else { bail!("`{COMMAND}` is for the benchmarks themselves") };
    thread::spawn(end_with_parent);
    match part.as_str() {
        floor::PART => floor::child(rest),
        host::SERVE_PART => host::child_serve(rest),
        host::DOOR_PART => host::child_door(rest),
        crash::host::PART => crash::host::child(rest),
        crash::host::COMMAND_PART => crash::host::child_command(rest),
        waiting_calls::PART => waiting_calls::child(rest),
        _ => bail!("there is no part `{part}`"),
    }
}

/// A parent that is killed has no time to end its children; its end of their input closes all the same.
fn end_with_parent() {
    let mut nothing = String::new();
    if io::stdin().read_line(&mut nothing).is_ok_and(|n_read| n_read == 0) {
        process::exit(0);
    }
}

/// Tells the parent values, in a child.
pub(crate) fn tell(values: &[(&str, String)]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for (name, value) in values {
        writeln!(out, "{name} {value}")?;
    }
    writeln!(out, "{READY}")?;
    out.flush()?;
    Ok(())
}

/// A child under way. Killed, by its id, when it is dropped.
pub(crate) struct Part {
    child: Child,
    output: BufReader<ChildStdout>,
    _input: Option<ChildStdin>,
}

impl Part {
    /// Starts a part; what it says of failures goes where this program's go.
    pub(crate) fn start(part: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_with(part, arguments, Stdio::inherit())
    }

    /// Starts a part that logs to a file.
    pub(crate) fn start_logging(part: &str, arguments: &[&str], log: File) -> anyhow::Result<Self> {
        Self::start_with(part, arguments, log.into())
    }

    fn start_with(part: &str, arguments: &[&str], log: Stdio) -> anyhow::Result<Self> {
        let program = env::current_exe().context("where is this program?")?;
        let mut child = Command::new(program)
            .arg(COMMAND)
            .arg(part)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("`{part}` could not be started"))?;
        let output = child.stdout.take().context("a child has an output")?;
        let input = child.stdin.take();
        Ok(Self { child, output: BufReader::new(output), _input: input })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has told what it has to tell.
    pub(crate) fn told(&mut self) -> anyhow::Result<Told> {
        let mut told = HashMap::new();
        loop {
            let line = self.line()?;
            match line.split_once(' ') {
                Some((name, value)) => told.insert(name.to_owned(), value.to_owned()),
                None if line == READY => return Ok(Told(told)),
                None => continue,
            };
        }
    }

    /// Waits for its next line.
    pub(crate) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("a child process ended early: {}", self.child.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone and collected afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a child told.
#[derive(Debug)]
pub(crate) struct Told(HashMap<String, String>);

impl Told {
    /// A value as text.
    pub(crate) fn text(&self, name: &str) -> anyhow::Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("a child did not tell `{name}`"))
    }

    /// A value as a number.
    pub(crate) fn number(&self, name: &str) -> anyhow::Result<f64> {
        self.text(name)?.parse().with_context(|| format!("`{name}` is no number"))
    }
}
