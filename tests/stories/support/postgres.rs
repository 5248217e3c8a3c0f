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

/// The unprivileged user's id, the same on every Linux.
const NOBODY: u32 = 65_534;

struct Cluster {
    socket: PathBuf,
    databases: AtomicUsize,
    _server: Child,
}

/// The address of an empty database, or `None` when there is no PostgreSQL here. With `CI=true` that is a failure.
pub async fn database() -> Option<String> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(start).as_ref();
    let Some(cluster) = cluster else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no `initdb` found: install postgresql");
        println!("skipped on PostgreSQL: no `initdb` found");
        return None;
    };
    let number = cluster.databases.fetch_add(1, Ordering::Relaxed);
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&cluster.url("postgres")).await.unwrap();
    let create = format!("create database story_{number}");
    connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    Some(cluster.url(&format!("story_{number}")))
}

impl Cluster {
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
    panic!("postgres did not start: {}", said.join("\n"));
}
