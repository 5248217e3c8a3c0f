//! Makes spellings of one word equal: case, width, accents, Arabic vowel marks. Never touches what carries meaning, such
//! as the vowel signs of Devanagari or the voicing marks of kana.

use unicode_normalization::UnicodeNormalization;

/// Lower case and one form per character; accents stay, because stemmers know them.
pub(super) fn normalise(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|character| !is_ignorable(*character)).collect()
}

/// A normalised text without accents.
pub(super) fn fold(normalised: &str) -> String {
    if normalised.is_ascii() {
        return normalised.to_owned();
    }
    let mut plain = String::with_capacity(normalised.len());
    for character in normalised.nfkd().filter(|character| !is_accent(*character)) {
        match letter(character) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(character),
        }
    }
    // Hangul and voiced kana are put together again.
    plain.nfc().collect()
}

/// Marks that sit on or between letters and that people leave out.
fn is_accent(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        // Hebrew points and cantillation.
        | '\u{0591}'..='\u{05bd}' | '\u{05bf}' | '\u{05c1}'..='\u{05c2}' | '\u{05c4}'..='\u{05c5}' | '\u{05c7}'
        // Arabic: harakat, the hamza that decomposition splits off, Koranic marks.
        | '\u{0610}'..='\u{061a}' | '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{06d6}'..='\u{06dc}' | '\u{06df}'..='\u{06e8}'
        | '\u{06ea}'..='\u{06ed}')
}

/// Letters that no decomposition makes plain.
const fn letter(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ı' => "i",
        'þ' => "th",
        'ħ' => "h",
        'ŋ' => "n",
        // Final forms and letters that Arabic and Persian keyboards exchange.
        'ς' => "σ",
        'ى' | 'ی' | 'ئ' => "ي",
        'ة' => "ه",
        'ک' => "ك",
        'ٱ' => "ا",
        'ؤ' => "و",
        _ => return None,
    })
}

/// Characters that stand inside words without being part of them: soft hyphen, joiners, tatweel, and the Armenian marks
/// that are written over a word's stressed vowel.
const fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{0640}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{055b}' | '\u{055c}' | '\u{055e}'
        | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_word_become_equal() {
        for (written, plain) in [
            ("Mấy giờ MỞ cửa", "may gio mo cua"),
            ("Đặt bàn", "dat ban"),
            ("Straße", "strasse"),
            ("ещё", "еще"),
            ("أَسْعَار", "اسعار"),
            ("مـــوعد", "موعد"),
            ("ＯＰＥＮ　２４", "open 24"),
            ("İstanbul ılık", "istanbul ilik"),
            ("Ի՞նչ արժե", "ինչ արժե"),
            ("œuvre", "oeuvre"),
        ] {
            assert_eq!(fold(&normalise(written)), plain, "{written}");
        }
    }

    #[test]
    fn marks_that_carry_meaning_stay() {
        for text in ["がぎぐ", "한국어", "कितना", "ราคาเท่าไหร่"] {
            assert_eq!(fold(&normalise(text)), normalise(text), "{text}");
        }
    }
}
