//! The real queue with members in plain memory, driven as a set drives it: past the queue where that is allowed.

use crate::queue::{Bounds, Id, Member};
use crate::queue::{Effects, Members, Missing, Outcome, Queue, Reach, Tally, Waiter};
use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder::Priority;
use lockladder_test_support::set_rule::{Ask, Deed, Hold, Limits, Names, Party, SetRule, Standing, What, Whole};
use lockladder_test_support::set_rule::{bits, first};
use std::cell::Cell;
use std::rc::Rc;
use std::task::Waker;

#[derive(Clone, Copy, Debug, Default)]
struct Word {
    sharers: usize,
    exclusive: bool,
    wanted: bool,
}

impl Word {
    fn has_room(self, mode: LockMode) -> bool {
        !self.exclusive && (mode == Shared || self.sharers == 0)
    }
}

/// One member of a set.
#[derive(Clone, Debug)]
struct Name {
    bit: u32,
    word: Rc<Cell<Word>>,
}

impl Name {
    fn change(&self, change: impl FnOnce(&mut Word)) {
        let mut word = self.word.get();
        change(&mut word);
        self.word.set(word);
    }

    /// Takes the name past the queue, if that is allowed.
    fn take(&self, mode: LockMode) -> bool {
        !self.word.get().wanted && self.try_hold(mode)
    }
}

impl Member for Name {
    fn id(&self) -> Id {
        (u64::from(self.bit), 0)
    }

    fn has_room(&self, mode: LockMode) -> bool {
        self.word.get().has_room(mode)
    }

    fn held(&self) -> Option<LockMode> {
        let word = self.word.get();
        let shared = (word.sharers > 0).then_some(Shared);
        if word.exclusive { Some(Exclusive) } else { shared }
    }

    fn hold(&self, mode: LockMode) {
        assert!(self.has_room(mode), "{self:?} is held already, and not free for {mode}");
        self.change(|word| match mode {
            Shared => word.sharers += 1,
            Exclusive => word.exclusive = true,
        });
    }

    fn want(&self) {
        self.change(|word| word.wanted = true);
    }

    fn unwant(&self) {
        self.change(|word| word.wanted = false);
    }

    fn holds(&self) -> Tally {
        let word = self.word.get();
        Tally { exclusive: usize::from(word.exclusive), shared: word.sharers as u64 }
    }

    fn try_hold(&self, mode: LockMode) -> bool {
        let has_room = self.has_room(mode);
        if has_room {
            self.hold(mode);
        }
        has_room
    }

    fn release(&self, mode: LockMode) -> bool {
        self.change(|word| match mode {
            Shared => word.sharers = word.sharers.checked_sub(1).expect("it was shared"),
            Exclusive => assert!(std::mem::take(&mut word.exclusive), "it was owned"),
        });
        self.word.get().sharers == 0
    }

    fn downgrade(&self) {
        self.release(Exclusive);
        self.hold(Shared);
    }

    fn delete(&self, held: Option<LockMode>) {
        if let Some(mode) = held {
            self.release(mode);
        }
    }

    /// Does nothing: no member is freed here.
    fn pin(&self) {}
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Away,
    Waits(u64),
    Holds(Hold),
    Gone,
}

/// One set, and the requests for it.
pub(crate) struct Stage {
    names: Vec<Name>,
    existing: Names,
    queue: Queue<Name>,
    asks: Vec<Ask>,
    parts: Vec<Part>,
}

impl Stage {
    /// The set of `rule`, before any request has arrived.
    pub(crate) fn new(rule: &SetRule, limits: Limits) -> Self {
        let existing = rule.existing;
        let names = (0..existing.count_ones()).map(|bit| Name { bit, word: Rc::default() }).collect();
        let bounds = Bounds { passes: limits.passes, ahead: limits.ahead };
        let part = |party: &Party| if party.standing == Standing::Away { Part::Away } else { Part::Gone };
        let parts = rule.parties.iter().map(part).collect();
        let asks = rule.parties.iter().map(|party| party.ask).collect();
        Self { names, existing, queue: Queue::new(bounds), asks, parts }
    }

