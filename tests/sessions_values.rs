//! Values in the locks of levels; acquisitions that give up, are urgent, or take what is free.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{All, Entries, LockManager, LockMode, Priority, Session, SessionError, held, hierarchy};
use std::pin::pin;
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, block_on, task};

hierarchy! {
    struct Bank {
        root Ledger,
        level Account: u32 => i64,
        fixed level Vault: String => Vec<u8>,
    }
}

const SOON: Duration = Duration::from_millis(50);

fn bank() -> LockManager<Bank> {
    LockManager::builder().entries::<Account>([(1_u32, 100), (2, 20), (3, 3)]).names::<Vault>(["north"]).build()
}

async fn accounts(bank: &LockManager<Bank>, names: [u32; 1]) -> Session<Bank, held![shared Ledger, exclusive Account]> {
    bank.shared("holder").await.unwrap().exclusive::<Account>(names).await.unwrap()
}

#[test]
fn values_live_in_the_locks_and_outlive_the_sessions() {
    let bank = bank();
    block_on(async {
        let mut job = bank.shared("transfer").await.unwrap().exclusive::<Account>([2, 1]).await.unwrap();
        let [from, to] = job.get_disjoint_mut::<Account, _>([1, 2]).unwrap();
        (*from, *to) = (*from - 30, *to + 30);
        assert_eq!((job.get::<Account>(1), job.get::<Account>(3)), (Some(&70), None));
        *job.nest().get_mut::<Account>(2).unwrap() += 1;
        let mut job = job.exclusive::<Vault>("north").await.unwrap();
        job.get_mut::<Vault>("north").unwrap().push(7);
        drop(job);
        let job = bank.shared("audit").await.unwrap().shared::<Account>(All).await.unwrap();
        let job = job.shared::<Vault>(All).await.unwrap();
        assert_eq!([1, 2, 3].map(|account| *job.get::<Account>(account).unwrap()), [70, 51, 3]);
        assert_eq!(job.get::<Vault>("north"), Some(&vec![7]));
    });
}

#[test]
fn values_of_names_that_are_not_held_or_named_twice_are_refused() {
    let bank = bank();
    let mut job = block_on(accounts(&bank, [1]));
    let unheld = SessionError::NotHeld { level: "Account", names: vec!["2".to_owned(), "3".to_owned()] };
    assert_eq!(job.get_disjoint_mut::<Account, _>([3, 1, 2]).unwrap_err(), unheld);
    let twice = SessionError::Repeated { level: "Account", names: vec!["1".to_owned()] };
    assert_eq!(job.get_disjoint_mut::<Account, _>([1, 1]).unwrap_err(), twice);
}

#[test]
fn entries_are_added_with_their_values_free_or_held() {
    let bank = bank();
    block_on(async {
        let mut job = bank.shared("open").await.unwrap();
        job.add::<Account>(Entries([(4_u32, 4)])).await.unwrap();
        let job = job.add_exclusive::<Account>(Entries([(5_u32, 5)])).await.unwrap();
        assert_eq!(job.get::<Account>(5), Some(&5));
        drop(job);
        let job = bank.shared("open").await.unwrap().add_shared::<Account>(Entries([(6_u32, 6)])).await.unwrap();
        assert_eq!(job.get::<Account>(6), Some(&6));
        drop(job);
        let mut job = bank.shared("open").await.unwrap().exclusive::<Account>(All).await.unwrap();
        job.add_held::<Account>(Entries([(7_u32, 7)])).unwrap();
        assert_eq!((job.get::<Account>(4), job.get::<Account>(7)), (Some(&4), Some(&7)));
    });
}

#[tokio::test(start_paused = true)]
async fn an_acquisition_that_gives_up_names_the_level_and_keeps_the_session() {
    let bank = bank();
    let _busy = accounts(&bank, [2]).await;
    let job = bank.shared("job").await.unwrap();
    let mut request = pin!(job.exclusive::<Account>([1, 2]).timeout(SOON).priority(Priority::new(-1)));
    let late = request.as_mut().await.unwrap_err();
    let SessionError::TimedOut { level: "Account", names, more: 0, mode, waited, held_by } = late else {
        panic!("{late}")
    };
    assert_eq!((names, mode, waited, held_by.len()), (vec!["2".to_owned()], LockMode::Exclusive, SOON, 1));
    assert_eq!(held_by[0].held, SOON, "by tokio's clock, as the wait is");
    let job = request.as_mut().reclaim().unwrap();
    let job = job.exclusive::<Account>(1).deadline(tokio::time::Instant::now()).await.unwrap();
    assert_eq!(job.owned::<Account>().names(), [&1]);
}

