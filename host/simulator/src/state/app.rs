//! Apps, Pages and the tokens that open them.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::Person;

/// The webhook fields of a Page that the simulator can send (Meta: Webhooks reference, Page).
pub const FIELDS: [&str; 8] = [
    "feed",
    "message_deliveries",
    "message_echoes",
    "message_reactions",
    "message_reads",
    "messages",
    "messaging_postbacks",
    "standby",
];

/// What a Page token may do until a permission is dropped.
pub const SCOPES: [&str; 6] = [
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_messaging",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_show_list",
];

/// A Meta app.
#[derive(Debug, Clone)]
pub struct App {
    /// Decimal id.
    pub id: String,
    /// What the dashboard calls it.
    pub name: String,
    /// Signs webhooks and proves calls.
    pub secret: String,
    /// Where webhooks go, once the handshake succeeded.
    pub callback: Option<Callback>,
    /// Whether every call must carry `appsecret_proof`.
    pub requires_proof: bool,
    /// Whether the Human Agent feature was granted.
    pub human_agent: bool,
}

/// A callback that answered the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The address.
    pub url: String,
    /// The token it was asked with.
    pub verify_token: String,
}

/// A Facebook Page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Decimal id.
    pub id: String,
    /// Its public name.
    pub name: String,
    /// The app that is connected to it.
    pub app_id: String,
    /// The Page token that was handed out.
    pub token: String,
    /// The fields the app subscribed to; `None` while it is not subscribed at all.
    pub subscribed: Option<BTreeSet<String>>,
    /// Since when its webhooks fail without a success in between.
    pub failing_since_ms: Option<i64>,
    /// Who wrote to it, by page-scoped id.
    pub people: BTreeMap<String, Person>,
}

impl Page {
    /// Whether events of `field` reach the app.
    pub(crate) fn hears(&self, field: &str) -> bool {
        self.subscribed.as_ref().is_some_and(|fields| fields.contains(field))
    }
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    App,
    Page(String),
    User(String),
}

/// A token that was handed out; app tokens are not kept, they are the id and the secret.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) app_id: String,
    pub(crate) holder: Holder,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) issued_at_ms: i64,
    /// `None` for one that does not expire.
    pub(crate) expires_at_ms: Option<i64>,
    /// The subcode of error 190 it is refused with.
    pub(crate) dead: Option<i64>,
}

impl Token {
    /// Why the token is refused now: a subcode of 190, or `None` while it works.
    pub(crate) fn refusal(&self, now_ms: i64) -> Option<i64> {
        const EXPIRED: i64 = 463;
        self.dead.or_else(|| self.expires_at_ms.filter(|expires| *expires <= now_ms).map(|_| EXPIRED))
    }
}

/// A login code, good for one exchange.
#[derive(Debug, Clone)]
pub(crate) struct OAuthCode {
    pub(crate) app_id: String,
    pub(crate) user_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) expires_at_ms: i64,
    pub(crate) used: bool,
}
