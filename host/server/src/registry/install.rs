//! Installation: bytes are admitted, the manifest parsed, the signature verified, the plugin key made. The installation
//! signs what it ships, so that a new version keeps the state of the old one. Grants nothing.

use std::collections::BTreeSet;

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::id::{ContentHash, PluginKey};
use bellhop_domain::manifest::Manifest;
use bellhop_plugins::BUNDLED;
use bellhop_sandbox::{Admitted, admit, with_signature};
use sqlx::Row;

use super::signer::{fingerprint, hash_bytes, plugin_key, signer};
use super::{Plugin, Registry, RegistryError, update};
use crate::db::Db;
use crate::directory;
use crate::record::schema::Schema;

/// A plugin that was installed, now or before.
#[derive(Debug)]
pub struct Installed {
    /// The plugin.
    pub plugin: Plugin,
    /// Its file was not known before.
    pub is_new: bool,
    /// Grants of older versions that it took over, since it adds nothing to them.
    pub n_moved: usize,
}

impl Registry {
    /// Installs a plugin's file. The same bytes again change nothing. A new version takes over the grants of the older ones
    /// of its author that it adds nothing to.
    ///
    /// # Errors
    /// [`RegistryError`] says what the author has to change; nothing was written.
    pub async fn install(&self, bytes: &[u8]) -> Result<Installed, RegistryError> {
        let (admitted, manifest, signer) = read(bytes)?;
        let key = plugin_key(signer.as_deref(), &admitted.hash, &manifest.id)?;
        let plugin = Plugin::new(key, admitted.hash.clone(), manifest);
        let moves = self.moves(&plugin, &admitted).await?;
        let now = self.inner.db.now();
        let query = sqlx::query(
            "insert into plugin (hash, plugin_key, plugin_id, version, manifest, signer, bytes, installed_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (hash) do nothing",
        )
        .bind(plugin.hash.as_str())
        .bind(plugin.key.as_str())
        .bind(plugin.manifest.id.as_str())
        .bind(plugin.manifest.version.to_string())
        .bind(admitted.manifest.as_str())
        .bind(signer.as_deref())
        .bind(bytes)
        .bind(now.millis());
        let mut transaction = self.inner.db.begin_write().await?;
        if transaction.execute(query).await? == 1 {
            update::move_in(&mut transaction, now, &plugin, &moves).await?;
            if !moves.is_empty() {
                directory::generation_bump(&mut transaction).await?;
            }
            transaction.commit().await?;
            self.refresh_if_changed().await?;
            return Ok(Installed { plugin, is_new: true, n_moved: moves.len() });
        }
        drop(transaction);
        let known = plugins_where(&self.inner.db, admitted.hash.as_str()).await?.pop();
        let known = known.ok_or(RegistryError::Unreadable("plugin"))?;
        // An unsigned copy of what is there changes nothing; another signer would take over its state.
        if admitted.signature.is_some() && known.key != plugin.key {
            return Err(RegistryError::OtherSigner);
        }
        Ok(Installed { plugin: known, is_new: false, n_moved: 0 })
    }

    /// Installs what ships with the host, signed by the installation. Cheap when it is there already.
    ///
    /// # Errors
    /// As [`Registry::install`], [`RegistryError::Vault`].
    pub async fn install_bundled(&self) -> Result<Vec<Installed>, RegistryError> {
        let mut all = Vec::with_capacity(BUNDLED.len());
        for bundled in BUNDLED {
            let hash = admit(bundled.bytes)?.hash;
            match plugins_where(&self.inner.db, hash.as_str()).await?.pop() {
                Some(plugin) => all.push(Installed { plugin, is_new: false, n_moved: 0 }),
                None => all.push(self.install_signed(bundled.bytes, &hash).await?),
            }
        }
        Ok(all)
    }

    pub(super) async fn install_signed(&self, bytes: &[u8], hash: &ContentHash) -> Result<Installed, RegistryError> {
        let signature = self.inner.vault.sign(&hash_bytes(hash)?).await?;
        let public_key = self.inner.vault.public_key().await?;
        self.install(&with_signature(bytes, &public_key, &signature)).await
    }

    /// A plugin by its hash, or the newest version by its id. An id that somebody signed stands for that signer's plugin: once
    /// another file bears it too, only hashes tell them apart.
    ///
    /// # Errors
    /// [`RegistryError::UnknownPlugin`], [`RegistryError::SeveralMakers`].
    pub async fn plugin_find(&self, hash_or_id: &str) -> Result<Plugin, RegistryError> {
        let mut found = plugins_where(&self.inner.db, hash_or_id).await?;
        found.sort_by_key(|plugin| plugin.manifest.version);
        let is_signed = found.iter().any(Plugin::is_signed);
        let has_several =
            found.windows(2).any(|pair| pair.first().map(|one| &one.key) != pair.last().map(|one| &one.key));
        if is_signed && has_several {
            return Err(RegistryError::SeveralMakers(hash_or_id.to_owned()));
        }
        found.pop().ok_or_else(|| RegistryError::UnknownPlugin(hash_or_id.to_owned()))
    }

