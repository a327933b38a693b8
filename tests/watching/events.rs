//! The span of each acquisition, and the events in it.

use super::collector::Collector;
use super::{manager, ms, next_line};
use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, LockManager, LockMode, Priority, SessionError};
use lockladder_test_support::requests::waiting;
use std::pin::pin;
use tokio::time::advance;
use tokio_test::assert_ready_ok;
use tokio_test::task::spawn as mock;
use tracing::Level;

#[tokio::test(start_paused = true)]
async fn an_acquisition_is_a_span_that_says_what_is_asked_for_by_which_session_and_where() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let job = manager.shared("reboot").await.unwrap();
    let place = next_line!();
    let job = job.exclusive::<Node>(["node2", "node1"]).priority(Priority::new(-3)).await.unwrap();

    let span = heard.span("Node");
    assert_eq!(span.name, "lock.acquire");
    let session = manager.locks().sessions[0].id.to_string();
    for (field, value) in [
        ("hierarchy", "Seed"),
        ("level", "Node"),
        ("names", "[\"node2\", \"node1\"]"),
        ("mode", "exclusive"),
        ("priority", "-3"),
        ("session", &session),
        ("label", "reboot"),
    ] {
        assert_eq!(span.fields[field], value, "{field}");
    }
    assert!(span.fields["place"].starts_with(&place), "{} is not {place}", span.fields["place"]);
    let root = heard.span("Cluster");
    assert_eq!((root.fields["mode"].as_str(), root.fields.get("names")), ("shared", None));
    drop(job);
}

