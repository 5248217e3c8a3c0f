//! What goes wrong on purpose: answers, tokens, permissions, webhooks.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::Control;
use crate::error::ControlError;
use crate::id;
use crate::state::{SCOPES, Signature, Trouble};
use crate::webhook::{self, Event};

/// In which way held webhooks leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// One request each, oldest first.
    InOrder,
    /// One request each, newest first.
    Reversed,
    /// One request each, in this order of their places (from 0); those not named stay lost.
    Places(Vec<usize>),
    /// All in one request, an entry each, whatever Page they are about.
    OneBatch,
}

impl Control {
    /// Makes the next `n` messages sent through the Graph API go wrong. Adds to what was planned before.
    pub fn next_sends(&self, n: usize, trouble: Trouble) {
        self.world.lock().troubles.next_sends.extend(std::iter::repeat_n(trouble, n));
    }

    /// Forgets what was planned for the next messages.
    pub fn forget_next_sends(&self) {
        self.world.lock().troubles.next_sends.clear();
    }

    /// Makes every call of the Graph API go wrong until it is called with `None`.
    pub fn every_call(&self, trouble: Option<Trouble>) {
        self.world.lock().troubles.every_call = trouble;
    }

    /// How long what was said is not yet shown where threads are listed.
    pub fn set_threads_lag(&self, lag: Duration) {
        self.world.lock().troubles.threads_lag_ms = crate::clock::millis(lag);
    }

    /// Lets the replies go that [`Trouble::Hold`] holds at this moment.
    pub fn release_replies(&self) {
        self.world.lock().troubles.n_releases += 1;
        self.world.changed.notify_waiters();
    }

    /// Puts usage headers on every answer, or takes them away. The values are what stands in the headers.
    pub fn set_usage(&self, app: Option<Value>, business: Option<Value>) {
        let mut state = self.world.lock();
        state.app_usage = app;
        state.business_usage = business;
    }

    /// Kills a token: calls with it fail with 190 and this subcode (458, 460, 463, 467, 492, …).
    ///
    /// # Errors
    /// [`ControlError::NoSuchThing`].
    pub fn kill_token(&self, token: &str, subcode: i64) -> Result<(), ControlError> {
        let mut state = self.world.lock();
        let known = state.tokens.get_mut(token);
        let known = known.ok_or_else(|| ControlError::NoSuchThing { kind: "token", id: "(not shown)".to_owned() })?;
        known.dead = Some(subcode);
        Ok(())
    }

    /// Makes a token expire after `life` on the simulator's clock.
    ///
    /// # Errors
    /// [`ControlError::NoSuchThing`].
    pub fn expire_token(&self, token: &str, life: Duration) -> Result<(), ControlError> {
        let due_ms = self.world.clock.now_ms().saturating_add(crate::clock::millis(life));
        let mut state = self.world.lock();
        let known = state.tokens.get_mut(token);
        let known = known.ok_or_else(|| ControlError::NoSuchThing { kind: "token", id: "(not shown)".to_owned() })?;
        known.expires_at_ms = Some(due_ms);
        Ok(())
    }

    /// Gives a Page a new token, as after the business logged in again; the old one stays as it is.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`].
    pub fn renew_page_token(&self, page_id: &str) -> Result<String, ControlError> {
        let mut state = self.world.lock();
        let made = state.ids.token();
        let page = state.pages.get_mut(page_id).ok_or_else(|| ControlError::NoSuchPage(page_id.to_owned()))?;
        page.token.clone_from(&made);
        let holder = crate::state::Holder::Page(page_id.to_owned());
        let token = self.fresh_token(&page.app_id.clone(), holder);
        state.tokens.insert(made.clone(), token);
        Ok(made)
    }

    /// Takes a permission from the Page's tokens.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`].
    pub fn drop_permission(&self, page_id: &str, scope: &str) -> Result<(), ControlError> {
        self.change_scopes(page_id, |scopes| {
            scopes.remove(scope);
        })
    }

    /// Gives the Page's tokens all permissions again.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPage`].
    pub fn restore_permissions(&self, page_id: &str) -> Result<(), ControlError> {
        self.change_scopes(page_id, |scopes| scopes.extend(SCOPES.map(str::to_owned)))
    }

