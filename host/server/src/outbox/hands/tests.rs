//! Who gets a hand, who waits, and what is heard of Meta's allowance.

use std::time::Duration;

use bellhop_domain::channel::ChannelKind;

use super::*;
use crate::directory::{App, ChannelState};

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// A host with three workspaces: `a` with channels a1 and a2, `b` and `c` with one each, all of one app.
struct House {
    clock: Clock,
    hands: Hands,
    snapshot: Snapshot,
}

fn house() -> House {
    let app = App {
        id: AppId::parse("app").unwrap(),
        workspace: workspace("a"),
        meta_app_id: String::from("1"),
        rest: Rest::default(),
    };
    let channels = ["a1", "a2", "b1", "c1"].map(channel).to_vec();
    let clock = Clock::manual(NOW);
    let hands = Hands::new(clock.clone(), Wake::default());
    House { clock, hands, snapshot: Snapshot::new(1, Vec::new(), vec![app], channels) }
}

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

fn channel(id: &str) -> Channel {
    Channel {
        workspace: workspace(&id[..1]),
        id: ChannelId::parse(id).unwrap(),
        app: AppId::parse("app").unwrap(),
        kind: ChannelKind::Messenger,
        asset_id: id.to_owned(),
        name: id.to_owned(),
        locale: String::from("en"),
        state: ChannelState::Active,
        fallback: None,
        state_reason: None,
        rest: Rest::default(),
    }
}

impl House {
    /// How many of each channel would be taken if all of them had much to send.
    fn rooms(&self, channels: &[&str], limit: usize) -> Vec<(String, usize)> {
        let due = channels.iter().enumerate().map(|(n, id)| Due {
            workspace: workspace(&id[..1]),
            channel: ChannelId::parse(id).unwrap(),
            since: NOW + Duration::from_millis(n as u64),
        });
        let plan = self.hands.plan(&self.snapshot, due.collect(), limit);
        self.hands.had_its_turn(plan.rooms.iter().map(|room| &room.workspace));
        plan.rooms.into_iter().map(|room| (room.channel.as_str().to_owned(), room.n)).collect()
    }

    fn take(&self, id: &str, n: usize) -> Vec<Grip> {
        let channel = channel(id);
        (0..n).map(|_| self.hands.take(&self.snapshot, &channel.workspace, &channel.id)).collect()
    }

    fn leave(&self, id: &str) -> Result<OnTheWay, Wait> {
        self.hands.leave(&self.snapshot, &channel(id))
    }

    fn hear(&self, id: &str, channel_pace: Pace, app: Pace) {
        self.hands.hear(&channel(id), Heard { channel: channel_pace, app });
    }
}

fn room(id: &str, n: usize) -> (String, usize) {
    (id.to_owned(), n)
}

const SLOW: Pace = Pace::Slow(Duration::from_secs(4));

#[test]
fn places_are_shared_by_workspace_and_then_by_channel() {
    let house = house();
    assert_eq!(house.rooms(&["a1", "a2", "b1"], 8), [room("a1", 2), room("a2", 2), room("b1", 4)]);
}

#[test]
fn where_places_are_fewer_than_workspaces_each_has_its_turn() {
    let house = house();
    let turns: Vec<_> = (0..4).map(|_| house.rooms(&["a1", "b1", "c1"], 2)).collect();
    let names = |turn: &Vec<(String, usize)>| turn.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>().join(" ");
    let turns: Vec<String> = turns.iter().map(names).collect();
    assert_eq!(turns, ["a1 b1", "c1 a1", "b1 c1", "a1 b1"]);
}

#[test]
fn no_channel_and_no_workspace_has_all_hands() {
    let house = house();
    let first = house.take("a1", MAX_OF_CHANNEL - 1);
    assert_eq!(house.rooms(&["a1"], 64), [room("a1", 1)]);
    let last = house.take("a1", 1);
    assert_eq!(house.rooms(&["a1"], 64), []);
    let others = house.take("a2", MAX_OF_WORKSPACE - MAX_OF_CHANNEL - 1);
    assert_eq!(house.rooms(&["a2", "b1"], 70), [room("b1", 64), room("a2", 1)]);
    drop((first, last, others));
    assert_eq!(house.rooms(&["a1"], 64), [room("a1", 64)]);
}

