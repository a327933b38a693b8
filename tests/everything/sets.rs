//! Programs over named locks, run on a set and judged by the witness.

use crate::pace::{pause, polls};
use crate::program::{Errand, How, NAMES, PASSING, Use, Which};
use crate::tally::count;
use crate::witness::{Ledger, Thing};
use lockladder::{
    AddError, All, Entries, Exclusive, LockMode, LockSet, Mode, OpenSet, Priority, SetError, SetGuard, Shared,
    futures::SetAcquire, guards::SetPointer,
};
use lockladder_test_support::patience::once;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) type Closed = LockSet<u8, Thing>;
pub(crate) type Open = OpenSet<u8, Thing>;

type Outcome<P, M> = Result<SetGuard<P, M>, SetError<u8>>;

/// A pointer to a set, through which requests are made.
pub(crate) trait Way: SetPointer<Name = u8, Value = Thing> {
    const OPEN: bool;

    fn share(self, which: &Which) -> SetAcquire<Self, Shared>;
    fn own(self, which: &Which) -> SetAcquire<Self, Exclusive>;
    fn try_share(self, which: &Which) -> Outcome<Self, Shared>;
    fn try_own(self, which: &Which) -> Outcome<Self, Exclusive>;

    /// Removes a name through its owner's guard. Of an open set, removes nothing.
    fn remove(guard: &mut SetGuard<Self, Exclusive>, name: u8) -> Vec<(u8, Thing)>;

    /// Adds a name through a guard of the whole. To an open set, adds nothing.
    fn add(guard: &mut SetGuard<Self, Exclusive>, name: u8, held: bool) -> bool;
}

/// Gives the names to a verb of the set.
macro_rules! asked {
    (closed $which:ident, $set:expr, $verb:ident) => {
        match $which {
            Which::One(name) => $set.$verb(*name),
            Which::Many(names) => $set.$verb(names),
            Which::All => $set.$verb(All),
        }
    };
    (open $which:ident, $set:expr, $verb:ident) => {
        match $which {
            Which::One(name) => $set.$verb(*name),
            Which::Many(names) => $set.$verb(names.as_slice()),
            Which::All => $set.$verb(NAMES),
        }
    };
}

macro_rules! ways {
    ($($kind:ident $way:ty: $shared:ident $exclusive:ident $try_shared:ident $try_exclusive:ident;)+) => {$(
        impl Way for $way {
            const OPEN: bool = ways!(@is_open $kind);

            fn share(self, which: &Which) -> SetAcquire<Self, Shared> {
                asked!($kind which, self, $shared)
            }

            fn own(self, which: &Which) -> SetAcquire<Self, Exclusive> {
                asked!($kind which, self, $exclusive)
            }

            fn try_share(self, which: &Which) -> Outcome<Self, Shared> {
                asked!($kind which, self, $try_shared)
            }

            fn try_own(self, which: &Which) -> Outcome<Self, Exclusive> {
                asked!($kind which, self, $try_exclusive)
            }

            ways!(@changes $kind);
        }
    )+};
    (@is_open closed) => { false };
    (@is_open open) => { true };
    (@changes closed) => {
        fn remove(guard: &mut SetGuard<Self, Exclusive>, name: u8) -> Vec<(u8, Thing)> {
            guard.remove(name).unwrap()
        }

        fn add(guard: &mut SetGuard<Self, Exclusive>, name: u8, held: bool) -> bool {
            let added = match held {
                true => guard.add_held(name),
                false => guard.add(name),
            };
            match added {
                Ok(()) => return true,
                Err(AddError::NotWhole) => assert!(!guard.is_whole()),
                Err(AddError::Exists { names }) => assert_eq!(names, [name]),
                Err(error) => panic!("{error}"),
            }
            false
        }
    };
    (@changes open) => {
        fn remove(_guard: &mut SetGuard<Self, Exclusive>, _name: u8) -> Vec<(u8, Thing)> {
            Vec::new()
        }

        fn add(_guard: &mut SetGuard<Self, Exclusive>, _name: u8, _held: bool) -> bool {
            false
        }
    };
}

ways! {
    closed &Closed: shared exclusive try_shared try_exclusive;
    closed Arc<Closed>: shared_owned exclusive_owned try_shared_owned try_exclusive_owned;
    open &Open: shared exclusive try_shared try_exclusive;
    open Arc<Open>: shared_owned exclusive_owned try_shared_owned try_exclusive_owned;
}

/// The holder of a guard, which is in the rooms of its names until it leaves.
struct Visit<'l> {
    ledger: &'l Ledger,
    mode: LockMode,
}

