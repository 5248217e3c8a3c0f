//! The world of a case: two businesses, three customers, two hosts on one store, the simulator; and each step as it is played.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bellhop::app::{App, Listening, listen};
use bellhop::dispatch::Begun;
use bellhop_simulator::{Customer, GraphError, Trouble};
use tokio::task::JoinHandle;

use super::expect::{Model, is_known};
use super::guest;
use super::letter::{Letter, State, together};
use super::step::{At, DAY, Goes, Step, Way, What, Who};
use super::watch::Watch;
use crate::support::post::{SIGNATURE, client, sign};
use crate::support::{Business, PATIENCE, TestApp};

/// What is said where no plugin answers.
pub(super) const FALLBACK: &str = "Somebody will answer you soon.";

/// Dedupe keys live 8 days and rows are swept some time; a case ends before.
const MAX_MILLIS: u64 = 5 * DAY;

/// Everything of one case.
pub(super) struct World {
    pub(super) app: TestApp,
    pub(super) bistro: Business,
    pub(super) customers: BTreeMap<Who, Customer>,
    pub(super) model: Model,
    pub(super) watch: Watch,
    pub(super) letters: Vec<Letter>,
    people: HashMap<String, Who>,
    said: HashMap<String, (What, String)>,
    n_letters: usize,
    second: Option<(App, Listening)>,
    in_hand: Vec<(At, Begun)>,
    on_the_wire: Vec<(At, JoinHandle<()>)>,
    client: reqwest::Client,
}

impl World {
    pub(super) async fn new(app: TestApp) -> Self {
        let bistro = app.another_business("Bistro").await;
        for business in [&app.business, &bistro] {
            app.enable_hostile(business, &guest::echo()).await;
            app.set_fallback(business, FALLBACK).await;
        }
        // Letters are delivered by hand.
        app.control.drop_webhooks(usize::MAX);
        let person = |page: &str, name: &str| app.control.add_person(page, name).unwrap();
        let customers = BTreeMap::from([
            (Who::Ana, person(&app.business.page_id, "Ana")),
            (Who::Ben, person(&app.business.page_id, "Ben")),
            (Who::Eve, person(&bistro.page_id, "Eve")),
        ]);
        let people = customers.iter().map(|(who, customer)| (customer.person_id.clone(), *who)).collect();
        Self {
            bistro,
            customers,
            people,
            app,
            model: Model::default(),
            watch: Watch::default(),
            letters: Vec::new(),
            said: HashMap::new(),
            n_letters: 0,
            second: None,
            in_hand: Vec::new(),
            on_the_wire: Vec::new(),
            client: client(),
        }
    }

    /// Plays one step and looks whether everything is still as it must be.
    pub(super) async fn play(&mut self, step: Step) -> Result<()> {
        // No two things happen at the same moment.
        self.wait(1);
        match step {
            Step::Say { who, what } => self.say(who, what),
            Step::Colleague { who } => drop(self.customers[&who].staff_says("I have this.")?),
            Step::Look { who } => self.customers[&who].reads()?,
            Step::Post { at, letter, answered } => {
                if let Some(letter) = pick(&self.waiting(), letter) {
                    self.post(at, &[letter], answered).await?;
                }
            }
            Step::PostAll { at, way } => self.post_all(at, way).await?,
            Step::PostAgain { at, letter } => {
                let stored: Vec<usize> = self.those(|letter| letter.is_stored);
                if let Some(letter) = pick(&stored, letter) {
                    self.post(at, &[letter], true).await?;
                }
            }
            Step::Lose { letter } => {
                let waiting = self.those(|letter| letter.state == State::Waiting && letter.may_be_lost());
                if let Some(letter) = pick(&waiting, letter) {
                    self.letters[letter].state = State::Lost;
                }
            }
            Step::Wait { millis } => self.wait(millis),
            Step::Control { at } => {
                self.host(at).await.dispatch.control_once().await?;
                self.model.control_applied(self.now());
            }
            Step::Turn { at } => {
                let dispatch = self.host(at).await.dispatch;
                let begun = dispatch.begin(1).await?;
                dispatch.finish(begun).await;
            }
            Step::Claim { at } => {
                let begun = self.host(at).await.dispatch.begin(1).await?;
                self.in_hand.push((at, begun));
            }
            Step::Finish { at } => self.finish(at).await,
            Step::Send { at, goes } => self.send(at, goes).await?,
            Step::Answer => self.answer().await?,
            Step::Jobs { at } => {
                let jobs = self.host(at).await.jobs;
                jobs.fast().await?;
                jobs.slow().await?;
            }
            Step::Crash { at } => self.crash(at).await,
        }
        self.collect();
        self.look().await.with_context(|| format!("after {step:?}"))
    }

