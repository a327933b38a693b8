//! Other ways to grant, as small pure models. Two of the four can deadlock, and the exploration must find it.

use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::set_rule::{Ask, Names, bits};
use std::collections::HashSet;

/// How a request gets its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// All at once, from the heads of the lines of all names. In each line, a sharer stands behind the last sharer.
    JoinsPositions,
    /// All at once, from the heads of the lines of all names. Each line is in the order of arrival.
    InOrder,
    /// One by one, while holding what it has. All requests take names in order.
    OneByOneSorted,
    /// One by one, while holding what it has. Every other request goes from the last name to the first.
    OneByOneUnsorted,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Away,
    /// It waits, and holds this many of its names.
    Waits(usize),
    Runs,
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    phases: Vec<Phase>,
    lines: [Vec<usize>; 3],
}

impl State {
    fn leaves(&mut self, party: usize) {
        self.phases[party] = Phase::Gone;
        for line in &mut self.lines {
            line.retain(|other| *other != party);
        }
    }
}

pub(crate) struct Refuted<'a> {
    pub(crate) way: Way,
    pub(crate) asks: &'a [Ask],
}

impl Refuted<'_> {
    /// Whether a state can be reached in which a request waits and none runs.
    pub(crate) fn can_deadlock(&self) -> bool {
        let start = State { phases: vec![Phase::Away; self.asks.len()], lines: Default::default() };
        let mut seen = HashSet::from([start.clone()]);
        let mut open = vec![start];
        while let Some(state) = open.pop() {
            let waits = |phase: &Phase| matches!(phase, Phase::Waits(_));
            if state.phases.iter().any(waits) && !state.phases.contains(&Phase::Runs) {
                return true;
            }
            for party in 0..self.asks.len() {
                let mut next = state.clone();
                match next.phases[party] {
                    Phase::Away => self.arrives(&mut next, party),
                    Phase::Waits(_) | Phase::Runs => next.leaves(party),
                    Phase::Gone => continue,
                }
                self.settle(&mut next);
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        false
    }

    /// The names of a request, in the order in which it takes them.
    fn names(&self, party: usize) -> Vec<Names> {
        let mut names: Vec<Names> = bits(self.asks[party].names).collect();
        if self.way == Way::OneByOneUnsorted && party % 2 == 1 {
            names.reverse();
        }
        names
    }

    fn arrives(&self, state: &mut State, party: usize) {
        state.phases[party] = Phase::Waits(0);
        let names = self.names(party);
        let at_once = matches!(self.way, Way::JoinsPositions | Way::InOrder);
        self.enters(state, party, if at_once { &names } else { &names[..1] });
    }

    fn enters(&self, state: &mut State, party: usize, names: &[Names]) {
        for name in names {
            let line = &mut state.lines[name.trailing_zeros() as usize];
            let is_sharer = |other: &usize| self.asks[*other].mode == Shared;
            let joins = self.way == Way::JoinsPositions && is_sharer(&party);
            let group = if joins { line.iter().rposition(is_sharer) } else { None };
            line.insert(group.map_or(line.len(), |last| last + 1), party);
        }
    }

    fn held(&self, state: &State, party: usize) -> Vec<Names> {
        let names = self.names(party);
        match state.phases[party] {
            Phase::Waits(held) => names[..held].to_vec(),
            Phase::Runs => names,
            _ => Vec::new(),
        }
    }

    /// Whether the holders of a name, and the requests ahead in its line, leave room.
    fn is_next(&self, state: &State, party: usize, name: Names) -> bool {
        let bars = |other: usize| self.asks[party].mode == Exclusive || self.asks[other].mode == Exclusive;
        let holds = |other: usize| other != party && self.held(state, other).contains(&name);
        let mut ahead = state.lines[name.trailing_zeros() as usize].iter().take_while(|other| **other != party);
        !(0..self.asks.len()).any(|other| holds(other) && bars(other)) && !ahead.any(|other| bars(*other))
    }

    fn settle(&self, state: &mut State) {
        while let Some((party, phase)) = (0..self.asks.len()).find_map(|party| Some((party, self.step(state, party)?)))
        {
            if let Phase::Waits(taken) = phase {
                let names = self.names(party);
                state.lines[names[taken - 1].trailing_zeros() as usize].retain(|other| *other != party);
                self.enters(state, party, &names[taken..=taken]);
            } else {
                state.leaves(party);
            }
            state.phases[party] = phase;
        }
    }

    /// The next phase of a waiter, if it can go on.
    fn step(&self, state: &State, party: usize) -> Option<Phase> {
        let Phase::Waits(held) = state.phases[party] else { return None };
        let names = self.names(party);
        let is_next = |name: &Names| self.is_next(state, party, *name);
        match self.way {
            Way::JoinsPositions | Way::InOrder => names.iter().all(is_next).then_some(Phase::Runs),
            _ if held + 1 == names.len() => is_next(&names[held]).then_some(Phase::Runs),
            _ => is_next(&names[held]).then_some(Phase::Waits(held + 1)),
        }
    }
}
