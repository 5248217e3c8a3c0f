//! The crash harness, a few rounds of each kind: nothing that was promised is lost, nothing is said twice, and a host has died at
//! every named place.

#![cfg(test)]

#[allow(dead_code, reason = "only whether there is a PostgreSQL is asked here")]
#[path = "../../stories/support/cluster.rs"]
mod cluster;

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use bellhop::db::Moment;
use cluster::Cluster;

/// One harness at a time: each fills the machine, and a host that gets no processor looks like a dead one.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs the harness to its end; what it said.
fn crash(arguments: &[&str]) -> String {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).arg("crash").args(arguments).output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{failed}");
    println!("{said}{failed}");
    said.into_owned()
}

/// A few rounds may have been added, for places that were missed.
fn assert_kept(said: &str, n_rounds: usize) {
    let last = said.lines().last().unwrap();
    let (rounds, kept) = last.split_once(' ').unwrap();
    assert!(rounds.parse::<usize>().unwrap() >= n_rounds && kept.starts_with("rounds, 0 lost, 0 doubled, "), "{last}");
}

fn assert_died_everywhere(said: &str) {
    for place in Moment::ALL.into_iter().map(Moment::as_str).chain(["send-in-flight"]) {
        let found = said.lines().find_map(|line| line.strip_prefix("died at ")?.strip_prefix(place)?.strip_prefix(' '));
        let n_deaths: usize = found.unwrap_or_else(|| panic!("nothing is said of {place}")).parse().unwrap();
        assert!(n_deaths > 0, "no host died at {place}");
    }
}

/// With `CI=true` a missing PostgreSQL is a failure.
fn has_postgres() -> bool {
    let has = Cluster::programs().is_some();
    assert!(has || std::env::var("CI").as_deref() != Ok("true"), "no `initdb` found: install postgresql");
    if !has {
        println!("skipped on PostgreSQL: no `initdb` found");
    }
    has
}

#[test]
fn hosts_that_die_lose_nothing_and_repeat_nothing_on_sqlite() {
    let said = crash(&["--rounds", "5", "--seed", "3"]);
    assert_kept(&said, 5);
    assert_died_everywhere(&said);
}

#[test]
fn hosts_that_die_beside_others_lose_nothing_and_repeat_nothing_on_postgres() {
    if has_postgres() {
        let said = crash(&["--rounds", "5", "--seed", "3", "--postgres", "--hosts", "3"]);
        assert_kept(&said, 5);
        assert_died_everywhere(&said);
    }
}

#[test]
fn a_postgres_that_is_stopped_under_load_costs_nothing() {
    if has_postgres() {
        assert_kept(&crash(&["--rounds", "1", "--seed", "3", "--postgres", "--hosts", "2", "--stop-postgres"]), 1);
    }
}

#[test]
fn after_a_restore_nothing_goes_out_by_itself_and_what_was_held_goes_once() {
    assert_kept(&crash(&["--rounds", "1", "--seed", "3", "--restore"]), 1);
    if has_postgres() {
        assert_kept(&crash(&["--rounds", "1", "--seed", "3", "--restore", "--postgres", "--hosts", "2"]), 1);
    }
}

#[test]
fn a_full_disk_costs_nothing() {
    let said = crash(&["--rounds", "1", "--seed", "3", "--full-disk"]);
    if !said.starts_with("skipped") {
        assert_kept(&said, 1);
    }
}