    fn members(&self, names: Names) -> Members<Name> {
        self.names.iter().filter(|name| names & 1 << name.bit != 0).cloned().collect()
    }

    fn hold_of(&mut self, party: usize) -> &mut Hold {
        match &mut self.parts[party] {
            Part::Holds(hold) => hold,
            other => panic!("{party} holds nothing: {other:?}"),
        }
    }

    fn now_holds(&mut self, party: usize, hold: Hold) {
        let nothing = hold.names == 0 && hold.whole == Whole::No;
        self.parts[party] = if nothing { Part::Gone } else { Part::Holds(hold) };
    }

    /// Collects every request that has ended. A waiter that was woken without that waits again.
    fn after(&mut self, effects: &Effects<Name>) {
        self.queue.whole.ungated();
        let mut woken = 0;
        for party in 0..self.parts.len() {
            let Part::Waits(ticket) = self.parts[party] else { continue };
            let waiter = self.queue.request(ticket).expect("its owner has not collected it");
            if waiter.outcome.is_none() {
                woken += usize::from(waiter.waker.is_none());
                waiter.waker = Some(Waker::noop().clone());
                continue;
            }
            woken += 1;
            let waiter = self.queue.collect(ticket).expect("it was there");
            self.ended(party, waiter);
        }
        assert_eq!(effects.woken.len(), woken, "whoever is served is woken, once");
    }

    fn ended(&mut self, party: usize, waiter: Waiter<Name>) {
        let whole = match waiter.reach {
            Reach::Names => Whole::No,
            Reach::Every => Whole::WithMembers,
            Reach::Addition => Whole::Alone,
        };
        match waiter.outcome.expect("it has ended") {
            Outcome::Granted { .. } => {
                let names = waiter.members.iter().fold(0, |names, name| names | 1 << name.bit);
                self.now_holds(party, Hold { mode: waiter.mode, names, whole });
            }
            Outcome::Deleted(_) | Outcome::TooFew => self.parts[party] = Part::Gone,
        }
    }
}

/// What happens to the set.
impl Stage {
    pub(crate) fn play(&mut self, party: usize, deed: Deed) {
        match deed {
            Deed::Arrives => self.arrives(party),
            Deed::Cancels => {
                let Part::Waits(ticket) = self.parts[party] else { panic!("{party} does not wait") };
                let (waiter, effects) = self.queue.cancel(ticket);
                assert!(waiter.is_some_and(|waiter| waiter.outcome.is_none()), "it was waiting");
                self.parts[party] = Part::Gone;
                self.after(&effects);
            }
            Deed::Moves(priority) => {
                let Part::Waits(ticket) = self.parts[party] else { panic!("{party} does not wait") };
                let (ticket, effects) = self.queue.set_priority(ticket, Priority::new(priority));
                self.parts[party] = Part::Waits(ticket);
                self.after(&effects);
            }
            Deed::Releases => {
                let hold = *self.hold_of(party);
                self.parts[party] = Part::Gone;
                self.gives_back(hold);
            }
            Deed::ReleasesPart => {
                self.lists(party);
                let hold = *self.hold_of(party);
                let part = first(hold.names);
                self.now_holds(party, Hold { names: hold.names & !part, whole: Whole::No, ..hold });
                self.gives_back(Hold { names: part, ..hold });
            }
            Deed::Downgrades => self.downgrades(party),
            Deed::Removes => self.removes(party),
            Deed::Lists => self.lists(party),
        }
    }

