//! The table as text: as wide as it should be, for people, and never longer than they read.

use super::{manager, session};
use lockladder::ganeti::seed::{Instance, Node};
use lockladder::{All, LockManager, LockSet, LockTable, OpenSet, SharedLock};
use std::time::Duration;
use tokio::time::advance;
use tokio_test::task::spawn as mock;
use tokio_test::{assert_pending, block_on};

/// The lines of the table without the time of day, with sessions numbered as they are listed here.
fn lines(table: &LockTable, labels: &[&str]) -> Vec<String> {
    let mut text = format!("{table:100}");
    for (at, label) in labels.iter().enumerate() {
        text = text.replace(&format!("(#{})", session(table, label).id), &format!("(#{})", at + 1));
    }
    let (head, rest) = text.split_once('\n').unwrap();
    let head = head.rsplit_once("  ").unwrap().0.trim_end();
    std::iter::once(head).chain(rest.lines()).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_jam_is_shown_with_its_root_its_line_and_its_places() {
    let manager = manager();
    let line = line!() + 1;
    let close = manager.shared("close month").await.unwrap().exclusive::<Instance>("web1").await.unwrap();
    advance(Duration::from_millis(400)).await;
    let transfer = manager.shared("transfer").await.unwrap();
    let mut transfer = mock(transfer.shared::<Instance>(["web1", "web2"]));
    assert_pending!(transfer.poll());
    advance(Duration::from_secs(3)).await;
    let refund = manager.shared("refund").await.unwrap();
    let mut refund = mock(refund.exclusive::<Instance>("web1"));
    assert_pending!(refund.poll());
    advance(Duration::from_secs(9)).await;

    let shown = lines(&manager.locks(), &["close month", "transfer", "refund"]);
    let expected = [
        "Seed  3 sessions, 2 waiting, longest 12.0 s".to_owned(),
        "  level     name  mode  holder            held    asked at, and who waits, in order".to_owned(),
        format!(
            "▶ Instance  web1  X     close month (#1)  12.4 s  shown.rs:{line} · transfer (#2) S 12.0 s · and 1 more"
        ),
        "▶ Instance  web2        free                      transfer (#2) S 12.0 s".to_owned(),
        "  Cluster   –     S     3 sessions".to_owned(),
        format!(
            "jam: close month (#1) holds Instance web1 for 12.4 s and waits for no lock: see shown.rs:{line}; 2 sessions are behind it"
        ),
    ];
    assert_eq!(shown, expected, "\n{}", shown.join("\n"));
    let table = manager.locks();
    assert!(format!("{table:#}").contains("refund"), "all of it is shown");
    assert!(format!("{table:60}").lines().skip(1).take(2).all(|line| line.chars().count() <= 90));
    drop((close, transfer, refund));
}

#[test]
fn names_are_in_natural_order_and_the_ones_that_are_awaited_come_first() {
    let set: LockSet<String> = LockSet::new(["node1", "node2", "node10", "node20"]);
    let _held = block_on(set.shared(All)).unwrap();
    let mut one = mock(set.exclusive("node20"));
    assert_pending!(one.poll());
    let some = block_on(async { set.try_shared("node1") });
    assert!(some.is_ok());
    let table = set.locks();
    let names: Vec<_> = table.locks.iter().map(|row| row.name.as_deref()).collect();
    assert_eq!(names, [Some("node20"), None, Some("node1")], "{table}");
    let open: OpenSet<u32> = OpenSet::new();
    let _held = block_on(open.exclusive([10, 9, 100])).unwrap();
    let names: Vec<_> = open.locks().locks.into_iter().filter_map(|row| row.name).collect();
    assert_eq!(names, ["9", "10", "100"]);
}

#[test]
fn a_table_of_many_locks_is_counted_by_level_and_a_hold_of_many_names_is_shortened() {
    let names: Vec<String> = (0..3_000).map(|name| format!("node{name}")).collect();
    let manager: LockManager<lockladder::ganeti::seed::Seed> = LockManager::builder().names::<Node>(&names).build();
    let mut jobs = Vec::new();
    for name in &names[..100] {
        jobs.push(block_on(async { manager.shared("job").await.unwrap().shared::<Node>(name).await.unwrap() }));
    }
    let job = block_on(async { manager.shared("many").await.unwrap().shared::<Node>(&names[100..]).await.unwrap() });
    let table = manager.locks();
    let hold = session(&table, "many").holds.last().unwrap().clone();
    assert_eq!((hold.names.len(), hold.more), (16, 2_884));
    let text = table.to_string();
    assert!(text.lines().count() < 50 && text.contains("locks more of level Node"), "{text}");
    let mut late = mock(async { manager.shared("late").await.unwrap().exclusive::<Node>("node2999").await });
    assert_pending!(late.poll());
    let table = manager.locks();
    assert_eq!(table.roots()[0].label, "many", "its name is found among thousands");
    drop((jobs, job));
}

#[test]
fn what_a_name_says_cannot_begin_a_line_or_fill_the_table() {
    let set: LockSet<String> = LockSet::new(["a\nb\u{202e}", &"x".repeat(10_000)]);
    let _held = block_on(set.exclusive(All)).unwrap();
    let mut late = mock(set.exclusive(["a\nb\u{202e}".to_owned(), "x".repeat(10_000)]));
    assert_pending!(late.poll());
    let text = set.locks().to_string();
    assert!(text.contains("a\\nb\\u{202e}") && text.len() < 2_000, "{text}");
    let manager = manager();
    let _job = block_on(async { manager.shared("two\nlines\u{1b}[31m").await.unwrap().shared::<Node>("node1").await });
    let text = manager.locks().to_string();
    assert!(text.contains("two\\nlines\\u{1b}[31m"), "{text}");
}

#[test]
fn an_empty_table_says_so() {
    assert!(manager().locks().to_string().contains("nothing is held, and no request waits"));
}

#[test]
fn a_lock_shows_its_holders_its_line_and_its_end() {
    let lock = SharedLock::new(());
    let (one, two) = (block_on(lock.shared()).unwrap(), block_on(lock.shared()).unwrap());
    assert_eq!(lock.snapshot().holders, 2);
    drop((one, two));
    block_on(lock.delete()).unwrap();
    assert!(lock.snapshot().removed);
}
