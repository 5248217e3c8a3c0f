//! Hosts that count, hang, panic and flood: the call ends, the host comes back, the process lives.

use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::effect::{Answer, Effect};
use bellhop_domain::host_call::Entry;
use futures_util::{FutureExt, future};
use tokio::sync::{Barrier, Notify};

use crate::fixture::{CONTACT, HTTP, MEDIA, RECORDS, call, call_with, context, event, guest, prepared, sandbox};
use crate::host::{HostCalls, Reply};
use crate::{Admitted, Limits, NoHost, Outcome, StopReason};

/// Remembers what it was asked and answers with a text of `reply_bytes`.
#[derive(Debug, Default, PartialEq)]
struct Scribe {
    asked: Vec<String>,
    reply_bytes: usize,
}

impl HostCalls for Scribe {
    fn contact_field(&mut self, name: String) -> Reply<'_, Option<String>> {
        self.asked.push(name);
        Box::pin(future::ready(Ok(Some("x".repeat(self.reply_bytes)))))
    }

    fn records_get(&mut self, collection: String, id: String) -> Reply<'_, Option<Entry>> {
        self.asked.push(format!("{collection}/{id}"));
        let json = "x".repeat(self.reply_bytes);
        Box::pin(async move { Ok(Some(Entry { id, json, revision: 3 })) })
    }
}

/// Never answers.
#[derive(Debug, PartialEq)]
struct Deaf;

impl HostCalls for Deaf {
    fn contact_field(&mut self, _name: String) -> Reply<'_, Option<String>> {
        Box::pin(future::pending())
    }
}

/// Answers when it is told to.
struct Waiting(Arc<Notify>);

impl HostCalls for Waiting {
    fn contact_field(&mut self, _name: String) -> Reply<'_, Option<String>> {
        let told = Arc::clone(&self.0);
        Box::pin(async move {
            told.notified().await;
            Ok(None)
        })
    }
}

#[derive(Debug)]
struct Panicking;

impl HostCalls for Panicking {
    fn contact_field(&mut self, _name: String) -> Reply<'_, Option<String>> {
        Box::pin(async { panic!("a bug in the broker") })
    }
}

/// Asks `times` for a field whose name has `bytes` bytes.
fn asking(times: u32, bytes: u32) -> Admitted {
    let body = format!(
        "(loop $again
            (call $field (i32.const 8192) (i32.const {bytes}) (i32.const 2048))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $count) (i32.const {times}))))
        (call $pass)"
    );
    guest(CONTACT, "(data (i32.const 8192) \"attribute:shoe-size\")", &body)
}

#[tokio::test]
async fn the_host_is_asked_and_comes_back() {
    let report = call_with(&asking(2, 19), Scribe::default(), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Pass));
    assert_eq!(report.host.asked, ["attribute:shoe-size", "attribute:shoe-size"]);
    assert_eq!(report.host_calls, 2);
}

#[tokio::test]
async fn a_reply_arrives_whole() {
    // The result is at 2048: ok, some, then the entry at 2064: id, json, revision.
    let body = "(call $get (i32.const 8192) (i32.const 3) (i32.const 8195) (i32.const 2) (i32.const 2048))
        (if (i64.ne (i64.load (i32.const 2080)) (i64.const 3)) (then unreachable))
        (call $note (i32.load (i32.const 2064)) (i32.load (i32.const 2068)))";
    let plugin = guest(RECORDS, "(data (i32.const 8192) \"faqe7\")", body);
    let report = call_with(&plugin, Scribe { reply_bytes: 5, ..Scribe::default() }, &Limits::default()).await;
    assert_eq!(report.host.asked, ["faq/e7"]);
    let Outcome::Answered(Answer::Done(done)) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!(done.proposals.first().map(|proposal| &proposal.effect), Some(&Effect::Note("e7".to_owned())));
}

#[tokio::test]
async fn host_calls_are_counted() {
    let limits = Limits { host_calls: 3, ..Limits::default() };
    let enough = call_with(&asking(3, 1), Scribe::default(), &limits).await;
    assert_eq!(enough.outcome, Outcome::Answered(Answer::Pass));
    let over = call_with(&asking(4, 1), Scribe::default(), &limits).await;
    assert_eq!(over.outcome, Outcome::Stopped(StopReason::HostCalls { limit: 3 }));
    assert_eq!(over.host.asked.len(), 3, "the call over the limit never reaches the host");
}

#[tokio::test]
async fn what_a_guest_hands_over_is_summed() {
    let limits = Limits { bytes_out: 20, ..Limits::default() };
    let enough = call_with(&asking(2, 10), Scribe::default(), &limits).await;
    assert_eq!(enough.outcome, Outcome::Answered(Answer::Pass));
    let over = call_with(&asking(3, 7), Scribe::default(), &limits).await;
    assert_eq!(over.outcome, Outcome::Stopped(StopReason::BytesOut { limit_bytes: 20 }));
    assert_eq!(over.host.asked.len(), 2);
}

#[tokio::test]
async fn what_a_guest_reads_is_summed() {
    let limits = Limits { bytes_in: 200, ..Limits::default() };
    let host = || Scribe { reply_bytes: 100, ..Scribe::default() };
    let enough = call_with(&asking(2, 1), host(), &limits).await;
    assert_eq!(enough.outcome, Outcome::Answered(Answer::Pass));
    let over = call_with(&asking(3, 1), host(), &limits).await;
    assert_eq!(over.outcome, Outcome::Stopped(StopReason::BytesIn { limit_bytes: 200 }));
}

