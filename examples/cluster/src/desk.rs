//! Where one job works: its clock, its account in the ledger, and what its locks cover.

use std::time::Duration;

use lockladder::futures::{Climb, Deadline, Enter, SessionRequest};
use lockladder::ganeti::seed::{Cluster, Seed};
use lockladder::level::{Held, Level, LevelOf, NotRoot};
use lockladder::{HeldList, Mode, Priority, Session, SessionError};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use crate::control::{Control, Rung, noticed, unless_stopped};
use crate::inventory::Store;
use crate::ledger::{Access, Account, Contact, Ledger, Resource, Touches};
use crate::refusal::Refusal;
use crate::retries::{Attempt, Attempts, Patience};

/// What the jobs of one pass share, under every scheme.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) pace: Pace,
    pub(crate) patience: Patience,
}

/// How a job was served with locks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// Time spent waiting for locks, all acquisitions and attempts of the job together.
    pub(crate) wait: Duration,
    /// Time from the first acquisition of the last attempt to the last release.
    pub(crate) hold: Duration,
    pub(crate) attempts: u32,
    /// The priority of the last attempt.
    pub(crate) priority: Priority,
}

/// How long simulated work takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The mean duration of one step of work.
    pub(crate) step: Duration,
    pub(crate) seed: u64,
}

/// The locks that a job holds, and what they claim to cover.
pub(crate) trait Lease: Sync {
    /// How `resource` is held, if it is.
    fn held(&self, resource: &Resource) -> Option<Access>;
}

/// One job's place of work.
#[derive(Debug)]
pub(crate) struct Desk<'r> {
    pub(crate) site: &'r Site,
    account: Account<'r>,
    /// A random factor: this job's steps take `slowness` times the mean.
    slowness: f64,
    waited: Duration,
    first_held: Option<Instant>,
    /// When the present attempt gives up, if it does.
    until: Option<Instant>,
    priority: Priority,
    attempts: u32,
    /// `None` if no one looks at the job or may stop it.
    control: Option<&'r Control>,
}

impl<'r> Desk<'r> {
    /// A desk for job `number`. The seed and the number decide how long its work takes.
    pub(crate) fn new(site: &'r Site, number: usize, label: String, control: Option<&'r Control>) -> Self {
        let mut rng = StdRng::seed_from_u64(site.pace.seed ^ number as u64);
        Self {
            site,
            account: site.ledger.open(number, label),
            slowness: rng.random_range(0.5..1.5),
            waited: Duration::ZERO,
            first_held: None,
            until: None,
            priority: Priority::default(),
            attempts: 0,
            control,
        }
    }

    /// The chances and the patience of the job, before its first attempt.
    pub(crate) fn attempts_of(&self, number: usize) -> Attempts {
        Attempts::new(self.site.patience, self.site.pace.seed, number)
    }

    /// Begins an attempt.
    pub(crate) fn tries(&mut self, attempt: Attempt) {
        self.attempts += 1;
        self.priority = attempt.priority;
        self.until = attempt.wait.map(|wait| Instant::now() + wait);
        if let Some(control) = self.control {
            control.tries(attempt.priority);
        }
    }

    /// The present attempt has given up: it holds nothing any more.
    pub(crate) fn gives_up(&mut self) {
        self.first_held = None;
        if let Some(control) = self.control {
            control.leaves();
        }
    }

    /// The label of the job's session in the lock table.
    pub(crate) fn label(&self) -> String {
        self.account.to_string()
    }

    /// Waits for a lock, by the job's clock.
    pub(crate) async fn wait<L>(&mut self, acquisition: impl Future<Output = L>) -> L {
        if self.site.pace.step.is_zero() {
            // Lets other jobs come first, even if the lock is free.
            tokio::task::yield_now().await;
        }
        let begun = Instant::now();
        let acquired = acquisition.await;
        let ended = Instant::now();
        self.waited += ended - begun;
        self.first_held.get_or_insert(ended);
        acquired
    }

