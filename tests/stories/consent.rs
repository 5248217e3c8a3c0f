//! What a business is asked before a plugin may do anything, and what an author's new version may do without asking.

use bellhop_domain::id::ContentHash;

use crate::support::hostile::{component, guest};
use crate::support::{TestApp, story};

/// A plugin's file in the test's folder, signed with a key in it.
async fn release(app: &TestApp, name: &str, version: &str, hosts: &str) -> String {
    let manifest = format!(
        "id = \"greeter\"\nversion = \"{version}\"\nname.en = \"Greeter\"\ndescription.en = \"Greets.\"\n\
         [scopes]\neffects = [\"say\"]\ntriggers = [\"messages\"]\nlink-hosts = [{hosts}]\n"
    );
    let manifest = app.file("plugin.toml", &manifest);
    let built = app.folder().join("built.wasm");
    std::fs::write(&built, component(&guest("(call $pass)"))).unwrap();
    let file = app.folder().join(name).display().to_string();
    app.told(&["plugin", "pack", built.to_str().unwrap(), &manifest, &file]).await;
    let unsigned = app.refused(&["plugin", "verify", &file]).await;
    assert!(unsigned.contains("nobody signed greeter"), "{unsigned}");
    let key = app.folder().join("author.key");
    app.told(&["plugin", "sign", &file, "--key-file", key.to_str().unwrap()]).await;
    file
}

story!(nothing_is_granted_that_was_not_shown_and_agreed_to, |app| {
    let (workspace, channel) = (app.business.workspace.as_str(), app.business.channel.as_str());
    let enable = ["plugin", "enable", "faq", "--workspace", workspace, "--channel", channel];
    let said = app.bellhop(&enable).await;
    assert!(!said.succeeded && said.err.contains("--yes"), "{said:?}");
    for clause in [
        "+ reads and changes tables of your business: faq",
        "- has no network of its own",
        "- cannot read earlier messages",
        "- may send no links",
        "phone numbers, e-mail addresses, cards and accounts only as tokens",
        "its author says: “To find the entry that answers a question.”",
        "this installation: it came with Bellhop",
    ] {
        assert!(said.out.contains(clause), "{clause} is not in {}", said.out);
    }
    assert_eq!(app.app.stores.registry.plugins_for(&app.business.workspace, &app.business.channel).len(), 0);

    let german = sqlx::query("update workspace set locale = 'de-AT'");
    app.app.stores.db.execute(german).await.unwrap();
    let clear = [enable.as_slice(), &["--yes", "--text", "clear"]].concat();
    let refused = app.refused(&clear).await;
    let flows = "clear-text:public-replies,collection/faq:public-replies,session:public-replies";
    assert!(refused.contains(&format!("`--allow-flow {flows}`")), "{refused}");
    let said = app.told(&[clear.as_slice(), &["--allow-flow", flows]].concat()).await;
    assert!(said.contains("von wo nach wo: clear-text:public-replies, collection/faq"), "{said}");
    assert!(said.contains("- hat kein eigenes Netz") && said.contains("enabled as grant"), "{said}");
    assert!(said.contains("begründet vom Hersteller: „Um den Eintrag zu finden"), "{said}");
    assert!(said.contains("auch Telefonnummern"), "{said}");
    assert_eq!(app.app.stores.registry.plugins_for(&app.business.workspace, &app.business.channel).len(), 1);
});