    /// All installed plugins, by id and version.
    ///
    /// # Errors
    /// [`RegistryError::Db`], [`RegistryError::Unreadable`].
    pub async fn plugins(&self) -> Result<Vec<Plugin>, RegistryError> {
        let query = sqlx::query("select hash, plugin_key, manifest from plugin order by plugin_id, installed_at, hash");
        let rows = self.inner.db.fetch_all(query).await?;
        let mut plugins = rows.iter().map(plugin_of).collect::<Result<Vec<_>, _>>()?;
        plugins.sort_by(|one, other| {
            let order = one.manifest.id.cmp(&other.manifest.id);
            order.then(one.manifest.version.cmp(&other.manifest.version))
        });
        Ok(plugins)
    }

    /// The file of an installed plugin, as it was installed.
    ///
    /// # Errors
    /// [`RegistryError::UnknownPlugin`], [`RegistryError::Db`].
    pub async fn file_of(&self, plugin: &Plugin) -> Result<Vec<u8>, RegistryError> {
        bytes_of(&self.inner.db, &plugin.hash).await
    }

    /// The fingerprint of the installation's own key, which signs what it ships.
    ///
    /// # Errors
    /// [`RegistryError::Vault`].
    pub async fn own_fingerprint(&self) -> Result<String, RegistryError> {
        Ok(fingerprint(&self.inner.vault.public_key().await?))
    }
}

/// Reads a plugin's file: what it is, what it says of itself, and who signed it. Both agree on what it asks for.
///
/// # Errors
/// [`RegistryError`] says what the author has to change.
pub fn read(bytes: &[u8]) -> Result<(Admitted, Manifest, Option<String>), RegistryError> {
    let admitted = admit(bytes)?;
    let manifest = Manifest::parse(&admitted.manifest)?;
    check(&admitted, &manifest)?;
    let signer = signer(&admitted)?;
    Ok((admitted, manifest, signer))
}

pub(super) async fn bytes_of(db: &Db, hash: &ContentHash) -> Result<Vec<u8>, RegistryError> {
    let row = db.fetch_optional(sqlx::query("select bytes from plugin where hash = $1").bind(hash.as_str())).await?;
    let row = row.ok_or_else(|| RegistryError::UnknownPlugin(hash.to_string()))?;
    row.try_get("bytes").map_err(|_| RegistryError::Unreadable("plugin"))
}

pub(super) fn plugin_of(row: &sqlx::any::AnyRow) -> Result<Plugin, RegistryError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(|_| RegistryError::Unreadable("plugin"));
    let hash = ContentHash::parse(&text("hash")?).map_err(|_| RegistryError::Unreadable("plugin"))?;
    let key = PluginKey::parse(&text("plugin_key")?).map_err(|_| RegistryError::Unreadable("plugin"))?;
    Ok(Plugin::new(key, hash, Manifest::parse(&text("manifest")?)?))
}

async fn plugins_where(db: &Db, hash_or_id: &str) -> Result<Vec<Plugin>, RegistryError> {
    let query = sqlx::query(
        "select hash, plugin_key, manifest from plugin where hash = $1 or plugin_id = $1 \
         order by installed_at, hash",
    );
    let rows = db.fetch_all(query.bind(hash_or_id)).await?;
    rows.iter().map(plugin_of).collect()
}

/// What a manifest says has to fit what the component is.
fn check(admitted: &Admitted, manifest: &Manifest) -> Result<(), RegistryError> {
    let asked: BTreeSet<_> = manifest.asked();
    let unasked: CapabilitySet = admitted.imports.difference(&asked).copied().collect();
    if !unasked.is_empty() {
        return Err(RegistryError::ImportNotAsked(unasked));
    }
    let unused: CapabilitySet = asked.difference(&admitted.imports).copied().collect();
    if !unused.is_empty() {
        return Err(RegistryError::AskedNotImported(unused));
    }
    let schemas = manifest.collections.iter().map(|one| (format!("collection `{}`", one.name), &one.schema));
    let settings = manifest.settings.iter().map(|schema| ("the settings".to_owned(), schema));
    for (place, schema) in schemas.chain(settings) {
        Schema::compile(schema).map_err(|source| RegistryError::Schema { place, source })?;
    }
    Ok(())
}
