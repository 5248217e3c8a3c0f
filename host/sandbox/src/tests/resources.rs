//! Fuel, time, memory, stack and logs: each limit just under and just over.

use std::time::Duration;

use bellhop_domain::effect::Answer;
use bellhop_domain::host_call::LogLevel;

use crate::fixture::{LOG, call, guest, prepared, sandbox};
use crate::{Limits, MEMORY_BYTES_MAX, NoHost, Outcome, StopReason};

const PAGE: usize = 65_536;
const LOOP: &str = "(loop $again (br $again)) (unreachable)";

fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered(_) => "answered",
        Outcome::Faulted(_) => "faulted",
        Outcome::Stopped(reason) => reason.as_code(),
    }
}

#[tokio::test]
async fn a_loop_ends_when_its_fuel_does() {
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    let report = call(&guest("", "", LOOP), &limits).await;
    assert_eq!(report.outcome, Outcome::Stopped(StopReason::OutOfFuel { fuel: 1_000_000 }));
    assert_eq!(report.fuel_used, 1_000_000);
}

#[tokio::test]
async fn fuel_is_enough_to_the_unit() {
    let plugin = guest("", "", "(call $pass)");
    let used = call(&plugin, &Limits::default()).await.fuel_used;
    let enough = call(&plugin, &Limits { fuel: used, ..Limits::default() }).await;
    let short = call(&plugin, &Limits { fuel: used - 1, ..Limits::default() }).await;
    assert_eq!((code(&enough.outcome), code(&short.outcome)), ("answered", "out-of-fuel"));
}

#[tokio::test]
async fn a_loop_with_endless_fuel_ends_with_its_time() {
    let limits = Limits { fuel: u64::MAX, wall: Duration::from_millis(30), ..Limits::default() };
    let report = call(&guest("", "", LOOP), &limits).await;
    assert_eq!(report.outcome, Outcome::Stopped(StopReason::WallTime { millis: 30 }));
}

#[tokio::test(flavor = "current_thread")]
async fn loops_on_the_only_thread_take_turns_and_all_end() {
    let sandbox = sandbox(4);
    let plugin = prepared(&sandbox, &guest("", "", LOOP)).await;
    let limits = Limits { fuel: u64::MAX, wall: Duration::from_millis(40), ..Limits::default() };
    let (event, context) = (crate::fixture::event(), crate::fixture::context());
    let calls = (0..4).map(|_| plugin.call(&event, &context, NoHost, &limits));
    let reports = futures_util::future::join_all(calls).await;
    assert!(reports.iter().all(|report| code(&report.outcome) == "wall-time"));
}

#[tokio::test]
async fn filling_memory_over_and_over_ends() {
    let fill = "(loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $again)) (unreachable)";
    let report = call(&guest("", "", fill), &Limits { fuel: 10_000_000, ..Limits::default() }).await;
    assert_eq!(code(&report.outcome), "out-of-fuel");
}

#[tokio::test]
async fn an_allocator_that_loops_ends() {
    let module = crate::fixture::module("", "", "(call $pass)")
        .replace("(br_if $enough (i32.le_u", "(drop (i32.le_u")
        .replace("(drop (memory.grow (i32.const 1)))", "");
    let file = crate::with_manifest(&crate::fixture::component(&module), "");
    let report = call(&crate::admit(&file).unwrap(), &Limits::default()).await;
    assert_eq!(code(&report.outcome), "out-of-fuel");
}

#[tokio::test]
async fn deep_recursion_is_a_stack_overflow() {
    let deep = "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))";
    let report = call(&guest("", deep, "(call $deep (i32.const 1))"), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Stopped(StopReason::StackOverflow));
}

#[tokio::test]
async fn a_trap_names_itself_and_where_it_was() {
    let crash = "(func $very_deep_inside (unreachable))";
    let report = call(&guest("", crash, "(call $very_deep_inside) (call $pass)"), &Limits::default()).await;
    let Outcome::Stopped(StopReason::Trap { kind, backtrace }) = report.outcome else {
        panic!("{:?}", report.outcome);
    };
    assert!(kind.contains("unreachable"), "{kind}");
    assert_eq!(backtrace.first().map(String::as_str), Some("very_deep_inside"));
}

