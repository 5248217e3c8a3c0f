//! The steps of a case: what customers, Meta, time and hosts can do, one small thing each. Every step can be played at any
//! time; one that finds nothing to do does nothing, so that shrinking may leave out any of them.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// Phrases of one case.
const LENGTH: std::ops::Range<usize> = 0..90;

/// A letter is named by its place among those that can be meant, modulo their number.
const LETTERS: usize = 6;

/// Longer than a customer's pause within a thought.
const SETTLED: u64 = 1_600;

/// Around the settle window (1.5 s and 6 s), the leases (5 s and 12 s), the hold of an unknown (30 s), the waits of a retry,
/// the rest of a throttled channel, and the reply window.
const WAITS: [u64; 9] = [100, SETTLED, 2_500, 5_100, 6_100, 12_100, 31_000, 75_000, 600_000];

/// The reply window, and as long a colleague keeps the conversation.
pub(super) const DAY: u64 = 86_400_000;

/// A customer: two of the first business, one of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Ana,
    Ben,
    Eve,
}

/// One of the two hosts on the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    First,
    Second,
}

/// What a customer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The plugin knows the answer: the text itself.
    Known,
    /// No plugin answers.
    Strange,
    Start,
    Stop,
    Person,
}

/// In which way the waiting letters arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    InOrder,
    Reversed,
    /// As one body.
    Together,
}

/// How the Graph API takes the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goes {
    Well,
    /// Accepted at once and answered by `Answer`.
    Slowly,
    /// Accepted, and the connection is cut.
    AcceptedAndCut,
    /// Cut before Meta accepted it.
    CutBefore,
    /// "An unknown error occurred": nobody knows.
    Doubtful,
    /// Refused for now.
    Busy,
    /// Refused, and the whole channel rests.
    Throttled,
    /// Refused for good.
    Refused,
    /// The person cannot be reached.
    Unreachable,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A customer writes; the letter waits at Meta.
    Say { who: Who, what: What },
    /// A colleague answers from Meta's inbox.
    Colleague { who: Who },
    /// A customer reads.
    Look { who: Who },
    /// One waiting letter arrives, before or after others. Without its answer Meta keeps it.
    Post { at: At, letter: usize, answered: bool },
    /// All waiting letters arrive.
    PostAll { at: At, way: Way },
    /// A letter that arrived before arrives again.
    PostAgain { at: At, letter: usize },
    /// An echo or a receipt never arrives.
    Lose { letter: usize },
    /// Both clocks move.
    Wait { millis: u64 },
    /// A host applies control events.
    Control { at: At },
    /// A host claims one conversation and runs its turn.
    Turn { at: At },
    /// A host claims one conversation and does nothing more yet.
    Claim { at: At },
    /// A host runs the oldest turn that it claimed and commits it, if it still may.
    Finish { at: At },
    /// A host looks for dead senders and waits that are over, and sends one message.
    Send { at: At, goes: Goes },
    /// Meta answers what it was slow with.
    Answer,
    /// A host's background work.
    Jobs { at: At },
    /// A host is gone in the middle of everything, and another one takes its place.
    Crash { at: At },
}

/// Any case: steps, and between them phrases that bring something onto its way, so that the steps find something to do.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let phrase = prop_oneof![
        20 => step().prop_map(|step| vec![step]),
        4 => (who(), what(), at()).prop_map(|(who, what, at)| answered(who, what, at)),
        1 => (who(), at(), at(), step()).prop_map(|(who, at, other, step)| interrupted(who, (at, other), step)),
        1 => (who(), at(), at()).prop_map(|(who, at, other)| interrupted(who, (at, other), Step::Colleague { who })),
        1 => (who(), at(), 0..LETTERS).prop_map(|(who, at, letter)| looked_at(who, at, letter)),
        1 => (who(), word(), word(), way(), at())
            .prop_map(|(who, first, second, way, at)| in_two_minds(who, [first, second], way, at)),
    ];
    vec(phrase, LENGTH).prop_map(|phrases| phrases.concat())
}