    fn arrives(&mut self, party: usize) {
        let Ask { what, mode, names, priority } = self.asks[party];
        let existing = names & self.existing;
        let refused = match what {
            What::Names => names != existing,
            What::AtLeast(enough) => existing.count_ones() < enough,
            _ => false,
        };
        if refused {
            self.parts[party] = Part::Gone;
            return;
        }
        let members = self.members(existing);
        let (reach, missing, enough) = match what {
            What::Free => return self.seizes(party, &members, mode),
            What::Names => (Reach::Names, Missing::Fails, members.len()),
            What::Existing => (Reach::Names, Missing::Skipped, members.len()),
            What::AtLeast(enough) => (Reach::Names, Missing::Counted, usize::try_from(enough).expect("a few")),
            What::Every => (Reach::Every, Missing::Skipped, 0),
            What::Addition => (Reach::Addition, Missing::Fails, 0),
        };
        if reach == Reach::Names && (members.is_empty() || self.try_hold(&members, mode)) {
            return self.now_holds(party, Hold { mode, names: existing, whole: Whole::No });
        }
        let waiter = Waiter::new(reach, mode, Priority::new(priority), members);
        let waker = Some(Waker::noop().clone());
        if reach == Reach::Every && !self.queue.whole.is_gated() {
            let holds = self.members(self.existing);
            self.queue.whole.gated(holds.iter().map(Member::holds).fold(Tally::default(), Tally::plus));
        }
        let is_free = reach == Reach::Every
            && self.queue.whole_has_room(mode)
            && self.queue.everything_has_room(mode)
            && self.queue.nobody_is_ahead(mode, Priority::new(priority));
        let (ticket, effects) = self.queue.enter(Waiter { enough, missing, waker, ..waiter });
        self.parts[party] = Part::Waits(ticket);
        self.after(&effects);
        let is_granted = matches!(self.parts[party], Part::Holds(_));
        assert!(
            reach != Reach::Every || is_granted == is_free,
            "a try of the whole gets it if a request would at once"
        );
    }

    /// Takes all names or none, past the queue.
    fn try_hold(&self, members: &[Name], mode: LockMode) -> bool {
        let admits = |name: &Name| !name.word.get().wanted && name.has_room(mode);
        let all = !self.queue.whole.is_gated() && members.iter().all(admits);
        if all {
            for name in members {
                name.hold(mode);
            }
        }
        all
    }

    fn seizes(&mut self, party: usize, members: &[Name], mode: LockMode) {
        let mut names = 0;
        for name in members {
            let free = !self.queue.whole.is_gated() && name.take(mode) || self.queue.seize(name, mode);
            names |= Names::from(free) << name.bit;
        }
        self.now_holds(party, Hold { mode, names, whole: Whole::No });
    }

    fn gives_back(&mut self, hold: Hold) {
        if hold.whole != Whole::No {
            let effects = self.queue.release_whole(hold.mode, hold.whole == Whole::WithMembers);
            self.after(&effects);
        }
        let (others, wanted): (Members<Name>, Members<Name>) =
            self.members(hold.names).into_iter().partition(|name| self.is_apart(name));
        for name in others {
            name.release(hold.mode);
        }
        if !wanted.is_empty() {
            let effects = self.queue.release(&wanted, hold.mode);
            self.after(&effects);
        }
    }

    /// Whether the name is released past the queue.
    fn is_apart(&self, name: &Name) -> bool {
        !self.queue.whole.is_gated() && !name.word.get().wanted
    }

    fn downgrades(&mut self, party: usize) {
        let hold = self.hold_of(party);
        hold.mode = Shared;
        let hold = *hold;
        if hold.whole != Whole::No {
            let effects = self.queue.downgrade_whole(hold.whole == Whole::WithMembers);
            self.after(&effects);
        }
        let (others, wanted): (Members<Name>, Members<Name>) =
            self.members(hold.names).into_iter().partition(|name| self.is_apart(name));
        others.iter().for_each(Member::downgrade);
        if !wanted.is_empty() {
            let effects = self.queue.downgrade(&wanted);
            self.after(&effects);
        }
    }

    fn removes(&mut self, party: usize) {
        let existing = self.existing;
        let hold = *self.hold_of(party);
        let with_members = hold.whole == Whole::WithMembers;
        let gone = first(if with_members { existing } else { hold.names });
        let members = self.members(gone);
        let effects = self.queue.retire(&members, (!with_members).then_some(Exclusive));
        self.existing &= !gone;
        self.now_holds(party, Hold { names: hold.names & !gone, ..hold });
        self.after(&effects);
    }

