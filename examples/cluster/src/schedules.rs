//! Runs a few opcodes in every order in which they can run: they never wait for each other in a circle, and the ledger
//! is content at each step.
//!
//! [Steps](lockladder_test_support::steps) and [states](lockladder_test_support::states) are those of the library's own
//! exploration (`tests/deadlock`). Opcodes do not report what they do. How far an opcode is follows from how often it
//! has paused (before each lock and at work, as its pace is zero), and from the configuration and the locks at each
//! moment at which it ran.
//!
//! `EXPLORE=all cargo test --release -p cluster schedules -- --nocapture` visits all triples, and plays more choices of
//! four.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lockladder_test_support::choices::choices;
use lockladder_test_support::environment::is_thorough;
use lockladder_test_support::states::{Findings, Scope, explore, story};
use lockladder_test_support::steps::{Condition, Moment, Scene};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::desk::{Desk, Pace, Site};
use crate::inventory::{Inventory, Store};
use crate::ledger::Ledger;
use crate::opcodes::{self, Ladder, Sabotage};
use crate::retries::Patience;
use crate::run::resources;
use crate::task::{Opcode, Task};

pub(crate) fn cluster() -> Inventory {
    let mut cluster = Inventory::default();
    for node in ["node1", "node2", "node3"] {
        cluster.add_node(node).expect("each name is new");
    }
    for (instance, [primary, secondary]) in
        [("web1", ["node1", "node2"]), ("web2", ["node2", "node3"]), ("web3", ["node3", "node1"])]
    {
        cluster.add_instance(instance, vec![primary.into(), secondary.into()]).expect("both nodes exist");
    }
    cluster
}

pub(crate) fn task(line: &str) -> Task {
    let value = serde_json::from_str(line).expect("this is JSON");
    Task::from_json(value).expect("this is a task")
}

/// Each opcode at least once. Several want the same names, and some must fail.
pub(crate) fn tasks() -> Vec<Task> {
    let lines = r#"
        {"op": "ClusterVerify"}
        {"op": "QueryInstances"}
        {"op": "QueryInstances", "instances": ["web2", "web1"]}
        {"op": "InstanceCreate", "instance": "web9", "nodes": ["node2", "node1"]}
        {"op": "InstanceCreate", "instance": "web9"}
        {"op": "InstanceCreate", "instance": "web9", "nodes": ["node3", "node1"], "fails": true}
        {"op": "InstanceRemove", "instance": "web1"}
        {"op": "InstanceFailover", "instance": "web1"}
        {"op": "InstanceFailover", "instance": "web2"}
        {"op": "ReplaceDisks", "instance": "web1", "new_secondary": "node3"}
        {"op": "ReplaceDisks", "instance": "web2"}
        {"op": "NodeAdd", "node": "node4"}
        {"op": "VerifyDisks"}
        {"op": "SetClusterParams", "parameter": "pool_size", "value": "7"}
        {"op": "RedistributeConfig"}
        {"op": "DiagnoseOS"}
        {"op": "QueryNodeVolumes", "nodes": ["node2", "node1"]}
        {"op": "NodeRemove", "node": "node4"}
        {"op": "NodeSetParams", "node": "node1", "drained": true}
        {"op": "InstanceMigrate", "instance": "web1"}
        {"op": "ActivateDisks", "instance": "web2"}
        {"op": "GrowDisk", "instance": "web1", "by_mib": 1024}
        {"op": "SetInstanceParams", "instance": "web1", "memory_mib": 2048}
        {"op": "InstanceStartup", "instance": "web1"}
        {"op": "InstanceShutdown", "instance": "web1"}
        {"op": "InstanceReboot", "instance": "web2"}
        {"op": "InstanceReinstall", "instance": "web1"}
        {"op": "ExportInstance", "instance": "web1", "node": "node3"}
        {"op": "RemoveExport", "instance": "web1"}
        {"op": "TestDelay", "nodes": ["node3", "node1"]}
        {"op": "RenameCluster", "name": "cluster2"}
        {"op": "DestroyCluster"}
        {"op": "InstanceRename", "instance": "web1", "new_name": "web9"}
        {"op": "InstanceRename", "instance": "web2", "new_name": "web3"}
    "#;
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    lines.map(task).collect()
}

/// The tasks of the exploration. Where several opcodes climb by the same function, one of them is enough, unless all is
/// explored.
fn explored() -> Vec<Task> {
    let has_twin = |task: &Task| {
        matches!(
            task.opcode(),
            Opcode::VerifyDisks
                | Opcode::RedistributeConfig
                | Opcode::DiagnoseOS
                | Opcode::ActivateDisks
                | Opcode::SetInstanceParams
                | Opcode::InstanceMigrate
                | Opcode::InstanceStartup
                | Opcode::InstanceReboot
                | Opcode::InstanceReinstall
                | Opcode::RenameCluster
        )
    };
    tasks().into_iter().filter(|task| is_thorough() || !has_twin(task)).collect()
}

/// Whether the ledger is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audit {
    EachStep,
    /// A job that is dropped half way leaves the ledger inconsistent.
    Never,
}

