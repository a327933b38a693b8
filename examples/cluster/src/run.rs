//! One whole run: the stream under the ladder, and again under the schemes that it is compared with. An audit ends each pass.

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
use crate::tally::Tally;
use crate::task::Task;

/// Killed by SIGINT, in the words of a shell.
pub(crate) const INTERRUPTED: u8 = 130;

/// What to run, and how.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) cluster: Inventory,
    pub(crate) tasks: Arc<[Task]>,
    pub(crate) workers: usize,
    pub(crate) pace: Pace,
    pub(crate) sabotage: Sabotage,
    /// Whether to run the stream under the other schemes as well.
    pub(crate) compare: bool,
    pub(crate) progress: Progress,
}

/// What came out of one pass through the stream.
#[derive(Debug)]
pub(crate) struct Pass {
    /// What kept the jobs out of each other's way, in words.
    pub(crate) scheme: &'static str,
    pub(crate) tally: Tally,
    pub(crate) wall: Duration,
    pub(crate) most_at_once: usize,
}

/// What came out of it all.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) ladder: Pass,
    /// Nothing if it was not wanted, or if a pass before it did not end well. So for the next.
    pub(crate) one_by_one: Option<Pass>,
    pub(crate) one_mutex: Option<Pass>,
    pub(crate) violations: Violations,
    pub(crate) interrupted: bool,
}

/// Carries out the plan. Ctrl-C makes it hand out no more jobs, a second one ends the program.
pub(crate) async fn carry_out(plan: &Plan) -> Findings {
    let stopped = Arc::new(AtomicBool::new(false));
    let mut passes = pin!(all_passes(plan, &stopped));
    tokio::select! {
        // In this order, so that the signal is listened for before the first job begins.
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
        // Where signals cannot be caught, the default stays: the program ends.
        pending::<()>().await;
    }
}

async fn all_passes(plan: &Plan, stopped: &Arc<AtomicBool>) -> Findings {
    let ladder = Guarding::Ladder(Ladder::new(&plan.cluster, plan.sabotage));
    let (ladder, violations) = one_pass(plan, stopped, ladder).await;
    let interrupted = stopped.load(Relaxed);
    let mut findings = Findings { ladder, one_by_one: None, one_mutex: None, violations, interrupted };
    let one_by_one = Guarding::OneByOne(OneByOne::new(&plan.cluster).into());
    findings.one_by_one = compare(plan, stopped, one_by_one, &mut findings).await;
    findings.one_mutex = compare(plan, stopped, Guarding::OneMutex(Mutex::new(())), &mut findings).await;
    findings
}

/// One more pass, under another scheme. After a violation or an interruption, and without jobs, there is nothing to
/// compare.
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
    let site = Arc::new(Site {
        store: Store::new(plan.cluster.clone()),
        ledger: Ledger::new(resources(&plan.cluster)),
        pace: plan.pace,
    });
    let queue = Arc::new(Queue::new(Arc::clone(&plan.tasks), Arc::clone(stopped)));
    let (jobs, workers, scheme) = (queue.len(), plan.workers, guarding.name());
    plan.progress.say(&format!("{jobs} jobs through {workers} workers under {scheme}"));
    let guarding = Arc::new(guarding);
    let begun = Instant::now();
    let tally = tokio::select! {
        tally = queue::run(&queue, workers, &site, &guarding) => tally,
        never = plan.progress.follow(scheme, &queue) => match never {},
    };
    let pass = Pass { scheme, tally, wall: begun.elapsed(), most_at_once: site.ledger.most_at_work() };
    site.ledger.audit("the configuration", &site.store.read(resources));
    if let Some(names) = guarding.names() {
        site.ledger.audit("the locks", &names);
    }
    (pass, site.ledger.violations())
}

/// Everything in `cluster` that jobs work on.
pub(crate) fn resources(cluster: &Inventory) -> BTreeSet<Resource> {
    let instances = cluster.instance_names().map(|name| Resource::instance(name));
    instances.chain(cluster.node_names().map(|name| Resource::node(name))).collect()
}
