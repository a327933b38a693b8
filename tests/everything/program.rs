//! Programs over named locks, as plain data, drawn from a seed.
//!
//! A program says what a few tasks do; each runs one errand after the other. No task waits for locks of a set while it
//! holds some of it: that can deadlock by itself, as documented. A task that holds something only tries for more.

use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder_test_support::dice::Dice;

/// Names that come and go. The others are there from the beginning, or never; no task removes them.
pub(crate) const PASSING: [u8; 2] = [3, 4];

/// All names.
pub(crate) const NAMES: [u8; 4] = [1, 2, 3, 4];

/// The names that a set begins with. The fewer names and steps, the likelier is the one schedule that matters.
const SETS: [&[u8]; 5] = [&[3], &[1, 3], &[1, 3], &[1, 3, 4], &NAMES];

/// The names that a request asks for.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    One(u8),
    Many(Vec<u8>),
    All,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Await,
    /// `try_*`.
    Try,
    Opportunistic,
    AtLeast(usize),
    /// With a deadline that has passed.
    Late,
    /// With a deadline that may pass.
    Soon,
    /// Dropped after this many polls, if it has not resolved by then.
    Polls(usize),
    /// Dropped two pauses after its first poll, perhaps when it has been granted meanwhile.
    Unclaimed,
}

/// What a holder does with its guard.
#[derive(Clone, Debug)]
pub(crate) enum Use {
    /// Stays for a while, and writes if it may.
    Stay,
    Release(u8),
    /// Splits a name off, and keeps it for a while after the rest.
    SplitOff(u8),
    Downgrade,
    Remove(u8),
    AddFree(u8),
    AddHeld(u8),
    /// Tries to get more of the same set.
    TryMore(Vec<u8>),
}

/// What a task does with a set.
#[derive(Clone, Debug)]
pub(crate) enum Errand {
    Take {
        which: Which,
        mode: LockMode,
        owned: bool,
        how: How,
        priority: i8,
        /// The priority that it gets while it waits.
        moves: Option<i8>,
        then: Vec<Use>,
    },
    /// For an open set, a request for names.
    Add {
        names: Vec<u8>,
        held: Option<LockMode>,
        how: How,
    },
    Remove {
        names: Vec<u8>,
        how: How,
    },
    /// `names()`.
    Look,
}

/// What the programs of a shape are mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Requests for the whole, against those that go past the queue.
    WholeAndFast,
    /// Names that are removed and added again, in every way.
    ComeAndGo,
    /// Sharers and owners of few names, which give up, move and downgrade.
    Crowd,
    /// Guards that are split, or released in part.
    Parts,
    /// All of it.
    Everything,
}

/// What each task does, with a set of these names.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) names: &'static [u8],
    pub(crate) tasks: Vec<Vec<Errand>>,
}

impl Program {
    pub(crate) fn draw(shape: Shape, dice: &mut Dice) -> Self {
        let few = shape == Shape::WholeAndFast;
        let names = dice.pick(if few { &SETS[..3] } else { &SETS });
        let sizes = [(2, 1), (2, 1), (3, 1), (3, 1), (2, 2), (3, 2), (4, 1), (4, 2), (5, 1)];
        let (tasks, errands) = dice.pick(if few { &sizes[..5] } else { &sizes });
        let mut draw = Draw { shape, names, dice };
        let tasks = (0..tasks).map(|_| (0..=draw.dice.below(errands)).map(|_| draw.errand()).collect()).collect();
        Self { names, tasks }
    }
}

struct Draw<'d> {
    shape: Shape,
    names: &'static [u8],
    dice: &'d mut Dice,
}

impl Draw<'_> {
    fn errand(&mut self) -> Errand {
        let changes = match self.shape {
            Shape::ComeAndGo => 2,
            Shape::Everything => 4,
            Shape::WholeAndFast | Shape::Parts => 8,
            Shape::Crowd => 16,
        };
        if self.dice.once_in(changes) {
            let names = if self.dice.once_in(3) { PASSING.to_vec() } else { self.dice.some(&PASSING) };
            let how = if self.dice.once_in(3) { self.how_in_line() } else { How::Await };
            return match self.dice.below(2) {
                0 => Errand::Remove { names, how },
                _ => Errand::Add { names, held: self.dice.pick(&[None, Some(Shared), Some(Exclusive)]), how },
            };
        }
        if self.dice.once_in(24) {
            return Errand::Look;
        }
        self.take()
    }

    fn take(&mut self) -> Errand {
        let whole = match self.shape {
            Shape::WholeAndFast => 2,
            Shape::Parts | Shape::ComeAndGo => 3,
            Shape::Everything => 4,
            Shape::Crowd => 12,
        };
        let which = match self.dice.below(2) {
            _ if self.dice.once_in(whole) => Which::All,
            0 => Which::One(self.dice.pick(self.names)),
            _ => Which::Many(self.dice.some(self.names)),
        };
        let hurries = self.shape == Shape::WholeAndFast && !self.dice.once_in(4);
        let uses = if hurries || self.dice.once_in(2) { 0 } else { 1 + self.dice.below(2) };
        let mut then: Vec<_> = (0..uses).map(|_| self.usage()).collect();
        if hurries && matches!(which, Which::All) && self.dice.once_in(2) {
            then.push(Use::Remove(PASSING[0]));
        }
        Errand::Take {
            mode: if self.dice.once_in(if self.shape == Shape::Crowd { 2 } else { 3 }) { Shared } else { Exclusive },
            owned: self.dice.once_in(3),
            how: if self.dice.once_in(2) { How::Await } else { self.how() },
            priority: if self.dice.once_in(4) { self.dice.pick(&[-1, 1]) } else { 0 },
            moves: self.dice.once_in(if hurries { 20 } else { 5 }).then(|| self.dice.pick(&[-2, 0, 2])),
            then,
            which,
        }
    }

    fn how(&mut self) -> How {
        match self.dice.below(8) {
            0 | 1 => How::Try,
            _ if self.shape == Shape::WholeAndFast && !self.dice.once_in(3) => How::Try,
            2 => How::Opportunistic,
            3 => How::AtLeast(self.dice.below(3)),
            _ => self.how_in_line(),
        }
    }

    fn how_in_line(&mut self) -> How {
        match self.dice.below(5) {
            0 => How::Late,
            1 => How::Soon,
            2 => How::Unclaimed,
            _ => How::Polls(self.dice.below(4)),
        }
    }

    fn usage(&mut self) -> Use {
        let parts = self.shape == Shape::Parts || self.dice.once_in(3);
        match self.dice.below(if parts { 9 } else { 6 }) {
            0 => Use::Stay,
            1 => Use::Downgrade,
            2 => Use::TryMore(self.dice.some(self.names)),
            3 => Use::Remove(self.dice.pick(&PASSING)),
            4 => Use::AddFree(self.dice.pick(&PASSING)),
            5 => Use::AddHeld(self.dice.pick(&PASSING)),
            6 | 7 => Use::Release(self.dice.pick(self.names)),
            _ => Use::SplitOff(self.dice.pick(self.names)),
        }
    }
}
