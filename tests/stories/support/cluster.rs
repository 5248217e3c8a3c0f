//! A throw-away PostgreSQL cluster from the local `initdb`, for the stories and for the crash harness. Listens on no port.
//!
//! A shell holds the server and reads from a pipe that this process keeps open: however the process ends, the pipe closes, the
//! server stops and its folder goes. `postgres` refuses to run as root, so root runs it as `nobody`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};
use sqlx::{Connection, Executor};

/// The unprivileged user's id, the same on every Linux.
const NOBODY: u32 = 65_534;

/// What the shell does: `stop` ends the server as `pg_ctl stop -m immediate` would, `start` brings it back.
const SHELL: &str = "serve() { $PROGRAMS/postgres -D $FOLDER/data -k $FOLDER -c listen_addresses= -c fsync=$FSYNC -c max_connections=800 2>&1 & } \n\
    serve; while read word; do case $word in stop) kill -QUIT $!; wait;; start) serve;; esac; done; \
    kill -INT $!; wait; rm -rf $FOLDER";

/// A running cluster; ends with this value, or with this process.
pub(crate) struct Cluster {
    folder: PathBuf,
    shell: Child,
}

impl Cluster {
    /// The folder of the server's programs, if there is one on this machine.
    pub(crate) fn programs() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
            folders.extend(versions.flatten().map(|version| version.path().join("bin")));
        }
        folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
    }

    /// Makes a cluster and starts it. It may lose everything when the machine ends.
    ///
    /// # Errors
    /// What `initdb` or `postgres` said.
    #[allow(dead_code, reason = "whoever measures wants one that keeps everything")]
    pub(crate) fn start(programs: &Path) -> anyhow::Result<Self> {
        Self::start_with(programs, "off")
    }

    /// The same, and what it commits is on disk: what a commit costs is what it costs elsewhere.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    #[allow(dead_code, reason = "tests need no disk")]
    pub(crate) fn start_durable(programs: &Path) -> anyhow::Result<Self> {
        Self::start_with(programs, "on")
    }

    fn start_with(programs: &Path, fsync: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bellhop-postgres").tempdir()?.keep();
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if is_root {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
        }
        let as_user = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&folder);
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let made = as_user(&programs.join("initdb"))
            .args(["--auth=trust", "--username=bellhop", "--encoding=UTF8", "--no-sync", "--locale=C", "-D"])
            .arg(folder.join("data"))
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut shell = as_user(Path::new("/bin/sh"))
            .args(["-c", SHELL])
            .env("PROGRAMS", programs)
            .env("FOLDER", &folder)
            .env("FSYNC", fsync)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(shell.stdout.take().context("a child has an output")?).lines();
        let mut said = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            if line.contains("ready to accept connections") {
                // Whoever stops reading would stop the server at its next line.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { folder, shell });
            }
            said.push(line);
        }
        let ended = shell.wait()?;
        bail!("postgres did not start ({ended}): {}", said.join("\n"))
    }

    /// The address of a database of this cluster.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://bellhop@localhost/{database}?host={host}")
    }

    /// Runs one statement on the cluster itself.
    ///
    /// # Errors
    /// Whatever the server says.
    pub(crate) async fn execute(&self, statement: String) -> anyhow::Result<()> {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&self.url("postgres")).await?;
        connection.execute(sqlx::AssertSqlSafe(statement)).await?;
        Ok(connection.close().await?)
    }

    /// Makes a database as a copy of another one, to which nobody may be connected.
    ///
    /// # Errors
    /// Whatever the server says.
    pub(crate) async fn copy(&self, from: &str, to: &str) -> anyhow::Result<()> {
        self.execute(format!("create database {to} template {from}")).await
    }

    /// Ends all connections to a database: a pool that was let go may still have some.
    ///
    /// # Errors
    /// Whatever the server says.
    pub(crate) async fn disconnect(&self, database: &str) -> anyhow::Result<()> {
        let end = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname =";
        self.execute(format!("{end} '{database}'")).await
    }

    /// Tells the shell to `stop` the server at once, or to `start` it again.
    ///
    /// # Errors
    /// When the shell is gone.
    #[allow(dead_code, reason = "the stories do not stop their server")]
    pub(crate) fn tell(&mut self, word: &str) -> anyhow::Result<()> {
        use std::io::Write;
        let shell = self.shell.stdin.as_mut().context("the shell has no input")?;
        Ok(writeln!(shell, "{word}")?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The shell ends when its input does, and takes the server and the folder with it.
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}