impl Visit<'_> {
    fn enter(&self, name: u8, thing: &Thing) {
        self.ledger.enter(name, self.mode, thing);
    }

    fn leave(&self, name: u8, thing: &Thing) {
        self.ledger.leave(name, self.mode, thing);
    }

    fn enter_all<P: Way, M: Mode>(&self, guard: &SetGuard<P, M>) {
        guard.iter().for_each(|(name, thing)| self.enter(*name, thing));
    }

    fn leave_all<P: Way, M: Mode>(&self, guard: &SetGuard<P, M>) {
        guard.iter().for_each(|(name, thing)| self.leave(*name, thing));
    }

    /// Leaves one name, if the guard holds it.
    fn leave_one<P: Way, M: Mode>(&self, guard: &SetGuard<P, M>, name: u8) -> bool {
        let thing = guard.get(name);
        if let Some(thing) = thing {
            self.leave(name, thing);
        }
        thing.is_some()
    }
}

/// One task of a program.
pub(crate) async fn task<S>(ledger: &Ledger, set: Arc<S>, errands: &[Errand])
where
    Arc<S>: Way,
    for<'s> &'s S: Way + Changed,
{
    for errand in errands {
        match errand {
            Errand::Take { owned: true, .. } => take(ledger, Arc::clone(&set), errand).await,
            Errand::Take { .. } => take(ledger, &*set, errand).await,
            errand => (&*set).change(ledger, errand).await,
        }
        pause().await;
    }
}

async fn take<P: Way>(ledger: &Ledger, way: P, errand: &Errand) {
    let Errand::Take { which, mode, how, priority, moves, then, .. } = errand else { return };
    let priority = Priority::new(*priority);
    match mode {
        LockMode::Exclusive => {
            let taken = match how {
                How::Try => Some(way.clone().try_own(which)),
                how => ask(way.clone().own(which).priority(priority), *how, *moves).await,
            };
            let Some(guard) = judge::<P, _>(taken, which, *how) else { return };
            let visit = Visit { ledger, mode: *mode };
            visit.enter_all(&guard);
            own(visit, way, guard, then).await;
        }
        LockMode::Shared => {
            let taken = match how {
                How::Try => Some(way.clone().try_share(which)),
                how => ask(way.clone().share(which).priority(priority), *how, *moves).await,
            };
            let Some(guard) = judge::<P, _>(taken, which, *how) else { return };
            let visit = Visit { ledger, mode: *mode };
            visit.enter_all(&guard);
            share(visit, guard, then).await;
        }
    }
}

async fn ask<P: Way, M: Mode>(request: SetAcquire<P, M>, how: How, moves: Option<i8>) -> Option<Outcome<P, M>> {
    let request = match how {
        How::Opportunistic => request.opportunistic(),
        How::AtLeast(names) => request.at_least(names),
        _ => request,
    };
    match how {
        How::Late => Some(request.deadline(Instant::now()).await),
        How::Soon => Some(request.timeout(SOON).await),
        How::Polls(times) => polls(pin!(request), times).await,
        How::Unclaimed => {
            let mut request = pin!(request);
            if let Poll::Ready(outcome) = once(request.as_mut()).await {
                return Some(outcome);
            }
            pause().await;
            pause().await;
            None
        }
        _ => Some(moved(pin!(request), moves).await),
    }
}

/// Time stands still under shuttle.
const SOON: Duration = if cfg!(lockladder_shuttle) { Duration::from_secs(3_600) } else { Duration::from_millis(1) };

/// Waits; moves to another priority meanwhile, if it gets one.
async fn moved<P: Way, M: Mode>(mut request: Pin<&mut SetAcquire<P, M>>, moves: Option<i8>) -> Outcome<P, M> {
    if let Some(priority) = moves {
        if let Poll::Ready(outcome) = once(request.as_mut()).await {
            return outcome;
        }
        pause().await;
        request.as_mut().set_priority(Priority::new(priority));
        count("moved");
    }
    request.await
}

/// Checks what came of a request. Returns the guard, if there is one.
fn judge<P: Way, M: Mode>(taken: Option<Outcome<P, M>>, which: &Which, how: How) -> Option<SetGuard<P, M>> {
    let mut asked: Vec<u8> = match which {
        Which::One(name) => vec![*name],
        Which::Many(names) => names.clone(),
        Which::All => NAMES.to_vec(),
    };
    asked.sort_unstable();
    asked.dedup();
    let guard = match taken {
        None => {
            count("given up");
            return None;
        }
        Some(Ok(guard)) => guard,
        Some(Err(error)) => {
            judge_error::<P>(&error, &asked, how);
            return None;
        }
    };
    let names: Vec<u8> = guard.names().into_iter().copied().collect();
    assert!(names.iter().all(|name| asked.contains(name)), "{names:?} of {asked:?}");
    match (which, how) {
        (_, How::Opportunistic) => count("seized"),
        (_, How::AtLeast(least)) => {
            assert!(names.len() >= least, "{names:?} are fewer than {least}");
            count("got enough");
        }
        (Which::All, _) if !P::OPEN => {
            assert!(guard.is_whole());
            count("got the whole");
        }
        _ => {
            assert_eq!(names, asked, "all or nothing");
            count("got names");
        }
    }
    Some(guard)
}

