//! Levels declared as `open level`: whatever a session does at a level, it does at an open one. A name and its value are
//! there while they are held or waited for.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{
    All, DynSession, LockManager, LockMode, OrderError, Priority, Session, SessionError, Shared, held, hierarchy,
    level::NamesOf,
};
use lockladder_test_support::requests::{granted, now, waiting};
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::forget;
use std::pin::pin;
use std::time::Duration;
use tokio_test::assert_pending;

hierarchy! {
    struct Bank {
        root Ledger,
        open level Tenant: u32,
        open level Account: (u32, u64) => Cached,
        level Node: String,
    }
}

thread_local! {
    static CACHED: Cell<usize> = const { Cell::new(0) };
}

/// What is known of an account. This thread counts those that there are.
#[derive(Debug)]
struct Cached(i64);

impl Default for Cached {
    fn default() -> Self {
        CACHED.set(CACHED.get() + 1);
        Self(0)
    }
}

impl Drop for Cached {
    fn drop(&mut self) {
        CACHED.set(CACHED.get() - 1);
    }
}

const SOON: Duration = Duration::from_millis(50);

const NONE: [(u32, u64); 0] = [];

fn bank() -> LockManager<Bank> {
    LockManager::builder().names::<Node>(["node1"]).build()
}

fn job(bank: &LockManager<Bank>) -> Session<Bank, held![shared Ledger]> {
    bank.try_shared("job").unwrap()
}

fn owner(bank: &LockManager<Bank>, tenants: &[u32]) -> Session<Bank, held![shared Ledger, exclusive Tenant]> {
    job(bank).try_exclusive::<Tenant>(tenants).unwrap()
}

fn dynamic(bank: &LockManager<Bank>) -> DynSession<Bank> {
    bank.try_dynamic("job", LockMode::Shared).unwrap()
}

#[test]
fn a_name_of_an_open_level_exists_while_it_is_held_or_waited_for() {
    let bank = bank();
    let unpolled = job(&bank).exclusive::<Tenant>(1);
    assert_eq!(bank.names::<Tenant>(), [0_u32; 0], "nothing before the first poll");
    let holder = now(job(&bank).exclusive::<Tenant>([2, 1, 2])).unwrap();
    assert_eq!((holder.owned::<Tenant>().names(), bank.names::<Tenant>()), (vec![&1, &2], vec![1, 2]));
    let waiter = waiting(job(&bank).shared::<Tenant>([2, 3]));
    assert_eq!(bank.names::<Tenant>(), [1, 2, 3]);
    drop(holder);
    assert_eq!(bank.names::<Tenant>(), [2, 3]);
    drop(granted(waiter));
    drop(unpolled);
    assert_eq!(bank.names::<Tenant>(), [0_u32; 0]);
}

#[test]
fn a_wait_that_ends_without_a_session_leaves_no_name() {
    let bank = bank();
    let holder = owner(&bank, &[1]);
    drop(waiting(job(&bank).exclusive::<Tenant>([1, 2])));
    assert!(job(&bank).try_exclusive::<Tenant>([1, 3]).is_err());
    let mut known_later = dynamic(&bank);
    drop(waiting(known_later.acquire::<Tenant>([1, 4], LockMode::Shared)));
    assert_eq!(bank.names::<Tenant>(), [1]);
    let waiter = waiting(job(&bank).exclusive::<Tenant>([1, 5]));
    drop(holder);
    assert!(waiter.is_woken());
    drop(waiter); // granted, and never claimed
    assert_eq!(bank.names::<Tenant>(), [0_u32; 0]);
}

#[test]
fn a_value_of_an_open_level_lives_as_long_as_its_name() {
    let bank = bank();
    let mut first = now(job(&bank).exclusive::<Account>([(1, 7), (1, 8)])).unwrap();
    first.get_mut::<Account>((1, 7)).unwrap().0 = 5;
    let [one, other] = first.get_disjoint_mut::<Account, _>([(1, 7), (1, 8)]).unwrap();
    std::mem::swap(one, other);
    assert!(first.get::<Account>((2, 7)).is_none());
    let next = waiting(job(&bank).shared::<Account>([(1, 8)]));
    assert_eq!(CACHED.get(), 2);
    drop(first);
    assert_eq!(CACHED.get(), 1, "that of the name that is waited for");
    let next = granted(next);
    assert_eq!(next.get::<Account>((1, 8)).unwrap().0, 5);
    drop(next);
    assert_eq!(CACHED.get(), 0);
    assert_eq!(now(job(&bank).shared::<Account>([(1, 8)])).unwrap().get::<Account>((1, 8)).unwrap().0, 0);
}

