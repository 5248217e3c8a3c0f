//! One round: hosts are started, customers write, hosts are killed as the plan says and others started in their place, until
//! everything has come to rest; then the judge looks.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bellhop::app::Stores;
use bellhop::config::Config;
use bellhop::db::Clock;
use bellhop_domain::id::WorkspaceId;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::crash::books::{self, Books};
use crate::crash::hosts::Hosts;
use crate::crash::house::{House, Lodging, VERIFY_TOKEN};
use crate::crash::plan::{Echoes, Plan};
use crate::crash::scene::Scene;
use crate::crash::verdict::Verdict;

/// How long nothing may change before everything has come to rest: a dead sender's lease (12 s) and the wait for evidence (30 s)
/// follow each other. However slow the machine is, something moves in this time; whatever moves has this long in all.
const STANDSTILL: Duration = Duration::from_secs(90);
const REST_PATIENCE: Duration = Duration::from_secs(900);

/// Within so many looks, 10 s of them, others take over what a dead host had claimed. A machine that is too busy for the hosts is
/// too busy for who looks as well.
const CLAIMS_MOVE_LOOKS: u32 = 34;

/// How often the webhook is configured until a connection lives long enough.
const HANDSHAKE_TRIES: u32 = 20;

/// Between two looks at a store; at rest is what shows nothing to do in so many looks in a row.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(300);
pub(crate) const QUIET_LOOKS: u32 = 4;

/// What a round came to.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// The named places at which a host died.
    pub(crate) places: Vec<&'static str>,
    /// Where the hosts' logs are, when something went wrong.
    pub(crate) kept: Option<PathBuf>,
}

/// What a round is played on.
pub(crate) struct Stage {
    pub(crate) scene: Scene,
    pub(crate) hosts: Hosts,
    pub(crate) lodging: Lodging,
    pub(crate) workspace: WorkspaceId,
}

impl Stage {
    /// A copy of the house, and Meta told where it stands; no host lives.
    pub(crate) async fn set(
        house: &House,
        scene: Scene,
        plan: &Plan,
        n_hosts: usize,
        change: impl FnOnce(&mut Config) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let name = plan.round.to_string();
        let lodging = house.copy(&name, |config| {
            config.graph.base_url = scene.url().to_owned();
            config.egress.private_origins = vec![scene.url().to_owned()];
            (config.settle.quiet_ms, config.settle.at_most_ms) = (plan.quiet_ms, plan.quiet_ms * 4);
            change(config)
        });
        let (lodging, dice) = (lodging.await?, plan.dice.aside(2));
        let mut hosts = Hosts::new(&lodging, n_hosts, dice).await?;
        hosts.fill().await?;
        let callback = format!("http://{}/webhook/{}", hosts.relay.address, house.app);
        let mut n_tries = 1;
        // The relay cuts connections; whoever configures a webhook tries again.
        while let Err(error) = scene.control.configure_webhook(&scene.meta_app.id, &callback, VERIFY_TOKEN).await {
            ensure!(n_tries < HANDSHAKE_TRIES, "the webhook could not be configured: {error}");
            n_tries += 1;
        }
        hosts.end().await?;
        Ok(Self { scene, hosts, lodging, workspace: house.workspace.clone() })
    }

    /// The store, read beside the hosts.
    pub(crate) async fn stores(&self) -> anyhow::Result<Stores> {
        Stores::open(&self.lodging.config, Clock::machine()).await.context("the store could not be read")
    }

    /// Waits until everything has come to rest, and judges.
    pub(crate) async fn judge(&mut self) -> anyhow::Result<Verdict> {
        let (books, is_at_rest) = self.books_at_rest().await?;
        let mut verdict = Verdict::of(&self.scene.all_written(), &self.scene.seen(), &books);
        if !is_at_rest {
            verdict.wrong.push(format!("there was still work to do, and nothing moved for {} s", STANDSTILL.as_secs()));
        }
        Ok(verdict)
    }

    /// Waits until everything has come to rest, and reads the books; false when it does not.
    pub(crate) async fn books_at_rest(&mut self) -> anyhow::Result<(Books, bool)> {
        let stores = self.stores().await?;
        let is_at_rest = self.rest(&stores).await?;
        let books = Books::read(&stores, &self.workspace).await?;
        close(&stores).await;
        Ok((books, is_at_rest))
    }

