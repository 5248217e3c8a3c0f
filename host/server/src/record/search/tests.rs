//! Questions in many languages against one small collection.

use serde_json::{Value, json};

use super::*;

fn fields() -> SearchFields {
    SearchFields { text: vec!["questions".to_owned()], language: Some("language".to_owned()) }
}

fn shop() -> Vec<Value> {
    [
        (
            "hours",
            "en",
            &["What are your opening hours?", "When do you open and close?", "Are you open on Sunday?"][..],
        ),
        ("delivery", "en", &["Do you deliver?", "How much does delivery cost?", "How long does shipping take?"]),
        ("return", "en", &["Can I return an item?", "What is your refund policy?"]),
        ("where", "en", &["Where are you?", "What is your address?"]),
        ("pay", "en", &["Which payment methods do you accept?", "Can I pay by card?"]),
        ("hours", "vi", &["Mấy giờ mở cửa?", "Cửa hàng mở cửa lúc nào?", "Giờ làm việc"]),
        ("delivery", "vi", &["Phí giao hàng bao nhiêu?", "Có giao hàng tận nơi không?"]),
        ("hours", "de", &["Wann habt ihr geöffnet?", "Öffnungszeiten", "An welchen Tagen seid ihr offen?"]),
        ("delivery", "de", &["Was kostet die Lieferung?", "Liefert ihr auch nach Österreich?"]),
        ("hours", "fr", &["Quels sont vos horaires d'ouverture ?", "À quelle heure fermez-vous ?"]),
        ("booking", "fr", &["Comment réserver une table ?", "Faut-il une réservation ?"]),
        ("hours", "ru", &["Во сколько вы открываетесь?", "Часы работы", "До скольки работаете?"]),
        ("delivery", "ru", &["Сколько стоит доставка?", "Есть доставка на дом?"]),
        ("hours", "ar", &["ما هي ساعات العمل؟", "متى تفتحون؟"]),
        ("price", "ar", &["كم أسعار القص؟", "ما هو السعر؟"]),
        ("hours", "ja", &["営業時間を教えてください", "何時から開いていますか"]),
        ("park", "ja", &["駐車場はありますか", "車を停める場所"]),
        ("hours", "zh", &["营业时间是什么时候", "你们几点开门"]),
        ("delivery", "zh", &["可以送货吗", "运费多少钱"]),
        ("hours", "th", &["เปิดกี่โมง", "เวลาทำการ"]),
        ("price", "th", &["ราคาเท่าไหร่", "ค่าบริการ"]),
        ("hours", "hy", &["Ե՞րբ եք բացվում", "Աշխատանքային ժամերը"]),
        ("price", "hy", &["Ի՞նչ արժե սանրվածքը", "Գները"]),
        ("hours", "ko", &["영업시간이 어떻게 되나요?", "몇 시에 문을 여나요?"]),
        ("delivery", "ko", &["배송비가 얼마예요?", "배송은 며칠 걸리나요?"]),
    ]
    .into_iter()
    .map(|(name, language, questions)| json!({"name": name, "language": language, "questions": questions}))
    .collect()
}

struct Shop {
    records: Vec<Value>,
    index: SearchIndex,
}

impl Shop {
    fn open() -> Self {
        let records = shop();
        let index = SearchIndex::build(&fields(), &records).unwrap();
        Self { records, index }
    }

    /// Name, language and score of the best hit.
    fn best(&self, text: &str) -> Option<(String, f64)> {
        let found = self.index.search(text, None, 5).unwrap();
        let best = found.first()?;
        let record = &self.records[best.record];
        let name = format!("{} {}", record["language"].as_str().unwrap(), record["name"].as_str().unwrap());
        Some((name, best.score))
    }
}

#[test]
fn a_question_finds_its_record_however_it_is_written() {
    let shop = Shop::open();
    for (text, wanted) in [
        ("what time do you open", "en hours"),
        ("hey, how much is the delivery??", "en delivery"),
        ("delivry cost", "en delivery"),
        ("openning huors", "en hours"),
        ("is there a refund", "en return"),
        ("where are you", "en where"),
        ("can i pay with credit card", "en pay"),
        ("may gio mo cua", "vi hours"),
        ("shop ơi mấy giờ mở cửa ạ", "vi hours"),
        ("phi giao hang bao nhieu vay", "vi delivery"),
        ("offnungszeiten", "de hours"),
        ("wann seid ihr denn offen", "de hours"),
        ("Kosten der Lieferung", "de delivery"),
        ("horaire ouverture svp", "fr hours"),
        ("je voudrais reserver une table", "fr booking"),
        ("сколько стоит дoставка", "ru delivery"),
        ("сколько будет стоить доставка", "ru delivery"),
        ("часы роботы", "ru hours"),
        ("كم الاسعار", "ar price"),
        ("ساعات العمل لو سمحت", "ar hours"),
        ("営業時間は何時ですか", "ja hours"),
        ("駐車場ある？", "ja park"),
        ("请问营业时间", "zh hours"),
        ("运费多少", "zh delivery"),
        ("เปิดกี่โมงคะ", "th hours"),
        ("ราคาเท่าไร", "th price"),
        ("երբ եք բացվում", "hy hours"),
        ("գները ասեք", "hy price"),
        ("영업시간 알려주세요", "ko hours"),
        ("배송비 얼마", "ko delivery"),
    ] {
        let best = shop.best(text);
        assert!(best.as_ref().is_some_and(|(name, score)| name == wanted && *score > 0.35), "{text}: {best:?}");
    }
}