#[tokio::test(start_paused = true)]
async fn a_grant_says_how_long_it_was_waited_for_and_a_release_how_long_it_was_held() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut late = waiting(manager.shared("late").await.unwrap().shared::<Node>("node1"));
    advance(ms(300)).await;
    drop(busy);
    let late = assert_ready_ok!(late.poll());
    advance(ms(2_000)).await;
    assert!(heard.spans().iter().any(|span| !span.is_closed));
    drop(late);

    let story = ["Cluster granted", "Node granted", "Cluster granted"];
    let end = ["Node released", "Cluster released", "Node granted", "Node released", "Cluster released"];
    assert_eq!(heard.story(), [&story[..], &end].concat());
    let figures = |name, field| heard.told(name).iter().map(|told| told.fields[field].clone()).collect::<Vec<_>>();
    assert_eq!(figures("granted", "waited_ms"), ["0", "0", "0", "300"]);
    assert_eq!(figures("released", "held_ms"), ["300", "300", "2000", "2300"]);
    assert!(heard.events().iter().all(|event| event.level == Level::DEBUG));
    assert!(heard.spans().iter().all(|span| span.is_closed), "a span ends with its hold");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_gives_up_has_timed_out() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let _busy = manager.exclusive("busy").await.unwrap();
    let error = manager.shared("late").timeout(ms(50)).await.unwrap_err();
    assert!(matches!(error, SessionError::TimedOut { .. }));
    let told = heard.told_once("timed_out");
    assert_eq!(told.fields["waited_ms"], "50");
    assert_eq!(heard.spans()[told.span.unwrap()].fields["label"], "late");
    assert_eq!(heard.story(), ["Cluster granted", "Cluster timed_out"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_lock_is_removed_hears_that_it_was_deleted() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let mut busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut late = waiting(manager.shared("late").await.unwrap().exclusive::<Node>(["node1", "node2"]));
    busy.remove_held::<Node>("node1").unwrap();
    assert!(late.is_woken());
    let std::task::Poll::Ready(Err(error)) = late.poll() else { panic!("it is answered") };
    assert!(matches!(error, SessionError::Deleted { .. }));
    assert_eq!(heard.told_once("deleted").fields["waited_ms"], "0");
    drop(late);
    assert!(heard.told("cancelled").is_empty(), "it has been answered");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_cancelled_before_its_session_ends() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let late = waiting(manager.shared("late").await.unwrap().exclusive::<Node>("node1"));
    let granted = waiting(manager.shared("granted").await.unwrap().exclusive::<Node>("node1"));
    advance(ms(7)).await;
    drop(late);
    drop(busy);
    assert!(granted.is_woken());
    drop(granted); // With a grant that it has not returned.

    let cancelled = heard.told("cancelled");
    assert_eq!(cancelled.iter().map(|told| &told.fields["waited_ms"]).collect::<Vec<_>>(), ["7", "7"]);
    let story = heard.story();
    let late = ["Node cancelled", "Cluster released"];
    assert_eq!(story[4..], [&late[..], &["Node released", "Cluster released"], &late].concat());
    drop(manager.shared("unpolled")); // Nothing was asked for.
    assert_eq!(heard.told("cancelled").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_taken_back_from_its_request_has_cancelled_it() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let _busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut late = Box::pin(manager.shared("late").await.unwrap().exclusive::<Node>("node1"));
    assert!(futures::poll!(late.as_mut()).is_pending());
    let session = late.as_mut().reclaim().unwrap();
    heard.told_once("cancelled");
    drop(late);
    let session = session.exclusive::<Node>("node2").await.unwrap();
    assert_eq!(heard.told("cancelled").len(), 1);
    drop(session);
}

#[tokio::test(start_paused = true)]
async fn any_other_failure_is_told_as_refused_and_so_is_a_try_that_would_wait() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let mut job = manager.shared("job").await.unwrap();
    job.nest().exclusive::<Node>("node9").await.unwrap_err();
    manager.try_exclusive("alone").unwrap_err();
    let _busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    job.nest().try_shared::<Node>("node1").unwrap_err();
    let mut other = manager.try_dynamic("other", LockMode::Shared).unwrap();
    other.try_acquire::<Node>("node1", LockMode::Shared).unwrap_err();

    let refused = heard.told("refused");
    assert_eq!(refused.len(), 4, "{refused:#?}");
    assert!(refused[0].fields["error"].contains("node9"), "{refused:#?}");
    assert!(refused[1..].iter().all(|told| told.fields["error"].contains("without waiting")), "{refused:#?}");
    assert!(heard.told("cancelled").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_try_that_succeeds_is_a_grant_like_any_other() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    drop(manager.try_shared("job").unwrap().try_exclusive::<Instance>("web1").unwrap());
    let mut job = manager.try_dynamic("job", LockMode::Exclusive).unwrap();
    job.try_acquire::<Instance>("web1", LockMode::Shared).unwrap();
    drop(job);
    let half = ["Cluster granted", "Instance granted", "Instance released", "Cluster released"];
    assert_eq!(heard.story(), [half, half].concat());
    let modes: Vec<_> = heard.spans().iter().map(|span| span.fields["mode"].clone()).collect();
    assert_eq!(modes, ["shared", "exclusive", "exclusive", "shared"]);
}

#[tokio::test(start_paused = true)]
async fn long_lists_and_long_names_are_shortened() {
    let (heard, _listens) = Collector::listens();
    let mut names: Vec<String> = (0..1_000).map(|number| format!("node{number}")).collect();
    names[0] = "n".repeat(1_000_000);
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>(&names).build();
    let job = manager.shared("l".repeat(1_000_000)).await.unwrap().shared::<Node>(&names).await.unwrap();
    let span = heard.span("Node");
    assert!(span.fields["names"].ends_with("984 more]"), "{}", span.fields["names"]);
    assert!(span.fields.values().all(|value| value.len() < 1_000), "{span:#?}");
    drop(job);
    let job = manager.shared("all").await.unwrap().shared::<Node>(All).await.unwrap();
    assert_eq!(heard.spans().last().unwrap().fields["names"], "All");
    drop(job);
}

#[tokio::test(start_paused = true)]
async fn a_nested_session_releases_what_it_acquired_and_the_outer_one_goes_on() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let mut job = manager.shared("job").await.unwrap().exclusive::<Instance>("web1").await.unwrap();
    let inner = job.nest().exclusive::<Node>("node1").await.unwrap();
    assert_eq!(heard.span("Node").fields["label"], "job");
    advance(ms(10)).await;
    drop(inner);
    assert_eq!(heard.told_once("released").fields["held_ms"], "10");
    assert!(heard.span("Node").is_closed && !heard.span("Instance").is_closed);
    advance(ms(10)).await;
    drop(job);
    assert_eq!(heard.story()[3..], ["Node released", "Instance released", "Cluster released"]);
    assert_eq!(heard.told("released").last().unwrap().fields["held_ms"], "20");
}

#[tokio::test(start_paused = true)]
async fn levels_of_a_dynamic_session_are_told_of_one_by_one() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let mut job = manager.dynamic("job", LockMode::Exclusive).await.unwrap();
    job.acquire::<Instance>("web1", LockMode::Exclusive).await.unwrap();
    job.acquire::<Node>(All, LockMode::Shared).await.unwrap();
    advance(ms(5)).await;
    job.downgrade::<Instance>().unwrap();
    job.release::<Instance>().unwrap();
    assert_eq!(heard.told_once("released").fields["held_ms"], "5");
    job.release::<Node>().unwrap();
    job.acquire::<Instance>("web2", LockMode::Shared).await.unwrap();
    drop(job.downgrade_root().unwrap());
    let granted = ["Cluster granted", "Instance granted", "Node granted"];
    let rest = ["Instance released", "Node released", "Instance granted", "Instance released", "Cluster released"];
    assert_eq!(heard.story(), [&granted[..], &rest].concat());
}

