//! The values in named locks, reached through the guard that holds the locks.

#![allow(unsafe_code, reason = "gives access to the values: see the invariants of `shards::slot` and of `SetGuard`")]

use super::SetPointer;
use super::core::WholeHold;
use super::error::SetError;
use super::guard::SetGuard;
use super::names::AsName;
use super::pointer::MemberRefOf;
use super::queue::Member;
use super::queue::Members;
use super::shards::forget;
use crate::mode::{Exclusive, Mode};
use crate::panics::Panics;
use std::ops::{Index, IndexMut};
use std::vec;

impl<P: SetPointer, M: Mode> SetGuard<P, M> {
    /// The value of a name, if this guard holds it.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let nodes: LockSet<String, u8> = LockSet::from_entries([("a", 1), ("b", 2)]);
    /// let guard = nodes.shared("a").await?;
    /// assert_eq!((guard.get("a"), guard.get("b")), (Some(&1), None));
    /// assert_eq!(guard["a"], 1);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are passed as everywhere")]
    pub fn get(&self, name: impl AsName<P::Name>) -> Option<&P::Value> {
        let member = self.find(&name)?;
        // SAFETY: the guard holds the member while it is borrowed (`SetGuard`, 1), and no value changes through a guard
        // that is borrowed shared.
        let (_, value) = unsafe { member.entry() };
        Some(value)
    }

    /// All names held, with their values, in name order.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockSet};
    /// let nodes: LockSet<String, u8> = LockSet::from_entries([("b", 2), ("a", 1)]);
    /// let guard = nodes.shared(All).await?;
    /// assert_eq!(guard.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(), ["a=1", "b=2"]);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn iter(&self) -> vec::IntoIter<(&P::Name, &P::Value)> {
        let entries = self.members().into_iter().map(|member| {
            // SAFETY: as in `get`.
            unsafe { member.entry() }
        });
        entries.collect::<Vec<_>>().into_iter()
    }

    /// The names held, in name order.
    ///
    /// See [`LockSet`](super::LockSet) for an example.
    pub fn names(&self) -> Vec<&P::Name> {
        self.iter().map(|(name, _)| name).collect()
    }
}

impl<P: SetPointer> SetGuard<P, Exclusive> {
    /// The value of a name, to be changed, if this guard holds it.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let nodes: LockSet<String, u8> = LockSet::from_entries([("a", 1), ("b", 2)]);
    /// let mut guard = nodes.exclusive("a").await?;
    /// *guard.get_mut("a").unwrap() += 1;
    /// guard["a"] += 1;
    /// assert_eq!(guard["a"], 3);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are passed as everywhere")]
    pub fn get_mut(&mut self, name: impl AsName<P::Name>) -> Option<&mut P::Value> {
        let member = self.find(&name)?;
        // SAFETY: the guard holds the member exclusively (`SetGuard`, 1) and is borrowed mutably, so no other reference
        // to the value exists.
        let (_, value) = unsafe { member.entry_mut() };
        Some(value)
    }

    /// The values of several names, to be changed side by side, in the order of the names given.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with the names that this guard does not hold; [`SetError::Repeated`] if a name is
    /// repeated.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let accounts: LockSet<u32, i64> = LockSet::from_entries([(1u32, 100), (2, 0)]);
    /// let mut guard = accounts.exclusive([1, 2]).await?;
    /// let [from, to] = guard.get_disjoint_mut([1, 2])?;
    /// (*from, *to) = (*from - 30, *to + 30);
    /// assert_eq!((guard[1], guard[2]), (70, 30));
    /// # Ok::<_, lockladder::SetError<u32>>(()) }).unwrap();
    /// ```
    pub fn get_disjoint_mut<N: AsName<P::Name>, const C: usize>(
        &mut self,
        names: [N; C],
    ) -> Result<[&mut P::Value; C], SetError<P::Name>> {
        let (mut members, mut repeated): (Members<MemberRefOf<P>>, _) = (Members::new(), None);
        let mut unheld = Vec::new();
        for name in names {
            match self.find(&name) {
                None => unheld.push(name.into_name()),
                Some(member) if members.contains(&member) => repeated = repeated.or(Some(member)),
                Some(member) => members.push(member),
            }
        }
        if let Some(member) = repeated {
            drop(unheld); // Foreign code: before the error is returned.
            return Err(SetError::Repeated { name: member.name().clone() });
        }
        if !unheld.is_empty() {
            return Err(SetError::NotHeld { names: super::sorted(unheld) });
        }
        Ok(std::array::from_fn(|at| {
            // SAFETY: as in `get_mut`; no two of the members are the same.
            unsafe { members[at].entry_mut() }.1
        }))
    }