    /// Waits for the root of the ladder.
    pub(crate) async fn enter<M: Mode>(
        &mut self,
        request: Enter<Seed, M>,
    ) -> Result<Session<Seed, Held<Cluster, M>>, Refusal> {
        let request = request.priority(self.priority);
        self.ask(rung::<Cluster, M>(), request).await
    }

    /// Waits for names of level `L`.
    pub(crate) async fn climb<S, L, M>(
        &mut self,
        request: Climb<Seed, S, L, M>,
    ) -> Result<Session<Seed, Held<L, M, S>>, Refusal>
    where
        S: HeldList,
        L: NotRoot + LevelOf<Seed>,
        M: Mode,
    {
        let request = request.priority(self.priority);
        self.ask(rung::<L, M>(), request).await
    }

    /// The priority of the present attempt.
    pub(crate) fn priority(&self) -> Priority {
        self.priority
    }

    /// Waits for a request of this rung until the present attempt gives up. A job that is stopped waits no longer.
    pub(crate) async fn ask<A, F, T>(&mut self, rung: Rung, request: SessionRequest<A, F>) -> Result<T, Refusal>
    where
        SessionRequest<A, F>: Future<Output = Result<T, SessionError>>,
        Deadline<SessionRequest<A, F>>: Future<Output = Result<T, SessionError>>,
    {
        let (control, until) = (self.control, self.until);
        let request = noticed(control, rung, async move {
            match until {
                Some(until) => request.deadline(until).await,
                None => request.await,
            }
        });
        let got = unless_stopped(control, self.wait(request)).await?;
        if let Some(control) = control {
            control.gets(rung);
        }
        Ok(got)
    }

    /// Begins to work on `resources`, which `lease` should cover.
    ///
    /// The touches borrow the lease: while a job works on something, the compiler does not let it release the locks.
    pub(crate) fn touch<'t>(
        &'t self,
        lease: &'t dyn Lease,
        resources: impl IntoIterator<Item = (Resource, Access)>,
    ) -> Touches<'t> {
        let contact = |(resource, access)| {
            let held = lease.held(&resource);
            Contact { resource, access, held }
        };
        self.account.touch(resources.into_iter().map(contact).collect())
    }

    /// Simulates work: remote calls, disks that sync. A job that is stopped does not end it.
    pub(crate) async fn work(&self, steps: u32) -> Result<(), Refusal> {
        self.work_for((self.site.pace.step * steps).mul_f64(self.slowness)).await
    }

    /// Simulates work that takes this time.
    pub(crate) async fn work_for(&self, time: Duration) -> Result<(), Refusal> {
        if let Some(control) = self.control {
            control.works();
        }
        let work = async {
            if time.is_zero() {
                // Even work that takes no time gives other jobs a chance to interfere.
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(time).await;
            }
            Ok::<_, Refusal>(())
        };
        unless_stopped(self.control, work).await
    }

    /// The job has downgraded its hold of level `L`.
    pub(crate) fn has_downgraded<L: Level>(&self) {
        if let Some(control) = self.control {
            control.downgrades(L::NAME);
        }
    }

    /// The job has released level `L` before its end.
    pub(crate) fn has_released<L: Level>(&self) {
        if let Some(control) = self.control {
            control.releases(L::NAME);
        }
    }

    pub(crate) fn appears(&self, resource: Resource) {
        self.account.appears(resource);
    }

    pub(crate) fn disappears(&self, resource: Resource) {
        self.account.disappears(resource);
    }

    /// Clears the desk once the last lock is released. Returns the account, and how the job was served.
    pub(crate) fn clear(self) -> (Account<'r>, Service) {
        if let Some(control) = self.control {
            control.leaves();
        }
        let held = self.first_held.map_or(Duration::ZERO, |since| since.elapsed());
        (self.account, Service { wait: self.waited, hold: held, attempts: self.attempts, priority: self.priority })
    }
}

/// Names of level `L` in mode `M`.
pub(crate) fn rung<L: Level, M: Mode>() -> Rung {
    Rung { level: L::NAME, access: M::MODE.into() }
}
