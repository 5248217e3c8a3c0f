//! The sample business: a bakery with a café, its FAQ in two languages, three customers. Set up through the doors that the
//! commands use; made-up people, made-up secrets.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::Context;
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, PluginKey, WorkspaceId};
use bellhop_simulator::{AppKeys, Control, PageKeys};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::app::App;
use crate::directory::{self, AppSecrets, NewApp, NewChannel, NewWorkspace};
use crate::record::{CollectionKey, ImportMode, Range, Whose};
use crate::registry::{Enable, Scopes, TextScope};

/// The business, and its Page.
const NAME: &str = "Marisol Bakery & Café";

/// Whose phones the page shows.
const CUSTOMERS: [&str; 3] = ["Emma Clarke", "Lucía Romero", "Noah Becker"];

/// The plugin that answers.
const PLUGIN: &str = "faq";

/// Its entries: ten questions, each answered in English and in Spanish.
const FAQ: &[u8] = include_bytes!("assets/faq.json");

/// What customers hear when no plugin knows an answer.
const FALLBACK: &str = "Good question! Marisol will answer you herself, usually within the hour.\n¡Buena pregunta! Marisol te contestará en persona.";

/// What the operator would type into Meta's dashboard. The simulator is the only one who ever asks.
const VERIFY_TOKEN: &[u8] = b"the demo's own verify token";

/// The business as it was set up.
#[derive(Debug, Clone)]
pub(super) struct Business {
    pub(super) name: &'static str,
    pub(super) workspace: WorkspaceId,
    pub(super) channel: ChannelId,
    pub(super) page_id: String,
    /// Titles of the entries by id: what a person knows them by.
    pub(super) entries: HashMap<String, String>,
}

/// Makes app, Page, workspace, channel, grant, entries and customers, and has the simulator send webhooks to `public`.
pub(super) async fn connect(app: &App, control: &Control, public: SocketAddr) -> anyhow::Result<Business> {
    let keys = control.add_app("Bellhop demo");
    let page = control.add_page(&keys.id, NAME)?;
    let app_id = add_app(app, &keys).await?;
    let mut business = add_business(app, &app_id, &page).await?;
    business.entries = enable_faq(app, &business).await?;
    let verify_token = String::from_utf8_lossy(VERIFY_TOKEN);
    control.configure_webhook(&keys.id, &format!("http://{public}/webhook/{app_id}"), &verify_token).await?;
    control.subscribe(&page.id)?;
    for customer in CUSTOMERS {
        control.add_person(&page.id, customer)?;
    }
    Ok(business)
}

async fn add_app(app: &App, keys: &AppKeys) -> anyhow::Result<AppId> {
    let stores = &app.stores;
    let new = NewApp { workspace: None, meta_app_id: keys.id.clone() };
    let secrets = AppSecrets {
        app_secret: Zeroizing::new(keys.secret.as_bytes().to_vec()),
        verify_token: Zeroizing::new(VERIFY_TOKEN.to_vec()),
    };
    let mut transaction = stores.db.begin_write().await?;
    let id = directory::app_add(&mut transaction, &stores.vault, stores.db.now(), &new, secrets).await?;
    transaction.commit().await?;
    stores.directory.refresh_if_changed().await?;
    Ok(id)
}

async fn add_business(app: &App, app_id: &AppId, page: &PageKeys) -> anyhow::Result<Business> {
    let stores = &app.stores;
    let mut transaction = stores.db.begin_write().await?;
    let now = stores.db.now();
    let new = NewWorkspace { name: NAME.to_owned(), locale: "en".to_owned(), time_zone: "Europe/Madrid".to_owned() };
    let workspace = directory::workspace_add(&mut transaction, now, &new).await?;
    let new = NewChannel {
        workspace: workspace.clone(),
        app: app_id.clone(),
        kind: ChannelKind::Messenger,
        asset_id: page.id.clone(),
        name: NAME.to_owned(),
        locale: "en".to_owned(),
        fallback: Some(FALLBACK.to_owned()),
    };
    let token = Zeroizing::new(page.token.as_bytes().to_vec());
    let channel = directory::channel_add(&mut transaction, &stores.vault, now, &new, token).await?;
    transaction.commit().await?;
    stores.directory.refresh_if_changed().await?;
    Ok(Business { name: NAME, workspace, channel, page_id: page.id.clone(), entries: HashMap::new() })
}

async fn enable_faq(app: &App, business: &Business) -> anyhow::Result<HashMap<String, String>> {
    let plugin = app.stores.registry.plugin_find(PLUGIN).await?;
    let enable = Enable {
        workspace: &business.workspace,
        channel: &business.channel,
        scopes: Scopes::asked(&plugin.manifest, TextScope::Masked),
        plugin: &plugin,
        settings_json: &settings(),
        position: None,
    };
    app.stores.registry.enable(enable).await?;
    import(app, business, plugin.key.clone()).await
}

/// Imports the entries as `bellhop records import` does; their titles by id.
async fn import(app: &App, business: &Business, plugin_key: PluginKey) -> anyhow::Result<HashMap<String, String>> {
    let key = CollectionKey { workspace: business.workspace.clone(), plugin_key, name: "faq".to_owned() };
    let imported = app.stores.records.import(&key, ImportMode::Append, FAQ).await;
    let n_entries = imported.context("the sample entries could not be imported")?.n_added;
    let all = Range { from: i64::MIN, to: i64::MAX, descending: false, limit: u32::try_from(n_entries)? };
    let records = app.stores.records.find(&key, Whose::Business, &all).await?;
    let titled = records.into_iter().filter_map(|record| {
        let entry: Value = serde_json::from_str(&record.json).ok()?;
        Some((record.id.to_string(), entry.get("title")?.as_str()?.to_owned()))
    });
    Ok(titled.collect())
}

/// The business's own sentences, and a person for whoever was not understood twice.
fn settings() -> String {
    let settings = json!({
        "second-miss": "offer-human",
        "wording": {
            "en": { "call-human": "Ask Marisol", "human-called": "Of course! Marisol will write to you here in a moment." },
            "es": { "call-human": "Hablar con Marisol", "human-called": "¡Claro! Marisol te escribe aquí en un momento." },
        },
    });
    settings.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    #[test]
    fn each_question_is_answered_in_both_languages() {
        let entries: Vec<Value> = serde_json::from_slice(FAQ).unwrap();
        let mut n_by_language: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &entries {
            *n_by_language.entry(entry["language"].as_str().unwrap()).or_default() += 1;
        }
        assert_eq!(n_by_language, BTreeMap::from([("en", 10), ("es", 10)]));
    }

    #[test]
    fn the_page_names_the_business_and_offers_something_to_every_customer() {
        let page = include_str!("assets/page.html");
        assert!(page.contains(&NAME.replace('&', "&amp;")));
        for customer in CUSTOMERS {
            let first = customer.split(' ').next().unwrap();
            assert!(page.contains(&format!("\"{first}\": [")), "{customer}");
        }
    }
}
