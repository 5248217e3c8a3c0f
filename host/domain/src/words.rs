//! What a customer says that is not for plugins: "stop", "start again", "I want a person". Recognised only where it is
//! the whole message or a whole listed phrase: a wrong "stop" silences a customer who asked something.

mod phrases;

/// What was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Do not write to me any more.
    OptOut,
    /// Write to me again. Means something only to one who opted out; from anybody else it is a message like any other.
    OptIn,
    /// I want to talk to a person.
    HumanRequest,
}

/// Longest text in bytes that is looked at. Whoever writes more has something else to say as well.
const MAX_BYTES: usize = 200;

/// What a message asks of the business itself, if anything.
pub fn recognise(text: &str) -> Option<Signal> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let said = normal(text);
    let is_one_of = |list: &[&str]| list.iter().any(|phrase| *phrase == said);
    if is_one_of(&phrases::OPT_OUT) {
        return Some(Signal::OptOut);
    }
    if is_one_of(&phrases::OPT_IN) {
        return Some(Signal::OptIn);
    }
    (is_one_of(&phrases::HUMAN) || is_one_of_bare(&said)).then_some(Signal::HumanRequest)
}

fn is_one_of_bare(said: &str) -> bool {
    phrases::HUMAN.contains(&without_courtesy(said))
}

/// Lower case, words parted by one space, without punctuation, emoji and the marks of Arabic vowels.
fn normal(text: &str) -> String {
    let lower = text.to_lowercase();
    let kept = lower.chars().filter_map(|c| match c {
        '\'' | '’' | 'ʼ' | '`' => None,
        // Dots of a lower-cased Turkish capital I, Arabic vowel marks and lengthening.
        '\u{307}' | '\u{64b}'..='\u{652}' | '\u{640}' => None,
        'ё' => Some('е'),
        'أ' | 'إ' | 'آ' => Some('ا'),
        c if c.is_alphanumeric() || is_mark(c) => Some(c),
        _ => Some(' '),
    });
    kept.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Signs that belong to the letter before them: Vietnamese accents typed apart, Indic vowels, Thai tones.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{981}'..='\u{983}' | '\u{9bc}'..='\u{9cd}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}')
}

/// The request without the courtesy around it.
fn without_courtesy(said: &str) -> &str {
    let mut rest = said;
    for _ in 0..3 {
        let front = phrases::BEFORE.iter().find_map(|words| rest.strip_prefix(words)?.strip_prefix(' '));
        rest = front.unwrap_or(rest);
        let back = phrases::AFTER.iter().find_map(|words| rest.strip_suffix(words)?.strip_suffix(' '));
        rest = back.unwrap_or(rest);
    }
    rest
}

#[cfg(test)]
mod tests;
