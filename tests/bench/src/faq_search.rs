//! `faq_search`: 500 entries in 12 languages. What one search costs in the host, and what a whole call of the FAQ plugin costs
//! with it; the floor of the call is a host whose collection is empty.

use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use bellhop::record::{CollectionKey, Record, Records};
use bellhop_domain::effect::Answer;
use bellhop_domain::host_call::{Entry, Hit};
use bellhop_domain::plugin::Fault;
use bellhop_sandbox::{HostCalls, Limits, Outcome, Prepared, Reply, Sandbox, SandboxOptions};
use tokio::runtime;

use crate::entries;
use crate::figure::Figure;
use crate::guest;
use crate::host;
use crate::sample::Samples;

const ROUNDS: usize = 100;
const WARM_UP: usize = 10;

/// Hits that the plugin asks for.
const HITS: usize = 16;

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let (records, collection) = host::shelf(folder.path()).await?;
    let sandbox = Sandbox::new(SandboxOptions::default())?;
    let prepared = guest::prepared(&sandbox, "faq").await?;
    let questions = entries::questions();
    let full = Shelf { records: Some(records.clone()), collection: collection.clone() };
    let empty = Shelf { records: None, collection: collection.clone() };
    let mut samples = Samples::new();
    let mut answered = 0;
    for round in 0..WARM_UP + ROUNDS {
        let search = search(&records, &collection, &questions).await?;
        let (empty, _) = calls(&prepared, &empty, &questions).await?;
        let (full, n_answered) = calls(&prepared, &full, &questions).await?;
        answered = n_answered;
        if round >= WARM_UP {
            samples.add([search, full, empty]);
        }
    }
    ensure!(answered * 2 > questions.len(), "only {answered} of {} questions were answered", questions.len());
    let [search, full, empty] = samples.medians();
    Ok(vec![
        Figure::new("faq_search", search, "us"),
        Figure::new("faq_call", full, "us").over(empty),
        Figure::new("faq_questions_answered", answered as f64, "of_12"),
    ])
}

/// Microseconds of one search.
async fn search(records: &Records, collection: &CollectionKey, questions: &[String]) -> anyhow::Result<f64> {
    let started = Instant::now();
    for question in questions {
        black_box(records.search(collection, question, None, HITS).await?);
    }
    Ok(micros_each(started, questions.len()))
}

/// Microseconds of one call, and how many of the questions were answered.
async fn calls(prepared: &Prepared, shelf: &Shelf, questions: &[String]) -> anyhow::Result<(f64, usize)> {
    let (context, limits, mut answered) = (guest::context(), Limits::default(), 0);
    let started = Instant::now();
    for question in questions {
        let report = prepared.call(&guest::event(question), &context, shelf.clone(), &limits).await;
        match report.outcome {
            Outcome::Answered(Answer::Done(_)) => answered += 1,
            Outcome::Answered(Answer::Pass) => {}
            other => anyhow::bail!("the FAQ failed: {other:?}"),
        }
    }
    Ok((micros_each(started, questions.len()), answered))
}

fn micros_each(started: Instant, n: usize) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / n as f64
}

/// The host of a call: searches the entries, or has none.
#[derive(Clone)]
struct Shelf {
    records: Option<Records>,
    collection: CollectionKey,
}

impl HostCalls for Shelf {
    fn records_search(&mut self, _: String, text: String, language: Option<String>, limit: u32) -> Reply<'_, Vec<Hit>> {
        Box::pin(async move {
            let Some(records) = &self.records else { return Ok(Vec::new()) };
            let limit = usize::try_from(limit).unwrap_or(HITS);
            let found = records.search(&self.collection, &text, language.as_deref(), limit).await;
            let found = found.map_err(|error| Fault::new("unavailable", error.to_string()))?;
            Ok(found.into_iter().map(hit).collect())
        })
    }
}

fn hit((record, score): (Record, f64)) -> Hit {
    let Record { id, json, revision, .. } = record;
    Hit { entry: Entry { id: id.as_str().to_owned(), json, revision: revision.unsigned_abs() }, score }
}
