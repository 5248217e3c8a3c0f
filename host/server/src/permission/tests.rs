//! What plugins see, and what they do not.

use std::sync::Arc;

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::effect::{Card, Choice, Effect, Say};
use bellhop_domain::id::{ChannelId, ContactId, ContentHash, GrantId, MessageId, PluginKey, TurnId, WorkspaceId};
use bellhop_domain::manifest::Manifest;
use bellhop_domain::plugin::{Message, PluginEvent};
use bellhop_domain::time::Timestamp;

use super::*;
use crate::record::testing;
use crate::registry::{Plugin, Scopes, TextScope};
use crate::vault::IndexKey;

const MANIFEST: &str = r#"
id = "faq"
version = "1.0.0"
name = { en = "Questions" }
description = { en = "Answers." }
[scopes]
effects = ["say", "set-attribute"]
triggers = ["messages"]
link-hosts = ["example.com"]
attributes = ["size"]
"#;

fn plugin(key: &str, change: impl FnOnce(&mut Scopes)) -> Arc<EnabledPlugin> {
    let manifest = Manifest::parse(MANIFEST).unwrap();
    let mut scopes = Scopes::asked(&manifest, TextScope::Clear);
    change(&mut scopes);
    let plugin_key = PluginKey::parse(key).unwrap();
    let hash = ContentHash::parse("aa").unwrap();
    Arc::new(EnabledPlugin {
        workspace: WorkspaceId::parse("w").unwrap(),
        channel: ChannelId::parse("c").unwrap(),
        grant_id: GrantId::new(),
        plugin_key: plugin_key.clone(),
        plugin_id: manifest.id.clone(),
        hash: hash.clone(),
        position: 1,
        plugin: Arc::new(Plugin::new(plugin_key, hash, manifest)),
        scopes: Arc::new(scopes),
        settings_json: Arc::from("{}"),
    })
}

fn heard(payload: Option<String>) -> Heard {
    Heard {
        id: MessageId::new(),
        at: Timestamp::from_millis(5),
        text: Some("call me at 555 0100".to_owned()),
        payload,
        attachments: vec![HeardAttachment { kind: "image".to_owned() }],
        reply_to: None,
        late: false,
    }
}

async fn index() -> Arc<IndexKey> {
    let (_folder, _db, vault) = testing::store().await;
    vault.index(&WorkspaceId::parse("w").unwrap()).await.unwrap()
}

/// Of two contacts of one business.
async fn maskers() -> [Masker; 2] {
    let (_folder, _db, vault) = testing::store().await;
    let contact = || (WorkspaceId::parse("w").unwrap(), ContactId::new());
    let keys: [_; 2] = vault.contact_keys(&[contact(), contact()]).await.unwrap().try_into().unwrap();
    keys.map(|key| Masker::new(key, "en", "America/New_York"))
}

async fn seen(plugin: &EnabledPlugin, heard: &Heard) -> Option<View> {
    let (turn, contact) = (TurnId::new(), ContactId::parse("somebody").unwrap());
    let about = Circumstances {
        turn: &turn,
        now: Timestamp::from_millis(9),
        seed: 3,
        channel_kind: ChannelKind::Messenger,
        contact: &contact,
        locale: "hy",
        time_zone: "Asia/Yerevan",
        reply_window_closes: None,
        session_json: None,
        holds_floor: false,
        dry_run: false,
        masker: &maskers().await[0],
    };
    view(plugin, std::slice::from_ref(heard), &about, &*index().await)
}