#[test]
fn a_question_about_something_else_scores_low() {
    let shop = Shop::open();
    for text in [
        "tell me a joke about elephants",
        "who won the football match yesterday",
        "schreib mir ein Gedicht über Katzen",
        "какая погода в Париже",
        "thời tiết hôm nay thế nào",
        "how are you",
        "hello",
    ] {
        let score = shop.best(text).map_or(0.0, |(_, score)| score);
        assert!(score < 0.35, "{text}: {score} {:?}", shop.best(text));
    }
}

#[test]
fn odd_texts_find_nothing_and_break_nothing() {
    let shop = Shop::open();
    let long = "elephant ".repeat(500);
    let wide = "\u{10ffff}\u{0301}\u{200d}".repeat(300);
    for text in ["", " ", "🎉🎉", "???", "\u{0301}", long.as_str(), wide.as_str(), "\0\u{feff}"] {
        assert_eq!(shop.best(text), None, "{text:?}");
    }
}

#[test]
fn scores_lie_between_none_and_all_and_fall() {
    let shop = Shop::open();
    for text in ["when do you open", "delivery", "Mấy giờ mở cửa?", "open close delivery refund address card"] {
        let found = shop.index.search(text, None, 50).unwrap();
        assert!(found.iter().all(|hit| (0.0..=1.0).contains(&hit.score)), "{text}");
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score), "{text}");
        assert!(found.len() <= 50);
    }
}

#[test]
fn the_very_phrasing_is_certain() {
    let shop = Shop::open();
    for text in ["where are you", "mấy giờ MỞ cửa", "Öffnungszeiten!"] {
        assert!(shop.best(text).is_some_and(|(_, score)| score > 0.999), "{text}");
    }
}

#[test]
fn many_phrasings_do_not_dilute_a_record() {
    let many: Vec<String> = (0..40).map(|n| format!("phrasing number{n} about gardens")).collect();
    let mut phrasings = many;
    phrasings.push("parking".to_owned());
    let records = vec![json!({"questions": phrasings}), json!({"questions": ["parking ticket fines in town"]})];
    let index = SearchIndex::build(&fields(), &records).unwrap();
    let found = index.search("parking", None, 2).unwrap();
    assert_eq!(found.iter().map(|hit| hit.record).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_language_is_preferred_but_not_demanded() {
    let records = vec![
        json!({"language": "es", "questions": ["menu"]}),
        json!({"language": "fr", "questions": ["menu"]}),
        json!({"language": "fr", "questions": ["prix"]}),
    ];
    let index = SearchIndex::build(&fields(), &records).unwrap();
    let first = |text: &str, language| index.search(text, language, 1).unwrap().first().map(|hit| hit.record);
    assert_eq!(first("menu", Some("fr-CA")), Some(1));
    assert_eq!(first("menu", Some("es")), Some(0));
    assert_eq!(first("prix", Some("es")), Some(2));
}

#[test]
fn digits_are_never_taken_for_typos() {
    let records = vec![json!({"questions": ["model 20251"]})];
    let index = SearchIndex::build(&fields(), &records).unwrap();
    assert_eq!(index.search("20252", None, 1).unwrap(), []);
    assert_eq!(index.search("20251", None, 1).unwrap().len(), 1);
}

#[test]
fn records_without_text_and_empty_collections_are_fine() {
    let index = SearchIndex::build(&fields(), &[json!({}), json!({"questions": 7}), json!([1])]).unwrap();
    assert_eq!(index.search("anything", Some("en"), 3).unwrap(), []);
    let index = SearchIndex::build(&fields(), &[]).unwrap();
    assert_eq!(index.search("anything", None, 3).unwrap(), []);
    assert_eq!(index.bytes(), 0);
}

#[test]
fn an_index_of_five_hundred_records_stays_small() {
    let records: Vec<Value> = (0..500)
        .map(|n| {
            let languages = ["en", "vi", "de", "fr", "ru", "ar", "ja", "es", "pt", "tr", "hy", "th"];
            let questions: Vec<String> =
                (0..4).map(|p| format!("word{n} topic{} place{} thing{p}", n % 50, n % 7)).collect();
            json!({"language": languages[n % 12], "questions": questions})
        })
        .collect();
    let index = SearchIndex::build(&fields(), &records).unwrap();
    assert!(index.bytes() < 1 << 20, "{}", index.bytes());
    assert_eq!(index.search("word250", None, 1).unwrap().first().map(|hit| hit.record), Some(250));
}