    /// All names held, with their values to be changed, in name order.
    ///
    /// See [`iter`](Self::iter) for an example.
    pub fn iter_mut(&mut self) -> vec::IntoIter<(&P::Name, &mut P::Value)> {
        let entries = self.members().into_iter().map(|member| {
            // SAFETY: as in `get_mut`; each member comes once.
            unsafe { member.entry_mut() }
        });
        entries.collect::<Vec<_>>().into_iter()
    }
}

/// Removing members.
impl<P: SetPointer> SetGuard<P, Exclusive> {
    /// Removes all members that the guard holds.
    pub(super) fn retire_all(&mut self) -> Vec<(P::Name, P::Value)> {
        let all = self.members();
        Panics::defer(|panics| self.retire(all.into(), panics))
    }

    /// Removes these members, which the guard holds. Returns their names and values, in name order.
    pub(super) fn retire(
        &mut self,
        mut members: Members<MemberRefOf<P>>,
        panics: &mut Panics,
    ) -> Vec<(P::Name, P::Value)> {
        // Foreign code of the names runs first: if it panics, nothing has been removed.
        let mut named: Vec<_> = members.iter().map(|member| (member.name().clone(), *member)).collect();
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        members.sort_unstable_by_key(Member::id);
        let is_kept = |member: &mut MemberRefOf<P>| members.binary_search_by_key(&member.id(), Member::id).is_err();
        self.held.members.retain(is_kept);
        let whole = self.held.whole;
        if whole == WholeHold::WithMembers {
            members.iter().for_each(Member::pin); // Listed members are pinned already.
        }
        self.set.core().retire(&members, whole, panics);
        let entries = named.into_iter().filter_map(|(name, member)| {
            // SAFETY: the guard is borrowed mutably, has just deleted the member, and takes its value once (`slot`, 5).
            let value = unsafe { member.take_value() };
            value.map(|value| (name, value))
        });
        let entries = entries.collect();
        forget(members, panics); // If these are the last pins, the names are dropped here.
        entries
    }
}

/// # Panics
///
/// If the guard does not hold the name.
impl<P: SetPointer, M: Mode, N: AsName<P::Name>> Index<N> for SetGuard<P, M> {
    type Output = P::Value;

    fn index(&self, name: N) -> &P::Value {
        match self.get(name) {
            Some(value) => value,
            None => panic!("the guard does not hold this name: `get` tells without panicking"),
        }
    }
}

/// # Panics
///
/// If the guard does not hold the name.
impl<P: SetPointer, N: AsName<P::Name>> IndexMut<N> for SetGuard<P, Exclusive> {
    fn index_mut(&mut self, name: N) -> &mut P::Value {
        match self.get_mut(name) {
            Some(value) => value,
            None => panic!("the guard does not hold this name: `get_mut` tells without panicking"),
        }
    }
}

impl<'g, P: SetPointer, M: Mode> IntoIterator for &'g SetGuard<P, M> {
    type Item = (&'g P::Name, &'g P::Value);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'g, P: SetPointer> IntoIterator for &'g mut SetGuard<P, Exclusive> {
    type Item = (&'g P::Name, &'g mut P::Value);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

/// An array of names, for which there is an array of values: `[N; C]`. Sealed, because it is lent the guard.
///
/// See [`SetGuard::get_disjoint_mut`] for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an array of names of type `{K}`",
    label = "expected an array such as `[first, second]`"
)]
pub trait NameArray<K>: sealed::Sealed<K> + Sized {
    /// An array of the same length.
    type Each<T>;

    /// The values of these names, from a guard.
    #[doc(hidden)]
    fn values<P: SetPointer<Name = K>>(
        self,
        guard: &mut SetGuard<P, Exclusive>,
    ) -> Result<Self::Each<&mut P::Value>, SetError<K>>;
}

mod sealed {
    use super::AsName;

    #[diagnostic::on_unimplemented(
        message = "`NameArray` cannot be implemented for `{Self}`: it is implemented for arrays only",
        label = "not an array",
        note = "an implementation would be lent a guard; call `get_disjoint_mut` with an array of names instead"
    )]
    pub trait Sealed<K> {}
    impl<K, N: AsName<K>, const C: usize> Sealed<K> for [N; C] {}
}

impl<K, N: AsName<K>, const C: usize> NameArray<K> for [N; C] {
    type Each<T> = [T; C];

    fn values<P: SetPointer<Name = K>>(
        self,
        guard: &mut SetGuard<P, Exclusive>,
    ) -> Result<[&mut P::Value; C], SetError<K>> {
        guard.get_disjoint_mut(self)
    }
}