#[tokio::test]
async fn one_crossing_has_a_cap_of_its_own() {
    let text = |bytes: u32| {
        let body = format!(
            "(drop (memory.grow (i32.const 20))) (call $field (i32.const 65536) (i32.const {bytes}) (i32.const 2048)) (call $pass)"
        );
        guest(CONTACT, "", &body)
    };
    let limits = Limits { bytes_out: usize::MAX, ..Limits::default() };
    let enough = call(&text(1 << 20), &limits).await;
    assert_eq!(enough.outcome, Outcome::Answered(Answer::Pass));
    let over = call(&text((1 << 20) + 1), &limits).await;
    assert_eq!(over.outcome, Outcome::Stopped(StopReason::BytesOut { limit_bytes: 1 << 20 }));
}

#[tokio::test]
async fn a_list_that_claims_gigabytes_never_becomes_memory_of_the_host() {
    let far = "(call $field (i32.const 8192) (i32.const 0x7fffffff) (i32.const 2048)) (call $pass)";
    let handle =
        "(call $read (i32.const 8192) (i32.const -1) (i64.const 0) (i32.const 0) (i32.const 2048)) (call $pass)";
    // 4,096 pairs which all point to the same 30,000 bytes.
    let same = "(loop $again
            (i32.store offset=20000 (local.get $count) (i32.const 30000))
            (i32.store offset=20004 (local.get $count) (i32.const 30000))
            (local.set $count (i32.add (local.get $count) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $count) (i32.const 8192))))
        (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 20000) (i32.const 512) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 2048))
        (call $pass)";
    for (imports, body) in [(CONTACT, far), (MEDIA, handle), (HTTP, same)] {
        let report = call_with(&guest(imports, "", body), NoHost, &Limits::default()).await;
        let Outcome::Stopped(reason) = report.outcome else { panic!("{:?}", report.outcome) };
        assert!(matches!(reason.as_code(), "bytes-out" | "trap"), "{reason:?}");
        assert_eq!(report.host_calls, 0);
    }
}

#[tokio::test]
async fn a_host_that_hangs_is_cut_and_comes_back() {
    let limits = Limits { wall: Duration::from_millis(20), ..Limits::default() };
    let report = call_with(&asking(1, 1), Deaf, &limits).await;
    assert_eq!(report.outcome, Outcome::Stopped(StopReason::WallTime { millis: 20 }));
    assert_eq!(report.host, Deaf);
    assert_eq!(report.host_calls, 1);
}

#[tokio::test]
async fn a_panic_in_the_host_ends_one_call() {
    let sandbox = sandbox(1);
    let plugin = prepared(&sandbox, &asking(1, 1)).await;
    for _ in 0..3 {
        let report = plugin.call(&event(), &context(), Panicking, &Limits::default()).await;
        assert_eq!(report.outcome, Outcome::Stopped(StopReason::HostPanic));
    }
    let report = plugin.call(&event(), &context(), Scribe::default(), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Pass));
    assert_eq!(sandbox.calls_under_way(), Some(0));
}

#[tokio::test]
async fn a_full_pool_is_busy_at_once() {
    let sandbox = sandbox(1);
    let plugin = prepared(&sandbox, &asking(1, 1)).await;
    let told = Arc::new(Notify::new());
    let (event, context, limits) = (event(), context(), Limits::default());
    let first = plugin.call(&event, &context, Waiting(Arc::clone(&told)), &limits);
    let second = async {
        let report = plugin.call(&event, &context, Scribe::default(), &limits).await;
        told.notify_one();
        report
    };
    let (first, second) = future::join(first, second).await;
    assert_eq!(second.outcome, Outcome::Stopped(StopReason::Busy));
    assert_eq!(first.outcome, Outcome::Answered(Answer::Pass));
    let third = plugin.call(&event, &context, Scribe::default(), &limits).await;
    assert_eq!(third.outcome, Outcome::Answered(Answer::Pass));
}

#[tokio::test]
async fn a_dropped_call_gives_its_place_back() {
    let sandbox = sandbox(2);
    let plugin = prepared(&sandbox, &asking(1, 1)).await;
    let (event, context, limits) = (event(), context(), Limits::default());
    for _ in 0..500 {
        assert!(plugin.call(&event, &context, Deaf, &limits).now_or_never().is_none());
    }
    assert_eq!(sandbox.calls_under_way(), Some(0));
}

/// Answers when all others have asked too.
struct Gathering(Arc<Barrier>);

impl HostCalls for Gathering {
    fn contact_field(&mut self, _name: String) -> Reply<'_, Option<String>> {
        let all = Arc::clone(&self.0);
        Box::pin(async move {
            all.wait().await;
            Ok(None)
        })
    }
}

#[tokio::test]
async fn waiting_calls_do_not_wait_for_each_other() {
    let sandbox = sandbox(100);
    let plugin = prepared(&sandbox, &asking(1, 1)).await;
    let all = Arc::new(Barrier::new(100));
    let (event, context, limits) = (event(), context(), Limits::default());
    let calls = (0..100).map(|_| plugin.call(&event, &context, Gathering(Arc::clone(&all)), &limits));
    let reports = future::join_all(calls).await;
    assert!(reports.iter().all(|report| report.outcome == Outcome::Answered(Answer::Pass)));
}