#[tokio::test(start_paused = true)]
async fn the_root_and_changes_of_members_give_up_too() {
    let bank = bank();
    let whole = bank.shared("whole").await.unwrap().shared::<Account>(All).await.unwrap();
    let mut job = bank.shared("job").await.unwrap();
    let timed_out = |error: &SessionError| matches!(error, SessionError::TimedOut { .. });
    assert!(timed_out(&bank.exclusive("alone").timeout(SOON).await.unwrap_err()));
    assert!(timed_out(&bank.dynamic("alone", LockMode::Exclusive).timeout(SOON).await.unwrap_err()));
    assert!(timed_out(&job.add::<Account>(9).timeout(SOON).priority(Priority::new(1)).await.unwrap_err()));
    assert!(timed_out(&job.remove::<Account>(1).timeout(SOON).await.unwrap_err()));
    assert!(timed_out(&job.nest().add_exclusive::<Account>(9).timeout(SOON).await.unwrap_err()));
    drop(whole);
    assert_eq!(job.remove::<Account>(1).timeout(SOON).await.unwrap(), [1]);
}

#[test]
fn the_more_urgent_session_climbs_first_wherever_the_priority_is_said() {
    let bank = bank();
    let held = block_on(accounts(&bank, [1]));
    let [mut a, mut b, mut c] = [(); 3].map(|()| Some(block_on(bank.shared("job")).unwrap()));
    let mut late = task::spawn(a.take().unwrap().exclusive::<Account>(1));
    let mut urgent = task::spawn(b.take().unwrap().exclusive::<Account>(1).priority(Priority::new(-5)));
    let mut raised = task::spawn(c.take().unwrap().exclusive::<Account>(1));
    assert!(late.poll().is_pending() && urgent.poll().is_pending() && raised.poll().is_pending());
    raised.enter(|_, request| request.set_priority(Priority::new(-6)));
    drop(held);
    assert_pending!(urgent.poll());
    drop(assert_ready!(raised.poll()).unwrap());
    assert_pending!(late.poll());
    drop(assert_ready!(urgent.poll()).unwrap());
    let _late = assert_ready!(late.poll()).unwrap();
}

#[test]
fn what_is_free_can_be_taken_and_the_later_wish_counts() {
    let bank = bank();
    let _busy = block_on(accounts(&bank, [2]));
    block_on(async {
        let free =
            bank.shared("job").await.unwrap().exclusive::<Account>(All).at_least(3).opportunistic().await.unwrap();
        assert_eq!(free.owned::<Account>().names(), [&1, &3]);
        drop(free);
        let two =
            bank.shared("job").await.unwrap().exclusive::<Account>(All).opportunistic().at_least(2).await.unwrap();
        assert_eq!(two.owned::<Account>().len(), 2);
        let few = bank.shared("job").await.unwrap().shared::<Account>([1]).at_least(2).await.unwrap_err();
        assert_eq!(few, SessionError::TooFew { level: "Account", wanted: 2, existing: 1 });
    });
}

#[test]
fn a_try_takes_all_or_names_what_is_in_the_way() {
    let bank = bank();
    let busy = bank.try_shared("busy").unwrap().try_exclusive::<Account>([2]).unwrap();
    let mut job = bank.try_shared("job").unwrap();
    let blocked =
        SessionError::WouldBlock { level: "Account", names: vec!["2".to_owned()], more: 0, mode: LockMode::Shared };
    assert_eq!(job.nest().try_shared::<Account>([1, 2]).unwrap_err(), blocked);
    let root = SessionError::WouldBlock { level: "Ledger", names: vec![], more: 0, mode: LockMode::Exclusive };
    assert_eq!(bank.try_exclusive("alone").unwrap_err(), root);
    drop(busy);
    assert_eq!(job.try_shared::<Account>([1, 2]).unwrap().owned::<Account>().len(), 2);
    let _alone = bank.try_exclusive("alone").unwrap();
}

#[test]
fn threads_can_block_for_levels() {
    let bank = bank();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let job = bank.blocking_shared("count").unwrap();
                *job.blocking_exclusive::<Account>(1).unwrap().get_mut::<Account>(1).unwrap() += 1;
            });
        }
    });
    let alone = bank.blocking_exclusive("audit").unwrap().blocking_shared::<Account>(All).unwrap();
    assert_eq!(alone.get::<Account>(1), Some(&104));
}