/// A customer writes and is answered, up to the sending.
fn answered(who: Who, what: What, at: At) -> Vec<Step> {
    vec![
        Step::Say { who, what },
        Step::PostAll { at, way: Way::InOrder },
        Step::Wait { millis: SETTLED },
        Step::Turn { at },
    ]
}

/// Something happens between the claim of a turn and its commit, and a host takes notice of it.
fn interrupted(who: Who, (at, other): (At, At), step: Step) -> Vec<Step> {
    let mut steps = answered(who, What::Known, at);
    steps.pop();
    let noticed =
        [Step::PostAll { at: other, way: Way::InOrder }, Step::Control { at: other }, Step::Turn { at: other }];
    steps.extend([Step::Claim { at }, step].into_iter().chain(noticed));
    steps.push(Step::Finish { at });
    steps
}

/// A message reaches a customer who looks, and one of the letters that tell of it overtakes the others.
fn looked_at(who: Who, at: At, letter: usize) -> Vec<Step> {
    let mut steps = answered(who, What::Known, at);
    steps.extend([Step::Send { at, goes: Goes::Well }, Step::Look { who }]);
    steps.extend([Step::Post { at, letter, answered: true }, Step::Control { at }]);
    steps.extend([Step::PostAll { at, way: Way::InOrder }, Step::Control { at }]);
    steps
}

/// A customer says two things at once, and the control lane is faster than the turn; then they ask something.
fn in_two_minds(who: Who, words: [What; 2], way: Way, at: At) -> Vec<Step> {
    let [first, second] = words.map(|what| Step::Say { who, what });
    let mut steps = vec![first, second, Step::PostAll { at, way }, Step::Control { at }];
    steps.extend([Step::Wait { millis: SETTLED }, Step::Turn { at }]);
    steps.extend(answered(who, What::Known, at));
    steps
}

fn word() -> impl Strategy<Value = What> {
    select(&[What::Known, What::Start, What::Stop][..])
}

fn step() -> impl Strategy<Value = Step> {
    let letter = || 0..LETTERS;
    prop_oneof![
        8 => (who(), what()).prop_map(|(who, what)| Step::Say { who, what }),
        1 => who().prop_map(|who| Step::Colleague { who }),
        2 => who().prop_map(|who| Step::Look { who }),
        5 => (at(), letter(), any::<bool>()).prop_map(|(at, letter, answered)| Step::Post { at, letter, answered }),
        8 => (at(), way()).prop_map(|(at, way)| Step::PostAll { at, way }),
        2 => (at(), letter()).prop_map(|(at, letter)| Step::PostAgain { at, letter }),
        1 => letter().prop_map(|letter| Step::Lose { letter }),
        12 => select(&WAITS[..]).prop_map(|millis| Step::Wait { millis }),
        4 => at().prop_map(|at| Step::Control { at }),
        8 => at().prop_map(|at| Step::Turn { at }),
        4 => at().prop_map(|at| Step::Claim { at }),
        4 => at().prop_map(|at| Step::Finish { at }),
        26 => (at(), goes()).prop_map(|(at, goes)| Step::Send { at, goes }),
        3 => Just(Step::Answer),
        1 => at().prop_map(|at| Step::Jobs { at }),
        2 => at().prop_map(|at| Step::Crash { at }),
        1 => Just(Step::Wait { millis: DAY / 2 }),
    ]
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![4 => Just(Who::Ana), 2 => Just(Who::Ben), 1 => Just(Who::Eve)]
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![3 => Just(At::First), 2 => Just(At::Second)]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        20 => Just(What::Known),
        4 => Just(What::Strange),
        2 => Just(What::Start),
        2 => Just(What::Stop),
        1 => Just(What::Person),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![3 => Just(Way::InOrder), 1 => Just(Way::Reversed), 1 => Just(Way::Together)]
}

fn goes() -> impl Strategy<Value = Goes> {
    prop_oneof![
        8 => Just(Goes::Well),
        4 => Just(Goes::Slowly),
        3 => Just(Goes::AcceptedAndCut),
        1 => Just(Goes::CutBefore),
        1 => Just(Goes::Doubtful),
        3 => Just(Goes::Busy),
        1 => Just(Goes::Throttled),
        1 => Just(Goes::Refused),
        1 => Just(Goes::Unreachable),
    ]
}
