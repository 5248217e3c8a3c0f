//! What happens to a host in a round, decided by the seed before it begins: how often it dies, and where.

use std::time::Duration;

use bellhop::db::Moment;

use crate::crash::dice::Dice;

/// Named places of death in a round.
const NAMED_KILLS: usize = 3;

/// After so many rounds every place was visited at least once.
pub(crate) const FULL_TOUR: usize = 5;

/// One way to end a host without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// So long after its process was started.
    Starting(Duration),
    /// So long after it began to serve.
    Running(Duration),
    /// At the so-many-th passing of a moment.
    At(Moment, u64),
    /// While Meta has messages whose senders wait for the answer.
    InFlight,
}

/// The place of death that lies on Meta's side.
pub(crate) const IN_FLIGHT: &str = "send-in-flight";

/// When a Page's messages come back as echoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echoes {
    OnTime,
    /// So long after the last host was started.
    Late(Duration),
    Never,
}

/// A round before it is played.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Its number, from 0.
    pub(crate) round: usize,
    pub(crate) dice: Dice,
    pub(crate) echoes: Echoes,
    /// The settle window.
    pub(crate) quiet_ms: u64,
    /// One after the other; a host is started anew after each.
    pub(crate) kills: Vec<Kill>,
}

impl Plan {
    /// The round of this number.
    pub(crate) fn new(seed: u64, round: usize) -> Self {
        let mut dice = Dice::new(seed).aside(u64::try_from(round).unwrap_or_default() + 1);
        let echoes = match round % 3 {
            0 => Echoes::OnTime,
            1 => Echoes::Never,
            _ => Echoes::Late(dice.millis(1_000, 20_000)),
        };
        let mut kills: Vec<Kill> = named(round, &mut dice).collect();
        for random in [Kill::Running(dice.millis(0, 900)), Kill::Starting(dice.millis(5, 150))] {
            kills.insert(dice.place(kills.len() + 1), random);
        }
        let quiet_ms = if dice.chance(50) { 0 } else { 40 };
        Self { round, dice, echoes, quiet_ms, kills }
    }
}

impl Plan {
    /// A round that visits these places, each at its first passing: for those that earlier rounds planned and did not reach.
    pub(crate) fn visiting(seed: u64, round: usize, places: &[&str]) -> Self {
        let kills =
            places.iter().map(|place| Moment::parse(place).map_or(Kill::InFlight, |moment| Kill::At(moment, 1)));
        Self { kills: kills.collect(), ..Self::new(seed, round) }
    }
}

/// The names of all places of death.
pub(crate) fn places() -> impl Iterator<Item = &'static str> {
    Moment::ALL.into_iter().map(Moment::as_str).chain([IN_FLIGHT])
}

/// This round's share of all places, in turn.
fn named(round: usize, dice: &mut Dice) -> impl Iterator<Item = Kill> {
    let everywhere = Moment::ALL.into_iter().map(Some).chain([None]).cycle();
    let ours = everywhere.skip(round * NAMED_KILLS % (Moment::ALL.len() + 1)).take(NAMED_KILLS);
    ours.map(|moment| moment.map_or(Kill::InFlight, |moment| Kill::At(moment, 1 + dice.below(5))))
}

impl Kill {
    /// The name of the place, for those that have one.
    pub(crate) fn place(self) -> Option<&'static str> {
        match self {
            Self::At(moment, _) => Some(moment.as_str()),
            Self::InFlight => Some(IN_FLIGHT),
            Self::Starting(_) | Self::Running(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_full_tour_visits_every_place() {
        let visited: HashSet<&str> =
            (0..FULL_TOUR).flat_map(|round| Plan::new(7, round).kills).filter_map(Kill::place).collect();
        assert_eq!(visited, places().collect());
    }

    #[test]
    fn places_that_were_missed_are_visited_by_name() {
        let plan = Plan::visiting(7, 5, &[IN_FLIGHT, Moment::ALL[3].as_str()]);
        assert_eq!(plan.kills, [Kill::InFlight, Kill::At(Moment::ALL[3], 1)]);
    }

    #[test]
    fn the_same_seed_makes_the_same_plan() {
        assert_eq!(Plan::new(7, 3).kills, Plan::new(7, 3).kills);
        assert_ne!(Plan::new(7, 3).kills, Plan::new(8, 3).kills);
    }
}
