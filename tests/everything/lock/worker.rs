//! One of several tasks that use a lock. Each draws what to do next.
//!
//! No task waits without end while it holds something, or while parcels lie around. So no task waits for itself, and a
//! task that waits for ever has been forgotten by the lock.

use super::ground::{Ground, Lock, Parcel};
use super::hold::Hold;
use super::pursuit::{Ask, End, any_priority, pursue};
use super::section::{Inside, Section};
use super::truth::Cargo;
use crate::pace::pause;
use crate::tally::count;
use futures::future::FusedFuture;
use lockladder::{
    AcquireError, Exclusive, Guard, Mode, Shared, TryAcquireError,
    futures::{Acquire, Delete},
    guards::LockPointer,
};
use lockladder_test_support::dice::Dice;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Time stands still under shuttle, where a deadline has passed already or never comes.
const SOON: Duration = Duration::from_millis(1);

pub(crate) struct Worker {
    ground: Arc<Ground>,
    dice: Dice,
}

/// How the lock is reached.
pub(crate) trait Pointer: LockPointer<Value = Cargo> + Sized {
    /// Leaves a hold for another task. A hold that borrows the lock comes back.
    fn post(hold: Hold<Self>, ground: &Ground) -> Option<Hold<Self>>;
}

impl Pointer for &Lock {
    fn post(hold: Hold<Self>, _ground: &Ground) -> Option<Hold<Self>> {
        Some(hold)
    }
}

impl Pointer for Arc<Lock> {
    fn post(hold: Hold<Self>, ground: &Ground) -> Option<Hold<Self>> {
        count("lock: post hold");
        ground.leave(Parcel::Held(hold));
        None
    }
}

impl Worker {
    pub(crate) fn new(ground: &Arc<Ground>, dice: Dice) -> Self {
        Self { ground: Arc::clone(ground), dice }
    }

    pub(crate) async fn work(mut self) {
        for _ in 0..2 + self.dice.below(4) {
            self.deed().await;
        }
        self.clear();
    }

    async fn deed(&mut self) {
        let ground = Arc::clone(&self.ground);
        let lock = &ground.lock;
        match self.dice.below(20) {
            0..=2 => self.ask(lock.shared()).await,
            3..=5 => self.ask(lock.exclusive()).await,
            6 | 7 => self.ask(Arc::clone(lock).shared_owned()).await,
            8 | 9 => self.ask(Arc::clone(lock).exclusive_owned()).await,
            10 => self.attempt(|| lock.try_shared()).await,
            11 => self.attempt(|| lock.try_exclusive()).await,
            12 => self.attempt(|| Arc::clone(lock).try_shared_owned()).await,
            13 => self.attempt(|| Arc::clone(lock).try_exclusive_owned()).await,
            14 => self.post_request().await,
            15 => self.unpack().await,
            16 => self.synchronized().await,
            17 => self.show(),
            18 if self.dice.once_in(2) => self.delete(lock.delete()).await,
            18 if !ground.hostile => self.try_delete(),
            _ => self.queue_twice().await,
        }
    }

    /// Records the error that a request has ended with.
    fn told(&mut self, error: AcquireError) {
        match error {
            AcquireError::Deleted => {
                self.ground.truth.told_deleted();
                count("lock: told deleted");
            }
            AcquireError::TimedOut { .. } => count("lock: timed out"),
            error => panic!("{error}"),
        }
    }

    fn patience(&mut self) -> Option<usize> {
        self.dice.once_in(3).then(|| self.dice.below(4))
    }

    /// Asks for the lock and uses it, or gives up.
    async fn ask<P: Pointer, M: Mode>(&mut self, mut request: Acquire<P, M>)
    where
        Hold<P>: From<Guard<P, M>>,
    {
        if self.dice.once_in(3) {
            request = request.priority(any_priority(&mut self.dice));
        }
        match self.dice.below(8) {
            0 => self.ask_for(request.deadline(Instant::now())).await,
            1 => self.ask_for(request.timeout(SOON)).await,
            _ => self.ask_for(request).await,
        }
    }

    async fn ask_for<P, M, F>(&mut self, request: F)
    where
        P: Pointer,
        M: Mode,
        F: Ask<Output = Result<Guard<P, M>, AcquireError>>,
        Hold<P>: From<Guard<P, M>>,
    {
        let patience = self.patience();
        let mut request = Box::pin(request);
        let guard = self.pursue(request.as_mut(), patience).await;
        self.ground.bravely(|| drop(request));
        if let Some(guard) = guard {
            self.hold(Hold::from(guard).enter(&self.ground)).await;
        }
    }

