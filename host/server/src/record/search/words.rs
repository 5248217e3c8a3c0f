//! Cuts a normalised text into units: words, or pairs of characters in scripts that write without spaces.

/// A unit of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit<'a> {
    /// Letters and digits between spaces.
    Word(&'a str),
    /// Two neighbouring characters of a script without spaces, or one that stands alone.
    Pair(&'a str),
}

impl<'a> Unit<'a> {
    /// The unit's text.
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Pair(text) => text,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Spaced,
    Unspaced,
    Mark,
    Other,
}

/// The units of a text, in order.
pub(super) fn units(text: &str) -> Vec<Unit<'_>> {
    let mut units = Vec::new();
    let mut start = 0;
    let mut current = Class::Other;
    for (position, character) in text.char_indices() {
        let class = match class(character) {
            // A mark belongs to the character before it.
            Class::Mark if current != Class::Other => current,
            Class::Mark => Class::Other,
            class => class,
        };
        if class != current {
            push(text.get(start..position).unwrap_or_default(), current, &mut units);
            start = position;
            current = class;
        }
    }
    push(text.get(start..).unwrap_or_default(), current, &mut units);
    units
}

/// True for text in a script that writes without spaces between words.
pub(super) fn is_unspaced(character: char) -> bool {
    matches!(character,
        // Thai, Lao, Myanmar, Khmer.
        '\u{0e01}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Kana, ideographs, and Hangul, whose words carry their particles with them.
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn class(character: char) -> Class {
    if is_unspaced(character) {
        // The middle dot and the repetition marks of kana have no sound of their own.
        return if matches!(character, '・' | '゠') { Class::Other } else { Class::Unspaced };
    }
    if character.is_alphanumeric() {
        return Class::Spaced;
    }
    let is_mark = unicode_normalization::char::is_combining_mark(character);
    if is_mark { Class::Mark } else { Class::Other }
}

fn push<'a>(run: &'a str, class: Class, units: &mut Vec<Unit<'a>>) {
    match class {
        Class::Spaced => units.push(Unit::Word(run)),
        Class::Unspaced => {
            let borders: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
            let pairs = borders.windows(3).filter_map(|border| match border {
                [from, _, to] => run.get(*from..*to),
                _ => None,
            });
            let before = units.len();
            units.extend(pairs.map(Unit::Pair));
            if units.len() == before {
                units.push(Unit::Pair(run));
            }
        }
        Class::Mark | Class::Other => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        units(text).into_iter().map(Unit::text).collect()
    }

    #[test]
    fn words_lie_between_what_is_no_letter() {
        assert_eq!(texts("what's open, 24/7? 🎉 кафе"), ["what", "s", "open", "24", "7", "кафе"]);
        assert_eq!(texts("कितना है"), ["कितना", "है"]);
        assert_eq!(texts(" 🎉 "), Vec::<&str>::new());
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        assert_eq!(texts("営業時間は?"), ["営業", "業時", "時間", "間は"]);
        assert_eq!(texts("iphone修理"), ["iphone", "修理"]);
        assert_eq!(texts("茶"), ["茶"]);
        assert_eq!(texts("배송 시간"), ["배송", "시간"]);
    }
}
