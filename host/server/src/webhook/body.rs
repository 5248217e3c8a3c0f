//! One verified body: route each slice to its channel, seal it, hand all of them to the inbox.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::cut::{NotCuttable, Object, Place as SlicePlace, Slice};
use bellhop_domain::event::{self, Event};
use bellhop_domain::id::{AppId, EventId, WorkspaceId};
use bellhop_domain::kind::Lane;
use bellhop_domain::time::Timestamp;
use bellhop_domain::words::{self, Signal};

use crate::db::DbError;
use crate::db::GroupError;
use crate::directory::{Asker, Channel, ChannelState, DirectoryError, Snapshot};
use crate::inbox::{self, Arrival, SliceContent};
use crate::vault::{DataKey, Day, IndexKey, Owner, Place, VaultError};
use crate::webhook::Webhook;

/// Older events are kept and run no plugin: their dedupe key may already be gone (kept 8 days).
const OLDEST_ACTED_ON: Duration = Duration::from_secs(7 * 86_400 + 43_200);

/// Why a body could not be stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("could not write the events")]
    Inbox(#[from] GroupError),
    #[error("could not seal the events")]
    Vault(#[from] VaultError),
    #[error("could not write the quarantine")]
    Db(#[from] DbError),
    #[error("could not look for a channel that is not known")]
    Directory(#[from] DirectoryError),
}

/// The keys of one workspace that a body needs.
struct Keys {
    intake: Arc<DataKey>,
    index: Arc<IndexKey>,
}

pub(super) async fn store(webhook: &Webhook, app: &AppId, slices: &[Slice<'_>]) -> Result<(), StoreError> {
    let now = webhook.db.now();
    let snapshot = snapshot(webhook, slices).await?;
    let mut keys: HashMap<WorkspaceId, Keys> = HashMap::new();
    let mut arrivals = Vec::with_capacity(slices.len());
    for slice in slices {
        // An item counts only if its asset belongs to the app that signed the body: one tenant's app cannot speak for
        // another's Page.
        let Some(channel) = route(&snapshot, slice).filter(|channel| channel.app == *app) else {
            metrics::counter!("bellhop_webhook_events_total", "outcome" => "unrouted").increment(1);
            continue;
        };
        if !keys.contains_key(&channel.workspace) {
            keys.insert(channel.workspace.clone(), workspace_keys(webhook, &channel.workspace, now).await?);
        }
        if let Some(keys) = keys.get(&channel.workspace) {
            arrivals.push(arrival(slice, &channel, keys, now));
        }
    }
    if arrivals.is_empty() {
        return Ok(());
    }
    let stored = webhook.inbox.store(arrivals).await?;
    metrics::counter!("bellhop_webhook_events_total", "outcome" => "new").increment(stored.new as u64);
    metrics::counter!("bellhop_webhook_events_total", "outcome" => "duplicate").increment(stored.duplicates as u64);
    Ok(())
}

/// The directory, looked at anew when an asset is not connected in it: another process may have done so a moment ago, and what
/// is not routed is lost. Only bodies that an app of ours signed come here, and all of them together look once a second at most:
/// Meta also sends what concerns Pages that nobody connected.
async fn snapshot(webhook: &Webhook, slices: &[Slice<'_>]) -> Result<Arc<Snapshot>, StoreError> {
    let snapshot = webhook.directory.snapshot();
    let is_connected = |channel: Arc<Channel>| channel.state != ChannelState::Disconnected;
    if slices.iter().all(|slice| route(&snapshot, slice).is_some_and(is_connected)) {
        return Ok(snapshot);
    }
    webhook.directory.look_again(Asker::Signed).await?;
    Ok(webhook.directory.snapshot())
}

async fn workspace_keys(webhook: &Webhook, workspace: &WorkspaceId, now: Timestamp) -> Result<Keys, VaultError> {
    let intake = webhook.vault.key(workspace, Owner::Intake(Day::of(now))).await?;
    let index = webhook.vault.index(workspace).await?;
    Ok(Keys { intake, index })
}

/// The channel a slice belongs to. Comments go to the channel of comments; where none is connected, the account's own keeps
/// them.
fn route(snapshot: &Snapshot, slice: &Slice<'_>) -> Option<Arc<Channel>> {
    let kinds: &[ChannelKind] = match (&slice.object, &slice.place) {
        (Object::Page, SlicePlace::Change(_)) => &[ChannelKind::PageComments, ChannelKind::Messenger],
        (Object::Page, _) => &[ChannelKind::Messenger],
        (Object::Instagram, SlicePlace::Change(_)) => &[ChannelKind::InstagramComments, ChannelKind::Instagram],
        (Object::Instagram, _) => &[ChannelKind::Instagram],
        (Object::Whatsapp, _) => &[ChannelKind::Whatsapp],
        (Object::Other(_), _) => &[],
    };
    let of_asset = || kinds.iter().filter_map(|kind| snapshot.channel_by_asset(*kind, &slice.asset));
    // A channel that was removed keeps what nobody else has connected.
    of_asset().find(|channel| channel.state != ChannelState::Disconnected).or_else(|| of_asset().next())
}

fn arrival(slice: &Slice<'_>, channel: &Channel, keys: &Keys, now: Timestamp) -> Arrival {
    let id = EventId::new();
    let at = slice.at.unwrap_or(now);
    let (lane, immediate) = match channel.state {
        // Taken away: what still comes is kept like all that is not acted on, and nobody is answered.
        ChannelState::Disconnected => (Lane::Stored, false),
        ChannelState::Active | ChannelState::Paused | ChannelState::Reauthorise => lane(slice, at, now),
    };
    let person = slice.person.as_deref();
    let thread = person.map(|person| inbox::thread_key(&keys.index, &channel.id, person));
    let content = SliceContent::seal(slice, &keys.intake, &id);
    Arrival {
        workspace: channel.workspace.clone(),
        channel: channel.id.clone(),
        thread,
        dedupe: keys.index.of("dedupe", &[&slice.dedupe_bytes()]),
        lane,
        kind: slice.kind,
        at,
        position: slice.position,
        immediate,
        key: keys.intake.id().clone(),
        sealed: content,
        id,
    }
}

/// The lane of a slice, and whether it closes the settle window. "STOP" and "let me talk to a person" take the control lane,
/// so that no running turn talks past them.
fn lane(slice: &Slice<'_>, at: Timestamp, now: Timestamp) -> (Lane, bool) {
    match slice.lane() {
        Lane::Contact if now.since(at) > OLDEST_ACTED_ON => (Lane::Stored, false),
        Lane::Contact => match event::parse(&slice.origin(), slice.raw) {
            Event::Contact(contact) => match contact.text().and_then(words::recognise) {
                Some(Signal::OptOut | Signal::HumanRequest) => (Lane::Control, false),
                // "Start" means something only to those who said "stop"; the turn knows whether they did.
                Some(Signal::OptIn) | None => (Lane::Contact, contact.is_tap()),
            },
            Event::Control(_) | Event::Ignored(_) => (Lane::Stored, false),
        },
        other => (other, false),
    }
}

/// Keeps a body that could not be cut, sealed under the installation's intake key of the day.
pub(super) async fn quarantine(
    webhook: &Webhook,
    app: &AppId,
    bytes: &[u8],
    reason: &NotCuttable,
) -> Result<(), StoreError> {
    let (now, id) = (webhook.db.now(), EventId::new());
    let workspace = crate::vault::installation();
    let key = webhook.vault.key(&workspace, Owner::Intake(Day::of(now))).await?;
    let place = Place { table: "quarantine", column: "sealed", row: id.as_str(), revision: 0 };
    let insert = sqlx::query(
        "insert into quarantine (workspace_id, id, app_id, reason, received_at, key_id, sealed) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    );
    let insert = insert
        .bind(workspace.as_str().to_owned())
        .bind(id.as_str().to_owned())
        .bind(app.as_str().to_owned())
        .bind(reason.to_string())
        .bind(now.millis())
        .bind(key.id().as_str().to_owned())
        .bind(key.seal(&place, bytes));
    webhook.db.execute(insert).await?;
    Ok(())
}