    /// Pursues a request. `None` if it failed or was given up; the caller may pursue it again if it has not ended.
    async fn pursue<T, F>(&mut self, request: Pin<&mut F>, patience: Option<usize>) -> Option<T>
    where
        F: Ask<Output = Result<T, AcquireError>>,
    {
        let gone = self.ground.truth.is_gone();
        if patience.is_none() {
            self.clear();
        }
        match pursue(&self.ground, &mut self.dice, request, patience).await {
            End::Answer(Ok(granted)) => {
                assert!(!gone, "granted though it had been deleted before");
                count("lock: granted");
                return Some(granted);
            }
            End::Answer(Err(error)) => self.told(error),
            End::Lost => count("lock: lost"),
            End::GivenUp => {
                let answers = gone && !self.ground.hostile && patience != Some(0);
                assert!(!answers, "waits for what had been deleted before");
                count("lock: given up");
            }
        }
        None
    }

    async fn attempt<P: Pointer, M: Mode>(&mut self, attempt: impl FnOnce() -> Result<Guard<P, M>, TryAcquireError>)
    where
        Hold<P>: From<Guard<P, M>>,
    {
        let gone = self.ground.truth.is_gone();
        match self.ground.bravely(attempt) {
            None => count("lock: try threw"),
            Some(Err(TryAcquireError::Deleted)) => self.told(AcquireError::Deleted),
            Some(_) if gone => panic!("not told that it had been deleted before"),
            Some(Err(TryAcquireError::WouldBlock)) => count("lock: would block"),
            Some(Err(error)) => panic!("{error}"),
            Some(Ok(guard)) => {
                count("lock: tried well");
                self.hold(Hold::from(guard).enter(&self.ground)).await;
            }
        }
    }

    /// Uses a hold, and then releases it or leaves it for another task.
    async fn hold<P: Pointer>(&mut self, hold: Hold<P>) {
        let mut mine = Some(hold);
        for _ in 0..self.dice.below(4) {
            let Some(hold) = mine else { return };
            mine = match self.dice.below(8) {
                0 | 1 => {
                    pause().await;
                    Some(hold)
                }
                2 => {
                    self.ask_beside().await;
                    Some(hold)
                }
                3 => P::post(hold, &self.ground),
                _ => hold.step(&self.ground, &mut self.dice),
            };
        }
        match mine {
            Some(hold) if self.dice.once_in(4) => self.leave_in_queue(hold).await,
            Some(hold) => hold.leave(&self.ground),
            None => {}
        }
    }

    /// Pursues a request, enters, and leaves at once.
    async fn visit<P, M, F>(&mut self, request: Pin<&mut F>, patience: Option<usize>)
    where
        P: Pointer,
        M: Mode,
        F: Ask<Output = Result<Guard<P, M>, AcquireError>>,
        Hold<P>: From<Guard<P, M>>,
    {
        if let Some(guard) = self.pursue(request, patience).await {
            Hold::from(guard).enter(&self.ground).leave(&self.ground);
        }
    }

    /// Asks for the lock while holding it, and soon gives up.
    async fn ask_beside(&mut self) {
        count("lock: ask beside");
        let (ground, patience) = (Arc::clone(&self.ground), Some(self.dice.below(3)));
        if self.dice.once_in(2) {
            let mut request = Box::pin(ground.lock.shared());
            self.visit(request.as_mut(), patience).await;
            ground.bravely(|| drop(request));
        } else {
            let mut request = Box::pin(ground.lock.exclusive());
            self.visit(request.as_mut(), patience).await;
            ground.bravely(|| drop(request));
        }
    }

    /// Asks for the lock again before releasing it, and waits only after that.
    async fn leave_in_queue<P: Pointer>(&mut self, hold: Hold<P>) {
        count("lock: leave in queue");
        let ground = Arc::clone(&self.ground);
        let mut request = Box::pin(ground.lock.exclusive());
        self.visit(request.as_mut(), Some(1)).await;
        hold.leave(&ground);
        if !request.is_terminated() {
            self.visit(request.as_mut(), None).await;
        }
        ground.bravely(|| drop(request));
    }

    /// Has two requests at once, and waits without end for the second only.
    async fn queue_twice(&mut self) {
        count("lock: queue twice");
        let ground = Arc::clone(&self.ground);
        let (mut one, mut other) =
            (Box::pin(ground.lock.exclusive()), Box::pin(Arc::clone(&ground.lock).shared_owned()));
        self.visit(one.as_mut(), Some(1)).await;
        self.visit(other.as_mut(), Some(1)).await;
        if !one.is_terminated() {
            self.visit(one.as_mut(), Some(1)).await;
        }
        ground.bravely(|| drop(one));
        if !other.is_terminated() {
            self.visit(other.as_mut(), None).await;
        }
        ground.bravely(|| drop(other));
    }

