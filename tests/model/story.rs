//! What may befall a lock, as stories that are dealt at random and read like one.

use super::rule::Name;
use lockladder::LockMode::{self, Exclusive, Shared};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt;

/// What a name does. What is impossible where it stands does not happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    Asks {
        what: What,
        priority: i8,
        /// Milliseconds from the first look on.
        patience: Option<u64>,
    },
    Looks(Bell),
    Leaves,
    Tries(LockMode),
    Moves(i8),
    Downgrades,
    Upgrades,
    Deletes,
    /// It is not the name's doing: time passes, in milliseconds.
    Dawdles(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Share,
    Own,
    Deletion,
}

/// The waker that a request is polled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bell {
    /// That of the last poll.
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
    pub(crate) deed: Deed,
}

#[derive(Clone)]
pub(crate) struct Story(pub(crate) Vec<Step>);

/// Stories of so many names and at most so many steps.
pub(crate) fn stories(names: usize, steps: usize) -> impl Strategy<Value = Story> {
    vec(step(0..names, deeds()), 1..=steps).prop_map(Story)
}

/// Stories that begin with a crowd of sharers who gather while one name owns the lock, and then go on by themselves.
pub(crate) fn crowds(names: usize) -> impl Strategy<Value = Story> {
    let asks = Deed::Asks { what: What::Share, priority: 0, patience: None };
    let gather = vec(step(1..names, prop_oneof![Just(asks), Just(Deed::Looks(Bell::Same))]), 1..=6 * names);
    let first = || prop_oneof![1 => Just(0), 4 => 0..names];
    (gather, vec(step(first(), deeds()), 1..=2 * names)).prop_map(|(gather, rest)| {
        let owner = Step { name: 0, deed: Deed::Tries(Exclusive) };
        Story([vec![owner], gather, rest].concat())
    })
}

fn step(name: impl Strategy<Value = Name>, deed: impl Strategy<Value = Deed>) -> impl Strategy<Value = Step> {
    (name, deed).prop_map(|(name, deed)| Step { name, deed })
}

fn deeds() -> impl Strategy<Value = Deed> {
    let mode = prop_oneof![Just(Shared), Just(Exclusive)];
    let what = prop_oneof![20 => Just(What::Share), 20 => Just(What::Own), 3 => Just(What::Deletion)];
    let priority = || prop_oneof![4 => Just(0_i8), 1 => Just(-7), 1 => Just(5)];
    let patience = prop_oneof![2 => Just(None), 1 => (1..20_u64).prop_map(Some)];
    let bell =
        prop_oneof![4 => Just(Bell::Same), 2 => Just(Bell::New), 1 => Just(Bell::Reenters), 1 => Just(Bell::Panics)];
    let asks = (what, priority(), patience);
    prop_oneof![
        60 => asks.prop_map(|(what, priority, patience)| Deed::Asks { what, priority, patience }),
        90 => bell.prop_map(Deed::Looks),
        50 => Just(Deed::Leaves),
        6 => mode.prop_map(Deed::Tries),
        40 => priority().prop_map(Deed::Moves),
        15 => Just(Deed::Downgrades),
        10 => Just(Deed::Upgrades),
        8 => Just(Deed::Deletes),
        16 => (1..12_u64).prop_map(Deed::Dawdles),
    ]
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "\n    {step:?}"))
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.deed {
            Deed::Dawdles(time) => write!(f, "{time} ms pass"),
            deed => write!(f, "{} {deed:?}", self.name),
        }
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asks { what, priority, patience } => {
                let what = match what {
                    What::Share => "shared",
                    What::Own => "exclusive",
                    What::Deletion => "to delete",
                };
                write!(f, "asks {what} at {priority}")?;
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
