//! 500 entries of an FAQ in 12 languages, made from a dozen and two things that a salon is asked about and three ways of
//! asking, each in two phrasings. What the questions say matters to nobody; that they look like a language does.

use serde_json::json;

/// How many there are.
pub(crate) const N_ENTRIES: usize = 500;

/// What is asked about in a language, and the ways of asking; `{}` stands for the thing.
struct Language {
    code: &'static str,
    asked: [[&'static str; 2]; 3],
    things: [&'static str; 14],
}

/// All entries as the import reads them: one JSON object a line.
pub(crate) fn json() -> String {
    let all = LANGUAGES.iter().flat_map(entries_of).take(N_ENTRIES);
    all.map(|entry| entry.to_string()).collect::<Vec<_>>().join("\n")
}

/// A question of every language that one entry answers, in other words than the entry's.
pub(crate) fn questions() -> Vec<String> {
    let question = |language: &Language| {
        let (asked, thing) = (language.asked.first()?.first()?, language.things.first()?);
        Some(asked.replace("{}", thing).to_lowercase())
    };
    LANGUAGES.iter().filter_map(question).collect()
}

fn entries_of(language: &Language) -> impl Iterator<Item = serde_json::Value> {
    language.things.iter().flat_map(move |thing| {
        language.asked.iter().map(move |phrasings| {
            let questions = phrasings.map(|phrasing| phrasing.replace("{}", thing));
            let answer = format!("{thing}: please call +351 21 000 0000");
            json!({ "questions": questions, "answer": answer, "language": language.code })
        })
    })
}

const LANGUAGES: [Language; 12] = [
    Language {
        code: "en",
        asked: [
            ["How much does a {} cost?", "What is the price of a {}?"],
            ["Do I need an appointment for a {}?", "Can I come without booking a {}?"],
            ["How long does a {} take?", "How many minutes is a {}?"],
        ],
        things: [
            "haircut",
            "beard trim",
            "wash",
            "perm",
            "fringe cut",
            "colouring",
            "highlight",
            "manicure",
            "massage",
            "wedding style",
            "child's cut",
            "shave",
            "scalp treatment",
            "gift card",
        ],
    },
    Language {
        code: "de",
        asked: [
            ["Was kostet {}?", "Wie teuer ist {}?"],
            ["Brauche ich einen Termin für {}?", "Kann ich ohne Termin für {} kommen?"],
            ["Wie lange dauert {}?", "Wie viele Minuten braucht {}?"],
        ],
        things: [
            "Haarschnitt",
            "Bartpflege",
            "Haarwäsche",
            "Dauerwelle",
            "Pony",
            "Färben",
            "Strähnchen",
            "Maniküre",
            "Massage",
            "Brautfrisur",
            "Kinderschnitt",
            "Rasur",
            "Kopfhautpflege",
            "Gutschein",
        ],
    },
    Language {
        code: "es",
        asked: [
            ["¿Cuánto cuesta {}?", "¿Qué precio tiene {}?"],
            ["¿Necesito cita para {}?", "¿Puedo ir sin cita para {}?"],
            ["¿Cuánto tiempo dura {}?", "¿Cuántos minutos lleva {}?"],
        ],
        things: [
            "corte",
            "barba",
            "lavado",
            "permanente",
            "flequillo",
            "tinte",
            "mechas",
            "manicura",
            "masaje",
            "peinado de novia",
            "corte infantil",
            "afeitado",
            "tratamiento capilar",
            "tarjeta regalo",
        ],
    },
    Language {
        code: "pt",
        asked: [
            ["Quanto custa {}?", "Qual é o preço de {}?"],
            ["Preciso de marcação para {}?", "Posso ir sem marcar {}?"],
            ["Quanto tempo demora {}?", "Quantos minutos leva {}?"],
        ],
        things: [
            "corte",
            "barba",
            "lavagem",
            "permanente",
            "franja",
            "coloração",
            "madeixas",
            "manicure",
            "massagem",
            "penteado de noiva",
            "corte infantil",
            "barbear",
            "tratamento capilar",
            "vale de oferta",
        ],
    },
    Language {
        code: "fr",
        asked: [
            ["Combien coûte {} ?", "Quel est le prix de {} ?"],
            ["Faut-il un rendez-vous pour {} ?", "Puis-je venir sans rendez-vous pour {} ?"],
            ["Combien de temps dure {} ?", "Combien de minutes prend {} ?"],
        ],
        things: [
            "coupe",
            "taille de barbe",
            "shampooing",
            "permanente",
            "frange",
            "coloration",
            "mèches",
            "manucure",
            "massage",
            "coiffure de mariée",
            "coupe enfant",
            "rasage",
            "soin du cuir chevelu",
            "carte cadeau",
        ],
    },
    Language {
        code: "it",
        asked: [
            ["Quanto costa {}?", "Qual è il prezzo di {}?"],
            ["Serve un appuntamento per {}?", "Posso venire senza prenotare {}?"],
            ["Quanto dura {}?", "Quanti minuti ci vogliono per {}?"],
        ],
        things: [
            "taglio",
            "barba",
            "lavaggio",
            "permanente",
            "frangia",
            "tinta",
            "colpi di sole",
            "manicure",
            "massaggio",
            "acconciatura da sposa",
            "taglio bambini",
            "rasatura",
            "trattamento cute",
            "buono regalo",
        ],
    },
    Language {
        code: "ru",
        asked: [
            ["Сколько стоит {}?", "Какая цена на {}?"],
            ["Нужна ли запись на {}?", "Можно ли прийти без записи на {}?"],
            ["Сколько длится {}?", "Сколько минут занимает {}?"],
        ],
        things: [
            "стрижка",
            "борода",
            "мытьё",
            "завивка",
            "чёлка",
            "окрашивание",
            "мелирование",
            "маникюр",
            "массаж",
            "свадебная причёска",
            "детская стрижка",
            "бритьё",
            "уход за кожей головы",
            "подарочная карта",
        ],
    },
    Language {
        code: "hy",
        asked: [
            ["Ինչ արժե {}։", "Որքան է {} գինը։"],
            ["Պե՞տք է հերթագրվել {} համար։", "Կարո՞ղ եմ գալ առանց հերթագրման {} համար։"],
            ["Որքան է տևում {}։", "Քանի րոպե է տևում {}։"],
        ],
        things: [
            "սանրվածք",
            "մորուք",
            "լվացում",
            "գանգրացում",
            "խոպոպ",
            "ներկում",
            "մելիրովանիե",
            "մատնահարդարում",
            "մերսում",
            "հարսանեկան սանրվածք",
            "մանկական կտրվածք",
            "սափրում",
            "գլխամաշկի խնամք",
            "նվեր քարտ",
        ],
    },
    Language {
        code: "vi",
        asked: [
            ["{} giá bao nhiêu?", "Giá của {} là bao nhiêu?"],
            ["Có cần đặt lịch {} không?", "Tôi đến {} không hẹn trước được không?"],
            ["{} mất bao lâu?", "{} hết bao nhiêu phút?"],
        ],
        things: [
            "cắt tóc",
            "tỉa râu",
            "gội đầu",
            "uốn tóc",
            "cắt mái",
            "nhuộm tóc",
            "tẩy tóc",
            "làm móng",
            "mát xa",
            "tóc cô dâu",
            "cắt tóc trẻ em",
            "cạo mặt",
            "chăm sóc da đầu",
            "thẻ quà tặng",
        ],
    },
    Language {
        code: "ja",
        asked: [
            ["{}はいくらですか", "{}の料金を教えてください"],
            ["{}は予約が必要ですか", "{}は予約なしで行けますか"],
            ["{}はどのくらい時間がかかりますか", "{}は何分ですか"],
        ],
        things: [
            "カット",
            "ひげ剃り",
            "シャンプー",
            "パーマ",
            "前髪カット",
            "カラー",
            "ハイライト",
            "ネイル",
            "マッサージ",
            "ブライダルヘア",
            "子供カット",
            "顔剃り",
            "頭皮ケア",
            "ギフトカード",
        ],
    },
    Language {
        code: "ar",
        asked: [
            ["كم سعر {}؟", "ما هي تكلفة {}؟"],
            ["هل أحتاج إلى موعد من أجل {}؟", "هل يمكنني الحضور بدون موعد من أجل {}؟"],
            ["كم يستغرق {}؟", "كم دقيقة يحتاج {}؟"],
        ],
        things: [
            "قص الشعر",
            "تهذيب اللحية",
            "غسل الشعر",
            "تجعيد الشعر",
            "قص الغرة",
            "صبغ الشعر",
            "خصل ملونة",
            "طلاء الأظافر",
            "تدليك",
            "تسريحة عروس",
            "قص شعر الأطفال",
            "حلاقة",
            "علاج فروة الرأس",
            "بطاقة هدية",
        ],
    },
    Language {
        code: "nl",
        asked: [
            ["Wat kost {}?", "Hoe duur is {}?"],
            ["Heb ik een afspraak nodig voor {}?", "Kan ik zonder afspraak komen voor {}?"],
            ["Hoe lang duurt {}?", "Hoeveel minuten kost {}?"],
        ],
        things: [
            "knippen",
            "baard trimmen",
            "wassen",
            "permanent",
            "pony knippen",
            "verven",
            "highlights",
            "manicure",
            "massage",
            "bruidskapsel",
            "kinderkapsel",
            "scheren",
            "hoofdhuidverzorging",
            "cadeaubon",
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_500_entries_in_12_languages() {
        let json = json();
        let entries: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(entries.len(), N_ENTRIES);
        let languages: HashSet<&str> = entries.iter().filter_map(|entry| entry["language"].as_str()).collect();
        assert_eq!(languages.len(), 12);
        assert_eq!(questions().len(), 12);
    }
}
