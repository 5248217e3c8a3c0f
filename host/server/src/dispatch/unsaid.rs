//! Turns that would leave the contact without a word: the channel's fallback speaks where it may, and staff are told. Never
//! asks a plugin.

use bellhop_domain::effect::{Effect, Say};
use bellhop_domain::policy::{self, Granted, Mode, Reason, Remedy};
use bellhop_domain::time::Timestamp;

use crate::dispatch::effects::{self, Rows};
use crate::dispatch::open::OpenTurn;

/// Nobody answered: the channel's fallback, and staff are told.
pub(super) fn unanswered(turn: &OpenTurn, now: Timestamp, rows: &mut Rows) {
    rows.task(turn, "unanswered", "no-plugin-answered", asked(turn));
    fallback(turn, now, rows);
}

/// A plugin answered, and policy denied all that the contact would have heard; true when that leaves something to do.
///
/// A plugin that proposed nothing for the contact is silent on purpose and does not come here.
pub(super) fn refused(turn: &OpenTurn, plugin: &str, now: Timestamp, rows: &mut Rows) -> bool {
    if rows.refused.is_empty() || !rows.deliveries.is_empty() {
        return false;
    }
    // What the plugin may not do is judged before what the conversation allows; whether anybody may speak at all, the host's
    // own words show.
    let probe = Effect::Say(Say { text: "…".to_owned(), ..Say::default() });
    let of_host = policy::judge(&probe, &effects::facts(turn, Mode::Automated, now, Granted::Host)).reason().cloned();
    let denials = rows.refused.drain(..).chain(of_host);
    let Some(reason) = denials.min_by_key(Reason::remedy) else { return false };
    let remedy = reason.remedy();
    if remedy == Remedy::Nothing {
        return false;
    }
    // A plugin that hands over at the same time has told staff already.
    if !rows.hands_off {
        let note = format!("{}\nThe plugin {plugin} wanted to answer and may not: {reason}.", asked(turn));
        rows.task(turn, "refused", reason.code(), note);
    }
    if remedy == Remedy::FallbackAndTask {
        fallback(turn, now, rows);
    }
    true
}

fn asked(turn: &OpenTurn) -> String {
    let texts: Vec<&str> = turn.events.iter().filter_map(|event| event.event.text()).collect();
    texts.join("\n")
}

fn fallback(turn: &OpenTurn, now: Timestamp, rows: &mut Rows) {
    let Some(text) = turn.channel.fallback.clone() else { return };
    let say = Say { text, ..Say::default() };
    let facts = effects::facts(turn, Mode::Automated, now, Granted::Host);
    let effect = Effect::Say(say.clone());
    if policy::judge(&effect, &facts).reason().is_none() {
        rows.say(turn, None, &say, now);
    }
}
