//! Enabling a plugin is refused when data could flow where no grant lets it, over all that a business ever granted.

use super::agreement::rewritten;
use super::*;

/// A plugin with this id and these scopes.
async fn plugin(house: &House, id: &str, scopes: &str) -> Plugin {
    let manifest = format!(
        "id = \"{id}\"\nversion = \"1.0.0\"\nname.en = \"P\"\ndescription.en = \"P.\"\n[scopes]\ntriggers = [\"messages\"]\n{scopes}\n"
    );
    house.registry.install(&rewritten("hello", |_| manifest)).await.unwrap().plugin
}

async fn enable(house: &House, plugin: &Plugin, text: TextScope, flows: &[&str]) -> Result<GrantId, RegistryError> {
    let scopes = Scopes {
        flows: flows.iter().map(|flow| Flow::parse(flow).unwrap()).collect(),
        ..Scopes::asked(&plugin.manifest, text)
    };
    let (workspace, channel) = (&house.workspace, &house.channel);
    house.registry.enable(Enable { workspace, channel, plugin, scopes, settings_json: "{}", position: None }).await
}

fn lacking(refused: Result<GrantId, RegistryError>) -> Vec<String> {
    match refused {
        Err(RegistryError::FlowsMissing(flows)) => flows.iter().map(Flow::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_read_in_clear_leaves_by_a_granted_pair_alone() {
    let house = House::build().await;
    let plugin = plugin(&house, "linker", "effects = [\"say\"]\nlink-hosts = [\"a.example\"]").await;
    enable(&house, &plugin, TextScope::Masked, &[]).await.unwrap();
    let refused = enable(&house, &plugin, TextScope::Clear, &[]).await;
    let says = refused.as_ref().unwrap_err().to_string();
    assert!(says.contains("--allow-flow clear-text:links,session:links"), "{says}");
    assert_eq!(lacking(refused), ["clear-text:links", "session:links"]);
    assert_eq!(lacking(enable(&house, &plugin, TextScope::Clear, &["clear-text:links"]).await), ["session:links"]);
    let more = enable(&house, &plugin, TextScope::Clear, &["clear-text:links", "session:links", "media:links"]).await;
    assert!(matches!(more, Err(RegistryError::NotAsked { scope: "flows", .. })), "{more:?}");
    let plugins = house.registry.plugins_for(&house.workspace, &house.channel);
    assert_eq!(plugins[0].scopes.text, TextScope::Masked, "a refusal leaves what was granted");

    enable(&house, &plugin, TextScope::Clear, &["clear-text:links", "session:links"]).await.unwrap();
    let plugins = house.registry.plugins_for(&house.workspace, &house.channel);
    assert_eq!(plugins[0].scopes.flows.len(), 2);
    // Less is read again, and what was kept of the time before keeps its label.
    assert_eq!(lacking(enable(&house, &plugin, TextScope::Masked, &[]).await), ["session:links"]);
    enable(&house, &plugin, TextScope::Masked, &["session:links"]).await.unwrap();
    // Another business never showed it anything.
    let workspace = WorkspaceId::new();
    let other = House { workspace, channel: ChannelId::new(), ..house };
    other.connect(&other.channel).await;
    enable(&other, &plugin, TextScope::Masked, &[]).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_reads_in_clear_opens_no_way_through_another() {
    let house = House::build().await;
    let writer = plugin(&house, "writer", "effects = [\"set-attribute\"]\nattributes = [\"size\"]").await;
    enable(&house, &writer, TextScope::Clear, &[]).await.unwrap();
    // A plugin that reads the attribute and links, as it stands in the store before the rule came.
    let reader = Scopes {
        capabilities: [Capability::Contact].into(),
        contact_fields: ["attribute:size".to_owned()].into(),
        link_hosts: ["a.example".to_owned()].into(),
        ..Scopes::default()
    };
    let linker = plugin(&house, "linker", "link-hosts = [\"a.example\"]").await;
    let grant = enable(&house, &linker, TextScope::Masked, &[]).await.unwrap();
    let update = "update plugin_grant set scopes = $1, state = $2 where id = $3";
    let put = async |state: &str| {
        let query = sqlx::query(update).bind(reader.canonical()).bind(state).bind(grant.as_str());
        house.db.execute(query).await.unwrap();
    };
    put("enabled").await;
    enable(&house, &writer, TextScope::Clear, &[]).await.expect("what lacked before is no reason");

    let colours = plugin(&house, "colours", "effects = [\"set-attribute\"]\nattributes = [\"size\"]").await;
    house.registry.disable(&house.workspace, &house.channel, &writer.key).await.unwrap();
    house.db.execute(sqlx::query("delete from plugin_grant where plugin_key like '%/writer'")).await.unwrap();
    enable(&house, &colours, TextScope::Masked, &[]).await.unwrap();
    let refused = enable(&house, &colours, TextScope::Clear, &[]).await.unwrap_err();
    let RegistryError::FlowElsewhere { plugin, flow } = &refused else { panic!("{refused:?}") };
    assert_eq!((plugin.as_str(), flow.to_string().as_str()), ("linker", "attribute/size:links"));
    put("revoked").await;
    enable(&house, &colours, TextScope::Clear, &[]).await.unwrap();
}
