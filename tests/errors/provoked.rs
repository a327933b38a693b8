//! Each variant of each error, provoked, but for three that no program reaches; and the text that it must have.

use crate::{Any, Many, SHORTLY};
use lockladder::ganeti::seed::{Instance, Node};
use lockladder::{
    AcquireError, All, ErrorKind, LockManager, LockMode, OrderError, Priority, SessionError, Shared, SharedLock,
    TryAcquireError,
};
use lockladder_test_support::requests::{now, waiting};
use lockladder_test_support::small::{abc, two_nodes};
use std::any::type_name;
use std::fmt::Debug;
use std::mem::forget;
use tokio_test::assert_ready_err;

/// An error that has been provoked.
pub(crate) struct Seen {
    pub variant: String,
    pub kind: ErrorKind,
    pub text: String,
    pub expected: &'static str,
}

macro_rules! seen {
    ($result:expr, $expected:expr) => {{
        let error = $result.map(drop).unwrap_err();
        Seen { variant: variant(&error), kind: error.kind(), text: error.to_string(), expected: $expected }
    }};
}

/// Such as `SetError::Unknown`.
fn variant<E: Debug>(error: &E) -> String {
    let path = type_name::<E>().split('<').next().unwrap();
    let name = path.rsplit("::").next().unwrap();
    let variant: String = format!("{error:?}").chars().take_while(|char| char.is_alphanumeric()).collect();
    if variant == name { variant } else { format!("{name}::{variant}") }
}

async fn of_one_lock() -> Vec<Seen> {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let late = lock.shared().timeout(SHORTLY).await;
    let blocked = lock.try_shared();
    held.delete();
    vec![
        seen!(late, "gave up on the lock after 50ms: others hold it or come first; wait longer, or try again later"),
        seen!(blocked, "the lock cannot be acquired without waiting: try again later, or wait for it"),
        seen!(lock.shared().await, "the lock has been deleted: it can no longer be acquired; use another one"),
        seen!(lock.try_shared(), "the lock has been deleted: it can no longer be acquired; use another one"),
        seen!(
            Err::<(), _>(AcquireError::TooManySharers), // `src/lock/tests.rs` provokes it.
            "the lock has too many sharers to count one more: look for guards that are forgotten"
        ),
        seen!(
            Err::<(), _>(TryAcquireError::TooManySharers),
            "the lock has too many sharers to count one more: look for guards that are forgotten"
        ),
        seen!(Priority::try_from(20), "priority 20 is outside of -20..=19"),
    ]
}

