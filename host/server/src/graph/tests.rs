//! Tests against the simulator for what Meta does, and against a small server for what it should not do.

use bellhop_domain::effect::Choice;
use bellhop_domain::graph_error::Refusal;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use bellhop_domain::render::Layout;
use bellhop_domain::time::Timestamp;
use bellhop_simulator::{Control, Customer, Options, PageKeys, Simulator};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::config::{EgressConfig, KeysConfig};
use crate::db::{Clock, Db, Schema};
use crate::directory::{ChannelState, Rest};
use crate::vault::SecretKind;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A vault that holds the secrets of one channel.
struct House {
    _folder: TempDir,
    vault: Vault,
    store: Db,
    channel: Channel,
}

impl House {
    async fn new(asset_id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = async |name: &str, schema| {
            let url = Db::sqlite_url(&folder.path().join(name));
            Db::open(&url, schema, Clock::manual(NOW)).await.unwrap()
        };
        let (keyring, store) = (open("keyring.db", Schema::Keyring).await, open("store.db", Schema::Store).await);
        let keys = KeysConfig { folder: folder.path().join("keys"), ..KeysConfig::default() };
        let vault = Vault::open(&keys, keyring, store.clone()).await.unwrap();
        let channel = Channel {
            workspace: WorkspaceId::new(),
            id: ChannelId::new(),
            app: AppId::new(),
            kind: ChannelKind::Messenger,
            asset_id: asset_id.to_owned(),
            name: String::from("Salon"),
            locale: String::from("de"),
            fallback: None,
            state: ChannelState::Active,
            state_reason: None,
            rest: Rest::default(),
        };
        Self { _folder: folder, vault, store, channel }
    }

    async fn put(&self, kind: SecretKind, owner: &str, secret: &str) {
        let mut transaction = self.store.begin_write().await.unwrap();
        let bytes = Zeroizing::new(secret.as_bytes().to_vec());
        self.vault.secret_put(&mut transaction, &self.channel.workspace, kind, owner, bytes).await.unwrap();
        transaction.commit().await.unwrap();
        self.vault.secrets_forget();
    }

    async fn connect(&self, token: &str, app_secret: &str) {
        self.put(SecretKind::ChannelToken, self.channel.id.as_str(), token).await;
        self.put(SecretKind::AppSecret, self.channel.app.as_str(), app_secret).await;
    }

    fn graph(&self, base_url: &str) -> Graph {
        let origin = Url::parse(base_url).unwrap().origin().ascii_serialization();
        let egress = EgressConfig { private_origins: vec![origin], ..EgressConfig::default() };
        let config = GraphConfig { base_url: base_url.to_owned(), timeout_seconds: 5, ..GraphConfig::default() };
        Graph::new(&config, Egress::new(&egress).unwrap(), self.vault.clone())
    }
}

/// The simulator with one Page and one person who has written to it.
struct Meta {
    simulator: Simulator,
    control: Control,
    page: PageKeys,
    person: Customer,
    house: House,
    graph: Graph,
}