fn judge_error<P: Way>(error: &SetError<u8>, asked: &[u8], how: How) {
    match error {
        SetError::Unknown { name } | SetError::Deleted { name } => {
            assert!(PASSING.contains(name) && !P::OPEN, "nobody removes {name}: {error}");
            count(if matches!(error, SetError::Unknown { .. }) { "unknown" } else { "deleted" });
        }
        SetError::WouldBlock { names, .. } => {
            assert!(how == How::Try && names.iter().all(|name| asked.contains(name)), "{error}");
            count("would block");
        }
        SetError::TimedOut { .. } => {
            assert!(matches!(how, How::Late | How::Soon), "{error}");
            count("timed out");
        }
        SetError::TooFew { wanted, .. } => {
            assert!(matches!(how, How::AtLeast(least) if least == *wanted), "{error}");
            count("too few");
        }
        error => panic!("{error}"),
    }
}

/// What a sharer does.
async fn share<P: Way>(visit: Visit<'_>, mut guard: SetGuard<P, Shared>, uses: &[Use]) {
    for usage in uses {
        match usage {
            Use::Release(name) if visit.leave_one(&guard, *name) => guard.release(*name).unwrap(),
            Use::SplitOff(name) if guard.contains(*name) => {
                let part = guard.split_off(*name).unwrap();
                look(&guard).await;
                visit.leave_all(&guard);
                drop(std::mem::replace(&mut guard, part));
                count("split");
            }
            _ => look(&guard).await,
        }
    }
    look(&guard).await;
    visit.leave_all(&guard);
}

async fn look<P: Way, M: Mode>(guard: &SetGuard<P, M>) {
    let names: Vec<u8> = guard.names().into_iter().copied().collect();
    guard.iter().for_each(|(_, thing)| thing.assert_whole());
    pause().await;
    guard.iter().for_each(|(_, thing)| thing.assert_whole());
    assert_eq!(guard.names(), names.iter().collect::<Vec<_>>(), "a guard's names change by its holder only");
}

/// What an owner does.
async fn own<P: Way>(visit: Visit<'_>, way: P, mut guard: SetGuard<P, Exclusive>, uses: &[Use]) {
    for (at, usage) in uses.iter().enumerate() {
        match usage {
            Use::Release(name) if visit.leave_one(&guard, *name) => {
                guard.release(*name).unwrap();
                count("released a part");
            }
            Use::SplitOff(name) if guard.contains(*name) => {
                let part = guard.split_off(*name).unwrap();
                write(&mut guard).await;
                visit.leave_all(&guard);
                drop(std::mem::replace(&mut guard, part));
            }
            Use::Downgrade => {
                for (name, thing) in &guard {
                    visit.ledger.downgrade(*name, thing);
                }
                count("downgraded");
                return share(Visit { mode: LockMode::Shared, ..visit }, guard.downgrade(), &uses[at + 1..]).await;
            }
            Use::Remove(name) if !P::OPEN && visit.leave_one(&guard, *name) => {
                let removed = P::remove(&mut guard, *name);
                assert_eq!(removed.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [*name]);
                count(if guard.is_whole() { "removed by the whole" } else { "removed by its owner" });
            }
            Use::AddFree(name) => {
                if P::add(&mut guard, *name, false) {
                    count("added free by the whole");
                }
            }
            Use::AddHeld(name) => {
                if P::add(&mut guard, *name, true) {
                    visit.enter(*name, &guard[*name]);
                    count("added held by the whole");
                }
            }
            Use::TryMore(names) => {
                let more = way.clone().try_own(&Which::Many(names.clone()));
                if let Ok(more) = more {
                    visit.enter_all(&more);
                    pause().await;
                    visit.leave_all(&more);
                    count("got more");
                }
            }
            _ => write(&mut guard).await,
        }
    }
    write(&mut guard).await;
    visit.leave_all(&guard);
}

/// Changes all values without synchronization, in all the ways there are.
async fn write<P: Way>(guard: &mut SetGuard<P, Exclusive>) {
    let names: Vec<u8> = guard.names().into_iter().copied().collect();
    for name in &names {
        let thing = guard.get_mut(*name).unwrap();
        thing.count += 1;
        thing.expected.fetch_add(1, SeqCst);
    }
    pause().await;
    if let [one, other, ..] = names[..] {
        for thing in guard.get_disjoint_mut([one, other]).unwrap() {
            thing.count += 1;
            thing.expected.fetch_add(1, SeqCst);
        }
    }
    for (_, thing) in guard {
        thing.count += 1;
        thing.expected.fetch_add(1, SeqCst);
    }
}

