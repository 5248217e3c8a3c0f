//! The bench program as its own child: a hidden command runs a part of a benchmark in a process of its own, so that its
//! memory and processor time can be told apart. A child speaks in lines of `name value` on its standard output; it ends when
//! its standard input is closed, so none outlives its parent.

use std::collections::HashMap;
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};

use crate::waiting_calls;

/// The hidden command.
pub(crate) const COMMAND: &str = "child";

/// A line after which the parent stops reading.
const READY: &str = "ready";

/// Runs the part that a parent asked for.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let Some((part, rest)) = arguments.split_first() else { bail!("`{COMMAND}` is for the benchmarks themselves") };
    match part.as_str() {
        waiting_calls::PART => waiting_calls::child(rest),
        _ => bail!("there is no part `{part}`"),
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
    /// Starts a part.
    pub(crate) fn start(part: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let program = env::current_exe().context("where is this program?")?;
        let mut child = Command::new(program)
            .arg(COMMAND)
            .arg(part)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
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
        let mut line = String::new();
        loop {
            line.clear();
            if self.output.read_line(&mut line)? == 0 {
                bail!("a child process ended early: {}", self.child.wait()?);
            }
            match line.trim_end().split_once(' ') {
                Some((name, value)) => told.insert(name.to_owned(), value.to_owned()),
                None if line.trim_end() == READY => return Ok(Told(told)),
                None => continue,
            };
        }
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
