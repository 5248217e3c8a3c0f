//! The FAQ plugin's scored questions with the real thing: the built component in the sandbox, its grant, and the host's own
//! search over sealed records. The plugin's tests score it with a plain search; this is what customers get.

#[path = "../../plugins/faq/tests/scored/corpus.rs"]
mod corpus;

use std::fmt::Write;
use std::sync::Arc;

use bellhop::broker::{Broker, Caller, Sources};
use bellhop::permission::{self, Circumstances, Heard, Masker};
use bellhop::record::{CollectionKey, ImportMode};
use bellhop::registry::EnabledPlugin;
use bellhop::vault::IndexKey;
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::effect::{Answer, Effect, Say};
use bellhop_domain::id::{ContactId, ConversationId, MessageId, TurnId};
use bellhop_domain::time::Timestamp;
use bellhop_sandbox::{Limits, Outcome, Prepared};

use crate::support::{START, TestApp};

use corpus::{Case, Count, Got, Set};

/// The plugin enabled on one channel, with the corpus's entries imported.
struct Faq {
    sources: Sources,
    plugin: Arc<EnabledPlugin>,
    prepared: Arc<Prepared>,
    index: Arc<IndexKey>,
    masker: Masker,
}

impl Faq {
    async fn enabled(app: &TestApp) -> Self {
        app.enable(&app.business, "faq", "{}").await;
        let (stores, business) = (&app.app.stores, &app.business);
        let plugins = stores.registry.plugins_for(&business.workspace, &business.channel);
        let plugin = Arc::clone(&plugins[0]);
        let collection = CollectionKey {
            workspace: business.workspace.clone(),
            plugin_key: plugin.plugin_key.clone(),
            name: "faq".to_owned(),
        };
        let lines = corpus::documents().iter().fold(String::new(), |mut lines, document| {
            writeln!(lines, "{document}").unwrap();
            lines
        });
        stores.records.import(&collection, ImportMode::Append, lines.as_bytes()).await.unwrap();
        let contact = (business.workspace.clone(), ContactId::new());
        let mut keys = stores.vault.contact_keys(&[contact]).await.unwrap();
        Self {
            prepared: stores.registry.prepared(&plugin).await.unwrap(),
            index: stores.vault.index(&business.workspace).await.unwrap(),
            masker: Masker::new(keys.remove(0), "en", "Asia/Yerevan"),
            sources: Sources { db: stores.db.clone(), vault: stores.vault.clone(), records: stores.records.clone() },
            plugin,
        }
    }

    async fn asked(&self, text: &str) -> Got {
        let (turn, contact, now) = (TurnId::new(), ContactId::new(), Timestamp::from_millis(START));
        let about = Circumstances {
            turn: &turn,
            now,
            seed: 1,
            channel_kind: ChannelKind::Messenger,
            contact: &contact,
            locale: "en",
            time_zone: "Asia/Yerevan",
            reply_window_closes: None,
            session_json: None,
            holds_floor: false,
            dry_run: false,
            masker: &self.masker,
        };
        let heard = Heard {
            id: MessageId::new(),
            at: now,
            text: Some(text.to_owned()),
            payload: None,
            attachments: Vec::new(),
            reply_to: None,
            late: false,
        };
        let view = permission::view(&self.plugin, &[heard], &about, &self.index).unwrap();
        let caller = Caller {
            plugin: Arc::clone(&self.plugin),
            turn: turn.clone(),
            conversation: ConversationId::new(),
            contact: contact.clone(),
            subject: None,
            shown: view.reads,
            masker: self.masker.clone(),
            masked: view.masked,
        };
        let broker = Broker::new(self.sources.clone(), caller);
        let report = self.prepared.call(&view.event, &view.context, broker, &Limits::default()).await;
        match report.outcome {
            Outcome::Answered(Answer::Pass) => Got::default(),
            Outcome::Answered(Answer::Done(outcome)) => {
                said(outcome.proposals.into_iter().map(|proposal| proposal.effect))
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }

    async fn counted(&self, set: Set) -> Count {
        let mut count = Count::default();
        for case in corpus::cases(set) {
            let before = count;
            let got = self.asked(&case.text).await;
            count.add(&case, &got);
            tell(&case, &got, before, count);
        }
        count
    }
}

fn said(effects: impl Iterator<Item = Effect>) -> Got {
    let mut got = Got::default();
    for effect in effects {
        if let Effect::Say(Say { text, choices, .. }) = effect {
            got.texts.push(text);
            got.choices.extend(choices.into_iter().map(|choice| choice.title));
        }
    }
    got
}

/// Shows what went wrong, for whoever runs this with `--nocapture`.
fn tell(case: &Case, got: &Got, before: Count, after: Count) {
    let is_fine = after.n_right > before.n_right || (case.answers.is_empty() && got.texts.is_empty());
    if !is_fine {
        println!("{} {:?}: {:?} {:?}", case.language, case.text, got.texts, got.choices);
    }
}

#[tokio::test]
async fn the_faq_component_answers_its_scored_questions_over_the_hosts_search() {
    let app = TestApp::start().await;
    let faq = Faq::enabled(&app).await;
    for set in [Set::Tuning, Set::HeldOut] {
        let count = faq.counted(set).await;
        let (precision, recall, silence) = (count.precision(), count.recall(), count.silence());
        println!(
            "{set:?}: precision {precision:.3} recall {recall:.3} reach {:.3} silence {silence:.3}",
            count.reach()
        );
        assert!(precision >= 0.95, "{set:?}: precision {precision:.3}");
        assert!(recall >= 0.85, "{set:?}: recall {recall:.3}");
        assert!(silence >= 0.9, "{set:?}: silence {silence:.3}");
    }
}
