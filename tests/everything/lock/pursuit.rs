//! How requests are pursued: polled with various wakers, moved to other priorities, printed, and perhaps given up.

use super::ground::Ground;
use super::rude::{Manners, rude};
use crate::pace::pause;
use crate::tally::count;
use futures::future::FusedFuture;
use lockladder::{
    Mode, Priority,
    futures::{Acquire, Deadline, Delete},
    guards::LockPointer,
};
use lockladder_test_support::dice::Dice;
use lockladder_test_support::hostile::throw;
use lockladder_test_support::wakers::on_clone;
use std::fmt::Debug;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A request whose priority can change.
pub(crate) trait Ask: FusedFuture + Debug {
    /// Whether tokio's timer wakes it, too. Wakers must not panic on the timer's thread.
    const TIMED: bool = false;

    fn move_to(self: Pin<&mut Self>, priority: Priority);
}

macro_rules! ask {
    ($([$($generics:tt)*] $request:ty: $timed:literal;)+) => {$(
        impl<$($generics)*> Ask for $request {
            const TIMED: bool = $timed;

            fn move_to(self: Pin<&mut Self>, priority: Priority) {
                self.set_priority(priority);
            }
        }
    )+};
}

ask! {
    [P: LockPointer, M: Mode] Acquire<P, M>: false;
    [P: LockPointer + Debug] Delete<P>: false;
    [P: LockPointer, M: Mode] Deadline<Acquire<P, M>>: true;
    [P: LockPointer + Debug] Deadline<Delete<P>>: true;
}

/// How a pursuit ended.
pub(crate) enum End<T> {
    Answer(T),
    /// Another task's waker panicked as the request resolved.
    Lost,
    GivenUp,
}

/// The waker that a poll gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bell {
    /// The task's own.
    Own,
    /// One that wakes the task, and misbehaves.
    Rude(Manners),
    /// One that wakes no task.
    None,
    /// One that panics as it is cloned.
    ThrowsAtOnce,
}

impl Bell {
    fn any<F: Ask>(ground: &Ground, dice: &mut Dice) -> Self {
        match dice.below(if ground.hostile { 12 } else { 16 }) {
            0 => Self::None,
            _ if ground.hostile && F::TIMED => Self::Own,
            1 => Self::Rude(Manners::Enters),
            2 => Self::Rude(Manners::Drops),
            3 | 4 if ground.hostile => Self::Rude(Manners::Throws),
            5 if ground.hostile => Self::Rude(Manners::ThrowsLast),
            6 if ground.hostile => Self::ThrowsAtOnce,
            _ => Self::Own,
        }
    }

    /// Whether a task that has polled with it may sleep.
    fn rings(self) -> bool {
        matches!(self, Self::Own | Self::Rude(_))
    }
}

/// Polls once; then a pending task sleeps, if `sleeps` and the waker allow it. `None` if a waker panicked.
async fn look<F: Ask>(
    ground: &Arc<Ground>,
    mut request: Pin<&mut F>,
    bell: Bell,
    sleeps: bool,
) -> Option<Poll<F::Output>> {
    let mut slept = false;
    poll_fn(|context| {
        if slept {
            return Poll::Ready(Some(Poll::Pending));
        }
        let waker = match bell {
            Bell::Own => context.waker().clone(),
            Bell::Rude(manners) => rude(ground, context.waker(), manners),
            Bell::None => Waker::noop().clone(),
            Bell::ThrowsAtOnce => on_clone(throw),
        };
        let polled = ground.bravely(|| request.as_mut().poll(&mut Context::from_waker(&waker)));
        ground.bravely(|| drop(waker));
        slept = sleeps && bell.rings() && matches!(polled, Some(Poll::Pending));
        if slept { Poll::Pending } else { Poll::Ready(polled) }
    })
    .await
}

/// Polls a request until it resolves, or as often as `patience` says. The caller may drop it then.
pub(crate) async fn pursue<F: Ask>(
    ground: &Arc<Ground>,
    dice: &mut Dice,
    mut request: Pin<&mut F>,
    patience: Option<usize>,
) -> End<F::Output> {
    for polls in 0.. {
        if patience == Some(polls) {
            return End::GivenUp;
        }
        if dice.once_in(6) {
            count(if polls == 0 { "lock: moved before" } else { "lock: moved" });
            let priority = any_priority(dice);
            ground.bravely(|| request.as_mut().move_to(priority));
        }
        if dice.once_in(16) {
            count("lock: debug");
            black_box(format!("{request:?}"));
        }
        let (bell, sleeps) = (Bell::any::<F>(ground, dice), patience.is_none() && (polls > 2 || dice.once_in(2)));
        match look(ground, request.as_mut(), bell, sleeps).await {
            Some(Poll::Ready(answer)) => return End::Answer(answer),
            None if request.is_terminated() => return End::Lost,
            None => count("lock: poll threw"),
            Some(Poll::Pending) if sleeps && bell.rings() => {}
            Some(Poll::Pending) => pause().await,
        }
    }
    unreachable!("it is polled until it resolves")
}

/// One of three, so that requests meet at each.
pub(crate) fn any_priority(dice: &mut Dice) -> Priority {
    dice.pick(&[Priority::new(-1), Priority::default(), Priority::new(1)])
}