    pub(super) fn now(&self) -> i64 {
        self.app.clock.now().millis()
    }

    /// A host; the second one is started when it is first needed.
    pub(super) async fn host(&mut self, at: At) -> App {
        match at {
            At::First => self.app.app.clone(),
            At::Second => self.second().await.0.clone(),
        }
    }

    async fn second(&mut self) -> &(App, Listening) {
        if self.second.is_none() {
            let app = self.app.another_host().await;
            let address = ([127, 0, 0, 1], 0).into();
            let listening = listen(address, app.public_router(), app.stop_token()).await.unwrap();
            self.second = Some((app, listening));
        }
        self.second.as_ref().unwrap()
    }

    fn say(&mut self, who: Who, what: What) {
        let text = match what {
            What::Known => format!("m{}", self.said.len()),
            What::Strange => format!("s{}", self.said.len()),
            What::Start => "start".to_owned(),
            What::Stop => "stop".to_owned(),
            What::Person => "can I talk to a human please".to_owned(),
        };
        debug_assert_eq!(is_known(&text), what == What::Known);
        let mid = self.customers[&who].says(&text).unwrap();
        self.said.insert(mid, (what, text));
    }

    pub(super) fn wait(&mut self, millis: u64) {
        if self.model.waited + millis <= MAX_MILLIS {
            self.model.waited += millis;
            self.app.advance(Duration::from_millis(millis));
        }
    }

    fn those(&self, which: impl Fn(&Letter) -> bool) -> Vec<usize> {
        (0..self.letters.len()).filter(|n| which(&self.letters[*n])).collect()
    }

    pub(super) fn waiting(&self) -> Vec<usize> {
        self.those(|letter| letter.state == State::Waiting)
    }

    /// Takes over what the simulator wrote since the last look.
    pub(super) fn collect(&mut self) {
        let written = self.app.control.ledger().webhooks;
        for post in written.iter().skip(self.n_letters) {
            self.letters.push(Letter::read(post.body.clone(), &self.people, &self.said));
        }
        self.n_letters = written.len();
    }

    pub(super) async fn post_all(&mut self, at: At, way: Way) -> Result<()> {
        self.collect();
        let mut waiting = self.waiting();
        if way == Way::Together && !waiting.is_empty() {
            return self.post(at, &waiting, true).await;
        }
        if way == Way::Reversed {
            waiting.reverse();
        }
        for letter in waiting {
            self.post(at, &[letter], true).await?;
        }
        Ok(())
    }

    /// Posts letters as one body. The host always answers; whether Meta hears it is another thing.
    async fn post(&mut self, at: At, letters: &[usize], is_heard: bool) -> Result<()> {
        let bodies: Vec<_> = letters.iter().map(|n| self.letters[*n].body.clone()).collect();
        let body = match bodies.as_slice() {
            [one] => one.clone(),
            many => together(many),
        };
        let url = match at {
            At::First => self.app.webhook_url(),
            At::Second => {
                let app_id = self.app.app_id.clone();
                format!("http://{}/webhook/{app_id}", self.second().await.1.address)
            }
        };
        let signature = sign(&self.app.app_secret, &body);
        let status = self.client.post(url).header(SIGNATURE, signature).body(body).send().await?.status();
        ensure!(status == 200, "a webhook was answered {status}");
        for letter in letters {
            let letter = &mut self.letters[*letter];
            if is_heard {
                letter.state = State::Answered;
            }
            if !letter.is_stored {
                letter.is_stored = true;
                self.model.stored(letter.who, letter.at, &letter.news);
            }
        }
        Ok(())
    }

