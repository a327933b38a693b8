//! The programs of the cases: all small ones, and large ones at random.

use crate::programs::{Line, OPEN, Program, Refused, Verb, Want, Which};
use lockladder::LockMode::{self, Exclusive, Shared};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

/// Each way to ask for some of two names. Two names are asked for in both orders.
fn asks(levels: [usize; 2], modes: &[LockMode]) -> Vec<Line> {
    let lists: [&[char]; 4] = [&['a'], &['b'], &['a', 'b'], &['b', 'a']];
    let mut asks = Vec::new();
    for level in levels {
        for names in lists {
            asks.extend(modes.iter().map(|mode| {
                let which = Which::These(names.to_vec());
                (level, Verb::Acquire(which, *mode, Want::Everything))
            }));
        }
    }
    asks
}

/// Every program that makes one request or two, at these levels, in any order.
pub(crate) fn small(levels: [usize; 2], roots: &[LockMode], modes: &[LockMode]) -> Vec<Program> {
    let asks = asks(levels, modes);
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

fn verb_of_any_level() -> impl Strategy<Value = Verb> {
    prop_oneof![
        10 => acquisition(),
        2 => Just(Verb::Release),
        2 => names().prop_map(Verb::ReleaseNames),
        1 => Just(Verb::Downgrade),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        15 => verb_of_any_level(),
        1 => names().prop_map(Verb::Add),
        1 => (names(), mode()).prop_map(|(names, mode)| Verb::AddAcquired(names, mode)),
        1 => names().prop_map(Verb::AddHeld),
        1 => names().prop_map(Verb::Remove),
        1 => names().prop_map(Verb::RemoveHeld),
    ]
}

fn line(level: usize) -> BoxedStrategy<Line> {
    match level {
        OPEN => (Just(level), verb_of_any_level()).boxed(),
        _ => (Just(level), verb()).boxed(),
    }
}

/// A program of at most this many lines, at these levels.
pub(crate) fn any(levels: &[usize], lines: usize) -> impl Strategy<Value = Program> {
    let line = Union::new(levels.iter().map(|level| line(*level)));
    let root = prop_oneof![5 => Just((Shared, false)), 1 => Just((Exclusive, false)), 1 => Just((Exclusive, true))];
    let refused = select(vec![Refused::GoesOn, Refused::Ends]);
    (root, vec(line, 1..=lines), refused).prop_map(|((root, downgrades_root), lines, refused)| Program {
        root,
        downgrades_root,
        lines,
        refused,
    })
}
