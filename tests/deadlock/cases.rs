//! Which programs meet: all small ones, and large ones at random.

use crate::programs::{Deed, LEVELS, Program, Refused, Verb, Want, Which};
use lockladder::LockMode::{self, Exclusive, Shared};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Each way to ask for some of two names: in both orders, where there are two.
fn asks(modes: &[LockMode]) -> Vec<Verb> {
    let lists: [&[char]; 4] = [&['a'], &['b'], &['a', 'b'], &['b', 'a']];
    let mut asks = Vec::new();
    for level in 1..=2 {
        for names in lists {
            asks.extend(modes.iter().map(|mode| {
                let which = Which::These(names.to_vec());
                (level, Deed::Acquire(which, *mode, Want::Everything))
            }));
        }
    }
    asks
}

/// Every program that asks for something, and for something else after, of two levels in any order.
pub(crate) fn small(roots: &[LockMode], modes: &[LockMode]) -> Vec<Program> {
    let asks = asks(modes);
    let mut verbs: Vec<Vec<Verb>> = asks.iter().map(|ask| vec![ask.clone()]).collect();
    for first in &asks {
        verbs.extend(asks.iter().map(|second| vec![first.clone(), second.clone()]));
    }
    let program = |root: &LockMode, verbs: &Vec<Verb>| Program {
        root: *root,
        downgrades_root: false,
        verbs: verbs.clone(),
        refused: Refused::GoesOn,
    };
    roots.iter().flat_map(|root| verbs.iter().map(move |verbs| program(root, verbs))).collect()
}

/// Each choice of two of the programs, one of them maybe twice.
pub(crate) fn pairs(programs: Vec<Program>) -> impl Iterator<Item = Vec<Program>> {
    let last = programs.len();
    let indices = (0..last).flat_map(move |first| (first..last).map(move |second| [first, second]));
    indices.map(move |chosen| chosen.map(|index| programs[index].clone()).to_vec())
}

/// Each choice of three of them.
pub(crate) fn triples(programs: Vec<Program>) -> impl Iterator<Item = Vec<Program>> {
    let last = programs.len();
    let indices =
        (0..last).flat_map(move |one| (one..last).flat_map(move |two| (two..last).map(move |three| [one, two, three])));
    indices.map(move |chosen| chosen.map(|index| programs[index].clone()).to_vec())
}

fn mode() -> impl Strategy<Value = LockMode> {
    select(vec![Shared, Exclusive])
}

fn names() -> impl Strategy<Value = Vec<char>> {
    vec(select(vec!['a', 'b', 'c']), 1..4)
}

fn acquisition() -> impl Strategy<Value = Deed> {
    let which = prop_oneof![1 => Just(Which::All), 4 => names().prop_map(Which::These)];
    let want = prop_oneof![6 => Just(Want::Everything), 1 => Just(Want::AtLeast(1)), 1 => Just(Want::AtLeast(2)), 1 => Just(Want::Free)];
    (which, mode(), want).prop_map(|(which, mode, want)| Deed::Acquire(which, mode, want))
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        10 => acquisition(),
        2 => Just(Deed::Release),
        2 => names().prop_map(Deed::ReleaseNames),
        1 => Just(Deed::Downgrade),
        1 => names().prop_map(Deed::Add),
        1 => (names(), mode()).prop_map(|(names, mode)| Deed::AddAcquired(names, mode)),
        1 => names().prop_map(Deed::AddHeld),
        1 => names().prop_map(Deed::Remove),
        1 => names().prop_map(Deed::RemoveHeld),
    ]
}

/// A program of so many verbs at most, at so many levels above the root.
pub(crate) fn any(levels: usize, verbs: usize) -> impl Strategy<Value = Program> {
    assert!(levels <= LEVELS);
    let root = prop_oneof![5 => Just((Shared, false)), 1 => Just((Exclusive, false)), 1 => Just((Exclusive, true))];
    let refused = select(vec![Refused::GoesOn, Refused::Ends]);
    (root, vec((1..=levels, deed()), 1..=verbs), refused)
        .prop_map(|((root, downgrades_root), verbs, refused)| Program { root, downgrades_root, verbs, refused })
}
