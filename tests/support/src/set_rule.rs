//! The rule of named locks as a program. It is written from the documentation, which it quotes. It is naive: after each
//! change it looks at all waiting requests until nothing changes. It is pure: it knows nothing of lines, of marks, and
//! of which requests a change may have helped.

use lockladder::LockMode::{self, Exclusive, Shared};

/// A set of names, each a bit.
pub type Names = u8;

/// Every name that exists or may exist.
const EVERY: Names = Names::MAX;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// All of the names; the request fails if one is removed.
    Names,
    /// Those of the names that exist.
    Existing,
    /// At least this number of the names.
    AtLeast(u32),
    /// Those of the names that are free and that no request waits for, without waiting.
    Free,
    /// The whole set.
    Every,
    /// To add members.
    Addition,
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// What it asks for.
    pub what: What,
    /// The mode in which it is to be held.
    pub mode: LockMode,
    /// The names that it lists; a request for the whole lists none.
    pub names: Names,
    /// Its priority; the lowest number is the most urgent.
    pub priority: i8,
}

impl Ask {
    /// The names that it touches, existing or not.
    fn touched(&self) -> Names {
        match self.what {
            What::Every => EVERY,
            What::Addition => 0,
            _ => self.names,
        }
    }

    /// How many of its names are enough.
    pub fn enough(&self) -> u32 {
        match self.what {
            What::AtLeast(enough) => enough,
            _ => self.names.count_ones(),
        }
    }

    fn spare(&self) -> u32 {
        self.names.count_ones() - self.enough()
    }

    fn is_about_the_whole(&self) -> bool {
        matches!(self.what, What::Every | What::Addition)
    }

    fn conflicts(&self, other: &Self) -> bool {
        let meet = self.touched() & other.touched() != 0 || self.is_about_the_whole() && other.is_about_the_whole();
        meet && (self.mode == Exclusive || other.mode == Exclusive)
    }
}

/// Whether the whole set is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Whole {
    /// It is not.
    #[default]
    No,
    /// The right to add is held; the names are held one by one.
    Alone,
    /// It is held with all its members.
    WithMembers,
}

/// What a party holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hold {
    /// The mode in which it is held.
    pub mode: LockMode,
    /// The names that are held one by one.
    pub names: Names,
    /// Whether the whole is held.
    pub whole: Whole,
}

impl Hold {
    /// Whether it keeps other parties from holding a name in this mode.
    fn bars(self, name: Names, mode: LockMode) -> bool {
        let has = self.names & name != 0 || self.whole == Whole::WithMembers;
        has && (self.mode == Exclusive || mode == Exclusive)
    }

    fn bars_whole(self, mode: LockMode) -> bool {
        self.whole != Whole::No && (self.mode == Exclusive || mode == Exclusive)
    }
}

/// Where a party stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It has not made its request yet.
    Away,
    /// It waits.
    Waits {
        /// How often it was passed.
        passed: u32,
    },
    /// It holds something.
    Holds(Hold),
    /// It has nothing to do with the set any more.
    Gone,
}

/// A party that makes one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Party {
    /// Its request, as far as it still counts.
    pub ask: Ask,
    /// Where it stands.
    pub standing: Standing,
    /// Whether its request has changed its priority; it does so only once.
    pub has_moved: bool,
}

/// What a party does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// It makes its request.
    Arrives,
    /// It gives up, of its own accord or because its time is over.
    Cancels,
    /// It changes to this priority.
    Moves(i8),
    /// It releases all that it holds.
    Releases,
    /// It releases its first name.
    ReleasesPart,
    /// It shares what it held exclusively.
    Downgrades,
    /// It removes its first name from the set.
    Removes,
    /// From now on, it holds the names of the whole one by one.
    Lists,
}

/// The bounds `k` and `L` of the rule; the library has 16 and 8.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `k`: how often a request may be passed.
    pub passes: u32,
    /// `L`: how many requests a request may pass at any one name.
    pub ahead: usize,
}

/// The sharers of a name that are granted at the same time.
#[derive(Clone, Copy, Debug)]
struct Group {
    names: Names,
    priority: i8,
    /// Where its first member stood among the waiting parties; `None`, ahead of all, after a downgrade.
    place: Option<usize>,
}

/// One set, by the rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetRule {
    /// The names that exist.
    pub existing: Names,
    /// All parties, by number.
    pub parties: Vec<Party>,
    /// The waiting parties, in the order of (priority, first poll).
    pub waiting: Vec<usize>,
}

