//! The benchmark programs: `cargo run --release -p bench -- NAME`, `-- all` for every one, without a name for the list.
//! Each measures its floor in the same run and prints a line per figure. Never leaves the loopback interface, ends by
//! itself, and judges nothing: a missed bar is printed, the exit code stays 0.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;

mod call_fresh;
mod child;
#[path = "../../stories/support/cluster.rs"]
mod cluster;
mod cpu_per_message;
mod crash;
mod customer;
mod entries;
mod faq_search;
mod figure;
mod flood;
mod floor;
mod growth;
mod guest;
mod host;
mod hosts;
mod http;
mod idle;
mod load;
mod meta;
mod process;
mod sample;
mod waiting_calls;
mod webhook;
mod webhook_durable;

use figure::Figure;

/// A benchmark: what it is called, what it measures, and how it is run.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    run: fn() -> anyhow::Result<Vec<Figure>>,
}

/// In the order in which `all` runs them.
const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "call_fresh",
        about: "a plugin called in a fresh sandbox with every limit on, against bare wasmtime",
        run: call_fresh::run,
    },
    Benchmark {
        name: "waiting_calls",
        about: "1,000 plugins that wait for the host at the same time: time and memory",
        run: waiting_calls::run,
    },
    Benchmark {
        name: "webhook_durable",
        about: "webhooks on disk before they are answered, against one bare insert each",
        run: webhook_durable::run,
    },
    Benchmark {
        name: "cpu_per_message",
        about: "processor time from an accepted webhook to the answer, against one bare POST each",
        run: cpu_per_message::run,
    },
    Benchmark {
        name: "flood",
        about: "what a business waits for its answers while another one on the same host is flooded, against before",
        run: flood::run,
    },
    Benchmark { name: "hosts", about: "two hosts on one PostgreSQL, against one", run: hosts::run },
    Benchmark { name: "memory_idle", about: "what a host holds that nobody writes to", run: idle::memory },
    Benchmark {
        name: "start_cold",
        about: "from the start of the process to the first healthy answer",
        run: idle::start,
    },
    Benchmark {
        name: "faq_search",
        about: "a search of 500 entries in 12 languages, and a call of the FAQ with it",
        run: faq_search::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.split_first() {
        None => list(),
        Some((first, rest)) if first == child::COMMAND => child::run(rest),
        Some((first, rest)) if first == crash::NAME => crash::run(rest),
        Some((first, rest)) if first == growth::NAME => growth::run(rest).and_then(|figures| print(&figures)),
        Some((first, [])) if first == "all" => BENCHMARKS.iter().try_for_each(run),
        Some(_) => arguments.iter().try_for_each(|name| find(name).and_then(run)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when the error stream is closed.
            let _closed = writeln!(io::stderr(), "bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "cargo run --release -p bench -- NAME, or `all`:")?;
    for benchmark in BENCHMARKS {
        writeln!(out, "  {:<18} {}", benchmark.name, benchmark.about)?;
    }
    writeln!(
        out,
        "  {:<18} what a message costs with a million events in the store; see `growth --help`",
        growth::NAME
    )?;
    writeln!(out, "  {:<18} hosts are killed and nothing is lost; see `crash --help`", crash::NAME)?;
    Ok(())
}

fn find(name: &str) -> anyhow::Result<&'static Benchmark> {
    let known = BENCHMARKS.iter().find(|benchmark| benchmark.name == name);
    known.with_context(|| format!("there is no benchmark `{name}`: without a name this program lists them"))
}

fn run(benchmark: &Benchmark) -> anyhow::Result<()> {
    let figures = (benchmark.run)().with_context(|| format!("{} could not be measured", benchmark.name))?;
    print(&figures)
}

fn print(figures: &[Figure]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for figure in figures {
        writeln!(out, "{figure}")?;
    }
    out.flush()?;
    Ok(())
}
