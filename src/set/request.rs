//! What a caller asked for: names, looked up by the call, and checked again when the request begins.

use super::core::{Core, MemberRefs};
use super::error::SetError;
use super::names::AsName;
use super::pointer::{HoldingOf, SetPointer};
use super::queue::Member;
use super::queue::{Members, Missing, Reach};
use super::shards::{MemberRef, Shards, forget};
use super::snapshot::text;
use crate::mode::LockMode;
use crate::panics::Panics;
use crate::wants::NamesWanted;
use smallvec::SmallVec;
use std::fmt;
use std::mem;

/// How much of what it names a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    All,
    /// All that exist.
    Existing,
    AtLeast(usize),
    /// What is free now.
    Free,
}

/// Names, or the whole set. Nothing is borrowed from the caller.
pub(crate) struct Request<P: SetPointer> {
    everything: bool,
    members: MemberRefs<P::Name, P::Value>,
    /// The names without a member so far. In an open set, all names: one exists only once a request waits for it.
    names: SmallVec<P::Sought>,
    course: Course,
}

/// How far a request has come that is not in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// It holds nothing.
    Open,
    /// Foreign code of the names runs, or has panicked: the lists here may be incomplete.
    Interrupted,
    /// It holds its members, and its owner has not taken them yet.
    Held,
}

/// What a request asks of the set.
pub(crate) enum Asked<P: SetPointer> {
    /// Take those of these members that are free.
    Free(MemberRefs<P::Name, P::Value>),
    /// Take these members, or wait for them.
    For { reach: Reach, members: MemberRefs<P::Name, P::Value>, enough: usize, missing: Missing },
}

impl<P: SetPointer> Request<P> {
    /// A request for everything, in a set that has a whole; or for the names that [`list`](Self::list) adds.
    #[inline]
    pub(crate) fn new(everything: bool) -> Self {
        Self { everything, members: Members::new(), names: SmallVec::new(), course: Course::Open }
    }

    /// Adds these names to the request.
    // Inlined so that the compiler writes a single name where it stays, instead of moving it three times.
    #[expect(clippy::inline_always, reason = "measured: a quarter of the time of an acquisition")]
    #[inline(always)]
    pub(crate) fn list<N: AsName<P::Name>>(&mut self, core: &Core<P::Name, P::Value>, names: impl Iterator<Item = N>) {
        for name in names {
            let member = if core.fresh.is_none() { core.shards.find(&name) } else { None };
            match member {
                Some(member) => self.members.push(member),
                None => self.names.push(name.into_name()),
            }
        }
    }

    /// The same request once more, after it could not enter the queue.
    pub(crate) fn again(members: MemberRefs<P::Name, P::Value>, reach: Reach) -> Self {
        Self { everything: reach == Reach::Every, members, names: SmallVec::new(), course: Course::Open }
    }

    /// The fast path of most requests: takes the members if all names have one and all are free. Returns whether it
    /// holds them.
    #[inline]
    pub(crate) fn hold_known(&mut self, core: &Core<P::Name, P::Value>, mode: LockMode, panics: &mut Panics) -> bool {
        if core.fresh.is_some() && !self.names.is_empty() {
            self.interrupt();
            self.find_again(core, panics);
            self.course = Course::Open;
        }
        if self.everything || self.course != Course::Open || !self.names.is_empty() {
            return self.is_held();
        }
        put_in_order(&mut self.members, panics);
        if Shards::try_hold(&self.members, mode) {
            self.course = Course::Held;
        }
        self.is_held()
    }