async fn of_a_set() -> Vec<Seen> {
    let set = abc();
    let mut a = set.try_exclusive("a").unwrap();
    let late = set.shared(["a", "b"]).timeout(SHORTLY).await;
    let blocked = set.try_exclusive(["c", "a"]);
    let whole = set.try_shared(All);
    let mut removed = waiting(set.shared("a"));
    let (unheld, twice) = (a.release("b"), a.get_disjoint_mut(["a", "a"]));
    let mut seen = vec![
        seen!(
            late,
            r#"gave up on shared locks after 50ms, blocked on ["a"]: others hold them or come first; wait longer, or try again later"#
        ),
        seen!(
            blocked,
            r#"cannot acquire exclusive locks without waiting, blocked on ["a"]: others hold them or come first; wait for them, or try again later"#
        ),
        seen!(
            whole,
            r#"cannot acquire shared locks without waiting, blocked on ["a"]: others hold them or come first; wait for them, or try again later"#
        ),
        seen!(unheld, r#"this guard does not hold ["b"]: nothing was done; name only what `names()` lists"#),
        seen!(twice, r#"cannot give out the value of "a" twice: name each lock once"#),
        seen!(set.try_shared("x"), r#"there is no lock named "x" in this set: add it first, or leave it out"#),
        seen!(
            set.shared(["a", "x"]).at_least(2).await,
            "asked for at least 2 names, but only 1 of those listed exist: add more of them, or ask for fewer"
        ),
        seen!(
            a.add_held("d"),
            "this guard does not hold the whole set, so it cannot add to it: acquire `All` exclusively, and release no part"
        ),
        seen!(
            set.add(["a", "d"]).await,
            r#"cannot add ["a"]: already in this set; nothing was added; leave them out, or acquire them"#
        ),
        seen!(set.add(["d", "d"]).await, r#"cannot add ["d"] twice in one call; nothing was added; name each once"#),
    ];
    a.remove("a").unwrap();
    seen.push(seen!(
        Err::<(), _>(assert_ready_err!(removed.poll())),
        r#"the lock named "a" was removed while this request waited for it: look again whether it is still wanted"#
    ));
    drop(a);
    let _whole = set.try_shared(All).unwrap();
    seen.push(seen!(
        set.add("d").timeout(SHORTLY).await,
        "gave up on adding after 50ms: others hold the set as a whole or come first; nothing was added; wait longer, or try again later"
    ));
    seen
}

async fn of_a_session() -> Vec<Seen> {
    let manager = two_nodes();
    let mut job = manager.try_shared("job").unwrap().try_exclusive::<Node>("node1").unwrap();
    let sharer = || manager.try_shared("sharer").unwrap();
    let late = sharer().shared::<Node>(All).timeout(SHORTLY).await;
    let mut removed = waiting(sharer().shared::<Node>("node1"));
    let mut seen = vec![
        seen!(
            late,
            "gave up on level Node, shared, after 50ms, blocked on `node1`, held by `job` for 50 ms (here): others hold it or come first; wait longer, or try again later"
        ),
        seen!(
            manager.try_exclusive("alone"),
            "cannot acquire level Cluster, exclusive, without waiting: others hold it or come first; wait for it, or try again later"
        ),
        seen!(
            sharer().try_exclusive::<Node>(["node2", "node1"]),
            "cannot acquire level Node, exclusive, without waiting, blocked on `node1`: others hold it or come first; wait for it, or try again later"
        ),
        seen!(
            sharer().try_shared::<Node>("node9"),
            "level Node has no lock named `node9`: add it first, or leave it out"
        ),
        seen!(
            sharer().shared::<Node>(["node1", "node9"]).at_least(2).await,
            "asked for at least 2 names of level Node, but only 1 of those listed exist: add more of them, or ask for fewer"
        ),
        seen!(
            job.release_names::<Node>(["node1", "node2"]),
            "this session does not hold `node2` of level Node: nothing was done; name only what it owns"
        ),
        seen!(
            job.get_disjoint_mut::<Node, _>(["node1", "node1"]),
            "`node1` of level Node named more than once in one call: name each once; nothing was done"
        ),
        seen!(
            job.add_held::<Node>("node3"),
            "cannot add to level Node while holding only a part of it: acquire `All` of it exclusively, and release no part"
        ),
        seen!(
            sharer().add::<Node>(["node1", "node3"]).await,
            "cannot add `node1` to level Node: already there; nothing was added; leave them out, or acquire them"
        ),
        seen!(
            Err::<(), _>(SessionError::TooManySharers { level: "Cluster" }),
            "the root Cluster has too many sharers to count one more: look for sessions that are forgotten"
        ),
    ];
    job.remove_held::<Node>("node1").unwrap();
    seen.push(seen!(
        Err::<(), _>(assert_ready_err!(removed.poll())),
        "lock `node1` of level Node was removed while this session waited for it: look again whether it is still wanted"
    ));
    seen
}

async fn of_flows_that_would_wait_for_themselves() -> Vec<Seen> {
    let manager = two_nodes();
    let mut job = manager.try_shared("job").unwrap();
    forget(job.nest().try_exclusive::<Node>("node1").unwrap());
    let second = manager.scope("outer", Shared, async |_job| manager.try_shared("inner").map(drop)).await.unwrap();
    vec![
        seen!(
            job.nest().try_shared::<Instance>("web1"),
            "this session holds or awaits level Node already, in a nested session or a request that was forgotten: waiting for level Instance would be waiting for itself; drop what it nests, and never forget it"
        ),
        seen!(
            second,
            "cannot begin session `inner` inside of session `outer`: with both, this flow could wait for itself; use the session that it has, or one nested in it"
        ),
    ]
}

fn of_levels_out_of_order() -> Vec<Seen> {
    let manager = two_nodes();
    let mut job = now(manager.dynamic("job", LockMode::Shared)).unwrap();
    job.try_acquire::<Instance>(All, LockMode::Exclusive).unwrap();
    let unheld = job.release::<Node>();
    job.try_acquire::<Node>("node1", LockMode::Shared).unwrap();
    let many: LockManager<Many> = LockManager::builder().build();
    let open = now(many.dynamic("open", LockMode::Shared)).unwrap().try_acquire::<Any>(All, LockMode::Shared);
    let not_above = "lock order violation: cannot acquire, add to or remove from level `Instance` while holding level \
                     `Node`: acquire levels in increasing order, all names of a level in one call; release `Node` first";
    let not_top = "level `Instance` is not the highest level held by this session: release level `Node` first";
    vec![
        seen!(unheld, "this session does not hold level `Node`: acquire it first"),
        seen!(job.downgrade::<Node>(), "this session does not hold level `Node` exclusively: acquire it in that mode"),
        seen!(job.try_acquire::<Instance>("web1", LockMode::Shared), not_above),
        seen!(job.try_acquire::<Instance>("web1", LockMode::Shared).map_err(the_order), not_above),
        seen!(job.add_held::<Instance>("web2").map_err(the_order), not_top),
        seen!(
            open.map_err(the_order),
            "level `Any` is open: every name exists, so there is no whole of it to take; name the locks that you need"
        ),
    ]
}

/// The error of the levels' order inside.
fn the_order(error: SessionError) -> OrderError {
    match error {
        SessionError::Order(error) => error,
        other => panic!("{other}"),
    }
}

pub(crate) async fn every_error() -> Vec<Seen> {
    let mut seen = of_one_lock().await;
    seen.extend(of_a_set().await);
    seen.extend(of_a_session().await);
    seen.extend(of_flows_that_would_wait_for_themselves().await);
    seen.extend(of_levels_out_of_order());
    seen
}