story!(an_authors_new_version_runs_by_itself_unless_it_adds_something, |app| {
    let (workspace, channel) = (app.business.workspace.as_str(), app.business.channel.as_str());
    let place = ["--workspace", workspace, "--channel", channel];
    let key = app.folder().join("author.key").display().to_string();
    let signer = app.told(&["plugin", "key", "new", &key]).await.trim().to_owned();
    assert_eq!(signer.len(), 64, "{signer}");
    let taken = app.refused(&["plugin", "key", "new", &key]).await;
    assert!(taken.contains("could not make"), "{taken}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let first = release(&app, "first.wasm", "1.0.0", "\"a.example\"").await;
    let verified = app.told(&["plugin", "verify", &first]).await;
    assert!(verified.contains(&format!("signed by {signer}")), "{verified}");
    let again = app.refused(&["plugin", "sign", &first, "--key-file", &key]).await;
    assert!(again.contains("signed already"), "{again}");
    app.told(&["plugin", "install", &first]).await;
    app.told(&[&["plugin", "enable", "greeter", "--yes"], place.as_slice()].concat()).await;
    let running = || async { app.told(&[&["plugin", "list"], place.as_slice()].concat()).await };
    let listed = running().await;
    assert!(listed.contains("greeter 1.0.0") && !listed.contains("updated"), "{listed}");

    let same = release(&app, "same.wasm", "1.1.0", "\"a.example\"").await;
    let installed = app.told(&["plugin", "install", &same]).await;
    assert!(installed.contains("runs in its place on 1 channels"), "{installed}");
    let listed = running().await;
    assert!(listed.contains("greeter 1.1.0") && listed.contains("updated by itself"), "{listed}");

    let more = release(&app, "more.wasm", "1.2.0", "\"a.example\", \"b.example\"").await;
    app.told(&["plugin", "install", &more]).await;
    let listed = running().await;
    assert!(listed.contains("greeter 1.1.0") && !listed.contains("greeter 1.2.0"), "{listed}");
    assert!(listed.contains("waits for consent: adds link-host:b.example"), "{listed}");
    let enabled = app.told(&[&["plugin", "enable", "greeter", "--yes"], place.as_slice()].concat()).await;
    assert!(enabled.contains("+ may send links to: a.example, b.example"), "{enabled}");
    let listed = running().await;
    assert!(listed.contains("greeter 1.2.0") && !listed.contains("waits") && !listed.contains("1.1.0"), "{listed}");
});

story!(inspecting_says_what_bytes_and_manifest_are, |app| {
    let key = app.folder().join("author.key").display().to_string();
    let signer = app.told(&["plugin", "key", "new", &key]).await.trim().to_owned();
    let file = release(&app, "file.wasm", "1.0.0", "\"a.example\"").await;
    let json = app.told(&["plugin", "inspect", &file, "--json", "--locale", "vi"]).await;
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((found["id"].as_str(), found["version"].as_str()), (Some("greeter"), Some("1.0.0")));
    assert_eq!(found["signer"]["fingerprint"], signer.as_str());
    assert_eq!(found["signer"]["is_this_installation"], false);
    assert_eq!(found["bytes"], std::fs::metadata(&file).unwrap().len());
    assert!(ContentHash::parse(found["hash"].as_str().unwrap()).is_ok());
    assert_eq!(found["imports"], serde_json::json!([]));
    assert_eq!(found["asks_for"]["link-hosts"], serde_json::json!(["a.example"]));
    assert_eq!(found["needs"]["memory_bytes"], 131_072);
    let clauses = found["consent"]["clauses"].as_array().unwrap();
    let network = clauses.iter().find(|clause| clause["code"] == "no-network").unwrap();
    assert_eq!((&network["proof"], &network["can"]), (&"not-imported:http".into(), &false.into()));
    assert_eq!(network["text"], "không có mạng riêng");

    let told = app.told(&["plugin", "inspect", "faq"]).await;
    for part in ["imports    records", "this installation", "tables     faq", "+ may hand conversations to your staff"]
    {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let json = app.told(&["plugin", "inspect", "faq", "--json"]).await;
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["signer"]["is_this_installation"], true);
    assert_eq!(found["flows_needed"], serde_json::json!([]));
    let clear = app.told(&["plugin", "inspect", "faq", "--text", "clear"]).await;
    assert!(clear.contains("needs --allow-flow clear-text:public-replies,"), "{clear}");
    let unknown = app.refused(&["plugin", "inspect", "chess"]).await;
    assert!(unknown.contains("`chess`"), "{unknown}");
});
