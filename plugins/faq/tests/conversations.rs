//! Conversations with the plugin, run natively.

#[cfg(test)]
mod conversations {
    use bellhop_faq::Faq;
    use bellhop_sdk::testing::{self, Host, Ran};
    use bellhop_sdk::{Attachment, Comment, Effect, Event, Message};
    use serde_json::{Value, json};

    const HOURS: &str = "9 to 22.";
    const HOLIDAYS: &str = "Closed at Christmas.";
    const KITCHEN: &str = "Until 21.";

    fn entries() -> Vec<Value> {
        vec![
            json!({"questions": ["What are your opening hours?", "When do you open?"], "answer": HOURS, "language": "en",
                "title": "Opening hours", "buttons": [
                    {"title": "Holidays", "question": "Are you open on public holidays?"},
                    {"title": "A person", "payload": "human"}, {"title": "Broken"}]}),
            json!({"questions": ["Are you open on public holidays?"], "answer": HOLIDAYS, "language": "en", "title": "Holidays"}),
            json!({"questions": ["What are the kitchen's opening hours?", "When does the kitchen open?"], "answer": KITCHEN,
                "language": "en", "title": "Kitchen"}),
            json!({"questions": ["Mấy giờ mở cửa?"], "answer": "9 giờ đến 22 giờ.", "language": "vi"}),
            json!({"questions": ["Do you have wifi?"], "answer": "Yes.", "language": "en"}),
            json!({"questions": ["Tem wifi?"], "answer": "Sim.", "language": "pt"}),
            json!({"questions": "broken"}),
        ]
    }

    fn host() -> Host {
        Host::new().searched_by("faq", &["questions", "title"]).records("faq", entries())
    }

    fn say(host: &mut Host, text: &str) -> Ran {
        host.run::<Faq>(testing::text(text)).unwrap()
    }

    fn titles(ran: &Ran) -> Vec<&str> {
        ran.choices().into_iter().map(|(title, _)| title).collect()
    }

    /// A message that is near an entry and not at it.
    const NEAR: &str = "your kitchen today please";
    const FAR: &str = "my cat is blue";

    #[test]
    fn a_question_gets_the_entry_s_answer_and_staff_the_reason() {
        let ran = say(&mut host(), "when do you open??");
        assert_eq!(ran.texts(), [HOURS]);
        let reason = ran.outcome().unwrap().proposals[0].because.clone().unwrap();
        assert!(reason.starts_with("entry 1 fits at "), "{reason}");
    }

    #[test]
    fn buttons_lead_to_questions_and_to_people() {
        let mut host = host();
        let ran = say(&mut host, "opening hours");
        assert_eq!(ran.choices(), [("Holidays", "ask:Are you open on public holidays?"), ("A person", "human")]);
        assert_eq!(host.run::<Faq>(testing::tap("ask:Are you open on public holidays?")).unwrap().texts(), [HOLIDAYS]);
        let called = host.run::<Faq>(testing::tap("human")).unwrap();
        assert!(
            called.outcome().unwrap().proposals.iter().any(|proposal| matches!(proposal.effect, Effect::Handoff(_)))
        );
    }

    #[test]
    fn a_doubtful_question_is_asked_back_and_a_tap_answers_it() {
        let mut host = host();
        let ran = say(&mut host, NEAR);
        assert_eq!(ran.texts(), ["Did you mean one of these?"]);
        assert_eq!(ran.choices(), [("Kitchen", "entry:3")]);
        assert!(ran.outcome().unwrap().hold);
        let chosen = host.run::<Faq>(testing::tap("entry:3")).unwrap();
        assert_eq!(chosen.texts(), [KITCHEN]);
        assert!(!chosen.outcome().unwrap().hold);
    }

    #[test]
    fn a_choice_can_be_made_in_words_and_numbers() {
        for words in ["1", "１", "kitchen", "the kitchen one please"] {
            let mut host = host();
            say(&mut host, NEAR);
            assert_eq!(say(&mut host, words).texts(), [KITCHEN], "{words}");
        }
    }

