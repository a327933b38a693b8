//! For one name, the rule of named locks is the fairness rule of one lock, with one difference.
//!
//! When the first sharer of a group cancels or changes its priority, the group keeps its place in the queue of one
//! lock. In a set, each sharer has a place of its own, because sharers may differ in their other names; the group then
//! stands at the next sharer's place. Such steps are left out here.

use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::lock_rule::LockRule;
use lockladder_test_support::set_rule::{Ask, Deed, Limits, SetRule, Standing};
use std::collections::HashSet;

/// Visits every state that these requests can reach, and returns the number of states.
pub(crate) fn explore(asks: &[Ask], limits: Limits) -> usize {
    let start = SetRule::new(1, asks.iter().copied().map(Some));
    let mut seen = HashSet::new();
    let mut open = vec![(start, Vec::new())];
    while let Some((rule, past)) = open.pop() {
        for deed in possible(&rule) {
            let mut next = rule.clone();
            next.play(deed.0, deed.1, limits);
            let past = [&past[..], &[deed]].concat();
            let lock = on_one_lock(asks, &past);
            agree(&next, &lock, &past);
            if seen.insert((next.clone(), format!("{lock:?}"))) {
                open.push((next, past));
            }
        }
    }
    seen.len()
}

/// Plays the same deeds on one lock.
fn on_one_lock(asks: &[Ask], past: &[(usize, Deed)]) -> LockRule {
    let mut lock = LockRule::default();
    for (party, deed) in past.iter().copied() {
        let Ask { mode, priority, .. } = asks[party];
        match deed {
            Deed::Arrives => lock.ask(party, mode, priority),
            Deed::Moves(priority) => lock.set_priority(party, mode, priority),
            Deed::Downgrades => lock.downgrade(party),
            _ => lock.leave(party),
        }
    }
    lock
}

fn agree(rule: &SetRule, lock: &LockRule, past: &[(usize, Deed)]) {
    for (party, known) in rule.parties.iter().enumerate() {
        let held = match known.standing {
            Standing::Holds(hold) => Some(hold.mode),
            _ => None,
        };
        let waits = matches!(known.standing, Standing::Waits { .. });
        let expected = (lock.holds(party), lock.turns_ahead(party).is_some());
        assert_eq!((held, waits), expected, "{party}, after {past:?}");
        assert!(!matches!(known.standing, Standing::Waits { passed: 1.. }), "{party} has been passed, after {past:?}");
    }
}

fn possible(rule: &SetRule) -> Vec<(usize, Deed)> {
    let mut deeds = Vec::new();
    for (party, known) in rule.parties.iter().enumerate() {
        match known.standing {
            Standing::Away => deeds.push((party, Deed::Arrives)),
            Standing::Waits { .. } if leads_others(rule, party) => {}
            Standing::Waits { .. } => {
                deeds.push((party, Deed::Cancels));
                if !known.has_moved {
                    deeds.push((party, Deed::Moves(1 - known.ask.priority)));
                }
            }
            Standing::Holds(hold) => {
                deeds.push((party, Deed::Releases));
                if hold.mode == Exclusive {
                    deeds.push((party, Deed::Downgrades));
                }
            }
            Standing::Gone => {}
        }
    }
    deeds
}

/// Whether this waiter is the first sharer of a group of more than one.
fn leads_others(rule: &SetRule, party: usize) -> bool {
    let ask = rule.parties[party].ask;
    let is_of_group = |other: &&usize| {
        let other = rule.parties[**other].ask;
        other.mode == Shared && other.priority == ask.priority
    };
    let group: Vec<usize> = rule.waiting.iter().filter(is_of_group).copied().collect();
    ask.mode == Shared && group.len() > 1 && group[0] == party
}
