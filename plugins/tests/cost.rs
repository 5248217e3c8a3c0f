//! What a question costs in the sandbox. Fuel is the same on every machine, so a bundled plugin cannot become slow unseen.

#[cfg(test)]
mod cost {
    use std::future::ready;

    use bellhop_domain::capability::CapabilitySet;
    use bellhop_domain::effect::{Answer, Effect};
    use bellhop_domain::host_call::{Entry, Hit};
    use bellhop_domain::plugin::{Context, Message, PluginEvent};
    use bellhop_domain::time::Timestamp;
    use bellhop_plugins::BUNDLED;
    use bellhop_sandbox::{CallReport, HostCalls, Limits, Outcome, Reply, Sandbox, SandboxOptions, admit};
    use serde_json::json;

    /// Fuel of one short question against a full list of candidates: 12 million and 2 ms when it was written.
    const QUESTION_FUEL: u64 = 18_000_000;
    /// Fuel of a message as long as Meta allows; 33 million when it was written.
    const LETTER_FUEL: u64 = 50_000_000;

    /// Answers every search with the same sixteen entries of five phrasings.
    struct Full;

    impl HostCalls for Full {
        fn records_search(&mut self, _: String, _: String, _: Option<String>, limit: u32) -> Reply<'_, Vec<Hit>> {
            let hits = (0..limit).map(|number| Hit { entry: entry(number), score: 0.5 }).collect();
            Box::pin(ready(Ok(hits)))
        }
    }

    fn entry(number: u32) -> Entry {
        let topics = ["kitchen", "парковка", "địa chỉ", "delivery", "öffnungszeiten", "booking", "駐車場", "الدفع"];
        let topic = topics[number as usize % topics.len()];
        let questions: Vec<String> = (0..5)
            .map(|variant| format!("What about your {topic} number {number} on a usual weekday {variant}?"))
            .collect();
        let document = json!({"questions": questions, "answer": format!("answer {number}"), "language": "en"});
        Entry { id: number.to_string(), json: document.to_string(), revision: 1 }
    }

    fn asked(text: &str) -> PluginEvent {
        let message = Message {
            id: "message".to_owned(),
            at: Timestamp::from_millis(1),
            text: Some(text.to_owned()),
            payload: None,
            attachments: Vec::new(),
            reply_to: None,
            late: false,
        };
        PluginEvent::Messages(vec![message])
    }

    fn context() -> Context {
        Context {
            turn: "turn".to_owned(),
            now: Timestamp::from_millis(1),
            seed: 1,
            channel_kind: "messenger".to_owned(),
            contact: "contact".to_owned(),
            locale: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            reply_window_closes: None,
            settings_json: "{}".to_owned(),
            session_json: None,
            holds_floor: false,
            dry_run: false,
            facts: Vec::new(),
        }
    }

    async fn call_faq(text: &str) -> CallReport<Full> {
        let bytes = BUNDLED.iter().find(|plugin| plugin.id == "faq").unwrap().bytes;
        let admitted = admit(bytes).unwrap();
        let sandbox = Sandbox::new(SandboxOptions::default()).unwrap();
        let plugin = sandbox.prepare(&admitted, &admitted.imports, &CapabilitySet::new()).await.unwrap();
        plugin.call(&asked(text), &context(), Full, &Limits::default()).await
    }

    #[tokio::test]
    async fn a_question_against_a_full_list_of_candidates_is_cheap() {
        let report = call_faq("Hello, what about delivery number 3 on a weekday?").await;
        let Outcome::Answered(Answer::Done(outcome)) = &report.outcome else { panic!("{:?}", report.outcome) };
        let Effect::Say(said) = &outcome.proposals[0].effect else { panic!("{:?}", outcome.proposals) };
        assert_eq!(said.text, "answer 3");
        println!("{} units of fuel in {:?}", report.fuel_used, report.wall);
        assert!(report.fuel_used < QUESTION_FUEL, "{}", report.fuel_used);
    }

    #[tokio::test]
    async fn the_longest_message_stays_far_from_the_limit() {
        let words: Vec<String> =
            (0..300).map(|number| format!("слово{number}{}", if number % 9 == 0 { "?" } else { "" })).collect();
        let report = call_faq(&words.join(" ")).await;
        assert!(matches!(report.outcome, Outcome::Answered(_)), "{:?}", report.outcome);
        println!("{} units of fuel in {:?}", report.fuel_used, report.wall);
        assert!(report.fuel_used < LETTER_FUEL, "{}", report.fuel_used);
    }
}
