//! Folding: what people leave out or vary when they type, taken out on both sides. Never changes what is shown to anyone.

/// Letters with marks by the plain letters they are typed as. Decomposed text needs no entry: marks are dropped alone.
const PLAIN: &[(&str, &str)] = &[
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
    // Greek
    ("α", "ά"),
    ("ε", "έ"),
    ("η", "ή"),
    ("ι", "ίϊΐ"),
    ("ο", "ό"),
    ("υ", "ύϋΰ"),
    ("ω", "ώ"),
    ("σ", "ς"),
    // Cyrillic
    ("е", "ё"),
    ("и", "й"),
    ("і", "ї"),
    ("у", "ў"),
    ("г", "ґ"),
    // Armenian: the ligature and its two spellings
    ("եւ", "և"),
    // Arabic and Persian
    ("ا", "أإآٱ"),
    ("ي", "ىئی"),
    ("و", "ؤ"),
    ("ه", "ةۀ"),
    ("ك", "ک"),
];

/// A text in lowercase without accents, vowel points or widths: "Mở cửa" and "mo cua" fold to the same.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        let letter = narrowed(letter);
        if letter.is_ascii() {
            folded.push(letter);
        } else if !is_dropped(letter) {
            match PLAIN.iter().find(|(_, marked)| marked.contains(letter)) {
                Some((plain, _)) => folded.push_str(plain),
                None => folded.push(letter),
            }
        }
    }
    folded
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