#[test]
fn an_open_level_is_released_in_part_downgraded_and_released() {
    let bank = bank();
    let mut all = owner(&bank, &[1, 2]).try_exclusive::<Account>([(1, 7)]).unwrap();
    all.release_names::<Tenant>(2).unwrap();
    let unheld = SessionError::NotHeld { level: "Tenant", names: vec!["2".to_owned()] };
    assert_eq!(all.release_names::<Tenant>([1, 2]).unwrap_err(), unheld);
    assert_eq!(bank.names::<Tenant>(), [1]);
    let sharer = waiting(job(&bank).shared::<Tenant>(1));
    let mut all = all.downgrade::<Tenant>();
    let sharer = granted(sharer);
    all.release_names::<Tenant>(1).unwrap();
    assert!(all.owned::<Tenant>().is_empty(), "it is held, with no names");
    drop(sharer);
    assert_eq!((bank.names::<Tenant>(), bank.names::<Account>()), (vec![], vec![(1, 7)]));
    let all = all.release::<Tenant>().blocking_shared::<Node>("node1").unwrap();
    let low = all.release::<Account>().release::<Node>();
    assert_eq!((bank.names::<Account>(), CACHED.get()), (vec![], 0));
    drop(low.blocking_exclusive::<Tenant>(1).unwrap().blocking_shared::<Account>(NONE).unwrap());
}

#[test]
fn a_nested_session_climbs_an_open_level_and_gives_it_back() {
    let bank = bank();
    let mut outer = owner(&bank, &[1]);
    let mut inner = now(outer.nest().shared::<Account>([(1, 7)])).unwrap();
    assert_eq!(now(inner.nest().shared::<Node>("node1")).unwrap().owned::<Tenant>().names(), [&1]);
    drop(inner);
    assert_eq!((bank.names::<Account>(), bank.names::<Tenant>()), (vec![], vec![1]));
    forget(now(outer.nest().exclusive::<Account>([(1, 7)])).unwrap());
    let already = SessionError::AlreadyHeld { level: "Account", held: "Account" };
    assert_eq!(now(outer.nest().shared::<Account>([(1, 8)])).unwrap_err(), already);
    assert_eq!(outer.try_shared::<Account>([(1, 8)]).unwrap_err(), already);
    assert_eq!(bank.names::<Account>(), [(1, 7)], "what is forgotten is held for ever");
}

