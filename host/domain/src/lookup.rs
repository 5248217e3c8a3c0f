//! Looking up a message of which nobody knows whether Meta took it: what the thread says that Meta shows, and what follows. Decides;
//! never asks and never settles.

use std::time::Duration;

use crate::evidence::says_the_same;
use crate::time::Timestamp;

/// Meta takes and shows a message within seconds; before that a look proves nothing.
pub const FIRST_LOOK_AFTER: Duration = Duration::from_secs(5);

/// Between two looks that must both miss it: a copy of the thread that lags behind has caught up by then.
pub const APART: Duration = Duration::from_secs(60);

/// Looks at one delivery; with their waits they span a few minutes.
pub const MOST_LOOKS: u32 = 6;

/// Attempts of a delivery in all before a person must decide: whoever loses three in a row is not helped by a fourth.
pub const MOST_ATTEMPTS: u32 = 3;

/// The wait after a look that proves nothing grows by this much with each.
const WAIT: Duration = Duration::from_secs(10);

/// What Meta's times and ours, brought together by a header that counts seconds, may be apart.
const MARGIN: Duration = Duration::from_secs(10);

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought<'a> {
    /// What it says.
    pub text: &'a str,
    /// When it was first tried, by our clock.
    pub tried_at: Timestamp,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The Page, through whomever.
    Page,
    /// The customer.
    Customer,
    /// Meta does not say.
    Unknown,
}

/// A message of the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// When Meta took it, by its clock.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Author,
    /// What it says; `None` where Meta does not tell.
    pub text: Option<&'a str>,
    /// It is known as another delivery.
    pub is_another: bool,
}

/// The end of a thread, as Meta shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread<'a> {
    /// Its newest messages.
    pub lines: &'a [Line<'a>],
    /// There are no older ones.
    pub is_whole: bool,
    /// Meta's time of the answer.
    pub meta_now: Timestamp,
    /// Our time of the answer.
    pub now: Timestamp,
}

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It is there: the line's place.
    There(usize),
    /// It is certainly not shown.
    Absent,
    /// It is not shown, and the Page has said something else since.
    Overtaken,
    /// The answer proves nothing.
    Nothing,
}

/// Looks for a message in a thread.
pub fn find(sought: Sought<'_>, thread: Thread<'_>) -> Finding {
    let since = by_metas_clock(sought.tried_at, thread) - MARGIN;
    let candidates = || thread.lines.iter().enumerate().filter(|(_, line)| line.at >= since && !line.is_another);
    let is_it =
        |line: &Line<'_>| line.author == Author::Page && line.text.is_some_and(|text| says_the_same(text, sought.text));
    let oldest = candidates().filter(|(_, line)| is_it(line)).min_by_key(|(_, line)| line.at);
    if let Some((place, _)) = oldest {
        return Finding::There(place);
    }
    let may_be_it = |line: &Line<'_>| match line.author {
        Author::Page => line.text.is_none(),
        Author::Customer => false,
        Author::Unknown => true,
    };
    let reaches_back = thread.lines.iter().any(|line| line.at < since) || (thread.is_whole && !thread.lines.is_empty());
    if !reaches_back || candidates().any(|(_, line)| may_be_it(line)) {
        return Finding::Nothing;
    }
    if candidates().any(|(_, line)| line.author == Author::Page) { Finding::Overtaken } else { Finding::Absent }
}

/// A time of ours as Meta's clock showed it.
fn by_metas_clock(at: Timestamp, thread: Thread<'_>) -> Timestamp {
    thread.meta_now - thread.now.since(at) + at.since(thread.now)
}

/// Where a delivery stands when a look comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It still holds its conversation. Otherwise it was set aside, others may have overtaken it, and it is never repeated.
    pub is_waiting: bool,
    /// When it was first certainly not shown.
    pub absent_at: Option<Timestamp>,
    /// Looks so far, this one among them.
    pub n_looks: u32,
    /// Attempts so far.
    pub n_attempts: u32,
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It was sent: the line's place.
    Sent(usize),
    /// Meta does not have it: it may be sent again.
    Repeat,
    /// Another look, at this time.
    LookAgain {
        /// When.
        at: Timestamp,
        /// When it was first certainly not shown.
        absent_at: Option<Timestamp>,
    },
    /// No further look: people decide.
    GiveUp,
}

/// What follows from a look that began at `asked_at` and came back at `now`.
pub fn decide(standing: Standing, finding: Finding, asked_at: Timestamp, now: Timestamp) -> Decision {
    let absent_at = standing.absent_at;
    let next = match finding {
        Finding::There(place) => return Decision::Sent(place),
        Finding::Overtaken if standing.is_waiting => return Decision::GiveUp,
        Finding::Absent => match absent_at {
            Some(first) if asked_at < first + APART => Decision::LookAgain { at: first + APART, absent_at },
            Some(_) if standing.is_waiting && standing.n_attempts < MOST_ATTEMPTS => return Decision::Repeat,
            Some(_) => return Decision::GiveUp,
            None => Decision::LookAgain { at: now + APART, absent_at: Some(now) },
        },
        Finding::Overtaken | Finding::Nothing => {
            Decision::LookAgain { at: now + WAIT.saturating_mul(standing.n_looks), absent_at }
        }
    };
    if standing.n_looks >= MOST_LOOKS { Decision::GiveUp } else { next }
}

#[cfg(test)]
mod tests;
