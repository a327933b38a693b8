//! What can happen to a lock, as random stories that are printed like stories.

use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder_test_support::lock_rule::Name;
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt;

/// What a name does. An action that is impossible where the name stands does not happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Asks {
        wish: Wish,
        priority: i8,
        /// In milliseconds from the first look.
        patience: Option<u64>,
    },
    Looks(Bell),
    Leaves,
    Tries(LockMode),
    Moves(i8),
    Downgrades,
    Upgrades,
    Deletes,
    /// Time passes, in milliseconds; the name does nothing.
    Dawdles(u64),
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wish {
    Share,
    Own,
    Deletion,
}

/// The waker that a request is polled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bell {
    /// The one of the last poll.
    Same,
    New,
    /// Uses the lock as it is woken.
    Reenters,
    /// Panics as it is woken.
    Panics,
}

#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) name: Name,
    pub(crate) action: Action,
}

#[derive(Clone)]
pub(crate) struct Story(pub(crate) Vec<Step>);

/// Stories of this many names, and of at most this many steps.
pub(crate) fn stories(names: usize, steps: usize) -> impl Strategy<Value = Story> {
    vec(step(0..names, actions()), 1..=steps).prop_map(Story)
}

/// Stories that begin with a crowd of sharers, which gather while one name owns the lock. Then anything may follow.
pub(crate) fn crowds(names: usize) -> impl Strategy<Value = Story> {
    let asks = Action::Asks { wish: Wish::Share, priority: 0, patience: None };
    let gather = vec(step(1..names, prop_oneof![Just(asks), Just(Action::Looks(Bell::Same))]), 1..=6 * names);
    let first = || prop_oneof![1 => Just(0), 4 => 0..names];
    (gather, vec(step(first(), actions()), 1..=2 * names)).prop_map(|(gather, rest)| {
        let owner = Step { name: 0, action: Action::Tries(Exclusive) };
        Story([vec![owner], gather, rest].concat())
    })
}

fn step(name: impl Strategy<Value = Name>, action: impl Strategy<Value = Action>) -> impl Strategy<Value = Step> {
    (name, action).prop_map(|(name, action)| Step { name, action })
}

fn actions() -> impl Strategy<Value = Action> {
    let mode = prop_oneof![Just(Shared), Just(Exclusive)];
    let wish = prop_oneof![20 => Just(Wish::Share), 20 => Just(Wish::Own), 3 => Just(Wish::Deletion)];
    let priority = || prop_oneof![4 => Just(0_i8), 1 => Just(-7), 1 => Just(5)];
    let patience = prop_oneof![2 => Just(None), 1 => (1..20_u64).prop_map(Some)];
    let bell =
        prop_oneof![4 => Just(Bell::Same), 2 => Just(Bell::New), 1 => Just(Bell::Reenters), 1 => Just(Bell::Panics)];
    let asks = (wish, priority(), patience);
    prop_oneof![
        60 => asks.prop_map(|(wish, priority, patience)| Action::Asks { wish, priority, patience }),
        90 => bell.prop_map(Action::Looks),
        50 => Just(Action::Leaves),
        6 => mode.prop_map(Action::Tries),
        40 => priority().prop_map(Action::Moves),
        15 => Just(Action::Downgrades),
        10 => Just(Action::Upgrades),
        8 => Just(Action::Deletes),
        16 => (1..12_u64).prop_map(Action::Dawdles),
    ]
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "\n    {step:?}"))
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.action {
            Action::Dawdles(time) => write!(f, "{time} ms pass"),
            action => write!(f, "{} {action:?}", self.name),
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asks { wish, priority, patience } => {
                let wish = match wish {
                    Wish::Share => "shared",
                    Wish::Own => "exclusive",
                    Wish::Deletion => "to delete",
                };
                write!(f, "asks {wish} at {priority}")?;
                patience.map_or(Ok(()), |patience| write!(f, ", for {patience} ms"))
            }
            Self::Looks(Bell::Same) => write!(f, "looks"),
            Self::Looks(Bell::New) => write!(f, "looks with another waker"),
            Self::Looks(Bell::Reenters) => write!(f, "looks with a waker that uses the lock"),
            Self::Looks(Bell::Panics) => write!(f, "looks with a waker that panics"),
            Self::Leaves => write!(f, "leaves"),
            Self::Tries(Shared) => write!(f, "tries to share"),
            Self::Tries(Exclusive) => write!(f, "tries to own"),
            Self::Moves(priority) => write!(f, "moves to {priority}"),
            Self::Downgrades => write!(f, "downgrades"),
            Self::Upgrades => write!(f, "tries to upgrade"),
            Self::Deletes => write!(f, "deletes"),
            Self::Dawdles(time) => write!(f, "dawdles for {time} ms"),
        }
    }
}
