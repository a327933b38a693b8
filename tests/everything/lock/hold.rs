//! A guard of any kind, and what its holder can do with it at once.

use super::ground::Ground;
use super::truth::{Cargo, Halves};
use crate::tally::count;
use lockladder::{Exclusive, Guard, MappedGuard, Shared, TryAcquireError, guards::LockPointer};
use lockladder_test_support::dice::Dice;
use std::hint::black_box;

/// A held lock, by a guard of the whole value or of a part.
pub(crate) enum Hold<P: LockPointer<Value = Cargo>> {
    Sharer(Guard<P, Shared>),
    Owner(Guard<P, Exclusive>),
    SharerOfPart(MappedGuard<Guard<P, Shared>, Halves>),
    OwnerOfPart(MappedGuard<Guard<P, Exclusive>, Halves>),
}

impl<P: LockPointer<Value = Cargo>> From<Guard<P, Shared>> for Hold<P> {
    fn from(guard: Guard<P, Shared>) -> Self {
        Self::Sharer(guard)
    }
}

impl<P: LockPointer<Value = Cargo>> From<Guard<P, Exclusive>> for Hold<P> {
    fn from(guard: Guard<P, Exclusive>) -> Self {
        Self::Owner(guard)
    }
}

impl<P: LockPointer<Value = Cargo>> Hold<P> {
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Sharer(_) | Self::SharerOfPart(_))
    }

    /// The lock has just been granted.
    pub(crate) fn enter(self, ground: &Ground) -> Self {
        if self.is_shared() {
            ground.truth.share();
        } else {
            ground.truth.own();
        }
        self.look(ground);
        self
    }

    fn look(&self, ground: &Ground) {
        match self {
            Self::Sharer(guard) => ground.truth.read(&guard.halves),
            Self::Owner(guard) => ground.truth.read(&guard.halves),
            Self::SharerOfPart(part) => ground.truth.read(part),
            Self::OwnerOfPart(part) => ground.truth.read(part),
        }
    }

    /// Releases the lock.
    pub(crate) fn leave(self, ground: &Ground) {
        self.look(ground);
        if self.is_shared() {
            ground.truth.unshare();
        } else {
            ground.truth.disown();
        }
        ground.bravely(|| drop(self));
    }

    /// Does something with the guard at once. `None` if the lock is not held any more.
    pub(crate) fn step(self, ground: &Ground, dice: &mut Dice) -> Option<Self> {
        match self {
            Self::Sharer(guard) => share(guard, ground, dice),
            Self::Owner(guard) => own(guard, ground, dice),
            Self::SharerOfPart(part) => {
                count("lock: map again");
                Some(Self::SharerOfPart(MappedGuard::map(part, |halves| halves)))
            }
            Self::OwnerOfPart(mut part) => {
                ground.truth.write(&mut part);
                count("lock: map again");
                Some(Self::OwnerOfPart(MappedGuard::map_mut(part, |halves| halves)))
            }
        }
    }
}

fn share<P: LockPointer<Value = Cargo>>(guard: Guard<P, Shared>, ground: &Ground, dice: &mut Dice) -> Option<Hold<P>> {
    match dice.below(5) {
        0 | 1 => upgrade(guard, ground),
        2 => {
            count("lock: map");
            Some(Hold::SharerOfPart(Guard::map(guard, |cargo| &cargo.halves)))
        }
        3 => {
            count("lock: try map");
            let wanted = dice.once_in(2);
            Some(match Guard::try_map(guard, |cargo| wanted.then_some(&cargo.halves)) {
                Ok(part) => Hold::SharerOfPart(part),
                Err(guard) => Hold::Sharer(guard),
            })
        }
        _ => {
            count("lock: debug");
            black_box(format!("{guard:?}"));
            Some(Hold::Sharer(guard))
        }
    }
}

/// A waker that panics here costs the hold. So in a hostile program the holder is outside meanwhile.
fn upgrade<P: LockPointer<Value = Cargo>>(guard: Guard<P, Shared>, ground: &Ground) -> Option<Hold<P>> {
    let Ground { truth, hostile, .. } = ground;
    if *hostile {
        truth.unshare();
    }
    match ground.bravely(|| guard.try_upgrade())? {
        Ok(guard) => {
            count("lock: upgraded");
            if *hostile {
                truth.own();
            } else {
                truth.raise();
            }
            Some(Hold::Owner(guard))
        }
        Err(guard) => {
            count("lock: not upgraded");
            if *hostile {
                truth.share();
            }
            Some(Hold::Sharer(guard))
        }
    }
}

/// As [`upgrade`].
fn downgrade<P: LockPointer<Value = Cargo>>(guard: Guard<P, Exclusive>, ground: &Ground) -> Option<Hold<P>> {
    let Ground { truth, hostile, .. } = ground;
    count("lock: downgrade");
    if *hostile {
        truth.disown();
    } else {
        truth.lower();
    }
    let guard = ground.bravely(|| guard.downgrade())?;
    if *hostile {
        truth.share();
    }
    Some(Hold::Sharer(guard))
}

fn own<P: LockPointer<Value = Cargo>>(
    mut guard: Guard<P, Exclusive>,
    ground: &Ground,
    dice: &mut Dice,
) -> Option<Hold<P>> {
    ground.truth.write(&mut guard.halves);
    match dice.below(12) {
        0..=3 => downgrade(guard, ground),
        4 | 5 => {
            count("lock: map");
            Some(Hold::OwnerOfPart(Guard::map_mut(guard, |cargo| &mut cargo.halves)))
        }
        6 | 7 => {
            count("lock: try map");
            let wanted = dice.once_in(2);
            Some(match Guard::try_map_mut(guard, |cargo| wanted.then_some(&mut cargo.halves)) {
                Ok(part) => Hold::OwnerOfPart(part),
                Err(guard) => Hold::Owner(guard),
            })
        }
        8 => {
            count("lock: delete by guard");
            ground.truth.disown();
            ground.truth.close();
            ground.bravely(|| guard.delete());
            ground.truth.went();
            None
        }
        9 => {
            count("lock: try beside owner");
            let refused =
                ground.bravely(|| ground.lock.try_shared().map(drop)).unwrap_or(Err(TryAcquireError::WouldBlock));
            assert_eq!(refused, Err(TryAcquireError::WouldBlock), "beside an owner");
            let refused = ground.bravely(|| ground.lock.try_delete()).unwrap_or(Err(TryAcquireError::WouldBlock));
            assert_eq!(refused, Err(TryAcquireError::WouldBlock), "beside an owner");
            Some(Hold::Owner(guard))
        }
        _ => {
            count("lock: debug");
            black_box(format!("{guard:?}"));
            Some(Hold::Owner(guard))
        }
    }
}