    /// Whether it holds its members, by [`hold_known`](Self::hold_known).
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.course == Course::Held
    }

    /// Hands over the members that it holds.
    #[inline]
    pub(crate) fn take_known(&mut self) -> MemberRefs<P::Name, P::Value> {
        self.course = Course::Open;
        mem::take(&mut self.members)
    }

    /// As [`take_known`](Self::take_known), if it holds them.
    pub(crate) fn take_held(&mut self) -> Option<HoldingOf<P>> {
        self.is_held().then(|| self.take_known().into())
    }

    /// Whether it is for the whole set, not for some of all its members.
    pub(crate) fn is_for_whole(&self, want: Want) -> bool {
        self.everything && matches!(want, Want::All | Want::Existing)
    }

    /// Looks up the members as they are now.
    pub(crate) fn resolve(
        &mut self,
        core: &Core<P::Name, P::Value>,
        want: Want,
        panics: &mut Panics,
    ) -> Result<Asked<P>, SetError<P::Name>> {
        if self.is_for_whole(want) {
            return Ok(Asked::For {
                reach: Reach::Every,
                members: Members::new(),
                enough: 0,
                missing: Missing::Skipped,
            });
        }
        self.interrupt();
        if self.everything {
            self.members.extend(core.shards.all());
        }
        if !self.names.is_empty() || self.members.iter().any(|member| member.look().is_deleted()) {
            self.find_again(core, panics);
        }
        self.names.sort_unstable();
        self.names.truncate(usize::from(want == Want::All)); // Foreign code: before anything is taken out.
        let (first_unknown, mut members) = (self.names.pop(), mem::take(&mut self.members));
        put_in_order(&mut members, panics);
        let existing = members.len();
        self.course = Course::Open;
        let (enough, missing) = match want {
            Want::Free => return Ok(Asked::Free(members)),
            Want::All => (existing, Missing::Fails),
            Want::Existing => (existing, Missing::Skipped),
            Want::AtLeast(wanted) => (wanted.min(existing), Missing::Counted),
        };
        let refused = match want {
            Want::All => first_unknown.map(|name| SetError::Unknown { name }),
            Want::AtLeast(wanted) if existing < wanted => Some(SetError::TooFew { wanted, existing }),
            _ => None,
        };
        match refused {
            None => Ok(Asked::For { reach: Reach::Names, members, enough, missing }),
            Some(error) => {
                forget(members, panics);
                Err(error)
            }
        }
    }

    /// Notes that foreign code of the names runs from here on.
    ///
    /// # Panics
    ///
    /// If that code has panicked before: the request would get less than it asked for.
    fn interrupt(&mut self) {
        let before = mem::replace(&mut self.course, Course::Interrupted);
        assert!(
            before != Course::Interrupted,
            "`SetAcquire` polled again after code of its names or values has panicked: make a new request"
        );
    }

    /// Looks again for names that did not exist at the call, or whose members have been removed since.
    fn find_again(&mut self, core: &Core<P::Name, P::Value>, panics: &mut Panics) {
        if let Some(fresh) = core.fresh {
            while let Some(name) = self.names.pop() {
                core.shards.find_or_insert(name, fresh, &mut self.members);
            }
            return;
        }
        core.settle_members(); // Waits for a call that is adding members: then all are there.
        for at in (0..self.members.len()).rev() {
            let member = self.members[at];
            if member.look().is_deleted() {
                match core.shards.find(&member.name()) {
                    Some(current) => self.members.push(current),
                    None => self.names.push(member.name().clone()),
                }
                self.members.swap_remove(at);
                forget([member], panics);
            }
        }
        for at in (0..self.names.len()).rev() {
            if let Some(member) = core.shards.find(&self.names[at]) {
                self.members.push(member);
                let name = self.names.swap_remove(at);
                panics.catch(|| drop(name));
            }
        }
    }

    /// Unpins the members.
    pub(crate) fn forget(&mut self, panics: &mut Panics) {
        forget(mem::take(&mut self.members), panics);
    }
}

impl<P: SetPointer<Name: fmt::Debug>> Request<P> {
    /// The names that it asks for.
    pub(crate) fn names_wanted(&self) -> NamesWanted {
        if self.everything {
            return NamesWanted::whole();
        }
        let known = self.members.iter().map(MemberRef::name);
        NamesWanted::these(known.chain(&self.names).map(text), self.members.len() + self.names.len())
    }
}

/// Sorts the members by id, and unpins repetitions.
#[inline]
fn put_in_order<K, T>(members: &mut MemberRefs<K, T>, panics: &mut Panics) {
    if members.len() > 1 {
        members.sort_unstable_by_key(Member::id);
        members.dedup_by(|one, other| {
            let is_repeated = one == other;
            if is_repeated {
                forget([*one], panics);
            }
            is_repeated
        });
    }
}
