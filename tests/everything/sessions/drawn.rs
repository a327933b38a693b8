//! A session whose deeds are drawn one by one, and a record of what it must hold, kept without asking it.

mod deeds;
mod ledger;

use super::{Floor, GATE, Gate, High, Loft, Low, Roof, Tower, assert_unused, mode};
use crate::pace::{pause, polls};
use crate::tally::count;
use crate::witness::Ledger;
use ledger::Held;
use lockladder::{All, DynSession, LockManager, LockMode, SessionError, held};
use lockladder_test_support::dice::Dice;
use std::time::Duration;
use tokio::time::Instant;

/// What the sessions must do and meet.
pub(super) const MET: &[&str] = &[
    "session: added",
    "session: added and held",
    "session: added while it was held",
    "session: alone",
    "session: climbed",
    "session: downgraded",
    "session: downgraded the root",
    "session: exists",
    "session: given up",
    "session: moved",
    "session: not above",
    "session: not exclusive",
    "session: not held",
    "session: not the whole",
    "session: not the top",
    "session: open",
    "session: released",
    "session: released names",
    "session: removed",
    "session: removed what it held",
    "session: repeated",
    "session: timed out",
    "session: too few",
    "session: typed",
    "session: typed, open",
    "session: typed, two levels",
    "session: unknown",
    "session: would block",
    "session: wrote",
    "session: wrote side by side",
];

/// Time stands still under shuttle, where a deadline has passed already or never comes.
const SOON: Duration = Duration::from_millis(1);

/// A session, and what it must hold.
struct Job<'w> {
    session: DynSession<Tower>,
    ledger: &'w Ledger,
    dice: &'w mut Dice,
    alone: bool,
    /// By level.
    held: [Option<Held>; 5],
}

pub(super) async fn work(tower: &LockManager<Tower>, ledger: &Ledger, dice: &mut Dice) {
    let alone = dice.once_in(4);
    let request = tower.dynamic("drawn", mode(alone));
    let begun = match dice.below(8) {
        0 => Some(tower.try_dynamic("tried", mode(alone))),
        1 => Some(request.deadline(Instant::now()).await),
        2 => Some(request.timeout(SOON).await),
        3 => {
            let mut request = Box::pin(request);
            polls(request.as_mut(), dice.below(4)).await
        }
        _ => Some(request.await),
    };
    match begun {
        Some(Ok(session)) => {
            ledger.room(GATE).enter(mode(alone), "the root");
            let mut job = Job { session, ledger, dice, alone, held: [const { None }; 5] };
            job.assert_alone();
            job.work().await;
        }
        Some(Err(error)) => fell_short(&error),
        None => count("session: given up"),
    }
}

/// Counts a request that was not granted in time.
fn fell_short(error: &SessionError) {
    match error {
        SessionError::TimedOut { .. } => count("session: timed out"),
        SessionError::WouldBlock { .. } => count("session: would block"),
        error => panic!("{error}"),
    }
}

impl Job<'_> {
    /// If the session is alone, no other session exists, so everything is free.
    fn assert_alone(&mut self) {
        if !self.alone {
            return;
        }
        count("session: alone");
        assert_unused(self.session.manager(), self.ledger);
        let session = &mut self.session;
        session.try_acquire::<Low>(All, LockMode::Exclusive).unwrap();
        session.try_acquire::<High>(All, LockMode::Exclusive).unwrap();
        session.try_acquire::<Roof>(All, LockMode::Exclusive).unwrap();
        session.release::<High>().unwrap();
        session.release::<Low>().unwrap();
        session.release::<Roof>().unwrap();
    }

    async fn work(mut self) {
        for _ in 0..2 + self.dice.below(6) {
            match self.dice.below(4) {
                0 => self.change::<Low>().await,
                1 => self.change::<High>().await,
                2 => self.visit::<Loft>().await,
                _ => self.visit::<Roof>().await,
            }
            if self.dice.once_in(10) {
                self = self.downgrade_root();
            }
            self.assert_known();
        }
        self.end();
    }

    /// Does any deed at a level.
    async fn visit<L: Floor>(&mut self) {
        let (held, above) = (self.held::<L>().is_some(), self.is_above::<L>());
        let mostly = !self.dice.once_in(6);
        match self.dice.below(8) {
            _ if mostly && !above => self.climb::<L>().await,
            _ if mostly && !held => pause().await,
            0 => self.climb::<L>().await,
            1..=3 => self.release::<L>(),
            4 => self.release_names::<L>(),
            5 => self.downgrade::<L>(),
            6 => self.write_side_by_side::<L>(),
            _ => {
                self.write::<L>();
                pause().await;
            }
        }
    }

    fn downgrade_root(mut self) -> Self {
        if self.alone {
            self.ledger.room(GATE).downgrade("the root");
        }
        match self.session.downgrade_root() {
            Ok(session) => {
                assert!(self.alone, "a root that is shared was downgraded");
                count("session: downgraded the root");
                self.alone = false;
                self.session = session;
            }
            Err(session) => {
                assert!(!self.alone, "a root that is exclusive was not downgraded");
                self.session = session;
            }
        }
        self
    }

    /// Ends the session, as it is or as a typed one.
    fn end(self) {
        self.leave::<Low>();
        self.leave::<High>();
        self.leave::<Loft>();
        self.leave::<Roof>();
        self.ledger.room(GATE).leave(mode(self.alone), "the root");
        // What it holds, the lowest level first.
        let held = self.held.each_ref().map(|held| held.as_ref().map(|held| held.mode));
        let (shared, exclusive) = (Some(LockMode::Shared), Some(LockMode::Exclusive));
        let is = |levels: [Option<LockMode>; 4]| !self.alone && held[1..] == levels;
        let session = match self.session.into_typed::<held![shared Gate, exclusive Low]>() {
            Ok(typed) => {
                assert!(is([exclusive, None, None, None]));
                count("session: typed");
                return drop(typed.downgrade::<Low>());
            }
            Err(session) => session,
        };
        assert!(!is([exclusive, None, None, None]));
        let session = match session.into_typed::<held![shared Gate, exclusive Low, shared Roof]>() {
            Ok(typed) => {
                assert!(is([exclusive, None, None, shared]));
                count("session: typed, two levels");
                return drop(typed.release::<Low>());
            }
            Err(session) => session,
        };
        assert!(!is([exclusive, None, None, shared]));
        match session.into_typed::<held![shared Gate, exclusive Loft]>() {
            Ok(typed) => {
                assert!(is([None, None, exclusive, None]));
                count("session: typed, open");
                drop(typed.downgrade::<Loft>());
            }
            Err(session) => {
                assert!(!is([None, None, exclusive, None]));
                drop(session);
            }
        }
    }
}
