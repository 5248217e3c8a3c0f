//! Nothing of a call is left for the next one, whoever makes it.

use bellhop_domain::effect::Answer;

use crate::fixture::{context, event, guest, prepared, sandbox};
use crate::{Limits, NoHost, Outcome};

const PASS: Outcome = Outcome::Answered(Answer::Pass);

#[tokio::test]
async fn a_global_counter_always_reads_one() {
    let body = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.ne (global.get $calls) (i32.const 1)) (then unreachable))
        (call $pass)";
    let sandbox = sandbox(1);
    let plugin = prepared(&sandbox, &guest("", "(global $calls (mut i32) (i32.const 0))", body)).await;
    for _ in 0..5 {
        let report = plugin.call(&event(), &context(), NoHost, &Limits::default()).await;
        assert_eq!(report.outcome, PASS);
    }
}

/// Crashes unless `bytes` from `from` on are zero, then fills them.
fn looks_for_leftovers(grow: u32, from: u32, bytes: u32) -> String {
    format!(
        "(drop (memory.grow (i32.const {grow})))
        (local.set $count (i32.const {from}))
        (loop $again
            (if (i64.ne (i64.load (local.get $count)) (i64.const 0)) (then unreachable))
            (local.set $count (i32.add (local.get $count) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $count) (i32.const {}))))
        (memory.fill (i32.const {from}) (i32.const 0xaa) (i32.const {bytes}))
        (call $pass)",
        from + bytes
    )
}

#[tokio::test]
async fn a_reused_place_holds_nothing_of_the_guest_before() {
    // More than what a place keeps resident, so that both ways of clearing it are met. Two guests in one place.
    let first = guest("", "", &looks_for_leftovers(20, 65_536, 20 * 65_536));
    let second = guest("", "(global i32 (i32.const 1))", &looks_for_leftovers(20, 65_536, 20 * 65_536));
    assert_ne!(first.hash, second.hash);
    let sandbox = sandbox(1);
    let (first, second) = (prepared(&sandbox, &first).await, prepared(&sandbox, &second).await);
    for plugin in [&first, &second, &first, &second, &second] {
        let report = plugin.call(&event(), &context(), NoHost, &Limits::default()).await;
        assert_eq!(report.outcome, PASS);
    }
}

#[tokio::test]
async fn a_reused_table_holds_nothing_of_the_guest_before() {
    let body = "(if (i32.eqz (ref.is_null (table.get $t (i32.const 7)))) (then unreachable))
        (table.set $t (i32.const 7) (ref.func $pass)) (call $pass)";
    let sandbox = sandbox(1);
    let plugin = prepared(&sandbox, &guest("", "(table $t 10 funcref) (elem declare func $pass)", body)).await;
    for _ in 0..3 {
        let report = plugin.call(&event(), &context(), NoHost, &Limits::default()).await;
        assert_eq!(report.outcome, PASS);
    }
}

#[tokio::test]
async fn a_crash_spoils_nothing_for_the_next_call() {
    let crash = guest("", "", "(memory.fill (i32.const 0) (i32.const 0xaa) (i32.const 65536)) (unreachable)");
    let sandbox = sandbox(1);
    let crash = prepared(&sandbox, &crash).await;
    let well = prepared(&sandbox, &guest("", "", "(call $pass)")).await;
    for _ in 0..20 {
        let report = crash.call(&event(), &context(), NoHost, &Limits::default()).await;
        assert!(matches!(report.outcome, Outcome::Stopped(_)));
    }
    let report = well.call(&event(), &context(), NoHost, &Limits::default()).await;
    assert_eq!(report.outcome, PASS);
    assert_eq!(sandbox.calls_under_way(), Some(0));
}