    async fn rest(&mut self, stores: &Stores) -> anyhow::Result<bool> {
        let (started, mut quiet, mut again) = (Instant::now(), 0, HashSet::new());
        let (mut moved, mut before) = (started, None);
        while moved.elapsed() < STANDSTILL && started.elapsed() < REST_PATIENCE {
            let n_requests = self.scene.redeliver_given_up(&mut again);
            let n_open = books::n_open(stores).await?;
            let stands = Some((n_requests, n_open, self.scene.n_accepted(), books::n_looks(stores).await?));
            if stands != before {
                (moved, before) = (Instant::now(), stands);
            }
            let is_quiet = n_requests == 0 && n_open == 0;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            if quiet == QUIET_LOOKS {
                return Ok(true);
            }
            self.hosts.check_alive()?;
            sleep(LOOK_EVERY).await;
        }
        Ok(false)
    }

    /// Ends the hosts; the folder stays when something went wrong.
    pub(crate) async fn close(mut self, verdict: Verdict, places: Vec<&'static str>) -> anyhow::Result<Outcome> {
        self.hosts.end().await?;
        let kept = (!verdict.is_clean()).then(|| self.lodging.keep());
        Ok(Outcome { verdict, places, kept })
    }
}

/// Plays a round with so many hosts.
pub(crate) async fn play(plan: Plan, house: &House, n_hosts: usize) -> anyhow::Result<Outcome> {
    let mut dice = plan.dice.aside(1);
    // Each lost answer may hold its conversation for half a minute where no echo tells.
    let (n_losses, may_lose_all) = if plan.echoes == Echoes::Never { (3, true) } else { (8, false) };
    let scene = Scene::open(plan.kills.len(), n_losses, may_lose_all).await?;
    match plan.echoes {
        Echoes::OnTime => {}
        Echoes::Late(_) => scene.control.hold_echoes(),
        Echoes::Never => scene.control.set_echoes(false),
    }
    let mut stage = Stage::set(house, scene, &plan, n_hosts, |_| Ok(())).await?;
    let watched = if n_hosts > 1 { Some(stage.stores().await?) } else { None };
    let (mut places, mut claims) = (Vec::new(), JoinSet::new());
    for (act, kill) in plan.kills.iter().enumerate() {
        let (stop, load) = (AtomicBool::new(false), plan.dice.aside(100 + act as u64));
        let (scene, hosts) = (&stage.scene, &mut stage.hosts);
        let deadly = async {
            let died = hosts.kill(scene, *kill, &mut dice).await;
            stop.store(true, Ordering::Relaxed);
            if let Some(stores) = &watched {
                claims.spawn(claims_move(stores.clone()));
            }
            died
        };
        let (played, died) = tokio::join!(scene.play(act, &load, &stop), deadly);
        played?;
        if died.with_context(|| format!("{kill:?}"))? {
            places.extend(kill.place());
        }
    }
    stage.hosts.fill().await?;
    if let Echoes::Late(late) = plan.echoes {
        sleep(late).await;
        stage.scene.control.release_echoes();
    }
    let mut verdict = stage.judge().await?;
    while let Some(stuck) = claims.join_next().await {
        verdict.wrong.extend(stuck??);
    }
    if let Some(stores) = &watched {
        close(stores).await;
    }
    stage.close(verdict, places).await
}

/// Looks at the claims that stand at this moment, a dead host's among them, until none of them stands any more; those that are
/// not moved in time.
async fn claims_move(stores: Stores) -> anyhow::Result<Vec<String>> {
    let mut claimed = books::claims(&stores).await?;
    for _ in 0..CLAIMS_MOVE_LOOKS {
        let still: HashSet<_> = books::claims(&stores).await?.into_iter().collect();
        claimed.retain(|claim| still.contains(claim));
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        sleep(LOOK_EVERY).await;
    }
    let stuck = |(conversation, epoch)| {
        format!("nobody took over conversation {conversation} (epoch {epoch}) within {CLAIMS_MOVE_LOOKS} looks")
    };
    Ok(claimed.into_iter().map(stuck).collect())
}

async fn close(stores: &Stores) {
    stores.vault.close().await;
    stores.db.close().await;
}