    #[test]
    fn two_entries_that_fit_alike_are_asked_about() {
        let mut host = Host::new().searched_by("faq", &["questions", "title"]).records(
            "faq",
            [
                json!({"questions": ["How much is a small pizza?"], "answer": "8", "language": "en", "title": "Small"}),
                json!({"questions": ["How much is a large pizza?"], "answer": "12", "language": "en", "title": "Large"}),
            ],
        );
        assert_eq!(titles(&say(&mut host, "how much is pizza")), ["Small", "Large"]);
        host.context_mut().session_json = None;
        assert_eq!(say(&mut host, "how much is a large pizza").texts(), ["12"]);
    }

    #[test]
    fn a_second_miss_offers_a_person_once_and_then_is_silent() {
        let mut host = host();
        say(&mut host, NEAR);
        let second = say(&mut host, FAR);
        assert_eq!(second.choices(), [("Ask a person", "human")]);
        assert_eq!(say(&mut host, FAR), Ran::Passed);
        assert_eq!(say(&mut host, NEAR), Ran::Passed);
        assert_eq!(say(&mut host, "opening hours").texts(), [HOURS]);
        assert_eq!(titles(&say(&mut host, NEAR)), ["Kitchen"]);
    }

    #[test]
    fn a_second_miss_passes_if_the_business_says_so() {
        let mut host = host().settings(&json!({"second-miss": "pass"}));
        say(&mut host, NEAR);
        assert_eq!(say(&mut host, FAR), Ran::Passed);
    }

    #[test]
    fn what_was_offered_is_forgotten_after_an_hour_and_the_language_is_not() {
        let mut host = host().locale("pt");
        say(&mut host, "when do you open");
        say(&mut host, NEAR);
        host.wait_millis(60 * 60 * 1000 + 1);
        assert_eq!(say(&mut host, "1"), Ran::Passed);
        assert_eq!(say(&mut host, "wifi?").texts(), ["Yes."]);
    }

    #[test]
    fn the_answer_is_in_the_language_of_the_question() {
        let mut host = host();
        assert_eq!(say(&mut host, "may gio mo cua").texts(), ["9 giờ đến 22 giờ."]);
        assert_eq!(say(&mut host, "when do you open").texts(), [HOURS]);
        assert_eq!(say(&mut host, "Mấy giờ mở cửa vậy?").texts(), ["9 giờ đến 22 giờ."]);
    }

    #[test]
    fn a_word_of_many_languages_is_answered_in_the_one_spoken_so_far() {
        assert_eq!(say(&mut host().locale("pt-BR"), "wifi?").texts(), ["Sim."]);
        assert_eq!(say(&mut host().locale("en"), "WiFi").texts(), ["Yes."]);
    }

    #[test]
    fn two_questions_get_two_answers() {
        for text in [
            "When do you open? Do you have wifi?",
            "when do you open and do you have wifi",
            "do you have wifi, when do you open",
        ] {
            let mut texts = say(&mut host(), text).texts().concat();
            texts.retain(|letter| !letter.is_whitespace());
            assert!(texts == "9to22.Yes." || texts == "Yes.9to22.", "{text}: {texts}");
        }
    }

    #[test]
    fn a_question_in_pieces_is_one_question() {
        let mut host = host();
        let ran = host.run::<Faq>(testing::texts(&["hi", "when do", "you open"])).unwrap();
        assert_eq!(ran.texts(), [HOURS]);
    }

    #[test]
    fn what_is_no_question_is_passed_on() {
        for text in ["", "   ", "😀😀", "?!", "hi", "thanks!", "ok", "a", "⟦phone:k7f3q2⟧", &"ha ".repeat(700)]
        {
            assert_eq!(say(&mut host(), text), Ran::Passed, "{text}");
        }
    }

    #[test]
    fn two_thousand_characters_around_a_question_are_survived() {
        let early = format!("When do you open? {}", "My aunt came by train and likes tea. ".repeat(53));
        assert_eq!(say(&mut host(), &early).texts(), [HOURS]);
        assert_eq!(say(&mut host(), &"x".repeat(5000)), Ran::Passed);
    }

