//! One whole run: the stream under the ladder, the audit, the stream under one mutex.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::desk::{Pace, Site};
use crate::inventory::{Inventory, Store};
use crate::ledger::{Ledger, Resource, Violations};
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
    /// Whether to run the stream under one mutex as well.
    pub(crate) compare: bool,
    pub(crate) progress: Progress,
}

/// What came out of one pass through the stream.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) tally: Tally,
    pub(crate) wall: Duration,
    pub(crate) most_at_once: usize,
}

/// What came out of it all.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) ladder: Pass,
    /// Nothing if it was not wanted, or if the first pass did not end well.
    pub(crate) one_mutex: Option<Pass>,
    pub(crate) violations: Violations,
    pub(crate) interrupted: bool,
}

/// Carries out the plan. Ctrl-C makes it hand out no more jobs, a second one ends the program.
pub(crate) async fn carry_out(plan: &Plan) -> Findings {
    let stopped = Arc::new(AtomicBool::new(false));
    let mut passes = pin!(both_passes(plan, &stopped));
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

async fn both_passes(plan: &Plan, stopped: &Arc<AtomicBool>) -> Findings {
    let ladder = Ladder::new(&plan.cluster, plan.sabotage);
    let guarding = Arc::new(Guarding::Ladder(ladder.clone()));
    let (pass, site) = one_pass(plan, stopped, guarding, "the lock ladder").await;
    site.ledger.audit("the configuration", &site.store.read(resources));
    site.ledger.audit("the locks", &ladder.names());
    let mut findings = Findings {
        ladder: pass,
        one_mutex: None,
        violations: site.ledger.violations(),
        interrupted: stopped.load(Relaxed),
    };
    // After a violation or an interruption, and without jobs, there is nothing to compare.
    let comparable = !plan.tasks.is_empty() && findings.violations.count == 0 && !findings.interrupted;
    if plan.compare && comparable {
        let guarding = Arc::new(Guarding::OneMutex(Mutex::new(())));
        let (pass, site) = one_pass(plan, stopped, guarding, "one global mutex").await;
        site.ledger.audit("the configuration", &site.store.read(resources));
        findings.violations.extend(site.ledger.violations());
        findings.one_mutex = Some(pass);
        findings.interrupted = stopped.load(Relaxed);
    }
    findings
}

async fn one_pass(
    plan: &Plan,
    stopped: &Arc<AtomicBool>,
    guarding: Arc<Guarding>,
    title: &'static str,
) -> (Pass, Arc<Site>) {
    let site = Arc::new(Site {
        store: Store::new(plan.cluster.clone()),
        ledger: Ledger::new(resources(&plan.cluster)),
        pace: plan.pace,
    });
    let queue = Arc::new(Queue::new(Arc::clone(&plan.tasks), Arc::clone(stopped)));
    let (jobs, workers) = (queue.len(), plan.workers);
    plan.progress.say(&format!("{jobs} jobs through {workers} workers under {title}"));
    let begun = Instant::now();
    let tally = tokio::select! {
        tally = queue::run(&queue, workers, &site, &guarding) => tally,
        never = plan.progress.follow(title, &queue) => match never {},
    };
    let pass = Pass { tally, wall: begun.elapsed(), most_at_once: site.ledger.most_at_work() };
    (pass, site)
}

/// Everything in `cluster` that jobs work on.
pub(crate) fn resources(cluster: &Inventory) -> BTreeSet<Resource> {
    let instances = cluster.instance_names().map(|name| Resource::instance(name));
    instances.chain(cluster.node_names().map(|name| Resource::node(name))).collect()
}
