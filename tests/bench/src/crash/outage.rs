//! A round in which the hosts live on and what they stand on fails: PostgreSQL is stopped as if its machine had lost power, or the
//! disk is full. Webhooks are refused meanwhile; nothing that was answered 200 is lost, and work goes on by itself afterwards.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::crash::dice::Dice;
use crate::crash::house::{self, House};
use crate::crash::plan::Plan;
use crate::crash::round::{Outcome, Stage};
use crate::crash::scene::Scene;

/// Failures in a round.
const N_FAILURES: usize = 3;

/// Webhooks that are to be refused before the disk has room again, and how long that may take.
const REFUSED: usize = 3;
const REFUSED_PATIENCE: Duration = Duration::from_secs(30);

/// How long PostgreSQL may take to recover.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(60);

/// The size of the small disk: the store of a round, with as much again.
const DISK_BYTES: usize = 24 << 20;

/// PostgreSQL is stopped at once and started again under load.
pub(crate) async fn stop_postgres(plan: &Plan, house: &mut House, n_hosts: usize) -> anyhow::Result<Outcome> {
    let (mut stage, mut dice) = (set(plan, house, n_hosts, None).await?, plan.dice.aside(3));
    let (stop, load) = (AtomicBool::new(false), plan.dice.aside(100));
    let failing = async {
        let failed = stop_and_start(house, &mut dice).await;
        stop.store(true, Ordering::Relaxed);
        failed
    };
    let (played, failed) = tokio::join!(stage.scene.play(0, &load, &stop), failing);
    played.and(failed)?;
    let mut verdict = stage.judge().await?;
    if stage.scene.n_refused() == 0 {
        verdict.wrong.push("PostgreSQL was stopped and no webhook was refused".to_owned());
    }
    stage.close(verdict, Vec::new()).await
}

async fn stop_and_start(house: &mut House, dice: &mut Dice) -> anyhow::Result<()> {
    let cluster = house.cluster_mut().context("there is no PostgreSQL to stop: add `--postgres`")?;
    for _ in 0..N_FAILURES {
        sleep(dice.millis(300, 1_500)).await;
        cluster.tell("stop")?;
        sleep(dice.millis(300, 3_000)).await;
        cluster.tell("start")?;
        let since = Instant::now();
        while let Err(error) = cluster.execute("select 1".to_owned()).await {
            ensure!(since.elapsed() < RECOVERY_PATIENCE, "PostgreSQL did not come back: {error:#}");
            sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

/// The disk with the store is filled to the last byte under load, and has room again once webhooks were refused. `None` where a
/// small disk cannot be made, which takes root.
pub(crate) async fn fill_disk(plan: &Plan, house: &House) -> anyhow::Result<Option<Outcome>> {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(error) if std::env::var("CI").as_deref() == Ok("true") && is_root() => return Err(error),
        Err(_) => return Ok(None),
    };
    let (mut stage, mut dice) = (set(plan, house, 1, Some(disk.folder.path())).await?, plan.dice.aside(3));
    let (stop, load) = (AtomicBool::new(false), plan.dice.aside(100));
    let failing = async {
        let failed = fill_and_free(&stage.scene, disk.folder.path(), &mut dice).await;
        stop.store(true, Ordering::Relaxed);
        failed
    };
    let (played, failed) = tokio::join!(stage.scene.play(0, &load, &stop), failing);
    played.and(failed)?;
    let verdict = stage.judge().await?;
    stage.close(verdict, Vec::new()).await.map(Some)
}

async fn fill_and_free(scene: &Scene, disk: &Path, dice: &mut Dice) -> anyhow::Result<()> {
    for _ in 0..N_FAILURES {
        sleep(dice.millis(300, 1_000)).await;
        let (ballast, n_before, since) = (disk.join("ballast"), scene.n_refused(), Instant::now());
        let mut file = File::create(&ballast)?;
        while scene.n_refused() < n_before + REFUSED {
            ensure!(since.elapsed() < REFUSED_PATIENCE, "the disk was full and webhooks were not refused");
            // Room that the host gives back is taken as well.
            while file.write_all(&[0; 4_096]).is_ok() {}
            sleep(Duration::from_millis(20)).await;
        }
        sleep(dice.millis(0, 1_500)).await;
        std::fs::remove_file(&ballast)?;
        file.set_len(0)?;
    }
    Ok(())
}

async fn set(plan: &Plan, house: &House, n_hosts: usize, disk: Option<&Path>) -> anyhow::Result<Stage> {
    let scene = Scene::open(1, 0, false).await?;
    let stage = Stage::set(house, scene, plan, n_hosts, |config| {
        let Some(disk) = disk else { return Ok(()) };
        let folder = disk.join("data");
        house::copy_folder(&config.store.data_folder, &folder)?;
        config.store.data_folder = folder;
        Ok(())
    });
    let mut stage = stage.await?;
    stage.hosts.fill().await?;
    Ok(stage)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A small disk in memory. A shell holds it and waits on a pipe that this process keeps open: however this process ends, the disk
/// is unmounted.
struct Disk {
    folder: TempDir,
    shell: Child,
}

impl Disk {
    fn mount() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut shell = Command::new("/bin/sh")
            .args([
                "-c",
                "mount -t tmpfs -o mode=700,size=$SIZE tmpfs $FOLDER && echo ready && { read _; umount -l $FOLDER; }",
            ])
            .env("SIZE", DISK_BYTES.to_string())
            .env("FOLDER", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let output = shell.stdout.take().context("a child has an output")?;
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line.trim_end() == "ready", "a small disk could not be mounted");
        Ok(Self { folder, shell })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The shell ends when its input does, and unmounts the disk before the folder goes.
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}
