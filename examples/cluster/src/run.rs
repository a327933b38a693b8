//! One whole run: the stream under the ladder, then again under each scheme that the ladder is compared with. An audit
//! ends each pass.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::desk::{Pace, Site};
use crate::inventory::{Inventory, Store};
use crate::ledger::{Ledger, Resource, Violations};
use crate::one_by_one::OneByOne;
use crate::opcodes::{Ladder, Sabotage};
use crate::progress::Progress;
use crate::queue::{self, Guarding, Queue};
use crate::retries::Patience;
use crate::tally::Tally;
use crate::task::Task;
use crate::timeline::Lane;

/// The exit code by which a shell reports a program that SIGINT killed.
pub(crate) const INTERRUPTED: u8 = 130;

/// What to run, and how.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) cluster: Inventory,
    pub(crate) tasks: Arc<[Task]>,
    pub(crate) workers: usize,
    pub(crate) pace: Pace,
    /// How long jobs wait for their locks under the ladder before they try again. Under the other schemes they wait as
    /// long as it takes.
    pub(crate) patience: Patience,
    pub(crate) sabotage: Sabotage,
    /// Whether to run the stream under the other schemes as well.
    pub(crate) compare: bool,
    pub(crate) progress: Progress,
    /// How many of the first jobs have a lane in the timeline.
    pub(crate) lanes: usize,
}

/// The results of one pass through the stream.
#[derive(Debug)]
pub(crate) struct Pass {
    /// What kept the jobs out of each other's way, in words.
    pub(crate) scheme: &'static str,
    pub(crate) tally: Tally,
    pub(crate) wall: Duration,
    pub(crate) most_at_once: usize,
    /// Empty but under the ladder.
    pub(crate) lanes: Vec<Lane>,
}

/// The results of the whole run.
#[derive(Debug)]
pub(crate) struct Findings {
    /// How many jobs there were to do.
    pub(crate) jobs: usize,
    pub(crate) ladder: Pass,
    /// `None` if [`compare`] found nothing to compare. The same holds for `one_mutex`.
    pub(crate) one_by_one: Option<Pass>,
    pub(crate) one_mutex: Option<Pass>,
    pub(crate) violations: Violations,
    pub(crate) interrupted: bool,
}

/// Carries out the plan. The first Ctrl-C stops it from handing out jobs; the second one ends the program.
pub(crate) async fn carry_out(plan: &Plan) -> Findings {
    let stopped = Arc::new(AtomicBool::new(false));
    let mut passes = pin!(all_passes(plan, &stopped));
    tokio::select! {
        // Polled in this order, so that the program listens for the signal before the first job begins.
        biased;
        () = interruption() => {}
        findings = &mut passes => return findings,
    }
    stopped.store(true, Relaxed);
    plan.progress.say("interrupted: waiting for the running jobs");
    tokio::select! {
        () = interruption() => std::process::exit(INTERRUPTED.into()),
        findings = passes => findings,
    }
}

async fn interruption() {
    if tokio::signal::ctrl_c().await.is_err() {
        // If signals cannot be caught, the default stays: Ctrl-C ends the program.
        pending::<()>().await;
    }
}

async fn all_passes(plan: &Plan, stopped: &Arc<AtomicBool>) -> Findings {
    let ladder = Guarding::Ladder(Ladder::new(&plan.cluster, plan.sabotage));
    let (ladder, violations) = one_pass(plan, stopped, ladder).await;
    let interrupted = stopped.load(Relaxed);
    let mut findings =
        Findings { jobs: plan.tasks.len(), ladder, one_by_one: None, one_mutex: None, violations, interrupted };
    let one_by_one = Guarding::OneByOne(OneByOne::new(&plan.cluster).into());
    findings.one_by_one = compare(plan, stopped, one_by_one, &mut findings).await;
    findings.one_mutex = compare(plan, stopped, Guarding::OneMutex(Mutex::new(())), &mut findings).await;
    findings
}

/// Makes one more pass, under another scheme. Returns `None` if no comparison is wanted, if there are no jobs, or after
/// a violation or an interruption.
async fn compare(plan: &Plan, stopped: &Arc<AtomicBool>, guarding: Guarding, findings: &mut Findings) -> Option<Pass> {
    if !plan.compare || plan.tasks.is_empty() || findings.violations.count > 0 || findings.interrupted {
        return None;
    }
    let (pass, violations) = one_pass(plan, stopped, guarding).await;
    findings.violations.extend(violations);
    findings.interrupted = stopped.load(Relaxed);
    Some(pass)
}

async fn one_pass(plan: &Plan, stopped: &Arc<AtomicBool>, guarding: Guarding) -> (Pass, Violations) {
    let site = Arc::new(site(plan));
    let lanes = if matches!(guarding, Guarding::Ladder(_)) { plan.lanes } else { 0 };
    let queue = Arc::new(Queue::new(Arc::clone(&plan.tasks), Arc::clone(stopped), lanes));
    let (jobs, workers, scheme) = (queue.len(), plan.workers, guarding.name());
    plan.progress.say(&format!("{jobs} jobs through {workers} workers under {scheme}"));
    let guarding = Arc::new(guarding);
    let begun = Instant::now();
    let tally = tokio::select! {
        tally = queue::run(&queue, workers, &site, &guarding) => tally,
        never = plan.progress.follow(scheme, &queue) => match never {},
    };
    let pass =
        Pass { scheme, tally, wall: begun.elapsed(), most_at_once: site.ledger.most_at_work(), lanes: queue.lanes() };
    (pass, audited(&site, guarding.names().as_ref()))
}

/// A new site with the cluster of the plan.
pub(crate) fn site(plan: &Plan) -> Site {
    Site {
        store: Store::new(plan.cluster.clone()),
        ledger: Ledger::new(resources(&plan.cluster)),
        pace: plan.pace,
        patience: plan.patience,
    }
}

/// Audits the configuration, and the names that have locks, if there are any. Returns all violations of the pass.
pub(crate) fn audited(site: &Site, locks: Option<&BTreeSet<Resource>>) -> Violations {
    site.ledger.audit("the configuration", &site.store.read(resources));
    if let Some(names) = locks {
        site.ledger.audit("the locks", names);
    }
    site.ledger.violations()
}

/// Everything in `cluster` that jobs work on.
pub(crate) fn resources(cluster: &Inventory) -> BTreeSet<Resource> {
    let instances = cluster.instance_names().map(|name| Resource::instance(name));
    instances.chain(cluster.node_names().map(|name| Resource::node(name))).collect()
}
