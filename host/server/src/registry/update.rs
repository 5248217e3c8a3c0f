//! New versions. One that was signed by the key of the first consent, has a greater version and adds nothing to what was
//! consented to takes the place of the old one by itself, on every channel, in the transaction that installs it. Any other
//! waits until a business enables it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::danger::DangerSet;
use bellhop_domain::flow;
use bellhop_domain::grant::Scopes;
use bellhop_domain::id::{ChannelId, GrantId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use bellhop_sandbox::Admitted;
use sqlx::Row;

use super::{EnabledPlugin, Plugin, Registry, RegistryError, scopes as rules, settings};
use crate::audit::{self, Code, Entry, Kind, Reference};
use crate::db::{Bulk, WriteTransaction};
use crate::record;

/// `state_reason` of a grant that came from an update, and of the one it replaced.
const UPDATED: &str = "updated";

/// Why a newer file does not take the place of an enabled one by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// Nobody says who made it.
    Unsigned,
    /// Somebody else made it than the one whose plugin was consented to.
    OtherSigner,
    /// Its version is not greater.
    NotGreater,
    /// It asks for more; by the names of the danger set.
    Adds(Vec<String>),
    /// It cannot work with what was granted.
    Lacks(String),
    /// It refuses the settings.
    Settings(Vec<String>),
    /// Nothing stands against it: it was there when the business chose the other.
    NotChosen,
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("nobody signed it, so it begins with empty records and sessions"),
            Self::OtherSigner => f.write_str("somebody else signed it, so it begins with empty records and sessions"),
            Self::NotGreater => f.write_str("its version is not greater"),
            Self::Adds(names) => write!(f, "adds {}", names.join(", ")),
            Self::Lacks(what) => f.write_str(what),
            Self::Settings(problems) => write!(f, "refuses the settings: {}", problems.join("; ")),
            Self::NotChosen => f.write_str("adds nothing"),
        }
    }
}

/// A newer file of a plugin that is enabled on a channel, and why it does not run there.
#[derive(Debug)]
pub struct Waiting {
    /// What runs.
    pub enabled: Arc<EnabledPlugin>,
    /// What does not.
    pub newer: Plugin,
    /// Why.
    pub why: Waits,
}

/// One grant that goes over to new bytes.
pub(super) struct Move {
    from: Arc<EnabledPlugin>,
    scopes: String,
    settings: String,
}

/// What a new version would be given: of the old grant what it still asks for, with settings that it takes.
fn succession(enabled: &EnabledPlugin, newer: &Plugin) -> Result<(Scopes, String), Waits> {
    if newer.key != enabled.plugin_key {
        return Err(if newer.is_signed() { Waits::OtherSigner } else { Waits::Unsigned });
    }
    if newer.manifest.version <= enabled.plugin.manifest.version {
        return Err(Waits::NotGreater);
    }
    let old = &enabled.scopes;
    let asked = Scopes::asked(&newer.manifest, old.text);
    let before = Scopes::asked(&enabled.plugin.manifest, old.text);
    let added = DangerSet::of(&newer.manifest, &asked).beyond(&DangerSet::of(&enabled.plugin.manifest, &before));
    if !added.is_empty() {
        return Err(Waits::Adds(added));
    }
    let scopes = common(old, &asked);
    rules::check(&scopes, &newer.manifest).map_err(|error| Waits::Lacks(error.to_string()))?;
    match settings::checked(&newer.manifest, &enabled.settings_json) {
        Ok(settings) => Ok((scopes, settings)),
        Err(RegistryError::Settings(problems)) => Err(Waits::Settings(problems)),
        Err(other) => Err(Waits::Settings(vec![other.to_string()])),
    }
}

/// What of the old grant the new version asks for, with the pairs that still mean something.
fn common(one: &Scopes, other: &Scopes) -> Scopes {
    let both = |one: &BTreeSet<String>, other| one.intersection(other).cloned().collect();
    let mut common = Scopes {
        capabilities: one.capabilities.intersection(&other.capabilities).copied().collect(),
        effects: both(&one.effects, &other.effects),
        triggers: both(&one.triggers, &other.triggers),
        text: one.text.min(other.text),
        attachments: one.attachments && other.attachments,
        collections: both(&one.collections, &other.collections),
        contact_fields: both(&one.contact_fields, &other.contact_fields),
        history_lines: one.history_lines.min(other.history_lines),
        model_profiles: both(&one.model_profiles, &other.model_profiles),
        endpoints: both(&one.endpoints, &other.endpoints),
        link_hosts: both(&one.link_hosts, &other.link_hosts),
        attributes: both(&one.attributes, &other.attributes),
        flows: one.flows.clone(),
    };
    let possible = flow::possible(&common);
    common.flows.retain(|flow| possible.contains(flow));
    common
}

impl Registry {
    /// The grants that a file which is about to be installed takes over. Ten thousand channels mostly share grant and
    /// settings: each combination is judged once.
    pub(super) async fn moves(&self, newer: &Plugin, admitted: &Admitted) -> Result<Vec<Move>, RegistryError> {
        self.refresh_if_changed().await?;
        let mut judged = HashMap::new();
        let mut moves = Vec::new();
        for from in self.snapshot().enabled_of(&newer.key) {
            let like = (from.hash.clone(), from.scopes.canonical(), from.settings_json.clone());
            let judgement = match judged.get(&like) {
                Some(known) => known,
                None => {
                    let new = self.linked(&from, newer, admitted).await;
                    judged.entry(like).or_insert(new)
                }
            };
            if let Some((scopes, settings)) = judgement {
                moves.push(Move { from, scopes: scopes.canonical(), settings: settings.clone() });
            }
        }
        Ok(moves)
    }

