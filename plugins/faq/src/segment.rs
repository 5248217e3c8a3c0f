//! Cuts a message into the questions it may hold. Cuts generously: what makes no sense by itself is found out when it is
//! judged, and the whole is judged too.

/// Pieces of one message that are judged; more is a letter, and its first pieces say what it is about.
const MAX_PIECES: usize = 8;

/// Words that join two questions, as folding leaves them.
const JOINING: [&str; 16] =
    ["and", "und", "y", "e", "et", "en", "ve", "i", "va", "и", "и", "і", "եւ", "و", "also", "aber"];
/// Joins words within one question as often as two questions, so both sides have to stand alone.
const COMMAS: [char; 4] = [',', '،', '、', '，'];

/// The sentences of a text, trimmed, none empty, repeated ones once.
pub(crate) fn sentences(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let before_space = letters.peek().is_none_or(|next| next.is_whitespace());
        if ends_sentence(letter, before_space) {
            take(&mut piece, &mut pieces);
        } else {
            piece.push(letter);
        }
    }
    take(&mut piece, &mut pieces);
    pieces.truncate(MAX_PIECES);
    pieces
}

/// Two halves around each joining word or comma, at most [`MAX_PIECES`] pairs.
pub(crate) fn halves(sentence: &str) -> Vec<(String, String)> {
    let mut halves = Vec::new();
    let words: Vec<&str> = sentence.split_whitespace().collect();
    for (position, word) in words.iter().enumerate() {
        let is_joining = JOINING.contains(&bellhop_sdk::text::fold(word).as_str());
        let after_comma = word.ends_with(COMMAS);
        let left_end = if is_joining { position } else { position + 1 };
        if (is_joining || after_comma) && left_end > 0 && position + 1 < words.len() {
            let join = |words: Option<&[&str]>| words.unwrap_or_default().join(" ");
            halves.push((join(words.get(..left_end)), join(words.get(position + 1..))));
        }
    }
    halves.truncate(MAX_PIECES);
    halves
}

/// A dot or colon ends a sentence only before a space: "9.30", "example.com".
fn ends_sentence(letter: char, before_space: bool) -> bool {
    match letter {
        '?' | '!' | '\n' | '¿' | '¡' | '؟' | '。' | '？' | '！' | '…' | '։' | ';' | '؛' | '；' => true,
        '.' | ':' | '।' => before_space,
        _ => false,
    }
}

fn take(piece: &mut String, pieces: &mut Vec<String>) {
    let trimmed = without_joining_prefix(piece.trim());
    if trimmed.chars().any(char::is_alphanumeric) && pieces.iter().all(|known| known != trimmed) {
        pieces.push(trimmed.to_owned());
    }
    piece.clear();
}

/// Arabic writes "and" onto the next word: "وأين" at the start of a sentence is "and where".
fn without_joining_prefix(sentence: &str) -> &str {
    match sentence.strip_prefix('و') {
        Some(rest) if rest.split_whitespace().next().is_some_and(|word| word.chars().count() >= 3) => rest,
        _ => sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_each_script_ends_them() {
        let texts = [
            ("What time do you open? And where are you?", vec!["What time do you open", "And where are you"]),
            ("open at 9.30? see example.com", vec!["open at 9.30", "see example.com"]),
            ("¿Dónde están? ¡Gracias!", vec!["Dónde están", "Gracias"]),
            ("営業時間は？駐車場はありますか。", vec!["営業時間は", "駐車場はありますか"]),
            ("متى تفتحون؟ وأين موقعكم؟", vec!["متى تفتحون", "أين موقعكم"]),
            ("Որտե՞ղ եք։ Առաքում ունե՞ք:", vec!["Որտե՞ղ եք", "Առաքում ունե՞ք"]),
            ("hi\nI want\nhaircut", vec!["hi", "I want", "haircut"]),
            ("?! 😀 …", vec![]),
        ];
        for (text, pieces) in texts {
            assert_eq!(sentences(text), pieces, "{text}");
        }
    }

    #[test]
    fn halves_stand_around_joining_words_and_commas() {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect()
        };
        assert_eq!(halves("parking and wifi"), owned(&[("parking", "wifi")]));
        assert_eq!(halves("parking, wifi"), owned(&[("parking,", "wifi")]));
        assert_eq!(halves("and then"), []);
        assert_eq!(halves("parking and"), []);
    }

    #[test]
    fn a_long_letter_gives_a_bounded_number_of_pieces() {
        assert_eq!(sentences(&(0..400).map(|number| format!("word {number}. ")).collect::<String>()).len(), MAX_PIECES);
        assert_eq!(halves(&"a and ".repeat(400)).len(), MAX_PIECES);
    }
}
