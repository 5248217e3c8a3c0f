//! What a thread proves, and that nothing is repeated without proof.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

/// When it was tried, by our clock; Meta's stands an hour before it.
const TRIED: Timestamp = Timestamp::from_millis(1_795_176_000_000);
const SKEW: Duration = Duration::from_secs(3_600);
const SOUGHT: Sought<'static> = Sought { text: "Good day!", tried_at: TRIED };

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A line so many seconds after the attempt, by Meta's clock.
fn line(after: i64, author: Author, text: &'static str) -> Line<'static> {
    let at = TRIED + SKEW;
    let at = if after < 0 { at - seconds(after.unsigned_abs()) } else { at + seconds(after.unsigned_abs()) };
    Line { at, author, text: Some(text), is_another: false }
}

fn customer(after: i64) -> Line<'static> {
    line(after, Author::Customer, "hello")
}

fn found(lines: &[Line<'_>], is_whole: bool) -> Finding {
    let now = TRIED + seconds(8);
    find(SOUGHT, Thread { lines, is_whole, meta_now: now + SKEW, now })
}

#[test]
fn what_the_page_said_since_is_it() {
    let page = |after| line(after, Author::Page, "Good day!\n");
    assert_eq!(found(&[page(0), customer(-2)], true), Finding::There(0));
    // To the second, and by two clocks.
    assert_eq!(found(&[page(-10), customer(-20)], true), Finding::There(0));
    assert_eq!(found(&[page(-11), customer(-20)], true), Finding::Absent);
    // Of two the first, and none that is another delivery.
    assert_eq!(found(&[page(3), page(1), customer(-20)], true), Finding::There(1));
    let known = Line { is_another: true, ..page(1) };
    assert_eq!(found(&[page(3), known, customer(-20)], true), Finding::There(0));
    assert_eq!(found(&[known, customer(-20)], true), Finding::Absent);
}

#[test]
fn what_others_say_is_not_it() {
    assert_eq!(found(&[line(1, Author::Customer, "Good day!"), customer(-20)], true), Finding::Absent);
    assert_eq!(found(&[line(1, Author::Page, "I am Lea."), customer(-20)], true), Finding::Overtaken);
    assert_eq!(found(&[line(-30, Author::Page, "I am Lea."), customer(-40)], true), Finding::Absent);
}

#[test]
fn only_a_thread_that_reaches_back_proves_that_it_is_absent() {
    assert_eq!(found(&[], true), Finding::Nothing);
    assert_eq!(found(&[customer(-2)], false), Finding::Nothing);
    assert_eq!(found(&[customer(-2)], true), Finding::Absent);
    assert_eq!(found(&[customer(5), customer(-11)], false), Finding::Absent);
}

#[test]
fn a_line_without_details_may_be_it() {
    let dark = |author, after| Line { text: None, ..line(after, author, "") };
    for (author, finding) in
        [(Author::Page, Finding::Nothing), (Author::Unknown, Finding::Nothing), (Author::Customer, Finding::Absent)]
    {
        assert_eq!(found(&[dark(author, 1), customer(-20)], true), finding, "{author:?}");
        assert_eq!(found(&[customer(1), dark(author, -20)], true), Finding::Absent, "{author:?}");
    }
    // It is there all the same.
    let lines = [dark(Author::Page, 2), line(1, Author::Page, "Good day!")];
    assert_eq!(found(&lines, true), Finding::There(1));
}

const WAITING: Standing = Standing { is_waiting: true, absent_at: None, n_looks: 1, n_attempts: 1 };

fn decided(standing: Standing, finding: Finding, after: u64) -> Decision {
    decide(standing, finding, TRIED + seconds(after), TRIED + seconds(after + 1))
}

#[test]
fn two_looks_a_minute_apart_let_it_go_again() {
    let first = decided(WAITING, Finding::Absent, 5);
    let Decision::LookAgain { at, absent_at } = first else { panic!("{first:?}") };
    assert_eq!((at, absent_at), (TRIED + seconds(66), Some(TRIED + seconds(6))));
    let again = Standing { absent_at, n_looks: 2, ..WAITING };
    assert_eq!(decided(again, Finding::Absent, 66), Decision::Repeat);
    // A moment too early, or seen meanwhile, or overtaken, or too often, or set aside.
    assert_eq!(decided(again, Finding::Absent, 65), Decision::LookAgain { at: TRIED + seconds(66), absent_at });
    assert_eq!(decided(again, Finding::There(3), 66), Decision::Sent(3));
    assert_eq!(decided(again, Finding::Overtaken, 66), Decision::GiveUp);
    assert_eq!(decided(Standing { n_attempts: MOST_ATTEMPTS, ..again }, Finding::Absent, 66), Decision::GiveUp);
    assert_eq!(decided(Standing { is_waiting: false, ..again }, Finding::Absent, 66), Decision::GiveUp);
}

#[test]
fn what_proves_nothing_is_looked_at_again_and_not_for_ever() {
    for n_looks in 1..MOST_LOOKS {
        let looked = decided(Standing { n_looks, ..WAITING }, Finding::Nothing, 5);
        let at = TRIED + seconds(6 + 10 * u64::from(n_looks));
        assert_eq!(looked, Decision::LookAgain { at, absent_at: None });
    }
    for finding in [Finding::Nothing, Finding::Absent] {
        assert_eq!(decided(Standing { n_looks: MOST_LOOKS, ..WAITING }, finding, 5), Decision::GiveUp);
    }
}

fn any_finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        1 => Just(Finding::There(0)),
        5 => Just(Finding::Absent),
        1 => Just(Finding::Overtaken),
        5 => Just(Finding::Nothing),
    ]
}