    /// What the new version is given, if it runs with that.
    async fn linked(&self, from: &EnabledPlugin, newer: &Plugin, admitted: &Admitted) -> Option<(Scopes, String)> {
        let (scopes, settings) = succession(from, newer).ok()?;
        let optional: CapabilitySet = newer.manifest.asked().difference(&newer.manifest.required()).copied().collect();
        match self.inner.sandbox.prepare(admitted, &scopes.capabilities, &optional).await {
            Ok(_) => Some((scopes, settings)),
            Err(error) => {
                tracing::warn!(plugin.hash = %newer.hash, %error, "A new version does not run and takes over no grant");
                None
            }
        }
    }

    /// What is installed, newer than what runs on a channel, and does not run there. At most one file for each plugin that
    /// is enabled: the last one that its own author signed, else the last one of the same id.
    ///
    /// # Errors
    /// As [`Registry::plugins`].
    pub async fn waiting(&self, workspace: &WorkspaceId, channel: &ChannelId) -> Result<Vec<Waiting>, RegistryError> {
        let (here, all) = (self.plugins_for(workspace, channel), self.plugins().await?);
        let mut waiting = Vec::new();
        for enabled in here.iter() {
            let same = all.iter().filter(|one| one.manifest.id == enabled.plugin_id);
            let newer = same.skip_while(|one| one.hash != enabled.hash).skip(1);
            let idle = newer.filter(|one| here.iter().all(|other| other.hash != one.hash));
            if let Some(newer) = idle.max_by_key(|one| one.key == enabled.plugin_key) {
                let why = succession(enabled, newer).err().unwrap_or(Waits::NotChosen);
                let newer = Plugin::new(newer.key.clone(), newer.hash.clone(), newer.manifest.clone());
                waiting.push(Waiting { enabled: Arc::clone(enabled), newer, why });
            }
        }
        Ok(waiting)
    }

    /// The grants of a channel that moved to a new version by themselves.
    ///
    /// # Errors
    /// [`RegistryError::Db`], [`RegistryError::Unreadable`].
    pub async fn updated(&self, workspace: &WorkspaceId, channel: &ChannelId) -> Result<Vec<GrantId>, RegistryError> {
        let query = sqlx::query(
            "select id from plugin_grant \
             where workspace_id = $1 and channel_id = $2 and state = 'enabled' and state_reason = $3",
        );
        let query = query.bind(workspace.as_str()).bind(channel.as_str()).bind(UPDATED);
        let unreadable = || RegistryError::Unreadable("grant");
        let id = |row: &sqlx::any::AnyRow| {
            let id: String = row.try_get("id").map_err(|_| unreadable())?;
            GrantId::parse(&id).map_err(|_| unreadable())
        };
        self.inner.db.fetch_all(query).await?.iter().map(id).collect()
    }
}

/// Puts new grants in the place of old ones.
///
/// # Errors
/// [`RegistryError::Changed`] when somebody else changed one of them meanwhile; the transaction must not be committed.
pub(super) async fn move_in(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    plugin: &Plugin,
    moves: &[Move],
) -> Result<(), RegistryError> {
    let workspaces: BTreeSet<&WorkspaceId> = moves.iter().map(|one| &one.from.workspace).collect();
    for workspace in workspaces {
        record::collections_declare_in(transaction, workspace, &plugin.key, &plugin.manifest.collections).await?;
    }
    for moves in moves.chunks(Bulk::MAX_ROWS) {
        let mut revoke = Bulk::new("update plugin_grant set state = 'revoked', state_reason = ")
            .bind(UPDATED)
            .end(", revoked_at = ")
            .bind(now.millis())
            .end(" where state = 'enabled' and (workspace_id, id) in ")
            .keys(2);
        let mut insert = Bulk::new(
            "insert into plugin_grant (workspace_id, id, channel_id, plugin_key, hash, position, scopes, fingerprint, \
             settings, state, state_reason, created_at) values ",
        );
        let mut entries = Vec::with_capacity(moves.len());
        for Move { from, scopes, settings } in moves {
            let grant = GrantId::new();
            revoke.row().bind(from.workspace.as_str()).bind(from.grant_id.as_str());
            insert
                .row()
                .bind(from.workspace.as_str())
                .bind(grant.as_str())
                .bind(from.channel.as_str())
                .bind(plugin.key.as_str())
                .bind(plugin.hash.as_str())
                .bind(from.position)
                .bind(scopes.as_str())
                .bind(rules::fingerprint(&plugin.hash, scopes))
                .bind(settings.as_str())
                .bind("enabled")
                .bind(UPDATED)
                .bind(now.millis());
            entries.push(Entry {
                plugin_hash: Some(plugin.hash.clone()),
                grant_id: Some(grant),
                reference: Some(Reference::from(&from.channel)),
                ..Entry::new(from.workspace.clone(), Kind::Configuration, Code::of("plugin-updated"))
            });
        }
        if transaction.execute(revoke).await? != moves.len() as u64 {
            return Err(RegistryError::Changed);
        }
        transaction.execute(insert).await?;
        audit::append(transaction, now, &entries).await?;
    }
    Ok(())
}