    async fn finish(&mut self, at: At) {
        if let Some(oldest) = self.in_hand.iter().position(|(whose, _)| *whose == at) {
            let (_, begun) = self.in_hand.remove(oldest);
            self.host(at).await.dispatch.finish(begun).await;
        }
    }

    async fn send(&mut self, at: At, goes: Goes) -> Result<()> {
        let control = self.app.control.clone();
        control.next_sends(1, trouble(goes));
        let n_sends = control.ledger().n_sends;
        let outbox = self.host(at).await.outbox;
        let mut sending = tokio::spawn(async move { outbox.run_at_most(1).await.map(drop).unwrap() });
        let arrives = control.wait_until(PATIENCE, |ledger| ledger.n_sends > n_sends);
        if goes == Goes::Slowly {
            tokio::select! {
                ended = &mut sending => ended?,
                arrived = arrives => {
                    arrived?;
                    self.on_the_wire.push((at, sending));
                }
            }
        } else {
            drop(arrives);
            sending.await?;
        }
        control.forget_next_sends();
        Ok(())
    }

    async fn answer(&mut self) -> Result<()> {
        self.app.control.release_replies();
        for (_, sending) in self.on_the_wire.drain(..) {
            sending.await?;
        }
        Ok(())
    }

    /// Whatever the host had in hand is gone; nothing is said to anybody.
    async fn crash(&mut self, at: At) {
        self.in_hand.retain(|(whose, _)| *whose != at);
        for (_, sending) in self.on_the_wire.extract_if(.., |(whose, _)| *whose == at) {
            sending.abort();
            drop(sending.await);
        }
        match at {
            At::First => {
                let gone = self.app.app.clone();
                self.app.reopen(|_| {}).await;
                disconnect(&gone).await;
            }
            At::Second => {
                if let Some((app, listening)) = self.second.take() {
                    app.stop_token().cancel();
                    listening.stopped().await;
                    disconnect(&app).await;
                }
            }
        }
    }

    /// Nothing of the case is left.
    pub(super) async fn end(mut self) {
        self.crash(At::Second).await;
        for (_, sending) in self.on_the_wire.drain(..) {
            sending.abort();
            drop(sending.await);
        }
        disconnect(&self.app.app).await;
    }

    /// No more faults: everything that waits arrives, everything in hand is finished, and time goes on until nothing is left to
    /// do.
    pub(super) async fn drain(&mut self) -> Result<()> {
        self.answer().await?;
        for at in [At::First, At::Second] {
            while self.in_hand.iter().any(|(whose, _)| *whose == at) {
                self.finish(at).await;
            }
        }
        // Settle windows, leases and unknowns first; then what a retry or a throttled channel waits for.
        for millis in [7_000, 13_000, 31_000, 31_000].into_iter().chain([600_000; 30]) {
            self.post_all(At::First, Way::InOrder).await?;
            self.app.app.jobs.fast().await?;
            self.wait(millis);
            self.model.control_applied(self.now());
            self.app.app.run_until_idle().await?;
            self.collect();
            self.look().await.context("while everything comes to its end")?;
            if self.waiting().is_empty() && self.watch.is_settled() {
                return Ok(());
            }
        }
        anyhow::bail!("not everything came to its end: {:?}", self.watch)
    }
}

/// The connections of a host that is gone; many cases would have too many of them.
async fn disconnect(app: &App) {
    app.stores.vault.close().await;
    app.stores.db.close().await;
}

/// One of those that can be meant.
fn pick(those: &[usize], which: usize) -> Option<usize> {
    those.get(which.checked_rem(those.len())?).copied()
}

fn trouble(goes: Goes) -> Trouble {
    match goes {
        Goes::Well => Trouble::Delay(Duration::ZERO),
        Goes::Slowly => Trouble::Hold,
        Goes::AcceptedAndCut => Trouble::DropAfter,
        Goes::CutBefore => Trouble::DropBefore,
        Goes::Doubtful => Trouble::Refuse(GraphError::new(1, None)),
        Goes::Busy => Trouble::Refuse(GraphError::new(1_200, None).with_status(400)),
        Goes::Throttled => Trouble::Refuse(GraphError::new(613, None)),
        Goes::Refused => Trouble::Refuse(GraphError::new(100, None)),
        Goes::Unreachable => Trouble::Refuse(GraphError::new(551, None)),
    }
}
