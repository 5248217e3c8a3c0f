//! Somebody else's words, made harmless where ours stand: one line, of bounded length, read in one direction.

/// Longest text of somebody else's, in characters: a reason is a sentence or two.
const MAX_CHARS: usize = 300;

/// A text in one line, without characters that steer a terminal or turn the direction of reading.
pub fn quiet(text: &str) -> String {
    let visible = text.chars().filter(|letter| !turns(*letter));
    let shown: String = visible.map(|letter| if breaks(letter) { ' ' } else { letter }).take(MAX_CHARS).collect();
    shown.trim().to_owned()
}

fn breaks(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Marks of direction, and characters that cannot be seen. The joiners stay: Persian and some emoji need them.
const fn turns(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