/// Each of these names by itself, in order.
pub fn bits(names: Names) -> impl Iterator<Item = Names> {
    (0..Names::BITS).map(|bit| 1 << bit).filter(move |name| names & name != 0)
}

/// The first of some names.
pub fn first(names: Names) -> Names {
    bits(names).next().unwrap_or_default()
}

/// What is held.
impl SetRule {
    /// A set of these names, and a party for each request. A party without a request is gone from the beginning.
    pub fn new(existing: Names, asks: impl IntoIterator<Item = Option<Ask>>) -> Self {
        let nothing = Ask { what: What::Names, mode: Shared, names: 0, priority: 0 };
        let party = |ask: Option<Ask>| Party {
            ask: ask.unwrap_or(nothing),
            standing: if ask.is_some() { Standing::Away } else { Standing::Gone },
            has_moved: false,
        };
        Self { existing, parties: asks.into_iter().map(party).collect(), waiting: Vec::new() }
    }

    /// All that is held.
    pub fn holds(&self) -> impl Iterator<Item = Hold> + '_ {
        self.parties.iter().filter_map(|party| match party.standing {
            Standing::Holds(hold) => Some(hold),
            _ => None,
        })
    }

    fn hold_of(&mut self, party: usize) -> &mut Hold {
        match &mut self.parties[party].standing {
            Standing::Holds(hold) => hold,
            other => panic!("{party} holds nothing: {other:?}"),
        }
    }

    /// Whether a name can be held in this mode beside its holders.
    pub fn has_room(&self, name: Names, mode: LockMode) -> bool {
        !self.holds().any(|hold| hold.bars(name, mode))
    }

    /// Whether the whole can be held in this mode beside its holders.
    pub fn whole_has_room(&self, mode: LockMode) -> bool {
        !self.holds().any(|hold| hold.bars_whole(mode))
    }

    /// Whether no request takes names past the queue, because the whole is held with its members or waited for.
    pub fn is_gated(&self) -> bool {
        self.is_whole_awaited() || self.holds().any(|hold| hold.whole == Whole::WithMembers)
    }

    /// Whether a request for the whole waits.
    pub fn is_whole_awaited(&self) -> bool {
        self.waiting.iter().any(|party| self.parties[*party].ask.what == What::Every)
    }
}

/// The rule.
impl SetRule {
    /// "It fits beside all holders."
    fn fits(&self, ask: &Ask) -> bool {
        let has_room = |names| bits(names).all(|name| self.has_room(name, ask.mode));
        match ask.what {
            What::Every => self.whole_has_room(ask.mode) && has_room(self.existing),
            What::Addition => self.whole_has_room(Exclusive),
            _ => has_room(ask.names),
        }
    }

    /// What a waiting party is granted, and the parties that it passes.
    fn verdict(&self, party: usize, groups: &[Group], order: &[usize], limits: Limits) -> Option<(Names, Vec<usize>)> {
        let ask = &self.parties[party].ask;
        let ahead = self.waiting.iter().copied().take_while(|other| *other != party);
        let ahead: Vec<usize> = ahead.filter(|other| self.parties[*other].ask.conflicts(ask)).collect();
        let place = |other: usize| order.iter().position(|waited| *waited == other);
        let goes_along_at = |name: Names, other: usize| {
            let suits = |group: &Group| group.priority == ask.priority && group.place < place(other);
            ask.mode == Shared && groups.iter().any(|group| suits(group) && group.names & name != 0)
        };
        if ask.spare() > 0 {
            // "A name that an earlier, conflicting request waits for does not count as free": it passes no request.
            let is_unwanted = |name: Names| {
                let touches = |other: &&usize| self.parties[**other].ask.touched() & name != 0;
                ahead.iter().filter(touches).all(|other| goes_along_at(name, *other))
            };
            let free = bits(ask.names).filter(|name| self.has_room(*name, ask.mode) && is_unwanted(*name));
            let free = free.fold(0, |all, name| all | name);
            return (free.count_ones() >= ask.enough()).then_some((free, Vec::new()));
        }
        if !self.fits(ask) {
            return None;
        }
        // "Each name on which the two conflict is also a name of a sharer [...] that stood ahead of the earlier request
        // and is granted at the same time."
        let goes_along = |other: &usize| match ask.what {
            What::Every => {
                let suits = |group: &Group| group.priority == ask.priority && group.place < place(*other);
                ask.mode == Shared && groups.iter().any(|group| group.names == EVERY && suits(group))
            }
            What::Addition => false,
            _ => bits(ask.names & self.parties[*other].ask.touched()).all(|name| goes_along_at(name, *other)),
        };
        let passed: Vec<usize> = ahead.into_iter().filter(|other| !goes_along(other)).collect();
        let passes_all = passed.iter().all(|other| self.can_pass(ask, *other, limits));
        // "At most 8 requests at any one name, and at most 8 that wait for the whole set."
        let at = |name: Names| {
            let names = |other: &&usize| self.parties[**other].ask.names & name != 0;
            passed.iter().filter(names).count()
        };
        let wholes = passed.iter().filter(|other| self.parties[**other].ask.is_about_the_whole()).count();
        let is_near = bits(ask.names).all(|name| at(name) <= limits.ahead) && wholes <= limits.ahead;
        (passes_all && is_near).then_some((ask.names, passed))
    }