/// The errands that change a set, or look at all of it.
pub(crate) trait Changed {
    /// Runs such an errand.
    fn change(self, ledger: &Ledger, errand: &Errand) -> impl Future<Output = ()>;
}

impl Changed for &Open {
    async fn change(self, ledger: &Ledger, errand: &Errand) {
        match errand {
            Errand::Look => {
                assert!(self.names().iter().all(|name| NAMES.contains(name)), "{self:?}");
            }
            Errand::Add { names, held, how } => {
                let (which, mode) = (Which::Many(names.clone()), held.unwrap_or(LockMode::Exclusive));
                let (priority, moves, then, owned) = (0, None, vec![Use::Stay], false);
                let errand = Errand::Take { which, mode, owned, how: *how, priority, moves, then };
                take(ledger, self, &errand).await;
            }
            _ => {}
        }
    }
}

impl Changed for &Closed {
    async fn change(self, ledger: &Ledger, errand: &Errand) {
        match errand {
            Errand::Look => {
                assert!(self.names().is_sorted(), "{self:?}");
            }
            Errand::Remove { names, how } => {
                let removed = match how {
                    How::Late => Some(self.remove(names).deadline(Instant::now()).await),
                    How::Polls(times) => polls(pin!(self.remove(names)), *times).await,
                    _ => Some(self.remove(names).await),
                };
                let removed = match removed {
                    None => return,
                    Some(Err(SetError::TimedOut { .. })) if matches!(how, How::Late) => return,
                    Some(removed) => removed.expect("a removal without a deadline cannot fail"),
                };
                assert!(removed.is_sorted() && removed.iter().all(|name| names.contains(name)), "{removed:?}");
                if !removed.is_empty() {
                    count("removed");
                }
            }
            Errand::Add { names, held: None, how } => {
                let added = match how {
                    How::Late => Some(self.add(names).deadline(Instant::now()).await),
                    How::Polls(times) => polls(pin!(self.add(names)), *times).await,
                    _ => Some(self.add(names).await),
                };
                judge_addition(added, names);
            }
            Errand::Add { names, held: Some(LockMode::Exclusive), .. } => {
                if let Some(guard) = judge_addition(Some(self.add_exclusive(names).await), names) {
                    let visit = Visit { ledger, mode: LockMode::Exclusive };
                    visit.enter_all(&guard);
                    own(visit, self, guard, &[]).await;
                }
            }
            Errand::Add { names, held: Some(LockMode::Shared), .. } => {
                let entries = names.iter().map(|name| (*name, Thing::default()));
                if let Some(guard) = judge_addition(Some(self.add_shared(Entries(entries)).await), names) {
                    let visit = Visit { ledger, mode: LockMode::Shared };
                    visit.enter_all(&guard);
                    share(visit, guard, &[]).await;
                }
            }
            Errand::Take { .. } => {}
        }
    }
}

/// Checks what came of an addition.
fn judge_addition<T>(added: Option<Result<T, AddError<u8>>>, names: &[u8]) -> Option<T> {
    match added? {
        Ok(added) => {
            count("added");
            return Some(added);
        }
        Err(AddError::Exists { names: existing }) => {
            assert!(existing.iter().all(|name| names.contains(name) && PASSING.contains(name)), "{existing:?}");
            count("exists");
        }
        Err(AddError::Repeated { names: repeated }) => {
            let is_repeated = |name: &u8| {
                names.iter().rposition(|other| other == name) != names.iter().position(|other| other == name)
            };
            assert!(repeated.iter().all(is_repeated), "{repeated:?} of {names:?}");
            count("repeated");
        }
        Err(AddError::TimedOut { .. }) => count("timed out"),
        Err(error) => panic!("{error}"),
    }
    None
}

/// Checks the end: everything is free, and no value is left.
pub(crate) fn assert_rest(ledger: &Ledger, closed: Arc<Closed>, open: Arc<Open>) {
    let names = closed.names();
    let whole = closed.try_exclusive(All).expect("nobody has any of it");
    assert_eq!((whole.mode(), whole.names()), (LockMode::Exclusive, names.iter().collect()));
    drop(whole);
    drop(closed.try_exclusive(&names).expect("nobody has one of them"));
    assert_eq!(open.names(), [0_u8; 0], "names that nobody uses");
    drop(open.try_exclusive(NAMES).expect("nobody has one of them"));
    assert_eq!(open.names(), [0_u8; 0], "names that nobody uses");
    assert!(Arc::into_inner(closed).is_some() && Arc::into_inner(open).is_some(), "somebody has a guard");
    ledger.assert_empty();
}