fn only(view: &View) -> &Message {
    match &view.event {
        PluginEvent::Messages(messages) => &messages[0],
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn clear_text_is_shown_and_put_on_record() {
    let view = seen(&plugin("a/faq", |_| ()), &heard(None)).await.unwrap();
    assert_eq!(only(&view).text.as_deref(), Some("call me at 555 0100"));
    assert_eq!(only(&view).attachments.len(), 1);
    let codes: Vec<&str> = view.reads.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, ["message-text", "message-attachments"]);
    assert_eq!(view.saw, ["text: shown", "attachments: shown"]);
}

#[tokio::test]
async fn without_text_nothing_of_it_is_shown() {
    let hidden = plugin("a/faq", |scopes| {
        scopes.text = TextScope::None;
        scopes.attachments = false;
    });
    let view = seen(&hidden, &heard(None)).await.unwrap();
    assert_eq!(only(&view).text, None);
    assert_eq!(only(&view).attachments, []);
    assert_eq!(view.reads, []);
    assert_eq!(view.saw, ["text: withheld", "attachments: withheld"]);
    assert!(!format!("{view:?}").contains("555"));
}

#[tokio::test]
async fn a_masked_text_has_tokens_and_says_so() {
    let masked = plugin("a/faq", |scopes| scopes.text = TextScope::Masked);
    let view =
        seen(&masked, &Heard { text: Some("call me at (212) 555-0100".to_owned()), ..heard(None) }).await.unwrap();
    let text = only(&view).text.as_deref().unwrap();
    assert!(text.starts_with("call me at ⟦phone:") && !text.contains("555"), "{text}");
    assert_eq!(view.masked[0].shown, "(212) 555-0100");
    assert_eq!(view.saw, ["text: masked", "attachments: shown"]);
    assert_eq!(view.reads[0].as_str(), "message-masked");
    assert_eq!(view.context.facts, [("text".to_owned(), "masked".to_owned())]);
}

#[tokio::test]
async fn a_token_of_one_contact_means_nothing_of_another() {
    let [ana, ben] = maskers().await;
    let [anas, bens] = [&ana, &ben].map(|masker| masker.mask("+43 660 1234567").values.remove(0));
    assert_ne!(anas.token, bens.token);
    assert_eq!(ana.mask("or 0043 660 1234567").values[0].token, anas.token);
    let reply = |text: String| Effect::Say(Say { text, ..Say::default() });
    let known: Known = [(anas.token.clone(), anas.shown)].into();
    let back = |token: &str| unmasked(reply(format!("Is it {token}?")), &known, &ana);
    assert_eq!(back(anas.token.as_str()), Ok(reply("Is it +43 660 1234567?".to_owned())));
    assert!(back(bens.token.as_str()).is_err());
    let glued =
        |front: &str, behind: &str| unmasked(reply(format!("{front}{}{behind}", anas.token.as_str())), &known, &ana);
    for (front, behind) in [("x", ""), ("", "5"), ("/", ""), ("12", "")] {
        assert!(glued(front, behind).is_err(), "{front:?} {behind:?}: nobody would find it again");
    }
    let note = Effect::Note(anas.token.as_str().to_owned());
    assert_eq!(unmasked(note.clone(), &known, &ana), Ok(note), "staff and other systems read notes");
}

#[tokio::test]
async fn a_plugin_is_called_only_for_the_events_of_its_grant() {
    let deaf = plugin("a/faq", |scopes| scopes.triggers.clear());
    assert_eq!(seen(&deaf, &heard(None)).await, None);
}

#[tokio::test]
async fn a_payload_comes_back_to_the_plugin_that_set_it() {
    let (one, other) = (plugin("a/faq", |_| ()), plugin("b/faq", |_| ()));
    let tapped = heard(Some(payload_seal(&one.plugin_key, "entry:7")));
    assert_eq!(only(&seen(&one, &tapped).await.unwrap()).payload.as_deref(), Some("entry:7"));
    assert_eq!(only(&seen(&other, &tapped).await.unwrap()).payload, None);
    assert_eq!(only(&seen(&one, &heard(Some("GET_STARTED".to_owned()))).await.unwrap()).payload, None);
    let forged = payload_seal(&other.plugin_key, &payload_seal(&one.plugin_key, "entry:7"));
    assert_eq!(payload_open(&one.plugin_key, &forged), None);
    let enabled = [Arc::clone(&one), Arc::clone(&other)];
    assert_eq!(payload_owner(&enabled, &forged), Some(&other.plugin_key));
    assert_eq!(payload_owner(&enabled, "GET_STARTED"), None);
}

#[test]
fn every_payload_of_an_effect_is_marked() {
    let key = PluginKey::parse("a/faq").unwrap();
    let choice = || Choice { title: "Yes".to_owned(), payload: "yes".to_owned() };
    let card = Card { title: "Card".to_owned(), subtitle: None, image: None, choices: vec![choice()] };
    let say = Say { choices: vec![choice()], cards: vec![card], ..Say::default() };
    let Effect::Say(say) = payloads_sealed(&key, Effect::Say(say)) else { panic!("the kind stays") };
    for choice in [&say.choices[0], &say.cards[0].choices[0]] {
        assert_eq!(payload_open(&key, &choice.payload), Some("yes"));
        assert_eq!(choice.payload.len(), PAYLOAD_PREFIX_BYTES + 3);
    }
}

#[tokio::test]
async fn a_contact_has_another_name_for_each_plugin_and_channel() {
    let index = index().await;
    let id = |key: &str, channel: &str, contact: &str| {
        let key = PluginKey::parse(key).unwrap();
        contact_ref(&index, &key, &ChannelId::parse(channel).unwrap(), &ContactId::parse(contact).unwrap())
    };
    let name = id("a/faq", "c", "somebody");
    assert_eq!(name, id("a/faq", "c", "somebody"));
    let others = [id("b/faq", "c", "somebody"), id("a/faq", "d", "somebody"), id("a/faq", "c", "nobody")];
    assert!(!others.contains(&name));
    assert!(!name.contains("somebody"));
    let view = seen(&plugin("a/faq", |_| ()), &heard(None)).await.unwrap();
    assert!(!format!("{view:?}").contains("somebody"));
}

#[test]
fn policy_learns_what_was_granted() {
    let narrowed = plugin("a/faq", |scopes| scopes.effects = ["say".to_owned()].into());
    let Granted::Plugin { effects, attributes, link_hosts } = granted(&narrowed) else { panic!("it is a plugin") };
    assert_eq!(effects.into_iter().collect::<Vec<_>>(), ["say"]);
    assert_eq!(attributes.into_iter().collect::<Vec<_>>(), ["size"]);
    assert_eq!(link_hosts, ["example.com"]);
}

#[tokio::test]
async fn what_a_plugin_left_behind_shows_no_number_and_is_no_oracle() {
    let [ana, _] = maskers().await;
    let told = ana.mask("my number is +43 660 1234567").values.remove(0).token;
    let left = format!(r#"{{"guess":"+43 660 1234567","known":"{}"}}"#, told.as_str());
    let shown = ana.redact_json(&left);
    assert!(!shown.contains("1234567"), "{shown}");
    assert_eq!(shown.matches(told.as_str()).count(), 1, "a guess that is right looks like any other: {shown}");
    assert_eq!(ana.redact("order 42, two of them"), "order 42, two of them");
    let mangled = ana.redact("⟦x:+43 660 1234567⟧ and again +43 660 1234567");
    assert!(!mangled.contains("1234567"), "what only looks like a token hides nothing: {mangled}");
}