    /// "Both requests have the same priority. The earlier one has been passed fewer than 16 times. It has to wait
    /// anyway, for the holder of a name that the later one does not touch."
    fn can_pass(&self, ask: &Ask, other: usize, limits: Limits) -> bool {
        let Party { ask: blocked, standing: Standing::Waits { passed }, .. } = self.parties[other] else {
            return false;
        };
        let names = match blocked.what {
            What::Every => EVERY, // Even of a set that has no other names.
            _ => blocked.names,
        };
        let barred = bits(names & !ask.touched()).filter(|name| !self.has_room(*name, blocked.mode)).count();
        let spare = usize::try_from(blocked.spare()).unwrap_or_default();
        blocked.priority == ask.priority && passed < limits.passes && barred > spare
    }

    /// Grants all that can be granted, each time the first of these in the queue.
    fn settle(&mut self, mut groups: Vec<Group>, limits: Limits) {
        let order = self.waiting.clone();
        let next = |rule: &Self, groups: &[Group]| {
            let verdict = |party: &usize| Some((*party, rule.verdict(*party, groups, &order, limits)?));
            rule.waiting.iter().find_map(verdict)
        };
        while let Some((party, (names, passed))) = next(self, &groups) {
            for other in passed {
                if let Standing::Waits { passed } = &mut self.parties[other].standing {
                    *passed += 1;
                }
            }
            let Ask { what, mode, priority, .. } = self.parties[party].ask;
            let whole = match what {
                What::Every => Whole::WithMembers,
                What::Addition => Whole::Alone,
                _ => Whole::No,
            };
            let place = order.iter().position(|waited| *waited == party);
            if mode == Shared {
                let names = if what == What::Every { EVERY } else { names };
                groups.push(Group { names, priority, place });
            }
            let names = if what == What::Every { 0 } else { names };
            self.waiting.retain(|other| *other != party);
            self.now_holds(party, Hold { mode, names, whole });
        }
    }

    /// Gives a party a hold. A party that holds nothing is gone.
    fn now_holds(&mut self, party: usize, hold: Hold) {
        let nothing = hold.names == 0 && hold.whole == Whole::No;
        self.parties[party].standing = if nothing { Standing::Gone } else { Standing::Holds(hold) };
        self.forget(party);
    }

    /// Forgets what is over, so that states that differ only in that are one state.
    fn forget(&mut self, party: usize) {
        let party = &mut self.parties[party];
        party.has_moved = false;
        if party.standing == Standing::Gone {
            party.ask = Ask { what: What::Names, mode: Shared, names: 0, priority: 0 };
        }
    }

    fn leaves(&mut self, party: usize) {
        self.waiting.retain(|other| *other != party);
        self.parties[party].standing = Standing::Gone;
        self.forget(party);
    }
}

