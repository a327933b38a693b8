//! Each opcode holds what its row in the table says, and nothing else, at each of its steps.

use std::pin::pin;
use std::task::Context;
use std::time::Duration;

use lockladder::{ErrorKind, Priority};
use lockladder_test_support::wakers::Alarm;

use super::*;
use crate::desk::{Pace, Site};
use crate::inventory::Store;
use crate::ledger::Ledger;
use crate::queue::do_job;
use crate::retries::{Attempt, Patience};
use crate::run::resources;
use crate::schedules::{cluster, task};

/// How the cluster, the instances `web1`, `web2` and `web9`, and the nodes `node1`, `node2` and `node3` are held: `s` is
/// shared, `x` exclusive, `-` free, `.` not there, `*` not to be seen while a job has the cluster to itself.
fn holds(ladder: &Ladder) -> String {
    let cluster = mode(|| ladder.locks.try_exclusive("probe").map(drop), || ladder.locks.try_shared("probe").map(drop));
    if cluster == 'x' {
        return "x *** ***".to_owned();
    }
    let session = || ladder.locks.try_shared("probe").expect("the cluster is not held exclusively");
    let instance = |name| {
        let exclusive = || session().try_exclusive::<Instance>([name]).map(drop);
        mode(exclusive, || session().try_shared::<Instance>([name]).map(drop))
    };
    let node = |name| {
        let exclusive = || session().try_exclusive::<Node>([name]).map(drop);
        mode(exclusive, || session().try_shared::<Node>([name]).map(drop))
    };
    let instances: String = ["web1", "web2", "web9"].into_iter().map(instance).collect();
    let nodes: String = ["node1", "node2", "node3"].into_iter().map(node).collect();
    format!("{cluster} {instances} {nodes}")
}

fn mode(
    exclusive: impl Fn() -> Result<(), lockladder::SessionError>,
    shared: impl Fn() -> Result<(), lockladder::SessionError>,
) -> char {
    match (exclusive(), shared()) {
        (Ok(()), _) => '-',
        (_, Ok(())) => 's',
        (_, Err(error)) if error.kind() == ErrorKind::Busy => 'x',
        _ => '.',
    }
}

/// What `line` holds after each of its steps, without repetitions.
fn steps(line: &str) -> Vec<String> {
    let (before, task) = (cluster(), task(line));
    let site = Site {
        ledger: Ledger::new(resources(&before)),
        store: Store::new(before.clone()),
        pace: Pace { step: Duration::ZERO, seed: 0 },
        patience: Patience::Endless,
    };
    let ladder = Ladder::new(&before, Sabotage::None);
    let guarding = ladder.clone().into();
    let mut job = pin!(do_job(&site, &guarding, 1, &task, None));
    let waker = Alarm::ringing().waker();
    let (mut seen, mut context) = (Vec::new(), Context::from_waker(&waker));
    while job.as_mut().poll(&mut context).is_pending() {
        seen.push(holds(&ladder));
    }
    seen.push(holds(&ladder));
    seen.dedup();
    seen
}

