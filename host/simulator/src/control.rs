//! The handle with which tests and the demo play Meta and the customers.
//!
//! Cheap to clone. Everything here is done before the call returns; only webhooks and answers are under way after it.
//! The same can be done as JSON over HTTP, see `control/http.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::ControlError;
use crate::id;
use crate::state::{
    App, Callback, FIELDS, Holder, Ledger, Message, OAuthCode, Page, Person, SCOPES, Send, State, Token,
};
use crate::webhook;
use crate::world::{Happening, World};

mod command;
mod customer;
mod fault;
mod http;

pub(crate) use command::Command;
pub use customer::Customer;
pub use fault::Release;
pub(crate) use http::router;

/// Life of a login code (Meta: Facebook Login, about 10 minutes).
const CODE_LIFE_MS: i64 = 600_000;

/// The control of one simulator.
#[derive(Clone)]
pub struct Control {
    pub(crate) world: Arc<World>,
}

/// What a developer copies from an app's dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKeys {
    /// The app id.
    pub id: String,
    /// The app secret.
    pub secret: String,
}

/// What a business gets for a connected Page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageKeys {
    /// The Page id.
    pub id: String,
    /// The Page token.
    pub token: String,
}

impl Control {
    /// The simulator's clock.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.world.clock.advance(by);
    }

    /// Adds an app. The same name gives the same id in every run.
    pub fn add_app(&self, name: &str) -> AppKeys {
        let mut state = self.world.lock();
        let id = id::named_number("app", name, |id| state.apps.contains_key(id));
        let keys = AppKeys { secret: id::app_secret(&id), id: id.clone() };
        let app = App {
            id: id.clone(),
            name: name.to_owned(),
            secret: keys.secret.clone(),
            callback: None,
            requires_proof: false,
            human_agent: false,
        };
        state.apps.insert(id, app);
        keys
    }

    /// Changes an app: whether it requires proofs, whether it has the Human Agent feature, its secret.
    ///
    /// # Errors
    /// [`ControlError::NoSuchApp`].
    pub fn change_app(&self, app_id: &str, change: impl FnOnce(&mut App)) -> Result<(), ControlError> {
        let mut state = self.world.lock();
        let app = state.apps.get_mut(app_id).ok_or_else(|| ControlError::NoSuchApp(app_id.to_owned()))?;
        change(app);
        Ok(())
    }

    /// Sets where an app's webhooks go, after the callback sent the challenge back.
    ///
    /// # Errors
    /// [`ControlError::NoSuchApp`], [`ControlError::Unreachable`], [`ControlError::Handshake`].
    pub async fn configure_webhook(&self, app_id: &str, url: &str, verify_token: &str) -> Result<(), ControlError> {
        self.change_app(app_id, |_exists| ())?;
        webhook::handshake(&self.world, url, verify_token).await?;
        let callback = Callback { url: url.to_owned(), verify_token: verify_token.to_owned() };
        self.change_app(app_id, |app| app.callback = Some(callback))
    }

    /// Adds a Page, not yet subscribed. The same name gives the same id and token in every run.
    ///
    /// # Errors
    /// [`ControlError::NoSuchApp`].
    pub fn add_page(&self, app_id: &str, name: &str) -> Result<PageKeys, ControlError> {
        let mut state = self.world.lock();
        if !state.apps.contains_key(app_id) {
            return Err(ControlError::NoSuchApp(app_id.to_owned()));
        }
        let id = id::named_number("page", name, |id| state.pages.contains_key(id));
        let token = id::page_token(&id);
        let page = Page {
            id: id.clone(),
            name: name.to_owned(),
            app_id: app_id.to_owned(),
            token: token.clone(),
            subscribed: None,
            failing_since_ms: None,
            people: std::collections::BTreeMap::new(),
        };
        state.pages.insert(id.clone(), page);
        let known = self.fresh_token(app_id, Holder::Page(id.clone()));
        state.tokens.insert(token.clone(), known);
        Ok(PageKeys { id, token })
    }

    /// Subscribes the app to every field of a Page, as `POST /{page}/subscribed_apps` would.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`].
    pub fn subscribe(&self, page_id: &str) -> Result<(), ControlError> {
        self.with_page(page_id, |page| page.subscribed = Some(FIELDS.map(str::to_owned).into_iter().collect()))
    }

    /// Adds a person who may write to a Page. The same name gives the same id in every run.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`].
    pub fn add_person(&self, page_id: &str, name: &str) -> Result<Customer, ControlError> {
        let person_id = self.with_page(page_id, |page| {
            let id = id::named_number("person", &format!("{page_id}/{name}"), |id| page.people.contains_key(id));
            page.people.insert(id.clone(), Person::new(id.clone(), name.to_owned(), page.people.len()));
            id
        })?;
        self.world.announce(Happening::Person { page: page_id.to_owned(), person: person_id.clone() });
        Ok(Customer { control: self.clone(), page_id: page_id.to_owned(), person_id })
    }

    /// The handle of a person who is already there.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn customer(&self, page_id: &str, person_id: &str) -> Result<Customer, ControlError> {
        self.with_person(page_id, person_id, |_exists| ())?;
        Ok(Customer { control: self.clone(), page_id: page_id.to_owned(), person_id: person_id.to_owned() })
    }

    /// A short-lived token of somebody who logged in to the app.
    ///
    /// # Errors
    /// [`ControlError::NoSuchApp`].
    pub fn issue_user_token(&self, app_id: &str) -> Result<String, ControlError> {
        self.change_app(app_id, |_exists| ())?;
        let mut state = self.world.lock();
        let user_id = state.ids.number();
        let value = state.ids.token();
        let mut token = self.fresh_token(app_id, Holder::User(user_id));
        token.expires_at_ms = Some(token.issued_at_ms.saturating_add(3_600_000));
        state.tokens.insert(value.clone(), token);
        Ok(value)
    }

    /// A login code as the dialog puts it into the redirect.
    ///
    /// # Errors
    /// [`ControlError::NoSuchApp`].
    pub fn issue_code(&self, app_id: &str, redirect_uri: &str) -> Result<String, ControlError> {
        self.change_app(app_id, |_exists| ())?;
        let mut state = self.world.lock();
        let code = state.ids.token();
        let known = OAuthCode {
            app_id: app_id.to_owned(),
            user_id: state.ids.number(),
            redirect_uri: redirect_uri.to_owned(),
            expires_at_ms: self.world.clock.now_ms().saturating_add(CODE_LIFE_MS),
            used: false,
        };
        state.codes.insert(code.clone(), known);
        Ok(code)
    }

    /// A copy of the books.
    pub fn ledger(&self) -> Ledger {
        self.world.lock().ledger.clone()
    }

    /// The messages that people got, oldest first; no typing, nothing refused.
    pub fn accepted(&self) -> Vec<Send> {
        self.world.lock().ledger.accepted().cloned().collect()
    }

    /// The Page as it stands, people and threads included.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`].
    pub fn page(&self, page_id: &str) -> Result<Page, ControlError> {
        self.with_page(page_id, |page| page.clone())
    }

    /// The thread of a person, oldest message first.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn thread(&self, page_id: &str, person_id: &str) -> Result<Vec<Message>, ControlError> {
        self.with_person(page_id, person_id, |person| person.messages.iter().cloned().collect())
    }

    /// Waits until at least `n` messages were accepted since the start, and returns those that are kept.
    ///
    /// # Errors
    /// [`ControlError::TimedOut`].
    pub async fn wait_for_sends(&self, n: usize, timeout: Duration) -> Result<Vec<Send>, ControlError> {
        self.wait_until(timeout, |ledger| ledger.n_accepted >= n).await?;
        Ok(self.accepted())
    }

    /// Waits until at least `n` webhook requests ended since the start: acknowledged, given up or dropped.
    ///
    /// # Errors
    /// [`ControlError::TimedOut`].
    pub async fn wait_for_webhooks(&self, n: usize, timeout: Duration) -> Result<(), ControlError> {
        self.wait_until(timeout, |ledger| ledger.n_settled >= n).await
    }

    /// Waits until the books show what `condition` wants; it is asked after every change.
    ///
    /// # Errors
    /// [`ControlError::TimedOut`] when `timeout` of real time passed first.
    pub async fn wait_until(
        &self,
        timeout: Duration,
        condition: impl FnMut(&Ledger) -> bool + std::marker::Send,
    ) -> Result<(), ControlError> {
        self.world.wait_until(timeout, condition).await
    }

    /// Waits until the app lost its subscription to a Page.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`], [`ControlError::TimedOut`] when `timeout` of real time passed first.
    pub async fn wait_until_unsubscribed(&self, page_id: &str, timeout: Duration) -> Result<(), ControlError> {
        self.with_page(page_id, |_exists| ())?;
        self.world
            .wait_until_state(timeout, |state| state.pages.get(page_id).is_none_or(|page| page.subscribed.is_none()))
            .await
    }

    fn fresh_token(&self, app_id: &str, holder: Holder) -> Token {
        Token {
            app_id: app_id.to_owned(),
            holder,
            scopes: SCOPES.map(str::to_owned).into_iter().collect(),
            issued_at_ms: self.world.clock.now_ms(),
            expires_at_ms: None,
            dead: None,
        }
    }

    fn with_page<T>(&self, page_id: &str, act: impl FnOnce(&mut Page) -> T) -> Result<T, ControlError> {
        let mut state = self.world.lock();
        state.pages.get_mut(page_id).map(act).ok_or_else(|| ControlError::NoSuchPage(page_id.to_owned()))
    }

    fn with_person<T>(
        &self,
        page_id: &str,
        person_id: &str,
        act: impl FnOnce(&mut Person) -> T,
    ) -> Result<T, ControlError> {
        person_in(&mut self.world.lock(), page_id, person_id).map(act)
    }
}

/// The person, or why not.
fn person_in<'a>(state: &'a mut State, page_id: &str, person_id: &str) -> Result<&'a mut Person, ControlError> {
    state
        .person_mut(page_id, person_id)
        .ok_or_else(|| ControlError::NoSuchPerson { page: page_id.to_owned(), person: person_id.to_owned() })
}