/// What parties do.
impl SetRule {
    /// Lets a party do this, then grants all that can be granted.
    pub fn play(&mut self, party: usize, deed: Deed, limits: Limits) {
        match deed {
            Deed::Arrives => self.arrives(party, limits),
            Deed::Cancels => {
                self.leaves(party);
                self.settle(Vec::new(), limits);
            }
            Deed::Moves(priority) => {
                self.waiting.retain(|other| *other != party);
                self.parties[party].ask.priority = priority;
                self.parties[party].has_moved = true;
                self.takes_place(party);
                self.settle(Vec::new(), limits);
            }
            Deed::Releases => {
                let hold = *self.hold_of(party);
                if hold.whole != Whole::No && hold.names != 0 {
                    self.hold_of(party).whole = Whole::No;
                    self.settle(Vec::new(), limits);
                }
                self.parties[party].standing = Standing::Gone;
                self.forget(party);
                self.settle(Vec::new(), limits);
            }
            Deed::ReleasesPart => {
                if self.hold_of(party).whole != Whole::No {
                    self.lists(party);
                    self.settle(Vec::new(), limits);
                    self.hold_of(party).whole = Whole::No;
                    self.settle(Vec::new(), limits);
                }
                let hold = *self.hold_of(party);
                self.now_holds(party, Hold { names: hold.names & !first(hold.names), ..hold });
                self.settle(Vec::new(), limits);
            }
            Deed::Downgrades => self.downgrades(party, limits),
            Deed::Removes => self.removes(party, limits),
            Deed::Lists => {
                self.lists(party);
                self.settle(Vec::new(), limits);
            }
        }
    }

    fn arrives(&mut self, party: usize, limits: Limits) {
        let existing = self.existing;
        let Ask { what, mode, names, .. } = self.parties[party].ask;
        self.parties[party].ask.names &= existing;
        let left = (names & existing).count_ones();
        match what {
            What::Names if names & !existing != 0 => return self.leaves(party),
            What::AtLeast(enough) if left < enough => return self.leaves(party),
            What::Free => {
                let is_unwanted = |name: Names| {
                    let wants =
                        |ask: &Ask| ask.names & name != 0 || ask.what == What::Every && mode_bars(ask.mode, mode);
                    !self.waiting.iter().any(|other| wants(&self.parties[*other].ask))
                };
                let free = bits(names & existing).filter(|name| self.has_room(*name, mode) && is_unwanted(*name));
                let names = free.fold(0, |all, name| all | name);
                return self.now_holds(party, Hold { mode, names, whole: Whole::No });
            }
            _ => {}
        }
        self.parties[party].standing = Standing::Waits { passed: 0 };
        self.takes_place(party);
        self.settle(Vec::new(), limits);
    }

    fn takes_place(&mut self, party: usize) {
        let priority = self.parties[party].ask.priority;
        let place = self.waiting.iter().position(|other| self.parties[*other].ask.priority > priority);
        self.waiting.insert(place.unwrap_or(self.waiting.len()), party);
    }

    fn lists(&mut self, party: usize) {
        let existing = self.existing;
        let hold = self.hold_of(party);
        if hold.whole == Whole::WithMembers {
            *hold = Hold { names: existing, whole: Whole::Alone, ..*hold };
        }
    }

    /// Makes a party share what it held exclusively. The sharers of the most urgent waiting priority go along.
    fn downgrades(&mut self, party: usize, limits: Limits) {
        let hold = self.hold_of(party);
        hold.mode = Shared;
        let (names, whole) = (hold.names, hold.whole);
        let groups = if whole == Whole::WithMembers {
            let first = self.waiting.first().map(|first| self.parties[*first].ask.priority);
            first.map(|priority| Group { names: EVERY, priority, place: None }).into_iter().collect()
        } else {
            self.groups_of(names)
        };
        self.settle(groups, limits);
    }

    /// At each name, the sharers of the most urgent priority that waits there.
    fn groups_of(&self, names: Names) -> Vec<Group> {
        let at = |name: Names| {
            let asks = self.waiting.iter().map(|other| &self.parties[*other].ask);
            let priority = asks.filter(|ask| ask.touched() & name != 0).map(|ask| ask.priority).min()?;
            Some(Group { names: name, priority, place: None })
        };
        bits(names).filter_map(at).collect()
    }

    /// Removes a name. A party that waits for it fails, or goes on without it.
    fn removes(&mut self, party: usize, limits: Limits) {
        let hold = *self.hold_of(party);
        let gone = first(if hold.whole == Whole::WithMembers { self.existing } else { hold.names });
        self.existing &= !gone;
        for other in self.waiting.clone() {
            let ask = &mut self.parties[other].ask;
            if ask.names & gone == 0 {
                continue;
            }
            ask.names &= !gone;
            let fails = match ask.what {
                What::AtLeast(enough) => ask.names.count_ones() < enough,
                what => what == What::Names,
            };
            if fails {
                self.leaves(other);
            }
        }
        self.now_holds(party, Hold { names: hold.names & !gone, ..hold });
        self.settle(Vec::new(), limits);
    }
}

fn mode_bars(one: LockMode, other: LockMode) -> bool {
    one == Exclusive || other == Exclusive
}
