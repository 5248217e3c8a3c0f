//! What is recognised, and what is not.

use super::*;

#[test]
fn stop_is_heard_in_many_languages() {
    for text in [
        "STOP",
        "stop!",
        " Stop. ",
        "Unsubscribe",
        "BAJA",
        "Désabonner",
        "hủy đăng ký",
        "СТОП",
        "توقف",
        "退订",
        "berhenti",
        "🛑 stop 🛑",
    ] {
        assert_eq!(recognise(text), Some(Signal::OptOut), "{text}");
    }
    assert_eq!(recognise("START again"), None);
    assert_eq!(recognise("unstop"), Some(Signal::OptIn));
}

#[test]
fn a_person_is_asked_for_in_many_ways() {
    let texts = [
        "human",
        "Talk to a human!",
        "I'd like to speak with an agent, please",
        "can i talk to a real person?",
        "speak to someone please",
        "người thật",
        "Người thật ạ",
        "оператор",
        "Хочу поговорить с оператором, пожалуйста",
        "مندوب",
        "أريد التحدث مع موظف",
        "quiero hablar con una persona por favor",
        "falar com um atendente",
        "je voudrais parler à un conseiller s'il vous plaît",
        "人工客服",
        "օպերատոր",
        "İNSAN",
        "इंसान से बात",
    ];
    for text in texts {
        assert_eq!(recognise(text), Some(Signal::HumanRequest), "{text}");
    }
}

#[test]
fn other_uses_of_the_words_are_left_to_plugins() {
    let texts = [
        "don't stop",
        "when does the bus stop",
        "stop by tomorrow?",
        "real estate agent",
        "agent",
        "do you have an agent in Yerevan",
        "human hair wigs",
        "is this a person or a bot",
        "cancel my booking",
        "quit",
        "start my order",
        "what are your stop words",
        "",
        "🛑",
    ];
    for text in texts {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn long_messages_say_something_else() {
    assert_eq!(recognise(&format!("stop{}", " ".repeat(MAX_BYTES - 4))), Some(Signal::OptOut));
    assert_eq!(recognise(&format!("stop{}", " ".repeat(MAX_BYTES - 3))), None);
}

#[test]
fn every_listed_phrase_is_heard() {
    let lists = [
        (phrases::OPT_OUT.as_slice(), Signal::OptOut),
        (phrases::OPT_IN.as_slice(), Signal::OptIn),
        (phrases::HUMAN.as_slice(), Signal::HumanRequest),
    ];
    for (list, signal) in lists {
        for phrase in list {
            assert_eq!(recognise(phrase), Some(signal), "{phrase}");
        }
    }
}
