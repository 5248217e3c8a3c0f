//! Links: only to hosts that the business listed. Meta fetches a preview of every link, so that one to a foreign host
//! would carry data out even of a plugin without network.
//!
//! Finds what Meta's clients make tappable: anything with a scheme, and bare domains with a known ending. An ending that
//! is in neither list below counts when a path follows.

mod endings;

use super::{Facts, Granted, Reason};
use crate::effect::{Effect, Say};
use crate::mask;

/// Longest host that a reason shows.
const MAX_SHOWN: usize = 100;

pub(super) fn check(effect: &Effect, facts: &Facts) -> Option<Reason> {
    let Granted::Plugin { link_hosts, .. } = &facts.granted else {
        return None;
    };
    let refused = |text: &str| hosts_in(text).into_iter().find(|host| !is_listed(host, link_hosts));
    let found = match effect {
        Effect::Say(say) => texts_of(say).find_map(refused),
        Effect::CommentReply(text) | Effect::PrivateReply(text) => refused(text),
        Effect::SendTemplate(template) => template.parameters.iter().find_map(|text| refused(text)),
        // Staff and other systems see these; what they hold is not sent to Meta.
        Effect::HideComment
        | Effect::Handoff(_)
        | Effect::SetAttribute(_)
        | Effect::AddTag(_)
        | Effect::Note(_)
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_)
        | Effect::Call(_)
        | Effect::Custom(_) => None,
    };
    found.map(|host| Reason::LinkNotListed(host.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect()))
}

/// All that the contact, or Meta's fetcher of pictures, would see of a reply.
fn texts_of(say: &Say) -> impl Iterator<Item = &str> {
    let cards = say.cards.iter().flat_map(|card| {
        let lines = [Some(&card.title), card.subtitle.as_ref(), card.image.as_ref()];
        lines.into_iter().flatten().chain(card.choices.iter().map(|choice| &choice.title))
    });
    let choices = say.choices.iter().map(|choice| &choice.title);
    std::iter::once(&say.text).chain(choices).chain(cards).map(String::as_str)
}

/// The host is listed, itself or by its domain.
fn is_listed(host: &str, listed: &[String]) -> bool {
    listed.iter().any(|entry| {
        let entry = normal(entry);
        match entry.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|front| front.ends_with('.') && front.len() > 1),
            None => host == entry || host.strip_prefix("www.") == Some(entry.as_str()),
        }
    })
}

/// Lower case, one kind of dot, none at the end.
fn normal(host: &str) -> String {
    let dotted: String = host.chars().map(|c| if is_dot(c) { '.' } else { c }).collect();
    dotted.trim_end_matches('.').to_lowercase()
}

/// The dots that browsers take for one (Unicode TR46).
const fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Marks and invisible characters that stick to their neighbours: with one inside, a host is not the one it seems to
/// be, and readers disagree where it begins.
const fn is_glue(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// Every host that a text links to, normalised.
pub fn hosts_in(text: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '«' | '»' | '“' | '”')) {
        match after_scheme(word) {
            Some((front, rest)) => {
                hosts.extend(authority_hosts(rest));
                bare_hosts(front, &mut hosts);
                hosts.extend(rest.split_once(['/', '?', '#']).map(|(_, path)| path_hosts(path)).unwrap_or_default());
            }
            // Without a scheme in front of the first `://` there may be one in front of the next.
            None => match word.split_once("://") {
                Some((front, rest)) => {
                    bare_hosts(front, &mut hosts);
                    hosts.extend(hosts_in(rest));
                }
                None => bare_hosts(word, &mut hosts),
            },
        }
    }
    hosts
}

/// Whether a token of a masked text stands in a link, where the value would be read by whoever the link leads to.
pub fn has_token_in_link(text: &str) -> bool {
    let words = text.split(char::is_whitespace).filter(|word| mask::may_hold_tokens(word));
    // A link with anything else in the token's place is still a link.
    words.into_iter().any(|word| !hosts_in(&mask::without_tokens(word)).is_empty())
}

/// What stands before and after the first `://`, where a scheme stands before it.
fn after_scheme(word: &str) -> Option<(&str, &str)> {
    let (front, rest) = word.split_once("://")?;
    let scheme =
        front.len() - front.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')).len();
    (scheme > 0).then(|| (front.get(..front.len() - scheme).unwrap_or_default(), rest))
}

/// The hosts that different readers may see in what follows a scheme: user names and backslashes are read differently
/// by browsers and servers, so each part must be listed.
fn authority_hosts(rest: &str) -> Vec<String> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let parts = authority.split(['@', '\\']).map(|part| part.split(':').next().unwrap_or_default());
    let hosts: Vec<String> = parts.map(without_punctuation).map(normal).filter(|host| !host.is_empty()).collect();
    if hosts.is_empty() && !authority.is_empty() { vec![normal(authority)] } else { hosts }
}

/// Hosts of a second link that hides in the path of the first: after another scheme, or behind a character at which some
/// readers end a link.
fn path_hosts(path: &str) -> Vec<String> {
    let mut pieces = path.split([')', ']', '}', ',', ';', '|', '\'']);
    let first = pieces.next().filter(|piece| piece.contains("://")).map(hosts_in).unwrap_or_default();
    first.into_iter().chain(pieces.flat_map(hosts_in)).collect()
}

/// The host without the punctuation of the sentence around it.
fn without_punctuation(host: &str) -> &str {
    host.trim_end_matches([',', ';', '!', ')', ']', '}', '\'', '*', '_', '~', '…', '’'])
}

/// Hosts that stand in a word without a scheme.
fn bare_hosts(word: &str, hosts: &mut Vec<String>) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '%') || is_dot(c) || is_glue(c);
    let mut rest = word;
    let mut before = None;
    while let Some(start) = rest.find(is_part) {
        let (front, tail) = rest.split_at_checked(start).unwrap_or_default();
        before = front.chars().next_back().or(before);
        let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        let (run, after) = tail.split_at_checked(end).unwrap_or_default();
        let has_path = after.starts_with(['/', '?', '#', ':']) && after.len() > 1;
        // An address of e-mail is no link, unless a path follows.
        if (before != Some('@') && !after.starts_with('@') || has_path && !after.starts_with('@'))
            && is_host(run, has_path)
        {
            // Signs of emphasis, the tail of an emoji in front and invisible characters behind belong to the sentence.
            let front = run.trim_start_matches(|c| is_dot(c) || matches!(c, '-' | '_' | '\u{fe00}'..='\u{fe0f}'));
            hosts.push(normal(front.trim_end_matches(|c| is_dot(c) || is_glue(c) || matches!(c, '-' | '_'))));
        }
        before = run.chars().next_back();
        rest = after;
    }
}

/// The run looks like a host to somebody who makes links of text.
fn is_host(run: &str, has_path: bool) -> bool {
    let host = normal(run);
    let labels: Vec<&str> = host.split('.').filter(|label| !label.is_empty()).collect();
    let (Some(last), true) = (labels.last(), labels.len() >= 2) else {
        return false;
    };
    let last = last.trim_end_matches(|c| is_glue(c) || matches!(c, '-' | '_'));
    let is_wordy = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
    let is_address = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    endings::is_known(last)
        || last.starts_with("xn--")
        || (labels.first() == Some(&"www") && is_wordy)
        || (has_path && (is_wordy || is_address))
}
