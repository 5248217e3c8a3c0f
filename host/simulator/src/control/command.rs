//! The control as data: one command per thing that can be done over HTTP.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::control::{Control, Customer, Release};
use crate::error::ControlError;
use crate::state::{Signature, Trouble};

/// Something to do. Over HTTP: `POST /_control/{name}` with the fields as a JSON object.
#[derive(Debug)]
pub(crate) enum Command {
    /// Done by a person: the fields name `page` and `person`.
    Customer { page: String, person: String, deed: Deed },
    /// Done by Meta.
    Platform(Order),
}

/// What a person does or what befalls them; see the methods of [`Customer`] of the same name.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Deed {
    Says { text: String },
    Answers { title: String, payload: String },
    Taps { title: String, payload: String },
    Attaches { kind: String, url: String },
    Thumb {},
    Reacts { message: String, emoji: Option<String> },
    Reads {},
    Unsends { message: String },
    Comments { text: String },
    StaffSays { text: String },
    AppSays { app: String, text: String },
    GiveThread { app: Option<String> },
    Blocks { blocked: bool },
    HidesProfile { hidden: bool },
    CloseWindow {},
}

/// What Meta does or does wrong; see the methods of [`Control`] of the same name.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Order {
    AddApp { name: String },
    AddPage { app: String, name: String },
    AddPerson { page: String, name: String },
    ConfigureWebhook { app: String, url: String, verify_token: String },
    Subscribe { page: String },
    NextSends { n: usize, trouble: Trouble },
    EveryCall { trouble: Option<Trouble> },
    ReleaseReplies {},
    SetThreadsLag { by_ms: u64 },
    SetUsage { app: Option<Value>, business: Option<Value> },
    KillToken { token: String, subcode: i64 },
    ExpireToken { token: String, life_ms: u64 },
    DropPermission { page: String, scope: String },
    RestorePermissions { page: String },
    HoldWebhooks {},
    ReleaseWebhooks { release: Release },
    DropWebhooks { n: usize },
    DuplicateWebhooks { n: usize },
    SignNext { n: usize, signature: Signature },
    Redeliver { number: u64 },
    Advance { by_ms: u64 },
    SetHabits { echoes: Option<bool>, deliveries: Option<bool>, reads: Option<bool> },
}

impl Command {
    /// Reads a command from its name and its fields.
    ///
    /// # Errors
    /// What is missing or unknown, in words for the caller.
    pub(crate) fn read(name: String, mut fields: Map<String, Value>) -> Result<Self, serde_json::Error> {
        fields.insert("do".to_owned(), Value::String(name));
        let Some(person) = fields.remove("person") else {
            return serde_json::from_value(Value::Object(fields)).map(Self::Platform);
        };
        let page = fields.remove("page").unwrap_or_default();
        Ok(Self::Customer {
            page: serde_json::from_value(page)?,
            person: serde_json::from_value(person)?,
            deed: serde_json::from_value(Value::Object(fields))?,
        })
    }
}

impl Control {
    /// Does what a command says; the answer holds the id of what was made, if something was.
    ///
    /// # Errors
    /// Those of the method the command stands for.
    pub(crate) async fn perform(&self, command: Command) -> Result<Value, ControlError> {
        match command {
            Command::Customer { page, person, deed } => {
                let id = perform_deed(&self.customer(&page, &person)?, deed)?;
                Ok(id.map_or_else(|| json!({}), |id| json!({ "id": id })))
            }
            Command::Platform(Order::ConfigureWebhook { app, url, verify_token }) => {
                self.configure_webhook(&app, &url, &verify_token).await.map(|()| json!({}))
            }
            Command::Platform(order) => self.perform_order(order),
        }
    }

    fn perform_order(&self, order: Order) -> Result<Value, ControlError> {
        match order {
            Order::AddApp { name } => {
                let app = self.add_app(&name);
                return Ok(json!({ "id": app.id, "secret": app.secret }));
            }
            Order::AddPage { app, name } => {
                let page = self.add_page(&app, &name)?;
                return Ok(json!({ "id": page.id, "token": page.token }));
            }
            Order::AddPerson { page, name } => {
                return Ok(json!({ "id": self.add_person(&page, &name)?.person_id }));
            }
            // The only one that waits: `perform` has done it.
            Order::ConfigureWebhook { .. } => (),
            Order::Subscribe { page } => self.subscribe(&page)?,
            Order::NextSends { n, trouble } => self.next_sends(n, trouble),
            Order::EveryCall { trouble } => self.every_call(trouble),
            Order::ReleaseReplies {} => self.release_replies(),
            Order::SetThreadsLag { by_ms } => self.set_threads_lag(Duration::from_millis(by_ms)),
            Order::SetUsage { app, business } => self.set_usage(app, business),
            Order::KillToken { token, subcode } => self.kill_token(&token, subcode)?,
            Order::ExpireToken { token, life_ms } => self.expire_token(&token, Duration::from_millis(life_ms))?,
            Order::DropPermission { page, scope } => self.drop_permission(&page, &scope)?,
            Order::RestorePermissions { page } => self.restore_permissions(&page)?,
            Order::HoldWebhooks {} => self.hold_webhooks(),
            Order::ReleaseWebhooks { release } => self.release_webhooks(&release),
            Order::DropWebhooks { n } => self.drop_webhooks(n),
            Order::DuplicateWebhooks { n } => self.duplicate_webhooks(n),
            Order::SignNext { n, signature } => self.sign_next(n, signature),
            Order::Redeliver { number } => self.redeliver(number)?,
            Order::Advance { by_ms } => self.advance(Duration::from_millis(by_ms)),
            Order::SetHabits { echoes, deliveries, reads } => {
                echoes.into_iter().for_each(|on| self.set_echoes(on));
                deliveries.into_iter().for_each(|on| self.set_deliveries(on));
                reads.into_iter().for_each(|on| self.set_reads(on));
            }
        }
        Ok(json!({}))
    }
}

/// Does it, and gives the id of what was made.
fn perform_deed(customer: &Customer, deed: Deed) -> Result<Option<String>, ControlError> {
    match deed {
        Deed::Says { text } => customer.says(&text).map(Some),
        Deed::Answers { title, payload } => customer.answers(&title, &payload).map(Some),
        Deed::Taps { title, payload } => customer.taps(&title, &payload).map(Some),
        Deed::Attaches { kind, url } => customer.sends_attachment(&kind, &url).map(Some),
        Deed::Thumb {} => customer.sends_thumb().map(Some),
        Deed::Comments { text } => customer.comments(&text).map(Some),
        Deed::StaffSays { text } => customer.staff_says(&text).map(Some),
        Deed::AppSays { app, text } => customer.app_says(&app, &text).map(Some),
        Deed::Reacts { message, emoji } => customer.reacts(&message, emoji.as_deref()).map(|()| None),
        Deed::Reads {} => customer.reads().map(|()| None),
        Deed::Unsends { message } => customer.unsends(&message).map(|()| None),
        Deed::GiveThread { app } => customer.give_thread_to(app.as_deref()).map(|()| None),
        Deed::Blocks { blocked } => customer.blocks(blocked).map(|()| None),
        Deed::HidesProfile { hidden } => customer.hides_profile(hidden).map(|()| None),
        Deed::CloseWindow {} => customer.close_window().map(|()| None),
    }
}