    fn lists(&mut self, party: usize) {
        let existing = self.existing;
        let Hold { mode, whole, .. } = *self.hold_of(party);
        if whole != Whole::WithMembers {
            return;
        }
        self.queue.single_out(&self.members(existing), mode);
        *self.hold_of(party) = Hold { mode, names: existing, whole: Whole::Alone };
        let effects = self.queue.singled_out(mode);
        self.after(&effects);
    }
}

/// What can be observed.
impl Stage {
    pub(crate) fn standings(&mut self) -> Vec<Standing> {
        let mut passed = |ticket: u64| self.queue.request(ticket).expect("it waits").passed;
        let standing = |part: &Part| match *part {
            Part::Away => Standing::Away,
            Part::Gone => Standing::Gone,
            Part::Holds(hold) => Standing::Holds(hold),
            Part::Waits(ticket) => Standing::Waits { passed: passed(ticket) },
        };
        self.parts.iter().map(standing).collect()
    }

    /// Asserts that everything is as the rule says.
    pub(crate) fn check(&mut self, rule: &SetRule) {
        for (party, expected) in rule.parties.iter().enumerate() {
            let standing = match self.parts[party] {
                Part::Away => Standing::Away,
                Part::Gone => Standing::Gone,
                Part::Holds(hold) => Standing::Holds(hold),
                Part::Waits(ticket) => self.look(ticket, &expected.ask),
            };
            assert_eq!(standing, expected.standing, "of {party}");
        }
        self.check_names(rule);
        assert_eq!(self.queue.whole.is_gated(), rule.is_gated(), "the gate");
        for mode in [Shared, Exclusive] {
            assert_eq!(self.queue.whole_has_room(mode), rule.whole_has_room(mode), "the whole, {mode}");
            if rule.is_gated() {
                let by_itself = |hold: Hold| hold.names != 0 && (hold.mode == Exclusive || mode == Exclusive);
                let has_room = !rule.holds().any(by_itself);
                assert_eq!(self.queue.everything_has_room(mode), has_room, "everything, {mode}");
            }
        }
    }

    fn look(&mut self, ticket: u64, ask: &Ask) -> Standing {
        let waiter = self.queue.request(ticket).expect("it waits");
        let names = waiter.members.iter().fold(0, |names, name| names | 1 << name.bit);
        let expected = if matches!(ask.what, What::Every | What::Addition) { 0 } else { ask.names };
        assert_eq!((names, waiter.priority.get()), (expected, ask.priority), "of ticket {ticket}");
        Standing::Waits { passed: waiter.passed }
    }

    /// Asserts that each member is held by its known holders only, and is marked exactly if a waiter lists it.
    fn check_names(&self, rule: &SetRule) {
        for name in self.members(self.existing) {
            let word = name.word.get();
            let holds: Vec<Hold> = rule.holds().filter(|hold| hold.names & 1 << name.bit != 0).collect();
            let sharers = holds.iter().filter(|hold| hold.mode == Shared).count();
            let owners = holds.len() - sharers;
            assert_eq!(
                (word.sharers, usize::from(word.exclusive)),
                (sharers, owners),
                "nobody waits holding: {name:?}"
            );
            assert!(owners == 0 || holds.len() == 1, "an owner is alone: {name:?}");
            for mode in [Shared, Exclusive] {
                assert_eq!(self.queue.has_room(&name, mode), rule.has_room(1 << name.bit, mode), "{name:?}, {mode}");
            }
            let is_awaited = rule.waiting.iter().any(|party| rule.parties[*party].ask.names & 1 << name.bit != 0);
            assert_eq!(word.wanted, is_awaited, "whether it is marked: {name:?}");
        }
        assert_eq!(bits(self.existing).count(), bits(rule.existing).count());
    }
}