    /// Leaves a request, queued or not, for another task to take up.
    async fn post_request(&mut self) {
        let lock = Arc::clone(&self.ground.lock);
        if self.dice.once_in(2) {
            self.post(lock.shared_owned(), Parcel::Shares).await;
        } else {
            self.post(lock.exclusive_owned(), Parcel::Owns).await;
        }
    }

    async fn post<M: Mode>(&mut self, request: Acquire<Arc<Lock>, M>, wrap: Wrap<M>)
    where
        Hold<Arc<Lock>>: From<Guard<Arc<Lock>, M>>,
    {
        let (mut request, patience) = (Box::pin(request), Some(self.dice.below(3)));
        self.visit(request.as_mut(), patience).await;
        if request.is_terminated() {
            self.ground.bravely(|| drop(request));
        } else {
            count("lock: post request");
            self.ground.leave(wrap(request));
        }
    }

    /// Takes up what another task has left.
    async fn unpack(&mut self) {
        match self.ground.find() {
            None => {}
            Some(Parcel::Held(hold)) => {
                count("lock: unpack hold");
                self.hold(hold).await;
            }
            Some(Parcel::Shares(request)) => self.take_up(request).await,
            Some(Parcel::Owns(request)) => self.take_up(request).await,
        }
    }

    async fn take_up<M: Mode>(&mut self, mut request: Pin<Box<Acquire<Arc<Lock>, M>>>)
    where
        Hold<Arc<Lock>>: From<Guard<Arc<Lock>, M>>,
    {
        count("lock: unpack request");
        let patience = self.patience();
        self.visit(request.as_mut(), patience).await;
        self.ground.bravely(|| drop(request));
    }

    /// Drops all parcels, so that no waiter waits for one of them.
    fn clear(&self) {
        while let Some(parcel) = self.ground.find() {
            parcel.forsake(&self.ground);
        }
    }

    async fn synchronized(&mut self) {
        count("lock: synchronized");
        let (ground, patience) = (Arc::clone(&self.ground), self.patience());
        let truth = &ground.truth;
        let work: Pin<Box<dyn Future<Output = Result<(), AcquireError>> + Send + '_>> = if self.dice.once_in(2) {
            Box::pin(ground.lock.synchronized(Shared, async |cargo| {
                let _inside = Inside::shared(truth);
                pause().await;
                truth.read(&cargo.halves);
            }))
        } else {
            Box::pin(ground.lock.synchronized(Exclusive, async |cargo| {
                let _inside = Inside::exclusive(truth);
                truth.write(&mut cargo.halves);
                pause().await;
                truth.write(&mut cargo.halves);
            }))
        };
        let mut work = Box::pin(Section::new(work));
        self.pursue(work.as_mut(), patience).await;
        ground.bravely(|| drop(work));
    }

    fn show(&self) {
        count("lock: debug");
        self.ground.bravely(|| black_box(format!("{:?}", self.ground.lock)));
    }

    async fn delete(&mut self, mut request: Delete<&Lock>) {
        if self.dice.once_in(3) {
            request = request.priority(any_priority(&mut self.dice));
        }
        match self.dice.below(8) {
            0 => self.delete_by(request.deadline(Instant::now())).await,
            1 => self.delete_by(request.timeout(SOON)).await,
            _ => self.delete_by(request).await,
        }
    }

    async fn delete_by<F: Ask<Output = Result<(), AcquireError>>>(&mut self, request: F) {
        let (gone, patience) = (self.ground.truth.is_gone(), self.patience());
        if patience.is_none() {
            self.clear();
        }
        let deleting = self.ground.truth.deleting();
        let mut request = Box::pin(request);
        let end = pursue(&self.ground, &mut self.dice, request.as_mut(), patience).await;
        self.ground.bravely(|| drop(request));
        match end {
            // The waker that panicked was woken because the lock is gone.
            End::Answer(Ok(())) | End::Lost => {
                assert!(!gone, "deleted twice");
                count("lock: deleted");
                deleting.done();
            }
            End::Answer(Err(error)) => {
                drop(deleting);
                self.told(error);
            }
            End::GivenUp => count("lock: given up"),
        }
    }

    fn try_delete(&mut self) {
        let gone = self.ground.truth.is_gone();
        let deleting = self.ground.truth.deleting();
        match self.ground.lock.try_delete() {
            Ok(()) => {
                assert!(!gone, "deleted twice");
                count("lock: try deleted");
                deleting.done();
            }
            Err(TryAcquireError::Deleted) => {
                drop(deleting);
                self.told(AcquireError::Deleted);
            }
            Err(error) => {
                assert!(!gone, "not told that it had been deleted before");
                assert_eq!(error, TryAcquireError::WouldBlock);
                count("lock: would block");
            }
        }
    }
}

type Wrap<M> = fn(Pin<Box<Acquire<Arc<Lock>, M>>>) -> Parcel;
