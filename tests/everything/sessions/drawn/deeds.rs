//! What a session does at a level, and what must come of it.

use super::{Floor, Held, Instant, Job, SOON, SessionError, count, fell_short, mode, polls};
use crate::sessions::{AT_FIRST, NAMES};
use crate::witness::Thing;
use lockladder::{All, Entries, LockMode, OrderError, Priority, level::Modifiable};

/// How a request is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Await,
    /// With a deadline that has passed.
    Late,
    /// With a deadline that may pass.
    Soon,
    /// Dropped after this many polls, if it has not resolved by then.
    Polls(usize),
}

/// Makes a request, and pursues it. `None` if it was given up.
macro_rules! asked {
    ($job:ident, $how:ident, $request:expr) => {{
        let moves = $job.dice.once_in(4).then(|| $job.dice.pick(&[Priority::new(-1), Priority::new(1)]));
        let first = $job.dice.pick(&[Priority::default(), Priority::default(), Priority::new(-1), Priority::new(1)]);
        match $how {
            How::Late => Some($request.priority(first).deadline(Instant::now()).await),
            How::Soon => Some($request.timeout(SOON).priority(first).await),
            How::Await | How::Polls(_) => {
                let mut request = Box::pin($request.priority(first));
                let times = if let How::Polls(times) = $how { times } else { 1 };
                let mut done = polls(request.as_mut(), times).await;
                if let (None, Some(priority)) = (&done, moves) {
                    count("session: moved");
                    request.as_mut().set_priority(priority);
                }
                if done.is_none() && $how == How::Await {
                    done = Some(request.await);
                }
                done
            }
        }
    }};
}

