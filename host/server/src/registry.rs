//! Plugins: their bytes and manifests, who signed them, what each business granted them on each channel. Authority belongs
//! to the content hash, state to the plugin key. Runs nothing and shows a plugin nothing.

mod failing;
mod flows;
mod grant;
mod install;
mod scopes;
mod settings;
mod signer;
mod snapshot;
mod unused;
mod update;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use bellhop_domain::capability::{Capability, CapabilitySet};
use bellhop_domain::grant::Flow;
use bellhop_domain::id::{ChannelId, ContentHash, GrantId, PluginKey, WorkspaceId};
use bellhop_domain::manifest::{Manifest, ManifestError};
use bellhop_sandbox::{CodeFolder, PrepareError, Prepared, Refusal, Sandbox};
use tokio::sync::OnceCell;

use crate::db::{Db, DbError};
use crate::directory;
use crate::record::RecordError;
use crate::record::schema::{InvalidSchema, Schema};
use crate::vault::{self, Vault, VaultError};

pub use bellhop_domain::grant::{Scopes, TextScope};
pub use failing::{Called, Failing, Failure, Suspended, calls_count_in, failures_sweep};
pub use grant::Enable;
pub use install::{Installed, read};
pub use settings::MAX_SETTINGS_BYTES;
pub use signer::AuthorKey;
pub use unused::{UNUSED_AFTER, Unused};
pub use update::{Waiting, Waits};

use snapshot::Snapshot;

/// Why a plugin was not installed, granted or loaded.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The database failed.
    #[error("plugins could not be read or written")]
    Db(#[from] DbError),
    /// The installation's key could not be used.
    #[error("the installation's signing key could not be used")]
    Vault(#[from] VaultError),
    /// The bytes are no plugin.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The manifest is not sane.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A schema in the manifest cannot be used.
    #[error("the schema of {place} cannot be used")]
    Schema {
        /// Settings or which collection.
        place: String,
        /// Why.
        #[source]
        source: InvalidSchema,
    },
    /// It imports what its manifest does not name.
    #[error("the plugin imports {}, which its manifest does not name: add [capabilities.{}] with a reason", names(.0), names(.0))]
    ImportNotAsked(CapabilitySet),
    /// Its manifest names what it does not import.
    #[error("the manifest asks for {}, which the plugin does not import: remove it", names(.0))]
    AskedNotImported(CapabilitySet),
    /// The signature does not fit the bytes.
    #[error("the plugin's signature does not fit its bytes; get the file from its author again")]
    BadSignature,
    /// The same bytes are installed under another signature.
    #[error(
        "these bytes are installed already, unsigned or signed by somebody else; their author has to release a new version"
    )]
    OtherSigner,
    /// The file bears a signature already.
    #[error("the file is signed already, by {0}; sign the one that `bellhop plugin pack` made")]
    SignedAlready(String),
    /// A text that is no author's key.
    #[error("that is no key of a plugin's author; `bellhop plugin key new` makes one")]
    NoAuthorKey,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// Grants were changed while a new version was about to take them over.
    #[error("plugins were enabled or disabled meanwhile; try again")]
    Changed,
    /// Nothing with this hash or id is installed.
    #[error("no plugin `{0}` is installed; `bellhop plugin list` shows what is")]
    UnknownPlugin(String),
    /// Plugins of several makers bear this id.
    #[error(
        "plugins of several makers are called `{0}`; name the hash of the one you mean, `bellhop plugin list` shows them"
    )]
    SeveralMakers(String),
    /// No such channel in this workspace.
    #[error("this workspace has no channel `{0}`")]
    UnknownChannel(ChannelId),
    /// It cannot work without something that the grant lacks.
    #[error("the plugin cannot work without {}: grant it, or do not enable the plugin", names(.0))]
    RequiredNotGranted(CapabilitySet),
    /// The grant gives more than the manifest asks for.
    #[error("`{name}` in `{scope}` cannot be granted: the plugin does not ask for it")]
    NotAsked {
        /// Which list.
        scope: &'static str,
        /// What.
        name: String,
    },
    /// It could let personal data out that it reads in clear, or could have kept.
    #[error(
        "the plugin could pass on personal data in clear, and nobody allowed it: {}; allow that with `--allow-flow {}`, or \
         show the plugin less", flow_names(.0, ", "), flow_names(.0, ",")
    )]
    FlowsMissing(Vec<Flow>),
    /// What it could write, another plugin could let out.
    #[error(
        "what this plugin reads in clear could leave through {plugin}, and nobody allowed it: {flow}; enable that one again \
         with `--allow-flow {flow}` first, or show this one less"
    )]
    FlowElsewhere {
        /// The other plugin's id.
        plugin: String,
        /// What it lacks.
        flow: Flow,
    },
    /// Settings that the manifest's schema refuses.
    #[error("the settings cannot be used: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// Declaring its collections failed.
    #[error("the plugin's collections could not be declared")]
    Collections(#[from] RecordError),
    /// It does not compile or link with this grant.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A stored row that this version cannot read.
    #[error("a stored {0} cannot be read")]
    Unreadable(&'static str),
}

/// A plugin that is installed.
pub struct Plugin {
    /// What state belongs to.
    pub key: PluginKey,
    /// What authority belongs to.
    pub hash: ContentHash,
    /// What it says of itself.
    pub manifest: Manifest,
    schemas: OnceLock<HashMap<String, Schema>>,
}

/// A plugin as one business enabled it on one channel.
#[derive(Clone)]
pub struct EnabledPlugin {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Where.
    pub channel: ChannelId,
    /// The grant.
    pub grant_id: GrantId,
    /// What state belongs to.
    pub plugin_key: PluginKey,
    /// The manifest's id.
    pub plugin_id: String,
    /// What authority belongs to.
    pub hash: ContentHash,
    /// Its place in the business's order.
    pub position: i64,
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// How far the grant reaches.
    pub scopes: Arc<Scopes>,
    /// Settings, valid against the manifest's schema.
    pub settings_json: Arc<str>,
}

/// A grant that its business made and whose row is damaged: its plugin is not asked on that channel until it is enabled again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableGrant {
    /// The tenant, as it stands in the row.
    pub workspace: String,
    /// Where, as it stands in the row.
    pub channel: String,
    /// The grant, as it stands in the row.
    pub id: String,
    /// What authority belongs to, as it stands in the row.
    pub hash: String,
    /// The plugin's key and id, when it is installed.
    pub plugin: Option<(PluginKey, String)>,
}

