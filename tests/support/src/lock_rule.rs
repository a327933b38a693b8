//! The fairness rule of one lock as a program. It is written from the documentation, which it quotes, and it is pure:
//! it knows nothing of state words, nodes and wakers.

use lockladder::LockMode::{self, Exclusive, Shared};

/// A party that requests, holds and releases the lock.
pub type Name = usize;

/// One turn in the queue.
#[derive(Debug)]
struct Turn {
    priority: i8,
    whose: Whose,
}

#[derive(Debug)]
enum Whose {
    Alone(Name),
    /// "All *shared* requests of one priority that wait at the same time form one *group*."
    Group(Vec<Name>),
}

/// One lock, by the rule.
#[derive(Debug, Default)]
pub struct LockRule {
    holders: Vec<(Name, LockMode)>,
    queue: Vec<Turn>,
    deleted: bool,
}

impl LockRule {
    fn fits(&self, mode: LockMode) -> bool {
        match mode {
            Shared => self.holders.iter().all(|&(_, held)| held == Shared),
            Exclusive => self.holders.is_empty(),
        }
    }

    /// "A new request is granted at once only if no request of the same or a more urgent priority waits."
    pub fn admits(&self, mode: LockMode, priority: i8) -> bool {
        !self.deleted && self.fits(mode) && self.queue.iter().all(|turn| turn.priority > priority)
    }

    /// Grants a request at once, or queues it. A deleted lock does neither.
    pub fn ask(&mut self, name: Name, mode: LockMode, priority: i8) {
        if self.admits(mode, priority) {
            self.holders.push((name, mode));
        } else if !self.deleted {
            self.enlist(name, mode, priority);
        }
    }

    /// "In the order of (priority, first poll)"; "a new shared request joins the group while the group waits".
    fn enlist(&mut self, name: Name, mode: LockMode, priority: i8) {
        let group = self.queue.iter_mut().find_map(|turn| match &mut turn.whose {
            Whose::Group(members) if mode == Shared && turn.priority == priority => Some(members),
            _ => None,
        });
        if let Some(members) = group {
            return members.push(name);
        }
        let whose = match mode {
            Shared => Whose::Group(vec![name]),
            Exclusive => Whose::Alone(name),
        };
        let place = self.queue.iter().position(|turn| turn.priority > priority).unwrap_or(self.queue.len());
        self.queue.insert(place, Turn { priority, whose });
    }

    fn delist(&mut self, name: Name) {
        for turn in &mut self.queue {
            if let Whose::Group(members) = &mut turn.whose {
                members.retain(|&member| member != name);
            }
        }
        self.queue.retain(|turn| match &turn.whose {
            Whose::Alone(waiter) => *waiter != name,
            Whose::Group(members) => !members.is_empty(),
        });
    }

    /// "Requests are granted in the order of (priority, first poll)"; "the group [...] is granted as a whole".
    fn grant(&mut self) {
        while let Some(turn) = self.queue.first() {
            let mode = match turn.whose {
                Whose::Alone(_) => Exclusive,
                Whose::Group(_) => Shared,
            };
            if !self.fits(mode) {
                return;
            }
            match self.queue.remove(0).whose {
                Whose::Alone(name) => self.holders.push((name, mode)),
                Whose::Group(members) => self.holders.extend(members.into_iter().map(|name| (name, mode))),
            }
        }
    }

    /// Releases what `name` holds, or gives up what it waits for.
    pub fn leave(&mut self, name: Name) {
        self.holders.retain(|&(holder, _)| holder != name);
        self.delist(name);
        self.grant();
    }

    fn priority_of(&self, name: Name) -> Option<i8> {
        let turn = self.queue.iter().find(|turn| match &turn.whose {
            Whose::Alone(waiter) => *waiter == name,
            Whose::Group(members) => members.contains(&name),
        });
        turn.map(|turn| turn.priority)
    }

    /// "A waiting request moves at once, behind the requests that wait at its new priority; a shared one joins their
    /// group." At the same priority it keeps its place.
    pub fn set_priority(&mut self, name: Name, mode: LockMode, priority: i8) {
        if self.priority_of(name).is_some_and(|own| own != priority) {
            self.delist(name);
            self.enlist(name, mode, priority);
            self.grant();
        }
    }

    /// "If sharers wait at the most urgent priority in the queue, their group is granted at the same time."
    pub fn downgrade(&mut self, name: Name) {
        self.holders = vec![(name, Shared)];
        let best = self.queue.first().map(|turn| turn.priority);
        let group = |turn: &Turn| Some(turn.priority) == best && matches!(turn.whose, Whose::Group(_));
        if let Some(place) = self.queue.iter().position(group) {
            self.queue[..=place].rotate_right(1);
        }
        self.grant();
    }

    /// Makes the only sharer exclusive, unless a request waits. True if it did.
    pub fn upgrade(&mut self, name: Name) -> bool {
        let upgrades = self.holders == [(name, Shared)] && self.queue.is_empty();
        if upgrades {
            self.holders = vec![(name, Exclusive)];
        }
        upgrades
    }

    /// "Deletes the lock, which also releases it: all requests, waiting and to come, resolve to `Deleted`."
    pub fn delete(&mut self) {
        *self = Self { deleted: true, ..Self::default() };
    }

    /// Whether the lock is deleted.
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// All holders of the lock, with their modes.
    pub fn holders(&self) -> &[(Name, LockMode)] {
        &self.holders
    }

    /// The mode in which `name` holds the lock, if it does.
    pub fn holds(&self, name: Name) -> Option<LockMode> {
        self.holders.iter().find(|&&(holder, _)| holder == name).map(|&(_, mode)| mode)
    }

    /// How many turns are ahead of `name`, if it waits.
    pub fn turns_ahead(&self, name: Name) -> Option<usize> {
        self.queue.iter().position(|turn| match &turn.whose {
            Whose::Alone(waiter) => *waiter == name,
            Whose::Group(members) => members.contains(&name),
        })
    }
}