#[tokio::test(start_paused = true)]
async fn a_level_that_is_released_in_the_middle_is_told_of_then() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let job = manager.exclusive("job").await.unwrap().exclusive::<Instance>("web1").await.unwrap();
    let mut job = job.exclusive::<Node>(["node1", "node2"]).await.unwrap();
    job.release_names::<Node>(["node1", "node2"]).unwrap();
    assert!(heard.told("released").is_empty(), "the level counts as held");
    let job = job.release::<Instance>();
    assert_eq!(heard.story().last().unwrap(), "Instance released");
    drop(job);
    assert_eq!(heard.told("released").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn adding_and_removing_are_granted_and_hold_nothing() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let mut job = manager.shared("job").await.unwrap();
    job.add::<Node>("node4").await.unwrap();
    assert_eq!(job.remove::<Node>("node4").await.unwrap(), ["node4"]);
    let mut dynamic = manager.dynamic("dynamic", LockMode::Shared).await.unwrap();
    dynamic.add::<Node>("node5").await.unwrap();
    dynamic.remove::<Node>("node5").await.unwrap();
    dynamic.add::<Node>("node1").await.unwrap_err();
    let node: Vec<_> = heard.story().into_iter().filter(|told| told.starts_with("Node")).collect();
    let granted = "Node granted";
    assert_eq!(node, [granted, granted, granted, granted, "Node refused"]);
    drop(dynamic);
    drop(job.add_shared::<Node>("node6").await.unwrap());
    assert_eq!(heard.spans().last().unwrap().fields["names"], "[\"node6\"]");
    assert_eq!(heard.told("released").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_priority_that_changes_is_changed_in_the_span() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let _busy = manager.exclusive("busy").await.unwrap();
    let mut late = pin!(manager.shared("late").priority(Priority::new(4)));
    assert!(futures::poll!(late.as_mut()).is_pending());
    assert_eq!(heard.spans()[1].fields["priority"], "4");
    late.as_mut().set_priority(Priority::new(-4));
    assert_eq!(heard.spans()[1].fields["priority"], "-4");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_polled_for_again_is_told_once() {
    let (heard, _listens) = Collector::listens();
    let manager = manager();
    let busy = manager.exclusive("busy").await.unwrap();
    let mut late = mock(manager.shared("late"));
    for _ in 0..5 {
        assert!(late.poll().is_pending());
    }
    drop(busy);
    let job = assert_ready_ok!(late.poll());
    drop(late);
    drop(job);
    assert_eq!(heard.spans().len(), 2);
    assert_eq!(heard.story(), ["Cluster granted", "Cluster released", "Cluster granted", "Cluster released"]);
}
