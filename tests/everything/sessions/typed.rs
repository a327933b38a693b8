//! Programs with levels in their types. Each task draws some of them.

use super::{Floor, GATE, Gate, High, Loft, Low, Roof, Tower};
use crate::pace::{pause, polls};
use crate::tally::count;
use crate::witness::{Ledger, Thing};
use lockladder::{All, HeldList, Holds, LockManager, LockMode, Priority, Session, SessionError, held};
use lockladder_test_support::dice::Dice;
use std::mem::forget;
use std::time::Duration;
use tokio::time::Instant;

/// What the programs must do.
pub(super) const MET: &[&str] = &[
    "typed: added and removed",
    "typed: climbed",
    "typed: downgraded the root",
    "typed: forgot",
    "typed: nested",
    "typed: nested in vain",
    "typed: reclaimed",
    "typed: released the middle",
    "typed: shared a part",
    "typed: too late",
    "typed: used an open level",
];

type Outcome = Result<(), SessionError>;

pub(super) async fn work(tower: &LockManager<Tower>, ledger: &Ledger, dice: &mut Dice) {
    let outcome = match dice.below(12) {
        0 => climbs(tower, ledger).await,
        1 => nests(tower, ledger).await,
        2 => nests_in_vain(tower, ledger, dice).await,
        3 => reclaims(tower, ledger, dice).await,
        4 => releases_the_middle(tower, ledger).await,
        5 => shares_a_part(tower, ledger).await,
        6 => adds_and_removes(tower, ledger).await,
        7 => downgrades_the_root(tower, ledger).await,
        8 => is_late(tower, ledger).await,
        9 => forgets().await,
        10 => uses_an_open_level(tower, ledger, dice).await,
        _ => in_a_scope(tower, ledger).await,
    };
    match outcome {
        Ok(()) => {}
        Err(SessionError::Unknown { name, level } | SessionError::Deleted { name, level }) => {
            assert!(["Low", "High"].contains(&level) && ["0", "1", "2"].contains(&&*name), "{level} {name}");
            count("typed: gone");
        }
        Err(SessionError::Exists { .. }) => count("typed: exists"),
        Err(error) => panic!("{error}"),
    }
}

/// Stays for a while in the rooms of all names that it holds of a level.
async fn stay<L: Floor, S: HeldList + Holds<L>>(job: &Session<Tower, S>, ledger: &Ledger) {
    let owned = job.owned::<L>();
    for (name, thing) in owned.iter() {
        ledger.enter(L::place(*name), owned.mode(), thing);
    }
    pause().await;
    for (name, thing) in owned.iter() {
        ledger.leave(L::place(*name), owned.mode(), thing);
    }
}

async fn climbs(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let job = tower.shared("climbs").await?.exclusive::<Low>([1, 0]).await?;
    stay::<Low, _>(&job, ledger).await;
    let job = job.shared::<High>(All).await?;
    let mut job = job.exclusive::<Roof>(1).priority(Priority::new(-1)).await?;
    stay::<Roof, _>(&job, ledger).await;
    stay::<Low, _>(&job, ledger).await;
    let [one, other] = job.get_disjoint_mut::<Low, _>([0, 1])?;
    assert!(one.room.is_empty() && other.room.is_empty());
    count("typed: climbed");
    Ok(())
}

async fn nests(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let mut job = tower.shared("nests").await?.exclusive::<Low>(0).await?;
    let mut inner = job.nest().shared::<High>([0, 1]).await?;
    stay::<Low, _>(&inner, ledger).await;
    let innermost = inner.nest().exclusive::<Roof>(All).await?;
    stay::<Roof, _>(&innermost, ledger).await;
    drop(innermost.release::<Roof>());
    stay::<High, _>(&inner, ledger).await;
    drop(inner);
    let job = job.exclusive::<High>(1).await?;
    stay::<High, _>(&job, ledger).await;
    count("typed: nested");
    Ok(())
}

/// A request of a nested session is dropped at an await.
async fn nests_in_vain(tower: &LockManager<Tower>, ledger: &Ledger, dice: &mut Dice) -> Outcome {
    let mut job = tower.shared("nests in vain").await?.shared::<Low>(All).await?;
    let mut inner = Box::pin(job.nest().exclusive::<High>(All));
    if let Some(inner) = polls(inner.as_mut(), dice.below(3)).await {
        stay::<High, _>(&inner?, ledger).await;
    }
    drop(inner);
    stay::<Low, _>(&job, ledger).await;
    let job = job.shared::<High>(All).await?;
    stay::<High, _>(&job, ledger).await;
    count("typed: nested in vain");
    Ok(())
}

async fn reclaims(tower: &LockManager<Tower>, ledger: &Ledger, dice: &mut Dice) -> Outcome {
    let job = tower.shared("reclaims").await?.exclusive::<Low>(1).await?;
    let mut climb = Box::pin(job.exclusive::<High>([0, 1]));
    if let Some(climbed) = polls(climb.as_mut(), dice.below(3)).await {
        assert!(climbed.is_err() == climb.as_mut().reclaim().is_some(), "lost, or had twice");
        return climbed.map(drop);
    }
    climb.as_mut().set_priority(Priority::new(1));
    let job = climb.as_mut().reclaim().expect("it has not resolved");
    assert!(climb.as_mut().reclaim().is_none());
    stay::<Low, _>(&job, ledger).await;
    let job = job.shared::<High>(0).await?;
    stay::<High, _>(&job, ledger).await;
    count("typed: reclaimed");
    Ok(())
}

