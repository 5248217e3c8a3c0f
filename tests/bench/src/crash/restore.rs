//! A round in which the store is set back: a backup is taken under load, more is answered, every host is killed, and the backup
//! is restored. What was open in it is held and nothing goes out by itself; released, exactly that goes out. What was answered
//! after the backup is unknown to the restored store, and what it holds may have been sent since: that is why a person decides.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bellhop_simulator::Trouble;
use tokio::time::sleep;

use crate::crash::books::{self, Books};
use crate::crash::host;
use crate::crash::house::House;
use crate::crash::plan::Plan;
use crate::crash::round::{LOOK_EVERY, Outcome, QUIET_LOOKS, Stage};
use crate::crash::scene::{CUSTOMERS, Scene, Written};
use crate::crash::verdict::{Seen, Verdict};

/// Answers before the backup is taken, in flight while it is, and after it.
const BEFORE: usize = 8;
const IN_FLIGHT: usize = CUSTOMERS - 2;
const AFTER: usize = 12;

/// How long a host may take for an answer before the round is given up.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// How long the restored hosts are watched: many polls, and every look for dead senders.
const WATCHED: Duration = Duration::from_secs(3);

/// A backup, and when it was begun by Meta's clock.
struct Backup {
    file: PathBuf,
    began_ms: i64,
}

/// Plays a round.
pub(crate) async fn play(plan: &Plan, house: &House, n_hosts: usize) -> anyhow::Result<Outcome> {
    let mut stage = Stage::set(house, Scene::open(1, 0, false).await?, plan, n_hosts, |_| Ok(())).await?;
    stage.hosts.fill().await?;
    let backup = load_and_back_up(&stage, plan).await?;
    all_acknowledged(&stage.scene).await?;
    stage.hosts.check_alive()?;
    stage.hosts.end().await?;
    let before = at_rest(&stage.scene).await;
    let file = backup.file.to_str().context("the folder for temporary files has a name that is not text")?;
    let told = command(&stage, &["restore", file, "--replace"]).await?;
    stage.hosts.fill().await?;
    let (mut wrong, held) = watch(&mut stage, &told, &before).await?;
    let workspace = stage.workspace.to_string();
    let released = command(&stage, &["release", "--workspace", &workspace, "--all"]).await?;
    if two_numbers(&released) != Some(held.counts) {
        wrong.push(format!("{:?} were held, and `release` said: {}", held.counts, released.trim()));
    }
    let mut verdict = judge(&mut stage, &backup, &before, &held.words).await?;
    verdict.wrong.append(&mut wrong);
    stage.close(verdict, Vec::new()).await
}

/// Customers write throughout; the backup is taken while Meta has messages whose senders wait for its answer.
async fn load_and_back_up(stage: &Stage, plan: &Plan) -> anyhow::Result<Backup> {
    let (scene, stop) = (&stage.scene, AtomicBool::new(false));
    let (load, folder) = (plan.dice.aside(100), stage.lodging.folder().join("backup"));
    let backing_up = async {
        let taken = async {
            answered(scene, BEFORE).await?;
            // An echo would tell the sender what it waits for.
            scene.control.hold_echoes();
            scene.control.every_call(Some(Trouble::Hold));
            answered(scene, IN_FLIGHT).await?;
            let began_ms = scene.control.clock().now_ms();
            let folder = folder.to_str().context("the folder for temporary files has a name that is not text")?;
            let said = command(stage, &["backup", folder]).await;
            scene.control.every_call(None);
            scene.control.release_replies();
            scene.control.release_echoes();
            let said = said?;
            let file = said.lines().find(|line| line.ends_with(".db")).map(PathBuf::from);
            answered(scene, AFTER).await?;
            anyhow::Ok(Backup { file: file.context("`backup` named no file")?, began_ms })
        };
        let taken = taken.await;
        stop.store(true, Ordering::Relaxed);
        taken
    };
    let (played, taken) = tokio::join!(scene.play(0, &load, &stop), backing_up);
    scene.control.duplicate_webhooks(0);
    played.and(taken)
}

/// Waits until people got so many more messages.
async fn answered(scene: &Scene, n_more: usize) -> anyhow::Result<()> {
    let (since, wanted) = (Instant::now(), scene.n_accepted() + n_more);
    while scene.n_accepted() < wanted {
        ensure!(since.elapsed() < ANSWER_PATIENCE, "customers write, and nobody answers");
        sleep(LOOK_EVERY / 10).await;
    }
    Ok(())
}

/// Meta has nothing left that it would send again: what the restored store does not know it would take for new.
async fn all_acknowledged(scene: &Scene) -> anyhow::Result<()> {
    let (since, mut again) = (Instant::now(), HashSet::new());
    while scene.redeliver_given_up(&mut again) > 0 {
        ensure!(since.elapsed() < ANSWER_PATIENCE, "a webhook is not taken");
        sleep(LOOK_EVERY / 10).await;
    }
    Ok(())
}