#[tokio::test]
async fn a_backtrace_is_short_and_clean() {
    let name = format!("\"{}\\u{{1b}}[31m\"", "long".repeat(200));
    let items = format!(
        "(func $\"{}\" (param i32) (if (i32.eqz (local.get 0)) (then unreachable))
            (call $\"{}\" (i32.sub (local.get 0) (i32.const 1))))",
        name.trim_matches('"'),
        name.trim_matches('"')
    );
    let body = format!("(call ${name} (i32.const 100)) (call $pass)");
    let report = call(&guest("", &items, &body), &Limits::default()).await;
    let Outcome::Stopped(StopReason::Trap { backtrace, .. }) = report.outcome else {
        panic!("{:?}", report.outcome);
    };
    assert!((1..=12).contains(&backtrace.len()));
    assert!(backtrace.iter().all(|frame| frame.len() <= 160 && !frame.contains('\u{1b}')));
}

#[tokio::test]
async fn memory_is_counted_to_the_page() {
    let grow = guest("", "", "(drop (memory.grow (i32.const 3))) (call $pass)");
    let enough = call(&grow, &Limits { memory_bytes: 4 * PAGE, ..Limits::default() }).await;
    assert_eq!((code(&enough.outcome), enough.peak_memory_bytes), ("answered", 4 * PAGE));
    let short = call(&grow, &Limits { memory_bytes: 4 * PAGE - 1, ..Limits::default() }).await;
    let reason = StopReason::Memory { wanted_bytes: 4 * PAGE, limit_bytes: 4 * PAGE - 1 };
    assert_eq!(short.outcome, Outcome::Stopped(reason));
}

#[tokio::test]
async fn memories_are_counted_together() {
    let both = "(drop (memory.grow $second (i32.const 1))) (drop (memory.grow (i32.const 1))) (call $pass)";
    let plugin = guest("", "(memory $second 1)", both);
    let enough = call(&plugin, &Limits { memory_bytes: 4 * PAGE, ..Limits::default() }).await;
    let short = call(&plugin, &Limits { memory_bytes: 3 * PAGE, ..Limits::default() }).await;
    assert_eq!((code(&enough.outcome), code(&short.outcome)), ("answered", "memory"));
}

#[tokio::test]
async fn a_plan_cannot_give_more_memory_than_the_pool_has() {
    let grow = guest("", "", "(drop (memory.grow (i32.const 1024))) (call $pass)");
    let report = call(&grow, &Limits { memory_bytes: usize::MAX, ..Limits::default() }).await;
    let reason = StopReason::Memory { wanted_bytes: MEMORY_BYTES_MAX + PAGE, limit_bytes: MEMORY_BYTES_MAX };
    assert_eq!(report.outcome, Outcome::Stopped(reason));
}

#[tokio::test]
async fn growth_beyond_a_modules_own_maximum_takes_nothing() {
    let own = "(memory $second 1 2)";
    let body = "(if (i32.ne (memory.grow $second (i32.const 5)) (i32.const -1)) (then unreachable)) (call $pass)";
    let report = call(&guest("", own, body), &Limits::default()).await;
    assert_eq!((code(&report.outcome), report.peak_memory_bytes), ("answered", 2 * PAGE));
}

#[tokio::test]
async fn a_table_grows_to_its_cap_and_no_further() {
    let grow = |by: u32, expected: i32| {
        let body = format!(
            "(if (i32.ne (table.grow $t (ref.null func) (i32.const {by})) (i32.const {expected})) (then unreachable)) (call $pass)"
        );
        guest("", "(table $t 0 funcref)", &body)
    };
    assert_eq!(code(&call(&grow(19_000, 0), &Limits::default()).await.outcome), "answered");
    assert_eq!(code(&call(&grow(20_001, -1), &Limits::default()).await.outcome), "answered");
}

#[tokio::test]
async fn log_lines_over_the_cap_are_dropped_and_counted() {
    let body = "(loop $again
            (call $log (i32.const 2) (i32.const 8192) (i32.const 3))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $count) (i32.const 1000))))
        (call $pass)";
    let plugin = guest(LOG, "(data (i32.const 8192) \"hot\")", body);
    let report = call(&plugin, &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Pass));
    assert_eq!((report.logs.len(), report.logs_dropped), (64, 936));
    assert_eq!(report.logs.first(), Some(&(LogLevel::Warn, "hot".to_owned())));
    assert_eq!(report.host_calls, 0);
}

#[tokio::test]
async fn the_log_line_that_crosses_the_cap_on_bytes_is_cut_at_a_character() {
    let body = "(call $log (i32.const 1) (i32.const 8192) (i32.const 8))
        (call $log (i32.const 1) (i32.const 8192) (i32.const 8))
        (call $pass)";
    let plugin = guest(LOG, "(data (i32.const 8192) \"\u{e9}\u{e9}\u{e9}\u{e9}\")", body);
    let limits = |log_bytes| Limits { log_bytes, ..Limits::default() };
    let all = call(&plugin, &limits(16)).await;
    assert_eq!((all.logs.len(), all.logs_dropped), (2, 0));
    let cut = call(&plugin, &limits(11)).await;
    assert_eq!(cut.logs.last(), Some(&(LogLevel::Info, "\u{e9}".to_owned())));
    let dropped = call(&plugin, &limits(8)).await;
    assert_eq!((dropped.logs.len(), dropped.logs_dropped), (1, 1));
}

#[tokio::test]
async fn the_same_input_costs_the_same_fuel() {
    let plugin = guest("", "", "(call $note (i32.const 8192) (i32.const 4))");
    let sandbox = sandbox(1);
    let plugin = prepared(&sandbox, &plugin).await;
    let (event, context) = (crate::fixture::event(), crate::fixture::context());
    let first = plugin.call(&event, &context, NoHost, &Limits::default()).await;
    let second = plugin.call(&event, &context, NoHost, &Limits::default()).await;
    assert_eq!((&first.outcome, first.fuel_used), (&second.outcome, second.fuel_used));
}