async fn releases_the_middle(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let job = tower.shared("releases").await?.shared::<Low>(All).await?.exclusive::<High>(0).await?;
    let job = job.exclusive::<Roof>(0).await?;
    stay::<High, _>(&job, ledger).await;
    let job = job.release::<High>();
    stay::<Low, _>(&job, ledger).await;
    let job: Session<Tower, held![shared Gate, shared Low]> = job.release::<Roof>();
    let job = job.shared::<High>(All).await?;
    stay::<High, _>(&job, ledger).await;
    count("typed: released the middle");
    Ok(())
}

async fn shares_a_part(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let mut job = tower.shared("shares").await?.exclusive::<High>([0, 1]).await?;
    job.release_names::<High>(1)?;
    stay::<High, _>(&job, ledger).await;
    assert_eq!(job.owned::<High>().names(), [&0]);
    let job = job.downgrade::<High>().shared::<Roof>(All).await?;
    stay::<High, _>(&job, ledger).await;
    count("typed: shared a part");
    Ok(())
}

async fn adds_and_removes(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let mut job = tower.shared("adds").await?.add_exclusive::<Low>(2).await?;
    stay::<Low, _>(&job, ledger).await;
    job.remove_held::<Low>(2)?;
    assert!(job.owned::<Low>().is_empty());
    let mut job = job.exclusive::<High>(All).await?;
    let added = job.add_held::<High>(2);
    stay::<High, _>(&job, ledger).await;
    if added.is_ok() {
        job.remove_held::<High>(2)?;
    }
    count("typed: added and removed");
    added
}

async fn downgrades_the_root(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let job = tower.exclusive("alone").await?;
    ledger.room(GATE).enter(LockMode::Exclusive, "the root");
    pause().await;
    // No other session exists, so everything is free.
    let job = job.try_exclusive::<Low>(All).unwrap();
    ledger.room(GATE).downgrade("the root");
    let job = job.downgrade::<Gate>();
    stay::<Low, _>(&job, ledger).await;
    let job = job.release::<Low>();
    ledger.room(GATE).leave(LockMode::Shared, "the root");
    let job = job.shared::<High>(All).await?;
    stay::<High, _>(&job, ledger).await;
    count("typed: downgraded the root");
    Ok(())
}

async fn is_late(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    let job = tower.shared("late").await?.shared::<Low>(All).await?;
    let mut climb = Box::pin(job.exclusive::<Roof>(All).deadline(Instant::now()));
    match climb.as_mut().await {
        Ok(job) => stay::<Roof, _>(&job, ledger).await,
        Err(SessionError::TimedOut { level: "Roof", .. }) => {
            let mut job = climb.as_mut().reclaim().expect("it has failed");
            stay::<Low, _>(&job, ledger).await;
            let job = job.nest().exclusive::<Roof>(1).timeout(Duration::from_millis(1)).await.map(drop);
            assert!(matches!(job, Ok(()) | Err(SessionError::TimedOut { level: "Roof", .. })));
            count("typed: too late");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn uses_an_open_level(tower: &LockManager<Tower>, ledger: &Ledger, dice: &mut Dice) -> Outcome {
    let mut job = tower.shared("open").await?.shared::<Low>(1).await?;
    let mut climb = Box::pin(job.nest().exclusive::<Loft>([0, 1]));
    if let Some(inner) = polls(climb.as_mut(), dice.below(3)).await {
        stay::<Loft, _>(&inner?, ledger).await;
    }
    drop(climb);
    let mut job = job.exclusive::<Loft>([2, 1, 2]).await?;
    assert_eq!(job.owned::<Loft>().names(), [&1, &2]);
    job.get_disjoint_mut::<Loft, _>([1, 2])?.into_iter().for_each(Thing::change);
    stay::<Loft, _>(&job, ledger).await;
    job.release_names::<Loft>(1)?;
    let job = job.downgrade::<Loft>().shared::<Roof>(All).await?;
    stay::<Loft, _>(&job, ledger).await;
    assert!(tower.names::<Loft>().contains(&2), "it is held");
    let job = job.release::<Loft>();
    stay::<Roof, _>(&job, ledger).await;
    count("typed: used an open level");
    Ok(())
}

/// Uses a tower of its own, which is never free again. No other task waits for it.
async fn forgets() -> Outcome {
    lockladder::hierarchy! { struct Hut { root Door, level Room: u8 } }
    let hut: LockManager<Hut> = LockManager::builder().names::<Room>([1]).build();
    let mut job = hut.shared("forgets").await?;
    forget(job.nest().shared::<Room>(1).await?);
    let error = job.nest().exclusive::<Room>(1).await.unwrap_err();
    assert_eq!(error, SessionError::AlreadyHeld { level: "Room", held: "Room" });
    count("typed: forgot");
    Ok(())
}

/// A scope is recorded by thread, and shuttle runs all tasks on one. So only the other runs use scopes.
async fn in_a_scope(tower: &LockManager<Tower>, ledger: &Ledger) -> Outcome {
    if cfg!(lockladder_shuttle) {
        return Ok(());
    }
    let work = async |job: Session<Tower, held![shared Gate]>| {
        let second = tower.shared("second").await.unwrap_err();
        assert!(matches!(second, SessionError::NestedSession { .. }), "{second}");
        let job = job.exclusive::<Low>(1).await?;
        assert!(tower.try_exclusive("third").is_err());
        stay::<Low, _>(&job, ledger).await;
        Ok::<(), SessionError>(())
    };
    tower.scope("scope", lockladder::Shared, work).await??;
    count("typed: in a scope");
    Ok(())
}