#[test]
fn a_plan_is_made_only_where_hands_are_few_or_somebody_is_slow() {
    let house = house();
    let is_calm = || house.hands.calm(&house.snapshot).is_some();
    let hand = house.take("a1", MAX_OF_CHANNEL - PER_CHANNEL);
    assert!(is_calm());
    let more = house.take("a1", 1);
    assert!(!is_calm());
    drop(more);
    let others = house.take("a2", MAX_OF_WORKSPACE - MAX_CLAIM - hand.len() + 1);
    assert!(!is_calm(), "of all its channels");
    drop(others);
    house.hear("b1", SLOW, Pace::Free);
    assert!(!is_calm());
    house.clock.advance(allowance::SLOW_LASTS);
    assert!(is_calm());
    let mut slow = channel("b1");
    slow.rest.slow_until = house.clock.now() + Duration::from_millis(1);
    let snapshot = Snapshot::new(2, Vec::new(), Vec::new(), vec![slow]);
    assert!(house.hands.calm(&snapshot).is_none(), "by another host's word");
}

#[test]
fn who_waits_for_a_hand_is_woken_when_one_is_free() {
    let house = house();
    let mut hands = house.take("a1", MAX_OF_CHANNEL);
    hands.pop();
    assert!(!house.hands.lock().is_short, "nobody waited");
    let last = house.take("a1", 1);
    assert_eq!(house.rooms(&["a1"], 64), []);
    assert!(house.hands.lock().is_short);
    drop(last);
    assert!(!house.hands.lock().is_short, "the loop was told");
}

#[test]
fn a_slow_channel_sends_one_by_one_with_a_rest_between() {
    let house = house();
    let hand = house.take("a1", 3);
    let (one, other) = (house.leave("a1").unwrap(), house.leave("a1").unwrap());
    house.hear("a1", SLOW, Pace::Free);
    drop(one);
    // What is in hand already stays there, and nothing new is taken.
    assert_eq!(house.leave("a1").unwrap_err(), Wait::Slow(NOW + Duration::from_secs(4)));
    assert_eq!(house.rooms(&["a1", "a2"], 64), [room("a2", 64)]);
    drop((other, hand));
    assert_eq!(house.rooms(&["a1", "a2"], 64), [room("a2", 64)]);
    house.clock.advance(Duration::from_secs(4));
    assert_eq!(house.rooms(&["a1"], 64), [room("a1", 1)]);
    let hand = house.take("a1", 2);
    let one = house.leave("a1").unwrap();
    assert!(house.leave("a1").is_err(), "one at a time");
    drop((one, hand));
    house.clock.advance(allowance::SLOW_LASTS);
    assert_eq!(house.rooms(&["a1"], 64), [room("a1", 64)]);
}

#[test]
fn a_silent_channel_sends_nothing_and_begins_slowly() {
    let house = house();
    house.hear("a1", Pace::Silent(Duration::from_secs(60)), Pace::Free);
    let until = NOW + Duration::from_secs(60);
    assert_eq!(house.leave("a1").unwrap_err(), Wait::Silent(until));
    let due = Due { workspace: workspace("a"), channel: channel("a1").id, since: NOW };
    let plan = house.hands.plan(&house.snapshot, vec![due], 64);
    assert_eq!((plan.rooms.len(), plan.opens_at), (0, Some(until)));
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.rooms(&["a1"], 64), [room("a1", 1)]);
}

#[test]
fn of_a_slow_app_every_workspace_has_the_same_small_share() {
    let house = house();
    house.hear("a1", Pace::Free, SLOW);
    let all = ["a1", "a2", "b1", "c1"];
    assert_eq!(house.rooms(&all, 64), [room("a1", 1), room("b1", 1), room("c1", 1)]);
    let hand = house.take("a1", 1);
    drop(house.leave("a1").unwrap());
    drop(hand);
    assert_eq!(house.rooms(&all, 64), [room("b1", 1), room("c1", 1)], "its other channel has no second share");
    assert!(house.leave("a2").is_err());
    drop(house.leave("b1").unwrap());
    house.clock.advance(Duration::from_secs(4));
    assert_eq!(house.rooms(&["a2", "a1"], 64), [room("a2", 1)], "what has waited longest");
}

#[test]
fn a_silent_app_silences_all_its_channels() {
    let house = house();
    house.hear("a1", Pace::Free, Pace::Silent(Duration::from_secs(60)));
    assert!(["a1", "a2", "b1"].iter().all(|id| house.leave(id).is_err()));
    assert_eq!(house.rooms(&["a1", "b1"], 64), []);
}

#[test]
fn what_another_host_heard_counts_here_too() {
    let mut slow = channel("b1");
    slow.rest.slow_until = NOW + Duration::from_secs(30);
    let mut house = house();
    house.snapshot = Snapshot::new(2, Vec::new(), Vec::new(), vec![channel("a1"), slow]);
    assert_eq!(house.rooms(&["a1", "b1"], 64), [room("a1", 63), room("b1", 1)]);
}