/// The tasks, not begun yet, in a cluster of their own.
fn begin(tasks: &[Task], sabotage: Sabotage, audit: Audit) -> Scene {
    let cluster = cluster();
    let ladder = Ladder::new(&cluster, sabotage);
    let site = Arc::new(Site {
        ledger: Ledger::new(resources(&cluster)),
        store: Store::new(cluster),
        pace: Pace { step: Duration::ZERO, seed: 0 },
        patience: Patience::Endless,
    });
    let (seen, locks) = (Arc::clone(&site), ladder.clone());
    let mut scene =
        Scene::untold(move || format!("{} {:?}", seen.store.read(|cluster| format!("{cluster:?}")), locks.names()));
    if audit == Audit::EachStep {
        let (site, ladder) = (Arc::clone(&site), ladder.clone());
        scene = scene.audited(move |moment| {
            if moment == Moment::InTheEnd {
                site.ledger.audit("the configuration", &site.store.read(resources));
                site.ledger.audit("the locks", &ladder.names());
            }
            let violations = site.ledger.violations();
            let told: Vec<_> = violations.first.iter().map(ToString::to_string).collect();
            assert_eq!(told, [""; 0]);
        });
    }
    for (number, task) in tasks.iter().cloned().enumerate() {
        let (site, ladder) = (Arc::clone(&site), ladder.clone());
        scene.enter(move |watch| async move {
            let mut desk = Desk::new(&site, number, task.to_string(), None);
            let result = opcodes::run(&mut desk, &ladder, &task).await;
            let (account, ..) = desk.clear();
            account.close(result.is_ok(), task.effect());
            watch.says(&format!("{task}: {result:?}"));
        });
    }
    scene
}

/// Explores one in `one_of` of the choices of `jobs` tasks. A choice may have a task more than once.
fn survey(jobs: usize, one_of: usize, scope: Scope, audit: Audit) {
    let (mut findings, clock) = (Findings::default(), Instant::now());
    for tasks in choices(explored(), jobs).step_by(one_of) {
        let begin = || begin(&tasks, Sabotage::None, audit);
        let (found, deadlock) = explore(&begin, scope);
        findings.add(&found);
        assert_eq!(deadlock, None, "all wait: {tasks:?}\n{}", story(&begin, &deadlock.clone().unwrap_or_default()));
    }
    println!("{jobs} opcodes: {findings}; {:.1?}", clock.elapsed());
    assert_eq!(findings.most_waiting, jobs - 1, "all but one wait at times");
}

#[test]
fn two_opcodes_never_wait_for_each_other_and_keep_the_ledger_content() {
    survey(2, 1, Scope::default(), Audit::EachStep);
}

#[test]
fn three_opcodes_never_wait_for_each_other_and_keep_the_ledger_content() {
    survey(3, if is_thorough() { 1 } else { 1355 }, Scope::default(), Audit::EachStep);
}

/// Four tasks have too many states: each choice is played in a few random schedules, the same in every run.
#[test]
fn four_opcodes_come_to_their_ends_in_random_schedules() {
    let (one_of, schedules) = if is_thorough() { (1, 100) } else { (1940, 10) };
    let (mut rng, mut played, mut most_waiting) = (StdRng::seed_from_u64(4), 0, 0);
    for tasks in choices(explored(), 4).step_by(one_of) {
        let begin = || begin(&tasks, Sabotage::None, Audit::EachStep);
        for _ in 0..schedules {
            let (mut scene, mut steps) = (begin(), Vec::new());
            while let Some(step) = scene.possible(false).choose(&mut rng) {
                steps.push(*step);
                scene.play(*step);
                most_waiting = most_waiting.max(scene.conditions().filter(|one| *one == Condition::Waiting).count());
            }
            assert!(!scene.is_stuck(), "all wait: {tasks:?}\n{}", story(&begin, &steps));
            played += 1;
        }
    }
    println!("4 opcodes: {played} schedules, at most {most_waiting} wait at once");
    assert_eq!(most_waiting, 3, "all but one wait at times");
}

#[test]
fn an_opcode_that_is_dropped_while_it_waits_keeps_nobody_waiting() {
    survey(2, if is_thorough() { 1 } else { 29 }, Scope { with_drops: true, one_by_one: false }, Audit::Never);
}

/// See [states](lockladder_test_support::states).
#[test]
fn states_that_are_taken_for_the_same_are_the_same() {
    for tasks in choices(explored(), 2).step_by(if is_thorough() { 1 } else { 71 }) {
        let begin = || begin(&tasks, Sabotage::None, Audit::EachStep);
        let (merged, _) = explore(&begin, Scope::default());
        let (single, _) = explore(&begin, Scope { one_by_one: true, ..Scope::default() });
        assert_eq!((merged.schedules, merged.deadlocks), (single.schedules, single.deadlocks));
    }
}

#[test]
#[should_panic(expected = "held no lock on it")]
fn a_failover_that_forgets_its_node_locks_is_noticed() {
    let tasks = tasks().into_iter().filter(|task| task.to_string() == "InstanceFailover web1").collect::<Vec<_>>();
    explore(&|| begin(&tasks, Sabotage::Failovers, Audit::EachStep), Scope::default());
}