impl Meta {
    async fn new() -> Self {
        let clock = bellhop_simulator::Clock::standing(NOW.millis());
        let simulator = Simulator::start(Options::new(clock)).await.unwrap();
        let control = simulator.control();
        let app = control.add_app("bellhop");
        control.change_app(&app.id, |app| app.requires_proof = true).unwrap();
        let page = control.add_page(&app.id, "Salon").unwrap();
        let person = control.add_person(&page.id, "Ana").unwrap();
        person.says("hi").unwrap();
        let house = House::new(&page.id).await;
        house.connect(&page.token, &app.secret).await;
        let graph = house.graph(&simulator.url());
        Self { simulator, control, page, person, house, graph }
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, GraphError> {
        let recipient = Recipient::Person(self.person.person_id.clone());
        self.graph.send(&self.house.channel, &recipient, outgoing, "delivery-1", &|| true).await
    }
}

fn text(text: &str) -> Outgoing {
    Outgoing { text: text.to_owned(), layout: Layout::Text, choices: Vec::new() }
}

#[tokio::test]
async fn a_message_arrives_with_its_choices_and_our_word_for_it() {
    let meta = Meta::new().await;
    let choice = |title: &str| Choice { title: title.to_owned(), payload: format!("{title}!") };
    let choices = vec![choice("Haircut"), choice("Beard")];
    let outgoing = Outgoing { layout: Layout::QuickReplies, choices, ..text("What would you like? ä🙂") };
    meta.control.set_usage(Some(json!({"call_count": 76})), None);
    let sent = meta.send(&outgoing).await.unwrap();
    assert_eq!(sent.recipient_id.as_deref(), Some(meta.person.person_id.as_str()));
    assert_eq!(sent.usage.app_percent, 76);
    let taken = meta.control.accepted();
    assert_eq!(taken.len(), 1);
    let body = &taken[0].body;
    assert_eq!(body["message"]["text"], "What would you like? ä🙂");
    assert_eq!(body["message"]["metadata"], "delivery-1");
    assert_eq!(body["messaging_type"], "RESPONSE");
    let first = json!({"content_type": "text", "title": "Haircut", "payload": "Haircut!"});
    assert_eq!(body["message"]["quick_replies"][0], first);
    meta.simulator.shutdown().await;
}

#[tokio::test]
async fn a_sign_is_shown() {
    let meta = Meta::new().await;
    let recipient = Recipient::Person(meta.person.person_id.clone());
    for action in [SenderAction::MarkSeen, SenderAction::TypingOn, SenderAction::TypingOff] {
        meta.graph.sender_action(&meta.house.channel, &recipient, action).await.unwrap();
    }
    meta.simulator.shutdown().await;
}

#[tokio::test]
async fn every_refusal_of_meta_says_what_to_do() {
    let meta = Meta::new().await;
    let refused = async || {
        let error = meta.send(&text("hello")).await.err().unwrap();
        assert!(!error.maybe_taken(), "{error:?}");
        (error.action(), error.code_text())
    };
    meta.person.close_window().unwrap();
    assert_eq!(refused().await, (Action::WindowClosed, String::from("10-2018278")));
    meta.person.says("hi again").unwrap();
    meta.person.blocks(true).unwrap();
    let (action, code) = refused().await;
    assert_eq!(action, Action::Suppress, "{code}");
    meta.person.blocks(false).unwrap();
    meta.control.kill_token(&meta.page.token, 460).unwrap();
    assert_eq!(refused().await, (Action::Reauthorise, String::from("190-460")));
    assert_eq!(meta.control.accepted().len(), 0);
    meta.simulator.shutdown().await;
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_owner_is_asked() {
    let house = House::new("1").await;
    let graph = house.graph("http://127.0.0.1:9");
    let recipient = Recipient::Person(String::from("2"));
    let error = graph.send(&house.channel, &recipient, &text("hello"), "d", &|| true).await.err().unwrap();
    assert_eq!((error.action(), error.code_text().as_str()), (Action::Reauthorise, "no-token"));
    let other = Channel { kind: ChannelKind::Whatsapp, ..house.channel.clone() };
    let error = graph.send(&other, &recipient, &text("hello"), "d", &|| true).await.err().unwrap();
    assert_eq!((error.action(), error.code_text().as_str()), (Action::Fix, "unsupported"));
    assert!(!error.maybe_taken());
}

/// What a send says about an answer that a server gives to whatever it is asked.
async fn answered(answer: &'static str) -> Result<Sent, GraphError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 16_384];
        assert!(connection.read(&mut asked).await.unwrap() > 0);
        connection.write_all(answer.as_bytes()).await.unwrap();
    });
    let house = House::new("1").await;
    house.connect("EAAtoken", "app secret").await;
    let recipient = Recipient::Person(String::from("2"));
    house.graph(&url).send(&house.channel, &recipient, &text("hello"), "d", &|| true).await
}

#[tokio::test]
async fn what_meta_may_have_done_is_told_from_what_it_refused() {
    let cases = [
        ("200 OK", r#"{"error":{"code":190,"error_subcode":463,"message":"x"}}"#, "refused", "190-463", false),
        ("400 Bad Request", r#"{"error":{"code":100,"error_subcode":2018001}}"#, "refused", "100-2018001", false),
        ("429 Too Many Requests", "", "refused", "http-429", false),
        ("403 Forbidden", "<html>", "refused", "http-403", false),
        ("302 Found", "", "refused", "http-302", false),
        ("500 Internal Server Error", r#"{"error":{"code":2,"is_transient":true}}"#, "unclear", "2", true),
        ("400 Bad Request", r#"{"error":{"code":1}}"#, "unclear", "1", true),
        ("503 Service Unavailable", "<html>", "unclear", "http-503", true),
        ("400 Bad Request", r#"{"error":{"code":613}}"#, "refused", "613", false),
        ("500 Internal Server Error", r#"{"error":{"code":190}}"#, "refused", "190", false),
        ("200 OK", "<html>", "garbled", "garbled", true),
        ("200 OK", r#"{"recipient_id":"2"}"#, "garbled", "garbled", true),
        ("200 OK", r#"{"error":{"code":"190"}}"#, "garbled", "garbled", true),
    ];
    for (status, body, name, code, maybe_taken) in cases {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let error = answered(answer.leak()).await.err().unwrap();
        assert_eq!((error.name(), error.code_text().as_str()), (name, code), "{status} {body}");
        assert_eq!(error.maybe_taken(), maybe_taken, "{status} {body}");
        assert!(!format!("{error:?}").contains("EAAtoken"));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_never_ends_is_lost() {
    let cut = answered("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"message").await.err().unwrap();
    assert!(cut.maybe_taken() && cut.name() == "cut", "{cut:?}");
    let flood = format!("HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n{}", " ".repeat(65_537));
    let flood = answered(flood.leak()).await.err().unwrap();
    assert!(flood.maybe_taken() && flood.name() == "too-large", "{flood:?}");
}

#[tokio::test]
async fn nothing_was_sent_when_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let house = House::new("1").await;
    house.connect("EAAtoken", "app secret").await;
    let recipient = Recipient::Person(String::from("2"));
    let error = house.graph(&url).send(&house.channel, &recipient, &text("hello"), "d", &|| true).await.err().unwrap();
    assert!(matches!(error, GraphError::Unreachable(_)) && !error.maybe_taken(), "{error:?}");
}

#[test]
fn a_refusal_of_ours_looks_like_one_of_metas() {
    let refusal = Refusal { http_status: 400, code: Some(4), ..Refusal::default() };
    assert_eq!(GraphError::refused(Action::BackOff, Why::Meta(refusal)).code_text(), "4");
}
