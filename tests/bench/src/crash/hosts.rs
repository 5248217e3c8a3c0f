//! The hosts of a round, and how they die. They share one store; one address leads to whichever of them live.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bellhop::db::Moment;
use bellhop_simulator::Trouble;
use tokio::time::{sleep, timeout};

use crate::crash::dice::Dice;
use crate::crash::host::Host;
use crate::crash::house::Lodging;
use crate::crash::plan::Kill;
use crate::crash::relay::Relay;
use crate::crash::scene::{CUSTOMERS, Scene};

/// How long a host may live on under load that was to die at a moment, or waits for messages in flight.
const MOMENT_PATIENCE: Duration = Duration::from_secs(12);
const FLIGHT_PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One place for a host; empty while it is dead.
type Slot = Option<(Host, SocketAddr)>;

/// All hosts of a round.
pub(crate) struct Hosts {
    pub(crate) relay: Relay,
    config: PathBuf,
    log: PathBuf,
    slots: Vec<Slot>,
}

impl Hosts {
    /// Places for so many hosts; none lives yet.
    pub(crate) async fn new(lodging: &Lodging, n_hosts: usize, dice: Dice) -> anyhow::Result<Self> {
        let relay = Relay::start(dice).await?;
        let log = lodging.folder().join("serve.log");
        let slots = std::iter::repeat_with(|| None).take(n_hosts).collect();
        Ok(Self { relay, config: lodging.config_file(), log, slots })
    }

    /// Starts a host in every empty place.
    pub(crate) async fn fill(&mut self) -> anyhow::Result<()> {
        self.fill_all_but(None).await
    }

    /// Kills them all.
    pub(crate) async fn end(&mut self) -> anyhow::Result<()> {
        for slot in 0..self.slots.len() {
            self.kill_slot(slot).await?;
        }
        Ok(())
    }

    /// # Errors
    /// When one of them ended though nobody ended it.
    pub(crate) fn check_alive(&mut self) -> anyhow::Result<()> {
        let all_alive = self.slots.iter_mut().flatten().all(|(host, _)| host.is_alive());
        ensure!(all_alive, "a host ended by itself, see its log");
        Ok(())
    }

    /// Has one host die, with the others alive; true when it died where it was to die.
    pub(crate) async fn kill(&mut self, scene: &Scene, kill: Kill, dice: &mut Dice) -> anyhow::Result<bool> {
        let empty = self.slots.iter().position(Option::is_none);
        let slot = empty.unwrap_or_else(|| dice.place(self.slots.len()));
        self.kill_slot(slot).await?;
        self.fill_all_but(Some(slot)).await?;
        let died = match kill {
            Kill::Starting(after) => {
                let host = self.start(None)?;
                sleep(after).await;
                host.kill().await?;
                true
            }
            Kill::Running(after) => {
                self.fill().await?;
                sleep(after).await;
                true
            }
            Kill::At(moment, nth) => self.die_at(slot, (moment, nth)).await?,
            Kill::InFlight => {
                self.fill().await?;
                in_flight(scene, self.slots.len()).await
            }
        };
        self.kill_slot(slot).await?;
        scene.control.every_call(None);
        scene.control.release_replies();
        self.check_alive()?;
        Ok(died)
    }

    async fn die_at(&mut self, slot: usize, death: (Moment, u64)) -> anyhow::Result<bool> {
        let mut host = self.start(Some(death))?;
        // It may find work, and its moment, before it says that it serves.
        let Some(address) = host.serving().await? else {
            host.kill().await?;
            return Ok(true);
        };
        self.put(slot, host, address);
        let Some(Some((host, _))) = self.slots.get_mut(slot) else { return Ok(false) };
        match timeout(MOMENT_PATIENCE, host.dying()).await {
            Ok(died) => died.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    fn start(&self, death: Option<(Moment, u64)>) -> anyhow::Result<Host> {
        Host::start(&self.config, &self.log, death)
    }

    async fn fill_all_but(&mut self, spared: Option<usize>) -> anyhow::Result<()> {
        for slot in 0..self.slots.len() {
            if self.slots.get(slot).is_some_and(Option::is_none) && spared != Some(slot) {
                let mut host = self.start(None)?;
                let address = host.serving().await?.context("a host died that was not to die")?;
                self.put(slot, host, address);
            }
        }
        Ok(())
    }

    fn put(&mut self, slot: usize, host: Host, address: SocketAddr) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = Some((host, address));
        }
        self.lead();
    }

    async fn kill_slot(&mut self, slot: usize) -> anyhow::Result<()> {
        if let Some((host, _)) = self.slots.get_mut(slot).and_then(Option::take) {
            host.kill().await?;
        }
        self.lead();
        Ok(())
    }

    fn lead(&self) {
        self.relay.lead_to(self.slots.iter().flatten().map(|(_, address)| *address).collect());
    }
}

/// Waits until Meta has messages whose senders wait for its answer; false when none comes.
async fn in_flight(scene: &Scene, n_hosts: usize) -> bool {
    scene.control.every_call(Some(Trouble::Hold));
    // With several hosts the one that dies may have none of them: as many as there can be make that unlikely.
    let (n_before, n_wanted) = (scene.n_accepted(), if n_hosts == 1 { 1 } else { CUSTOMERS - 2 });
    let since = Instant::now();
    while since.elapsed() < FLIGHT_PATIENCE {
        if scene.n_accepted() >= n_before + n_wanted {
            return true;
        }
        sleep(LOOK_EVERY).await;
    }
    scene.n_accepted() > n_before
}