/// What the customers saw once nothing more arrives from hosts that are dead.
async fn at_rest(scene: &Scene) -> Seen {
    let (mut seen, mut quiet) = (scene.seen(), 0);
    while quiet < QUIET_LOOKS {
        sleep(LOOK_EVERY).await;
        let now = scene.seen();
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
    seen
}

/// What a restore has set aside.
struct Held {
    /// Messages and events.
    counts: (usize, usize),
    words: HashSet<String>,
}

/// The restored hosts send nothing by themselves, and hold what `restore` said.
async fn watch(stage: &mut Stage, told: &str, before: &Seen) -> anyhow::Result<(Vec<String>, Held)> {
    let (stores, since, mut wrong) = (stage.stores().await?, Instant::now(), Vec::new());
    while since.elapsed() < WATCHED || books::n_open(&stores).await? > 0 {
        ensure!(since.elapsed() < ANSWER_PATIENCE, "the restored store does not come to rest");
        sleep(LOOK_EVERY).await;
    }
    stage.hosts.check_alive()?;
    if stage.scene.seen() != *before {
        wrong.push("something was sent after the restore before anybody released it".to_owned());
    }
    let held = Held::read(&Books::read(&stores, &stage.workspace).await?, books::n_restored(&stores).await?);
    stores.vault.close().await;
    stores.db.close().await;
    // An echo that was still under way may have settled a message since: never the other way.
    let (told, (n_messages, n_events)) = (two_numbers(told).unwrap_or_default(), held.counts);
    if n_messages > told.0 || n_events != told.1 {
        wrong.push(format!("`restore` told of {told:?} messages and events, and {:?} are held", held.counts));
    }
    if n_messages + n_events == 0 {
        wrong.push("nothing was open in the backup: the round shows nothing".to_owned());
    }
    Ok((wrong, held))
}

impl Held {
    fn read(books: &Books, counts: (usize, usize)) -> Self {
        let events = books.events.iter().filter(|event| event.state == "held").filter_map(|event| event.word.clone());
        let deliveries = books.deliveries.iter().filter(|delivery| delivery.state == "held");
        Self { counts, words: events.chain(deliveries.flat_map(|delivery| delivery.words.clone())).collect() }
    }
}

/// The restored life is judged like any other, by what it knows: what it held was seen when it was released, everything else before.
async fn judge(stage: &mut Stage, backup: &Backup, before: &Seen, held: &HashSet<String>) -> anyhow::Result<Verdict> {
    let (books, is_at_rest) = stage.books_at_rest().await?;
    let (written, all) = (stage.scene.all_written(), stage.scene.seen());
    let known: HashSet<&str> = books.events.iter().filter_map(|event| event.word.as_deref()).collect();
    let (kept, gone): (Vec<Written>, Vec<Written>) =
        written.into_iter().partition(|message| known.contains(message.word.as_str()));
    let mut verdict = Verdict::of(&kept, &of_this_life(before, &all, &known, held), &books);
    let was_stored = |message: &&Written| message.acknowledged_ms.is_some_and(|ms| ms < backup.began_ms);
    verdict.lost.extend(gone.iter().filter(was_stored).map(|message| format!("{}: not in the backup", message.word)));
    for (what, seen) in [("before the restore", before.clone()), ("after it", since(before, &all))] {
        let twice = counted(&seen).into_iter().filter(|(_, n_seen)| *n_seen > 1);
        verdict.doubled.extend(twice.map(|(word, n_seen)| format!("{word} was seen {n_seen} times {what}")));
    }
    let unasked = counted(&since(before, &all)).into_keys().filter(|word| !held.contains(word));
    verdict.doubled.extend(unasked.map(|word| format!("{word} was sent after the restore, and had not been held")));
    if !is_at_rest {
        verdict.wrong.push("there was still work to do after the release".to_owned());
    }
    Ok(verdict)
}

/// What customers saw since.
fn since(before: &Seen, all: &Seen) -> Seen {
    let theirs = |(customer, answers): (usize, &Vec<Vec<String>>)| {
        answers.iter().skip(before.get(customer).map_or(0, Vec::len)).cloned().collect()
    };
    all.iter().enumerate().map(theirs).collect()
}

fn of_this_life(before: &Seen, all: &Seen, known: &HashSet<&str>, held: &HashSet<String>) -> Seen {
    let settled = |word: &&String| known.contains(word.as_str()) && !held.contains(*word);
    let kept = |answer: &Vec<String>| answer.iter().filter(settled).cloned().collect::<Vec<_>>();
    let join = |(before, since): (&Vec<Vec<String>>, Vec<Vec<String>>)| {
        before.iter().map(kept).filter(|answer| !answer.is_empty()).chain(since).collect()
    };
    before.iter().zip(since(before, all)).map(join).collect()
}

fn counted(seen: &Seen) -> HashMap<String, usize> {
    let mut counted = HashMap::new();
    seen.iter().flatten().flatten().for_each(|word| *counted.entry(word.clone()).or_default() += 1);
    counted
}

/// `N messages and M events …`, wherever it stands.
fn two_numbers(said: &str) -> Option<(usize, usize)> {
    let words: Vec<&str> = said.split_whitespace().collect();
    words.windows(5).find_map(|words| match words {
        [n, "messages", "and", m, "events"] => Some((n.parse().ok()?, m.parse().ok()?)),
        _ => None,
    })
}

async fn command(stage: &Stage, arguments: &[&str]) -> anyhow::Result<String> {
    host::command(&stage.lodging.config_file(), arguments).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_counts_as_seen_only_after_the_release() {
        let seen =
            |answers: &[&str]| -> Seen { vec![answers.iter().map(|text| crate::crash::scene::words(text)).collect()] };
        let (before, all) = (seen(&["a", "b", "c"]), seen(&["a", "b", "c", "b"]));
        let (known, held) = (["a", "b"].into(), ["b".to_owned()].into());
        assert_eq!(of_this_life(&before, &all, &known, &held), seen(&["a", "b"]), "c came after the backup");
        assert_eq!(since(&before, &all), seen(&["b"]));
    }

    #[test]
    fn numbers_are_found_in_what_a_command_says() {
        let said = "the store is as it was\nworkspace W: 3 messages and 12 events are held\n";
        assert_eq!(two_numbers(said), Some((3, 12)));
        assert_eq!(two_numbers("nothing was open at that time"), None);
    }
}
