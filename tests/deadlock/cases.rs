//! The programs of the cases: all small ones, and large ones at random.

use crate::programs::{LEVELS, Line, Program, Refused, Verb, Want, Which};
use lockladder::LockMode::{self, Exclusive, Shared};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Each way to ask for some of two names. Two names are asked for in both orders.
fn asks(modes: &[LockMode]) -> Vec<Line> {
    let lists: [&[char]; 4] = [&['a'], &['b'], &['a', 'b'], &['b', 'a']];
    let mut asks = Vec::new();
    for level in 1..=2 {
        for names in lists {
            asks.extend(modes.iter().map(|mode| {
                let which = Which::These(names.to_vec());
                (level, Verb::Acquire(which, *mode, Want::Everything))
            }));
        }
    }
    asks
}

/// Every program that makes one request or two, at two levels, in any order.
pub(crate) fn small(roots: &[LockMode], modes: &[LockMode]) -> Vec<Program> {
    let asks = asks(modes);
    let mut lines: Vec<Vec<Line>> = asks.iter().map(|ask| vec![ask.clone()]).collect();
    for first in &asks {
        lines.extend(asks.iter().map(|second| vec![first.clone(), second.clone()]));
    }
    let program = |root: &LockMode, lines: &Vec<Line>| Program {
        root: *root,
        downgrades_root: false,
        lines: lines.clone(),
        refused: Refused::GoesOn,
    };
    roots.iter().flat_map(|root| lines.iter().map(move |lines| program(root, lines))).collect()
}

fn mode() -> impl Strategy<Value = LockMode> {
    select(vec![Shared, Exclusive])
}

fn names() -> impl Strategy<Value = Vec<char>> {
    vec(select(vec!['a', 'b', 'c']), 1..4)
}

fn acquisition() -> impl Strategy<Value = Verb> {
    let which = prop_oneof![1 => Just(Which::All), 4 => names().prop_map(Which::These)];
    let want = prop_oneof![6 => Just(Want::Everything), 1 => Just(Want::AtLeast(1)), 1 => Just(Want::AtLeast(2)), 1 => Just(Want::Free)];
    (which, mode(), want).prop_map(|(which, mode, want)| Verb::Acquire(which, mode, want))
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        10 => acquisition(),
        2 => Just(Verb::Release),
        2 => names().prop_map(Verb::ReleaseNames),
        1 => Just(Verb::Downgrade),
        1 => names().prop_map(Verb::Add),
        1 => (names(), mode()).prop_map(|(names, mode)| Verb::AddAcquired(names, mode)),
        1 => names().prop_map(Verb::AddHeld),
        1 => names().prop_map(Verb::Remove),
        1 => names().prop_map(Verb::RemoveHeld),
    ]
}

/// A program of at most this many lines, at this many levels above the root.
pub(crate) fn any(levels: usize, lines: usize) -> impl Strategy<Value = Program> {
    assert!(levels <= LEVELS);
    let root = prop_oneof![5 => Just((Shared, false)), 1 => Just((Exclusive, false)), 1 => Just((Exclusive, true))];
    let refused = select(vec![Refused::GoesOn, Refused::Ends]);
    (root, vec((1..=levels, verb()), 1..=lines), refused)
        .prop_map(|((root, downgrades_root), lines, refused)| Program { root, downgrades_root, lines, refused })
}