proptest! {
    /// Whatever Meta answers, however late hosts look.
    #[test]
    fn nothing_is_repeated_without_two_looks_that_missed_it_a_minute_apart(
        looks in proptest::collection::vec((any_finding(), 0_u64..90_000, 0_u64..10_000, any::<bool>()), 20),
    ) {
        let (mut standing, mut due) = (Standing { n_looks: 0, ..WAITING }, TRIED + FIRST_LOOK_AFTER);
        let mut missed: Vec<Timestamp> = Vec::new();
        let mut has_ended = false;
        for (finding, late, lasts, is_waiting) in looks {
            let asked_at = due + Duration::from_millis(late);
            let now = asked_at + Duration::from_millis(lasts);
            standing = Standing { n_looks: standing.n_looks + 1, is_waiting: standing.is_waiting && is_waiting, ..standing };
            match decide(standing, finding, asked_at, now) {
                Decision::Repeat => {
                    prop_assert!(standing.is_waiting && finding == Finding::Absent);
                    prop_assert!(missed.iter().any(|first| asked_at >= *first + APART));
                    has_ended = true;
                }
                Decision::Sent(_) => {
                    prop_assert_eq!(finding, Finding::There(0));
                    has_ended = true;
                }
                Decision::GiveUp => has_ended = true,
                Decision::LookAgain { at, absent_at } => {
                    prop_assert!(at > now || finding == Finding::Absent);
                    (due, standing.absent_at) = (at.max(now), absent_at);
                }
            }
            if finding == Finding::Absent {
                missed.push(now);
            }
            if has_ended {
                break;
            }
        }
        prop_assert!(has_ended, "it comes to an end");
        prop_assert!(standing.n_looks <= MOST_LOOKS);
    }

    /// A message that Meta shows is never called absent, by whatever clock and beside whatever else.
    #[test]
    fn what_is_shown_is_never_called_absent(
        skew in -100_000_i64..100_000,
        delay in 0_u64..20_000,
        others in proptest::collection::vec((-60_i64..60, 0_usize..4), 0..8),
        is_whole in any::<bool>(),
    ) {
        let shift = |at: Timestamp| Timestamp::from_millis(at.millis() + skew);
        // Meta writes seconds.
        let floor = |at: Timestamp| Timestamp::from_millis(at.millis().div_euclid(1_000) * 1_000);
        let mut lines: Vec<Line<'_>> = others
            .into_iter()
            .map(|(after, who)| match who {
                0 => customer(after),
                1 => Line { text: None, ..line(after, Author::Page, "") },
                2 => Line { text: None, ..line(after, Author::Unknown, "") },
                _ => line(after, Author::Page, "I am Lea."),
            })
            .collect();
        lines.push(Line { at: floor(shift(TRIED + Duration::from_millis(delay))), ..line(0, Author::Page, "Good day!") });
        let now = TRIED + seconds(25);
        let thread = Thread { lines: &lines, is_whole, meta_now: floor(shift(now)), now };
        prop_assert!(matches!(find(SOUGHT, thread), Finding::There(_)));
    }
}
