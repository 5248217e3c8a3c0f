//! A throw-away PostgreSQL: one cluster per test process from the local `initdb`, one database per test, gone afterwards.
//!
//! A shell holds the server and waits on a pipe that this process keeps open: however the process ends, the pipe closes, the
//! server stops and its folder goes. `postgres` refuses to run as root, so root runs it as `nobody`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::{Connection, Executor};
use tokio::sync::OnceCell;

use super::template::Template;

/// The unprivileged user's id, the same on every Linux.
const NOBODY: u32 = 65_534;

struct Cluster {
    socket: PathBuf,
    databases: AtomicUsize,
    _server: Child,
}

/// The database that all others are copied from.
const TEMPLATE: &str = "story_template";

fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
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
    let name = format!("story_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
    cluster.execute(format!("create database {name} template {TEMPLATE}")).await;
    Some(cluster.url(&name))
}

/// The address of a database with nothing in it, or `None` as [`database`].
pub(crate) async fn empty_database() -> Option<String> {
    let cluster = cluster()?;
    let name = format!("story_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
    cluster.execute(format!("create database {name}")).await;
    Some(cluster.url(&name))
}

/// What the host that opened the template left in its folder.
pub(crate) async fn template() -> &'static Template {
    static MADE: OnceCell<Template> = OnceCell::const_new();
    let make = || async {
        let cluster = cluster().unwrap();
        cluster.execute(format!("create database {TEMPLATE}")).await;
        let made = Template::make(Some(cluster.url(TEMPLATE))).await;
        // Nobody may be connected to what is copied; a pool that was let go may still be.
        let end = format!("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{TEMPLATE}'");
        cluster.execute(end).await;
        made
    };
    MADE.get_or_init(make).await
}

impl Cluster {
    async fn execute(&self, statement: String) {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&self.url("postgres")).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }

    fn url(&self, database: &str) -> String {
        let host = self.socket.display().to_string().replace('/', "%2F");
        format!("postgres://bellhop@localhost/{database}?host={host}")
    }
}

fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn start() -> Option<Cluster> {
    let programs = programs()?;
    let folder = tempfile::Builder::new().prefix("bellhop-postgres").tempdir().unwrap().keep();
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if is_root {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let as_user = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(&folder);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    let data = folder.join("data");
    let made = as_user(&programs.join("initdb"))
        .args(["--auth=trust", "--username=bellhop", "--encoding=UTF8", "--no-sync", "--locale=C", "-D"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let script = format!(
        "{programs}/postgres -D {data} -k {folder} -c listen_addresses= -c fsync=off -c max_connections=200 2>&1 & \
         read _; kill -INT $!; wait; rm -rf {folder}",
        programs = programs.display(),
        data = data.display(),
        folder = folder.display(),
    );
    let mut server = as_user(Path::new("/bin/sh"))
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(Ok(line)) = lines.next() {
        if line.contains("ready to accept connections") {
            // Whoever stops reading would stop the server at its next line.
            std::thread::spawn(move || lines.for_each(drop));
            return Some(Cluster { socket: folder, databases: AtomicUsize::new(0), _server: server });
        }
        said.push(line);
    }
    let ended = server.wait().unwrap();
    panic!("postgres did not start ({ended}): {}", said.join("\n"));
}
