//! PostgreSQL for the stories: one throw-away cluster per test process, one database per test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::OnceCell;

use super::cluster::Cluster;
use super::template::Template;

/// The database that all others are copied from.
const TEMPLATE: &str = "story_template";

static DATABASES: AtomicUsize = AtomicUsize::new(0);

fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let start = || Cluster::programs().map(|programs| Cluster::start(&programs).unwrap());
    let cluster = CLUSTER.get_or_init(start).as_ref();
    if cluster.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no `initdb` found: install postgresql");
        println!("skipped on PostgreSQL: no `initdb` found");
    }
    cluster
}

/// The address of a database that a host has opened once, or `None` when there is no PostgreSQL here. With `CI=true` that is
/// a failure.
pub(crate) async fn database() -> Option<String> {
    let cluster = cluster()?;
    template().await;
    let name = format!("story_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    cluster.copy(TEMPLATE, &name).await.unwrap();
    Some(cluster.url(&name))
}

/// The address of a database with nothing in it, or `None` as [`database`].
pub(crate) async fn empty_database() -> Option<String> {
    let cluster = cluster()?;
    let name = format!("story_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    cluster.execute(format!("create database {name}")).await.unwrap();
    Some(cluster.url(&name))
}

/// What the host that opened the template left in its folder.
pub(crate) async fn template() -> &'static Template {
    static MADE: OnceCell<Template> = OnceCell::const_new();
    let make = || async {
        let cluster = cluster().unwrap();
        cluster.execute(format!("create database {TEMPLATE}")).await.unwrap();
        let made = Template::make(Some(cluster.url(TEMPLATE))).await;
        cluster.disconnect(TEMPLATE).await.unwrap();
        made
    };
    MADE.get_or_init(make).await
}
