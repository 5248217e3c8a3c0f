//! Folding: what people leave out or vary when they type, taken out on both sides. Never changes what is shown to anyone.

/// Latin letters with marks by the plain letters they are typed as. Decomposed text needs no entry: marks are dropped.
const LATIN: &[(&str, &str)] = &[
    ("a", "àáâãäåāăąǎạảấầẩẫậắằẳẵặ"),
    ("c", "çćĉċč"),
    ("d", "ďđð"),
    ("e", "èéêëēĕėęěẹẻẽếềểễệ"),
    ("g", "ĝğġģ"),
    ("h", "ĥħ"),
    ("i", "ìíîïĩīĭįıǐỉị"),
    ("j", "ĵ"),
    ("k", "ķ"),
    ("l", "ĺļľŀł"),
    ("n", "ñńņňŋ"),
    ("o", "òóôõöøōŏőơǒọỏốồổỗộớờởỡợ"),
    ("r", "ŕŗř"),
    ("s", "śŝşšș"),
    ("t", "ţťŧț"),
    ("u", "ùúûüũūŭůűųưǔụủứừửữự"),
    ("w", "ŵ"),
    ("y", "ýÿŷỳỵỷỹ"),
    ("z", "źżž"),
    ("ss", "ß"),
    ("ae", "æ"),
    ("oe", "œ"),
    ("th", "þ"),
];

/// A text in lowercase without accents, vowel points or widths: "Mở cửa" and "mo cua" fold to the same.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            folded.push(letter.to_ascii_lowercase());
        } else {
            letter.to_lowercase().map(narrowed).for_each(|letter| fold_letter(letter, &mut folded));
        }
    }
    folded
}

fn fold_letter(letter: char, folded: &mut String) {
    if is_dropped(letter) {
        return;
    }
    match plain(letter) {
        Some(plain) => folded.push_str(plain),
        None => folded.push(letter),
    }
}

/// What a letter is typed as by people in a hurry; `None` for itself.
fn plain(letter: char) -> Option<&'static str> {
    match letter {
        'ß'..='ɏ' | 'Ḁ'..='ỿ' => {
            LATIN.iter().find(|(_, marked)| marked.contains(letter)).map(|(plain, _)| *plain)
        }
        'ά' => Some("α"),
        'έ' => Some("ε"),
        'ή' => Some("η"),
        'ί' | 'ϊ' | 'ΐ' => Some("ι"),
        'ό' => Some("ο"),
        'ύ' | 'ϋ' | 'ΰ' => Some("υ"),
        'ώ' => Some("ω"),
        'ς' => Some("σ"),
        'ё' => Some("е"),
        'й' => Some("и"),
        'ї' => Some("і"),
        'ў' => Some("у"),
        'ґ' => Some("г"),
        // Armenian "and" is one letter or two.
        'և' => Some("եւ"),
        'أ' | 'إ' | 'آ' | 'ٱ' => Some("ا"),
        'ى' | 'ئ' | 'ی' => Some("ي"),
        'ؤ' => Some("و"),
        'ة' | 'ۀ' => Some("ه"),
        'ک' => Some("ك"),
        _ => None,
    }
}

/// Full-width forms to ASCII, digits of other scripts to ASCII.
fn narrowed(letter: char) -> char {
    let code = u32::from(letter);
    let other = match code {
        0xFF01..=0xFF5E => code - 0xFEE0,
        0x3000 => 0x20,
        0x0660..=0x0669 => code - 0x0660 + 0x30,
        0x06F0..=0x06F9 => code - 0x06F0 + 0x30,
        0x0966..=0x096F => code - 0x0966 + 0x30,
        0x0E50..=0x0E59 => code - 0x0E50 + 0x30,
        _ => code,
    };
    char::from_u32(other).map_or(letter, |letter| letter.to_ascii_lowercase())
}

/// Combining marks, Hebrew and Arabic vowel points, the Arabic filler, Armenian marks inside words, joiners, apostrophes.
fn is_dropped(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0300..=0x036F | 0x0559..=0x055E | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x0640 | 0x064B..=0x065F | 0x0670
        | 0x06D6..=0x06ED | 0x200B..=0x200F | 0x2018..=0x2019 | 0x2060 | 0xFE00..=0xFE0F)
}