    fn with_attachment(kind: &str, text: Option<&str>) -> Event {
        let attachment = Attachment { kind: kind.to_owned(), mime: String::new(), bytes: 0, handle: String::new() };
        let text = text.map(str::to_owned);
        Event::Messages(vec![Message { attachments: vec![attachment], text, ..testing::blank() }])
    }

    #[test]
    fn a_sticker_or_voice_note_alone_is_passed_on() {
        for kind in ["sticker", "audio", "image", "location"] {
            assert_eq!(host().run::<Faq>(with_attachment(kind, None)), Ok(Ran::Passed), "{kind}");
        }
    }

    #[test]
    fn a_picture_with_an_unanswered_question_gets_an_honest_reply() {
        let ran = host().run::<Faq>(with_attachment("image", Some("how much is this"))).unwrap();
        assert!(ran.texts()[0].starts_with("I cannot see pictures"));
        assert_eq!(ran.choices(), [("Ask a person", "human")]);
        let answered = host().run::<Faq>(with_attachment("image", Some("when do you open"))).unwrap();
        assert_eq!(answered.texts(), [HOURS]);
    }

    fn comment(text: &str) -> Event {
        Event::Comment(Comment { text: Some(text.to_owned()), post: "post-1".to_owned(), parent: None })
    }

    #[test]
    fn a_comment_is_answered_in_private_and_only_without_doubt() {
        let ran = host().run::<Faq>(comment("when do you open?")).unwrap();
        let effects: Vec<&Effect> = ran.outcome().unwrap().proposals.iter().map(|proposal| &proposal.effect).collect();
        assert_eq!(effects[0], &Effect::PrivateReply(HOURS.to_owned()));
        assert!(matches!(effects[1], Effect::CommentReply(_)));
        assert_eq!(host().run::<Faq>(comment(NEAR)), Ok(Ran::Passed));
        let mut ignoring = host().settings(&json!({"comments": "ignore"}));
        assert_eq!(ignoring.run::<Faq>(comment("when do you open?")), Ok(Ran::Passed));
    }

    #[test]
    fn other_events_and_foreign_payloads_are_passed_on() {
        let timer = Event::Timer(bellhop_sdk::Timer { key: "k".to_owned(), payload: "p".to_owned() });
        assert_eq!(host().run::<Faq>(timer), Ok(Ran::Passed));
        assert_eq!(host().run::<Faq>(testing::tap("order:7")), Ok(Ran::Passed));
        assert_eq!(host().run::<Faq>(testing::tap("entry:99")), Ok(Ran::Passed));
    }

    #[test]
    fn an_answer_reads_the_records_it_points_to() {
        let priced = json!({"questions": ["What does a pizza cost?"], "answer": "{{products/sku.price}} and {{gone/x.y}}", "language": "en"});
        let mut host = Host::new().searched_by("faq", &["questions", "title"]).records("faq", [priced]);
        assert_eq!(say(&mut host, "what does a pizza cost").texts().len(), 1);
        let lines: Vec<String> = host.logged().into_iter().map(|(_, line)| line).collect();
        assert_eq!(
            lines,
            ["an answer points to products/sku, which is not there", "an answer points to gone/x, which is not there"]
        );
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_left_out() {
        let mut host = Host::new().records("faq", [json!({"questions": "open hours"}), entries()[0].clone()]);
        assert_eq!(say(&mut host, "opening hours").texts(), [HOURS]);
        assert!(host.logged().iter().any(|(_, line)| line.starts_with("record `1` cannot be read")));
    }

    #[test]
    fn without_records_the_plugin_says_what_is_missing() {
        let fault = host().deny("records").run::<Faq>(testing::text("when do you open")).unwrap_err();
        assert_eq!(fault.grant.as_deref(), Some("records"));
    }

    #[test]
    fn the_business_s_own_words_come_first() {
        let mut host = host().settings(&json!({"wording": {"en": {"did-you-mean": "Which one?"}}}));
        assert_eq!(say(&mut host, NEAR).texts(), ["Which one?"]);
    }
}