impl Job<'_> {
    fn how(&mut self) -> How {
        match self.dice.below(8) {
            0 => How::Late,
            1 => How::Soon,
            2 => How::Polls(self.dice.below(4)),
            _ => How::Await,
        }
    }

    pub(super) async fn climb<L: Floor>(&mut self) {
        let (mode, covered, how) = (mode(self.dice.once_in(2)), self.is_above::<L>(), self.how());
        let names = self.dice.some(if L::NAME == "Roof" { &AT_FIRST } else { &NAMES });
        let by_names = L::OPEN && !self.dice.once_in(6);
        let (mut whole, kind) = (false, if by_names { self.dice.pick(&[1, 5, 6, 7, 8]) } else { self.dice.below(9) });
        let outcome = match kind {
            0 => asked!(self, how, self.session.acquire::<L>(All, mode).opportunistic()),
            1 => Some(self.session.try_acquire::<L>(&names, mode)),
            2 => {
                whole = true;
                Some(self.session.try_acquire::<L>(All, mode))
            }
            3 | 4 => {
                whole = true;
                asked!(self, how, self.session.acquire::<L>(All, mode))
            }
            5 => {
                let least = self.dice.below(3);
                asked!(self, how, self.session.acquire::<L>(&names, mode).at_least(least))
            }
            6 => asked!(self, how, self.session.acquire::<L>(&names, mode).opportunistic()),
            _ => asked!(self, how, self.session.acquire::<L>(&names, mode)),
        };
        let all = kind == 0 || whole;
        match outcome {
            Some(Ok(())) => {
                assert!(!covered, "acquired against the order");
                assert!(!all || !L::OPEN, "the whole of an open level");
                count("session: climbed");
                self.enter::<L>(mode, whole);
            }
            Some(Err(SessionError::WouldBlock { .. })) if kind == 1 || kind == 2 => count("session: would block"),
            Some(Err(SessionError::TooFew { .. })) if kind == 5 => count("session: too few"),
            Some(Err(SessionError::Order(OrderError::Open { level }))) => {
                assert!(all && L::OPEN && !covered && level == L::NAME);
                count("session: open");
            }
            Some(Err(error)) => {
                assert!(covered || !all || !L::OPEN, "it waits for the whole of an open level: {error}");
                refused::<L>(how, covered, &error);
            }
            None => count("session: given up"),
        }
    }

    pub(super) fn release<L: Floor>(&mut self) {
        self.leave::<L>();
        let held = self.held::<L>().take();
        assert_eq!(self.session.release::<L>().is_ok(), held.is_some(), "{held:?}");
        count(if held.is_some() { "session: released" } else { "session: not held" });
    }

    pub(super) fn release_names<L: Floor>(&mut self) {
        let name = self.dice.pick(&NAMES);
        let Some(held) = self.held::<L>() else {
            assert!(self.session.release_names::<L>(name).is_err());
            return;
        };
        let (mode, has) = (held.mode, held.names.remove(&name));
        held.whole &= !has;
        if has {
            self.leave_one::<L>(name, mode);
            count("session: released names");
        }
        assert_eq!(self.session.release_names::<L>(name).is_ok(), has);
    }

    pub(super) fn downgrade<L: Floor>(&mut self) {
        let exclusive = self.held::<L>().as_ref().is_some_and(Held::is_exclusive);
        if exclusive {
            let held = self.held::<L>().as_mut().expect("it is held");
            held.mode = LockMode::Shared;
            let names = held.names.clone();
            for name in names {
                let thing = self.session.get::<L>(name).expect("it holds the name");
                self.ledger.downgrade(L::place(name), thing);
            }
        }
        match self.session.downgrade::<L>() {
            Ok(()) => {
                assert!(exclusive);
                count("session: downgraded");
            }
            Err(OrderError::NotExclusive { .. }) => {
                assert!(!exclusive && self.held::<L>().is_some());
                count("session: not exclusive");
            }
            Err(error) => assert!(self.held::<L>().is_none(), "{error}"),
        }
    }

    /// Changes every value that it may change, and looks at every value that it may see.
    pub(super) fn write<L: Floor>(&mut self) {
        for name in NAMES {
            let held = self.held::<L>().as_ref();
            let has = held.is_some_and(|held| held.names.contains(&name));
            let exclusive = has && held.is_some_and(Held::is_exclusive);
            assert_eq!(self.session.get::<L>(name).inspect(|thing| thing.assert_whole()).is_some(), has);
            let thing = self.session.get_mut::<L>(name);
            assert_eq!(thing.is_some(), exclusive);
            if let Some(thing) = thing {
                thing.change();
                count("session: wrote");
            }
        }
    }

    pub(super) fn write_side_by_side<L: Floor>(&mut self) {
        let names = [self.dice.pick(&NAMES), self.dice.pick(&NAMES)];
        let held = self.held::<L>().as_ref().filter(|held| held.is_exclusive());
        let has = held.is_some_and(|held| names.iter().all(|name| held.names.contains(name)));
        match self.session.get_disjoint_mut::<L, _>(names) {
            Ok(things) => {
                assert!(has && names[0] != names[1]);
                things.into_iter().for_each(Thing::change);
                count("session: wrote side by side");
            }
            Err(SessionError::Repeated { .. }) => {
                assert!(has && names[0] == names[1]);
                count("session: repeated");
            }
            Err(error) => assert!(!has, "{error}"),
        }
    }

    /// Does any deed at a level whose members come and go.
    pub(super) async fn change<L: Floor + Modifiable>(&mut self) {
        let held = self.held::<L>().is_some();
        match self.dice.below(9) {
            0..=2 if held && self.dice.once_in(2) => self.add_held::<L>(),
            3 if held => self.remove_held::<L>(),
            0 => self.add::<L>().await,
            1 => self.add_and_hold::<L>().await,
            2 => self.add_held::<L>(),
            3 => self.remove::<L>().await,
            4 => self.remove_held::<L>(),
            _ => self.visit::<L>().await,
        }
    }

    async fn add<L: Floor + Modifiable>(&mut self) {
        let (names, covered, how) = (self.dice.some(&NAMES), self.is_above::<L>(), self.how());
        let outcome = if self.dice.once_in(2) {
            asked!(self, how, self.session.add::<L>(&names))
        } else {
            let entries: Vec<_> = names.iter().map(|name| (*name, Thing::default())).collect();
            asked!(self, how, self.session.add::<L>(Entries(entries)))
        };
        added::<L>(how, covered, outcome, "session: added");
    }

    async fn add_and_hold<L: Floor + Modifiable>(&mut self) {
        let (mode, covered, how) = (mode(self.dice.once_in(2)), self.is_above::<L>(), self.how());
        let names = self.dice.some(&NAMES);
        let outcome = asked!(self, how, self.session.add_in::<L>(&names, mode));
        if added::<L>(how, covered, outcome, "session: added and held") {
            self.enter::<L>(mode, false);
            let names = names.into_iter().collect();
            assert_eq!(self.held::<L>().as_ref().expect("it is held").names, names);
        }
    }

    fn add_held<L: Floor + Modifiable>(&mut self) {
        let name = self.dice.pick(&NAMES);
        let top = self.held[L::INDEX + 1..].iter().all(Option::is_none);
        match (self.session.add_held::<L>(name), self.held::<L>().as_mut()) {
            (Ok(()), Some(held)) => {
                assert!(top && held.is_exclusive() && held.whole && held.names.insert(name));
                count("session: added while it was held");
                self.enter_one::<L>(name, LockMode::Exclusive);
            }
            (Err(SessionError::Exists { .. }), Some(held)) => assert!(held.whole && held.names.contains(&name)),
            (Err(SessionError::NotWhole { .. }), Some(held)) => {
                assert!(top && held.is_exclusive() && !held.whole);
                count("session: not the whole");
            }
            (Err(SessionError::Order(OrderError::NotTop { .. })), Some(held)) => {
                assert!(!top && held.is_exclusive());
                count("session: not the top");
            }
            (Err(SessionError::Order(OrderError::NotExclusive { .. })), Some(held)) => assert!(!held.is_exclusive()),
            (outcome, held) => assert!(outcome.is_err() && held.is_none(), "{outcome:?}, {held:?}"),
        }
    }

    async fn remove<L: Floor + Modifiable>(&mut self) {
        let (names, covered, how) = (self.dice.some(&NAMES), self.is_above::<L>(), self.how());
        match asked!(self, how, self.session.remove::<L>(&names)) {
            Some(Ok(removed)) => {
                assert!(!covered && removed.iter().all(|name| names.contains(name)));
                count("session: removed");
            }
            Some(Err(error)) => refused::<L>(how, covered, &error),
            None => count("session: given up"),
        }
    }

    fn remove_held<L: Floor + Modifiable>(&mut self) {
        let name = self.dice.pick(&NAMES);
        let held = self.held::<L>().as_mut().filter(|held| held.is_exclusive());
        let has = held.is_some_and(|held| held.names.remove(&name));
        if has {
            self.leave_one::<L>(name, LockMode::Exclusive);
            count("session: removed what it held");
        }
        assert_eq!(self.session.remove_held::<L>(name).is_ok(), has);
    }
}

