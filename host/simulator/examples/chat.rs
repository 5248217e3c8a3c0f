//! The chat page with a bot of a few lines behind it: shows what the simulator can do without the host.
//!
//! `cargo run -p bellhop-simulator --example chat`, then open the address it prints. Ctrl-C ends it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use bellhop_simulator::{Clock, Options, Simulator};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the bot needs to answer.
#[derive(Clone)]
struct Bot {
    graph: String,
    token: String,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is the output of this program")]
async fn main() -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the program's edge, where the time enters")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let clock = Clock::running(i64::try_from(now.as_millis())?);
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let simulator = Simulator::start(Options { address: ([127, 0, 0, 1], port).into(), ..Options::new(clock) }).await?;
    let control = simulator.control();
    let app = control.add_app("Example");
    let page = control.add_page(&app.id, "Lantern Bakery")?;
    control.subscribe(&page.id)?;
    for name in ["Ana Lopes", "Minh Tran", "Lena Vogt"] {
        control.add_person(&page.id, name)?;
    }
    // Anything but a provider of TLS: all addresses here are plain ones on this machine.
    rustls::crypto::ring::default_provider().install_default().ok().context("TLS was set up twice")?;
    let bot = Bot { graph: simulator.url(), token: page.token, client: reqwest::Client::new() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let callback = format!("http://{}/webhook", listener.local_addr()?);
    let routes = Router::new().route("/webhook", get(handshake).post(receive)).with_state(bot);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    control.configure_webhook(&app.id, &callback, "example").await?;
    println!("{}", simulator.url());
    tokio::signal::ctrl_c().await?;
    simulator.shutdown().await;
    Ok(())
}

async fn handshake(Query(asked): Query<Handshake>) -> String {
    asked.challenge
}

/// Answers at once and does the work after it, as every good callback does.
async fn receive(State(bot): State<Bot>, Json(body): Json<Value>) -> StatusCode {
    tokio::spawn(async move {
        for entry in body.get("entry").and_then(Value::as_array).into_iter().flatten() {
            for item in entry["messaging"].as_array().into_iter().flatten() {
                answer(&bot, item).await;
            }
        }
    });
    StatusCode::OK
}

async fn answer(bot: &Bot, item: &Value) {
    let said = item.pointer("/message/text").or(item.pointer("/postback/title")).and_then(Value::as_str);
    let Some(said) = said.filter(|_text| item.pointer("/message/is_echo").is_none()) else { return };
    let recipient = &item["sender"];
    for action in ["mark_seen", "typing_on"] {
        post(bot, &json!({ "recipient": recipient, "sender_action": action })).await;
    }
    tokio::time::sleep(Duration::from_millis(900)).await;
    let choices: Vec<Value> = ["Opening hours", "Prices", "Order a cake 🎂"]
        .map(|title| json!({ "content_type": "text", "title": title, "payload": title }))
        .into();
    let message = match said {
        "Opening hours" => {
            json!({ "text": "We are open Tuesday to Sunday, 7:00 to 18:00. On Mondays the oven rests." })
        }
        "Prices" => json!({ "attachment": { "type": "template", "payload": { "template_type": "button",
            "text": "A sourdough loaf is 4.80 €, a croissant 1.90 €.",
            "buttons": [{ "type": "postback", "title": "Order a cake", "payload": "CAKE" }] } } }),
        other => json!({ "text": format!("You said “{other}”. What can I help you with?"), "quick_replies": choices }),
    };
    post(bot, &json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": message })).await;
}

#[expect(clippy::print_stderr, reason = "an example has no log")]
async fn post(bot: &Bot, body: &Value) {
    let url = format!("{}/v25.0/me/messages", bot.graph);
    if let Err(error) = bot.client.post(url).bearer_auth(&bot.token).json(body).send().await {
        eprintln!("could not send: {error}");
    }
}