    fn change_scopes(
        &self,
        page_id: &str,
        change: impl Fn(&mut std::collections::BTreeSet<String>),
    ) -> Result<(), ControlError> {
        self.with_page(page_id, |_exists| ())?;
        let holder = crate::state::Holder::Page(page_id.to_owned());
        let mut state = self.world.lock();
        state.tokens.values_mut().filter(|token| token.holder == holder).for_each(|token| change(&mut token.scopes));
        Ok(())
    }

    /// Keeps events back until they are released.
    pub fn hold_webhooks(&self) {
        self.world.lock().held.get_or_insert_default();
    }

    /// How many events are held.
    pub fn held_webhooks(&self) -> usize {
        self.world.lock().held.as_ref().map_or(0, std::collections::VecDeque::len)
    }

    /// Lets the held events leave; later ones are not held. Events of different people travel side by side.
    pub fn release_webhooks(&self, release: &Release) {
        let mut state = self.world.lock();
        let held: Vec<Event> = webhook::take_held(&mut state).into();
        let ordered: Vec<Event> = match release {
            Release::InOrder => held,
            Release::Reversed => held.into_iter().rev().collect(),
            Release::Places(places) => places.iter().filter_map(|place| held.get(*place).cloned()).collect(),
            Release::OneBatch => {
                webhook::post_together(&self.world, &mut state, &held);
                return;
            }
        };
        for event in &ordered {
            webhook::post_together(&self.world, &mut state, std::slice::from_ref(event));
        }
    }

    /// Keeps the echoes of a Page's messages back until they are released; everything else goes its way.
    pub fn hold_echoes(&self) {
        self.world.lock().held_echoes.get_or_insert_default();
    }

    /// Lets the held echoes leave, oldest first; later ones are not held.
    pub fn release_echoes(&self) {
        let mut state = self.world.lock();
        for echo in state.held_echoes.take().unwrap_or_default() {
            webhook::emit(&self.world, &mut state, echo);
        }
    }

    /// Loses the next `n` webhook requests.
    pub fn drop_webhooks(&self, n: usize) {
        self.world.lock().troubles.drop_webhooks = n;
    }

    /// Sends the next `n` webhook requests twice, as two requests.
    pub fn duplicate_webhooks(&self, n: usize) {
        self.world.lock().troubles.duplicate_webhooks = n;
    }

    /// Signs the next `n` webhook requests in this way. Adds to what was planned before.
    pub fn sign_next(&self, n: usize, signature: Signature) {
        self.world.lock().troubles.next_signatures.extend(std::iter::repeat_n(signature, n));
    }

    /// Sends an earlier webhook request again, byte for byte.
    ///
    /// # Errors
    /// [`ControlError::NoSuchThing`].
    pub fn redeliver(&self, number: u64) -> Result<(), ControlError> {
        let mut state = self.world.lock();
        let earlier = state.ledger.webhook_mut(number).cloned();
        let earlier = earlier.ok_or_else(|| ControlError::NoSuchThing { kind: "webhook", id: number.to_string() })?;
        webhook::redeliver(&self.world, &mut state, &earlier);
        Ok(())
    }

    /// The secret an app signs with from now on, as after a rotation.
    ///
    /// # Errors
    /// [`ControlError::NoSuchApp`].
    pub fn rotate_secret(&self, app_id: &str) -> Result<String, ControlError> {
        let made = id::app_secret(&self.world.lock().ids.token());
        self.change_app(app_id, |app| app.secret.clone_from(&made))?;
        Ok(made)
    }

    /// Whether messages of the Page come back as echoes.
    pub fn set_echoes(&self, on: bool) {
        self.change_habits(|habits| habits.echoes = on);
    }

    /// Whether messages of the Page are reported as delivered.
    pub fn set_deliveries(&self, on: bool) {
        self.change_habits(|habits| habits.deliveries = on);
    }

    /// Whether messages of the Page are reported as read at once.
    pub fn set_reads(&self, on: bool) {
        self.change_habits(|habits| habits.reads = on);
    }

    fn change_habits(&self, change: impl FnOnce(&mut crate::world::Habits)) {
        change(&mut self.world.habits.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}