/// The plugins of a channel, in the business's order.
pub type ChannelPlugins = Arc<[Arc<EnabledPlugin>]>;

/// A plugin's code for one set of granted capabilities.
type Code = Arc<OnceCell<Arc<Prepared>>>;

/// All plugins and grants; clones share them.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    vault: Vault,
    sandbox: Arc<Sandbox>,
    snapshot: RwLock<Arc<Snapshot>>,
    code: Mutex<HashMap<(ContentHash, CapabilitySet), Code>>,
}

impl Registry {
    /// Opens the registry with the grants that are in the store.
    ///
    /// # Errors
    /// [`RegistryError::Db`], [`RegistryError::Unreadable`].
    pub async fn open(db: Db, vault: Vault, sandbox: Sandbox) -> Result<Self, RegistryError> {
        let inner =
            Inner { db, vault, sandbox: Arc::new(sandbox), snapshot: RwLock::default(), code: Mutex::default() };
        let registry = Self { inner: Arc::new(inner) };
        registry.refresh().await?;
        Ok(registry)
    }

    /// The plugins enabled on a channel, in the business's order; empty for a channel without any.
    pub fn plugins_for(&self, workspace: &WorkspaceId, channel: &ChannelId) -> ChannelPlugins {
        self.snapshot().plugins_for(workspace, channel)
    }

    /// Whether a business has this plugin enabled on a channel: its row may be damaged, and it may be switched off.
    pub fn is_enabled(&self, workspace: &WorkspaceId, channel: &ChannelId, plugin_key: &str) -> bool {
        let snapshot = self.snapshot();
        let is_it = |key: &PluginKey| key.as_str() == plugin_key;
        let is_damaged = |grant: &UnreadableGrant| {
            let is_here = grant.workspace == workspace.as_str() && grant.channel == channel.as_str();
            // What a row does not even tell the plugin of may be this one's.
            is_here && grant.plugin.as_ref().is_none_or(|(key, _)| is_it(key))
        };
        snapshot.plugins_for(workspace, channel).iter().any(|plugin| is_it(&plugin.plugin_key))
            || snapshot.unreadable.iter().any(is_damaged)
    }

