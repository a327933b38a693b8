//! Where one job works: its clock, its account in the ledger, and what its locks cover.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use crate::inventory::Store;
use crate::ledger::{Access, Account, Contact, Ledger, Resource, Touches};

/// What the jobs of one pass share, under every scheme.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) pace: Pace,
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
}

impl<'r> Desk<'r> {
    /// A desk for job `number`. The seed and the number decide how long its work takes.
    pub(crate) fn new(site: &'r Site, number: usize, label: String) -> Self {
        let mut rng = StdRng::seed_from_u64(site.pace.seed ^ number as u64);
        Self {
            site,
            account: site.ledger.open(number, label),
            slowness: rng.random_range(0.5..1.5),
            waited: Duration::ZERO,
            first_held: None,
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

    /// Simulates work: remote calls, disks that sync.
    pub(crate) async fn work(&self, steps: u32) {
        let time = (self.site.pace.step * steps).mul_f64(self.slowness);
        if time.is_zero() {
            // Even work that takes no time gives other jobs a chance to interfere.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(time).await;
        }
    }

    pub(crate) fn appears(&self, resource: Resource) {
        self.account.appears(resource);
    }

    pub(crate) fn disappears(&self, resource: Resource) {
        self.account.disappears(resource);
    }

    /// Clears the desk once the last lock is released. Returns the account, the time waited, and the time held.
    pub(crate) fn clear(self) -> (Account<'r>, Duration, Duration) {
        let held = self.first_held.map_or(Duration::ZERO, |since| since.elapsed());
        (self.account, self.waited, held)
    }
}