/// Checks an error: it must be one of the order exactly if the level is covered, and else one that waiting may end in.
fn refused<L: Floor>(how: How, covered: bool, error: &SessionError) {
    match error {
        SessionError::Order(OrderError::NotAbove { level, .. }) if *level == L::NAME => {
            assert!(covered, "{error}");
            return count("session: not above");
        }
        SessionError::TimedOut { .. } if matches!(how, How::Late | How::Soon) => fell_short(error),
        SessionError::Unknown { .. } | SessionError::Deleted { .. } if L::NAME != "Roof" && !L::OPEN => {
            count("session: unknown");
        }
        error => panic!("{error}"),
    }
    assert!(!covered, "waited against the order: {error}");
}

/// Checks what came of an addition. True if the names have been added.
fn added<L: Floor>(how: How, covered: bool, outcome: Option<Result<(), SessionError>>, what: &'static str) -> bool {
    match outcome {
        Some(Ok(())) => {
            assert!(!covered, "added against the order");
            count(what);
            return true;
        }
        Some(Err(SessionError::Exists { .. })) => count("session: exists"),
        Some(Err(SessionError::Repeated { .. })) => count("session: repeated"),
        Some(Err(error)) => refused::<L>(how, covered, &error),
        None => count("session: given up"),
    }
    false
}