#[test]
fn each_opcode_climbs_and_releases_as_its_row_says() {
    let free = "- --. ---";
    let looks = ["s --. ---", "s ss. ---", "s ss. sss"];
    let on_nodes = ["s --. ---", "s --. sss"];
    let moves = ["s --. ---", "s x-. ---", "s x-. xx-"];
    let changes = ["s --. ---", "s x-. ---", "s x-. xx-", "s s-. xx-"];
    let one = ["s --. ---", "s x-. ---"];
    let rows: &[(&str, &[&str], &str)] = &[
        (r#"{"op": "ClusterVerify"}"#, &looks, free),
        (r#"{"op": "VerifyDisks"}"#, &looks, free),
        (r#"{"op": "SetClusterParams", "parameter": "pool_size", "value": "7"}"#, &on_nodes, free),
        (r#"{"op": "RedistributeConfig"}"#, &on_nodes, free),
        (r#"{"op": "DiagnoseOS"}"#, &on_nodes, free),
        (r#"{"op": "QueryNodeVolumes", "nodes": ["node3"]}"#, &["s --. ---", "s --. --s"], free),
        (r#"{"op": "NodeAdd", "node": "node4"}"#, &["x *** ***"], free),
        (r#"{"op": "NodeRemove", "node": "node1"}"#, &[], free), // It is in use, so this is refused before it works.
        (r#"{"op": "NodeSetParams", "node": "node3", "drained": true}"#, &["s --. ---", "s --. --x"], free),
        (
            r#"{"op": "InstanceCreate", "instance": "web9", "nodes": ["node1", "node3"]}"#,
            &["s --. ---", "s --x ---", "s --x x-x", "s --x ---"],
            "- --- ---",
        ),
        (
            r#"{"op": "InstanceCreate", "instance": "web9"}"#,
            &["s --. ---", "s --x ---", "s --x xxx", "s --x ---"],
            "- --- ---",
        ),
        (
            r#"{"op": "InstanceCreate", "instance": "web9", "fails": true}"#,
            &["s --. ---", "s --x ---", "s --x xxx"],
            free,
        ),
        (r#"{"op": "InstanceRemove", "instance": "web1"}"#, &moves, "- .-. ---"),
        (r#"{"op": "InstanceFailover", "instance": "web1"}"#, &moves, free),
        (r#"{"op": "InstanceMigrate", "instance": "web1"}"#, &moves, free),
        (r#"{"op": "ActivateDisks", "instance": "web1"}"#, &changes, free),
        (r#"{"op": "GrowDisk", "instance": "web1", "by_mib": 1024}"#, &changes, free),
        (r#"{"op": "SetInstanceParams", "instance": "web1", "memory_mib": 2048}"#, &changes, free),
        (
            r#"{"op": "ReplaceDisks", "instance": "web1", "new_secondary": "node3"}"#,
            &["s --. ---", "s x-. ---", "s x-. xxx"],
            free,
        ),
        (r#"{"op": "ReplaceDisks", "instance": "web1"}"#, &["s --. ---", "s x-. ---", "s x-. xxx"], free),
        (r#"{"op": "InstanceStartup", "instance": "web1"}"#, &one, free),
        (r#"{"op": "InstanceShutdown", "instance": "web1"}"#, &one, free),
        (r#"{"op": "InstanceReboot", "instance": "web1"}"#, &one, free),
        (r#"{"op": "InstanceReinstall", "instance": "web1"}"#, &["s --. ---"], free), // Refused: it runs.
        (r#"{"op": "InstanceRename", "instance": "web1", "new_name": "web9"}"#, &["x *** ***"], "- .-- ---"),
        (r#"{"op": "QueryInstances"}"#, &looks, free),
        (r#"{"op": "QueryInstances", "instances": ["web1"]}"#, &["s --. ---", "s s-. ---", "s s-. ss-"], free),
        (
            r#"{"op": "ExportInstance", "instance": "web1", "node": "node3"}"#,
            &["s --. ---", "s x-. ---", "s x-. xxx"],
            free,
        ),
        (r#"{"op": "RemoveExport", "instance": "web1"}"#, &["s --. ---", "s --. xxx"], free),
        (r#"{"op": "TestDelay", "nodes": ["node3", "node1"]}"#, &["s --. ---", "s --. x-x"], free),
        (r#"{"op": "RenameCluster", "name": "cluster2"}"#, &["x *** ***"], free),
        (r#"{"op": "DestroyCluster"}"#, &[], free), // It is not empty, so this is refused before it works.
    ];
    for (line, held, left) in rows {
        let mut expected = vec![free];
        expected.extend(*held);
        expected.push(left);
        expected.dedup();
        assert_eq!(steps(line), expected, "{line}");
    }
    let opcodes: BTreeSet<_> = rows.iter().map(|(line, ..)| task(line).opcode()).collect();
    assert_eq!(opcodes.len(), <crate::task::Opcode as strum::VariantArray>::VARIANTS.len(), "each opcode has a row");
}

#[test]
fn a_job_that_has_become_more_urgent_is_granted_its_locks_before_those_that_came_earlier() {
    let before = cluster();
    let site = Site {
        ledger: Ledger::new(resources(&before)),
        store: Store::new(before.clone()),
        pace: Pace { step: Duration::ZERO, seed: 0 },
        patience: Patience::Endless,
    };
    let ladder = Ladder::new(&before, Sabotage::None);
    let task = task(r#"{"op": "NodeSetParams", "node": "node1", "drained": true}"#);
    let holder = ladder.locks.try_shared("holder").and_then(|session| session.try_exclusive::<Node>(["node1"]));
    let mut desks = [0, -1].map(|priority| {
        let mut desk = Desk::new(&site, 1, format!("job of priority {priority}"), None);
        desk.tries(Attempt { priority: Priority::new(priority), wait: None });
        desk
    });
    let [calm, urgent] = &mut desks;
    let (mut calm, mut urgent) = (pin!(run(calm, &ladder, &task)), pin!(run(urgent, &ladder, &task)));
    let alarms = [Alarm::ringing(), Alarm::ringing()];
    let wakers = alarms.each_ref().map(Alarm::waker);
    for _ in 0..4 {
        assert!(calm.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
    }
    for _ in 0..4 {
        assert!(urgent.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());
    }
    alarms[0].hush();
    alarms[1].hush();
    drop(holder);
    assert_eq!(alarms.map(|alarm| alarm.rings()), [false, true]);
}