    /// The grants that cannot be read, of all channels.
    pub fn unreadable(&self) -> Vec<UnreadableGrant> {
        self.snapshot().unreadable.clone()
    }

    /// Reads the grants anew when the configuration has changed; true when it had. Called each second.
    ///
    /// # Errors
    /// As [`Registry::open`]; what was there stays.
    pub async fn refresh_if_changed(&self) -> Result<bool, RegistryError> {
        if directory::generation(&self.inner.db).await? == self.snapshot().generation {
            return Ok(false);
        }
        self.refresh().await?;
        Ok(true)
    }

    async fn refresh(&self) -> Result<(), RegistryError> {
        let next = snapshot::load(&self.inner.db, &self.snapshot()).await?;
        *self.inner.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    /// The code of an enabled plugin: compiled at the first call, from the code folder if it is there, then kept.
    ///
    /// # Errors
    /// [`RegistryError::Prepare`], final until the plugin or the grant changes; [`RegistryError::Db`].
    pub async fn prepared(&self, plugin: &EnabledPlugin) -> Result<Arc<Prepared>, RegistryError> {
        self.code(&plugin.plugin, &plugin.scopes.capabilities).await
    }

    async fn code(&self, plugin: &Plugin, granted: &CapabilitySet) -> Result<Arc<Prepared>, RegistryError> {
        let key = (plugin.hash.clone(), granted.clone());
        let cell = {
            let mut code = self.inner.code.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(code.entry(key).or_default())
        };
        let prepare = || async {
            let bytes = install::bytes_of(&self.inner.db, &plugin.hash).await?;
            let admitted = bellhop_sandbox::admit(&bytes)?;
            let optional: CapabilitySet =
                plugin.manifest.asked().difference(&plugin.manifest.required()).copied().collect();
            Ok::<_, RegistryError>(self.inner.sandbox.prepare(&admitted, granted, &optional).await?)
        };
        cell.get_or_try_init(prepare).await.cloned()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Plugin {
    pub(crate) fn new(key: PluginKey, hash: ContentHash, manifest: Manifest) -> Self {
        Self { key, hash, manifest, schemas: OnceLock::new() }
    }

    /// Somebody signed it, so that its state outlives this file.
    pub fn is_signed(&self) -> bool {
        self.signer().is_some()
    }

    /// The fingerprint of who signed it.
    pub fn signer(&self) -> Option<&str> {
        let (maker, _) = self.key.as_str().split_once('/')?;
        (maker != self.hash.as_str()).then_some(maker)
    }

    /// The schema of one of its collections.
    pub fn schema(&self, collection: &str) -> Option<&Schema> {
        let compile = || {
            // A schema that does not compile was refused when the plugin was installed.
            let collections = self.manifest.collections.iter();
            let compiled = collections.filter_map(|one| Some((one.name.clone(), Schema::compile(&one.schema).ok()?)));
            compiled.collect()
        };
        self.schemas.get_or_init(compile).get(collection)
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({} {})", self.manifest.id, self.hash)
    }
}

impl std::fmt::Debug for EnabledPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EnabledPlugin({} by {})", self.plugin_id, self.grant_id)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}

/// Where compiled code is kept: beside the store, under a key of this installation.
///
/// # Errors
/// [`RegistryError::Vault`].
pub async fn code_folder(data_folder: &Path, vault: &Vault) -> Result<CodeFolder, RegistryError> {
    let key = vault.index(&vault::installation()).await?.of("compiled-code", &[]);
    Ok(CodeFolder { path: data_folder.join("compiled"), key })
}

fn names(capabilities: &CapabilitySet) -> String {
    let names: Vec<&str> = capabilities.iter().copied().map(Capability::as_str).collect();
    names.join(", ")
}

fn flow_names(flows: &[Flow], between: &str) -> String {
    flows.iter().map(Flow::to_string).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests;