#[test]
fn a_session_is_reclaimed_from_its_wait_for_an_open_level() {
    let bank = bank();
    let holder = now(job(&bank).exclusive::<Account>([(1, 7)])).unwrap();
    let mut climb = Box::pin(owner(&bank, &[1]).exclusive::<Account>([(1, 7), (1, 9)]));
    assert_pending!(tokio_test::task::spawn(climb.as_mut()).poll());
    let job = climb.as_mut().reclaim().unwrap();
    assert_eq!((job.owned::<Tenant>().names(), bank.names::<Account>()), (vec![&1], vec![(1, 7)]));
    assert_eq!(job.try_exclusive::<Account>([(1, 9)]).unwrap().owned::<Account>().len(), 1);
    drop(holder);
    assert_eq!((bank.names::<Account>(), CACHED.get()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn errors_of_an_open_level_name_it_and_the_names_in_use() {
    let bank = bank();
    let _holder = owner(&bank, &[2, 3]);
    let (level, names, more) = ("Tenant", vec!["2".to_owned(), "3".to_owned()], 0);
    let blocked = SessionError::WouldBlock { level, names: names.clone(), more, mode: LockMode::Shared };
    assert_eq!(job(&bank).try_shared::<Tenant>([3, 1, 2]).unwrap_err(), blocked);
    let mut climb = pin!(job(&bank).exclusive::<Tenant>([1, 2, 3]).timeout(SOON));
    let late = climb.as_mut().await.unwrap_err();
    let text = late.to_string();
    let SessionError::TimedOut { level: "Tenant", names: found, more: 0, held_by, .. } = late else { panic!("{text}") };
    assert_eq!(found, names);
    let place = held_by[0].place;
    assert_eq!(
        text,
        format!(
            "gave up on level Tenant, exclusive, after 50ms, blocked on `2`, `3`, held by `job` for 50 ms ({place}): \
             others hold it or come first; wait longer, or try again later"
        )
    );
    assert_eq!(climb.as_mut().reclaim().unwrap().label(), "job");
    let few = now(job(&bank).shared::<Tenant>([4, 4]).at_least(2)).unwrap_err();
    assert_eq!(few, SessionError::TooFew { level, wanted: 2, existing: 1 });
    assert_eq!(bank.names::<Tenant>(), [2, 3]);
}

#[test]
fn a_part_of_the_names_of_an_open_level_can_be_taken() {
    let bank = bank();
    let _holder = owner(&bank, &[1, 2]);
    let free = now(job(&bank).exclusive::<Tenant>([1, 2, 3]).opportunistic()).unwrap();
    assert_eq!(free.owned::<Tenant>().names(), [&3]);
    let enough = waiting(job(&bank).exclusive::<Tenant>([1, 2, 3, 4]).at_least(2));
    drop(free);
    assert_eq!(granted(enough).owned::<Tenant>().names(), [&3, &4]);
    assert_eq!(bank.names::<Tenant>(), [1, 2]);
}

#[test]
fn the_more_urgent_session_has_the_name_first() {
    let bank = bank();
    let holder = owner(&bank, &[1]);
    let mut late = waiting(job(&bank).exclusive::<Tenant>(1));
    let mut urgent = waiting(job(&bank).exclusive::<Tenant>(1).priority(Priority::new(-1)));
    let mut raised = waiting(job(&bank).exclusive::<Tenant>(1));
    raised.enter(|_, request| request.set_priority(Priority::new(-2)));
    drop(holder);
    assert_pending!(urgent.poll());
    drop(granted(raised));
    assert_pending!(late.poll());
    drop(granted(urgent));
    drop(granted(late));
    assert_eq!(bank.names::<Tenant>(), [0_u32; 0]);
}

#[test]
fn a_scope_climbs_an_open_level() {
    let bank = bank();
    let work = bank.scope("scope", Shared, async |job| {
        let job = job.exclusive::<Tenant>(1).await.unwrap().shared::<Account>([(1, 7)]).await.unwrap();
        (job.owned::<Tenant>().len(), bank.names::<Account>())
    });
    assert_eq!(now(work).unwrap(), (1, vec![(1, 7)]));
    assert_eq!((bank.names::<Tenant>(), bank.names::<Account>(), CACHED.get()), (vec![], vec![], 0));
}

#[test]
fn levels_known_at_run_time_may_be_open() {
    let bank = bank();
    let mut job = dynamic(&bank);
    now(job.acquire::<Tenant>([2, 1], LockMode::Exclusive)).unwrap();
    job.try_acquire::<Account>(vec![(1, 7), (1, 8)], LockMode::Exclusive).unwrap();
    job.blocking_acquire::<Node>(All, LockMode::Shared).unwrap();
    assert_eq!((job.names::<Tenant>(), job.mode::<Account>()), (vec![1, 2], Some(LockMode::Exclusive)));
    job.get_mut::<Account>((1, 8)).unwrap().0 = 3;
    let [one, other] = job.get_disjoint_mut::<Account, _>([(1, 7), (1, 8)]).unwrap();
    std::mem::swap(one, other);
    job.downgrade::<Account>().unwrap();
    assert_eq!(job.get::<Account>((1, 7)).unwrap().0, 3);
    job.release_names::<Account>([(1, 8)]).unwrap();
    job.release::<Tenant>().unwrap();
    job.release::<Node>().unwrap();
    assert_eq!((bank.names::<Tenant>(), bank.names::<Account>(), CACHED.get()), (vec![], vec![(1, 7)], 1));
    let job = job.into_typed::<held![shared Ledger, exclusive Account]>().expect_err("it is shared");
    let job = job.into_typed::<held![shared Ledger, shared Account]>().unwrap();
    assert_eq!(job.owned::<Account>().names(), [&(1, 7)]);
    drop(job);
    assert_eq!((bank.names::<Account>(), CACHED.get()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_for_an_open_level_gives_up_and_the_session_keeps_what_it_had() {
    let bank = bank();
    let _holder = now(job(&bank).exclusive::<Account>([(1, 7)])).unwrap();
    let mut job = dynamic(&bank);
    job.try_acquire::<Tenant>(1, LockMode::Exclusive).unwrap();
    let late = job.acquire::<Account>([(1, 7), (1, 8)], LockMode::Shared).priority(Priority::new(-1)).timeout(SOON);
    let late = late.await.unwrap_err();
    assert!(matches!(late, SessionError::TimedOut { level: "Account", names, .. } if names == ["(1, 7)"]));
    now(job.acquire::<Account>([(1, 7), (1, 8)], LockMode::Shared).opportunistic()).unwrap();
    assert_eq!((job.names::<Tenant>(), job.names::<Account>()), (vec![1], vec![(1, 8)]));
    assert_eq!(bank.names::<Account>(), [(1, 7), (1, 8)]);
}

#[tokio::test]
async fn the_whole_of_an_open_level_is_an_error_that_names_the_level() {
    let bank = bank();
    let _holder = owner(&bank, &[1]); // Nothing waits for it.
    let mut job = dynamic(&bank);
    let open = OrderError::Open { level: "Tenant" };
    for mode in [LockMode::Shared, LockMode::Exclusive] {
        assert_eq!(now(job.acquire::<Tenant>(All, mode)), Err(open.into()));
        assert_eq!(now(job.acquire::<Tenant>(All, mode).opportunistic()), Err(open.into()));
        assert_eq!(now(job.acquire::<Tenant>(All, mode).at_least(1)), Err(open.into()));
        assert_eq!(job.acquire::<Tenant>(All, mode).timeout(SOON).await, Err(open.into()));
        assert_eq!(job.try_acquire::<Tenant>(All, mode), Err(open.into()));
    }
    assert_eq!(
        open.to_string(),
        "level `Tenant` is open: every name exists, so there is no whole of it to take; name the locks that you need"
    );
    assert!(!job.holds::<Tenant>() && bank.names::<Tenant>() == [1]);
    job.try_acquire::<Tenant>(2, LockMode::Exclusive).unwrap();
    let wrong = OrderError::NotAbove { level: "Tenant", held: "Tenant" };
    assert_eq!(now(job.acquire::<Tenant>(All, LockMode::Shared)), Err(wrong.into()), "the order comes first");
    assert_eq!(bank.names::<Tenant>(), [1, 2]);
}

/// Whether this can be asked for at [`Account`]. Where it can, the constant of the type hides this one.
trait Otherwise {
    const COMPILES: bool = false;
}

struct Asked<N>(PhantomData<N>);

impl<N> Otherwise for Asked<N> {}

impl<N: NamesOf<Account>> Asked<N> {
    const COMPILES: bool = true;
}

#[test]
fn names_of_several_parts_come_in_lists_by_value_or_by_reference() {
    type Name = (u32, u64);
    const { assert!(<Asked<[Name; 1]>>::COMPILES && <Asked<&[Name]>>::COMPILES && <Asked<[&Name; 2]>>::COMPILES) }
    const { assert!(!<Asked<Name>>::COMPILES && !<Asked<&Name>>::COMPILES, "one alone stands in an array") }
    const { assert!(!<Asked<All>>::COMPILES) }
    let (bank, names) = (bank(), vec![(2, 1), (1, 9)]);
    let sorted = [&(1, 9), &(2, 1)];
    assert_eq!(job(&bank).try_shared::<Account>([(2, 1), (1, 9)]).unwrap().owned::<Account>().names(), sorted);
    assert_eq!(job(&bank).try_shared::<Account>(&names).unwrap().owned::<Account>().names(), sorted);
    assert_eq!(job(&bank).try_shared::<Account>([&names[1], &names[0]]).unwrap().owned::<Account>().names(), sorted);
    let job = job(&bank).try_exclusive::<Account>(names).unwrap();
    assert!(job.get::<Account>((1, 9)).is_some() && job.get::<Account>(&(2, 1)).is_some());
}
