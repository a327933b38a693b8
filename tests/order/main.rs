//! Random stories through the public API of a set, on futures that are polled by hand, beside the
//! [rule](lockladder_test_support::set_rule) as it is written, word by word. After each step, exactly the requests that
//! the rule grants have been granted, with the names that it gives them, and no other request has been woken.
//!
//! The rule is that of `tests/explorer`; it knows nothing of lines, marks and rounds. Stories here are longer than a
//! search of all states can be: so long that a request is passed as often as the bounds allow.
//!
//! `LOCKLADDER_SEED` repeats a run. `LOCKLADDER_STORIES` sets the number of stories.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

mod stage;

use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::dice::Dice;
use lockladder_test_support::environment::seed;
use lockladder_test_support::failures::explained;
use lockladder_test_support::set_rule::{Ask, Deed, Names, Standing, What, Whole};
use stage::Stage;
use std::cell::RefCell;
use std::env;

/// What a story is mostly about.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// A few requests for anything.
    Few,
    /// Many requests for one name, beside one that waits for that name and another.
    Crowd,
    /// A crowd of owners that neither move nor give up, so that the bound is reached.
    Stream,
    /// Sharers of few names, with owners between them.
    Groups,
}

fn ask(shape: Shape, party: usize, dice: &mut Dice) -> Ask {
    let mode = if dice.once_in(if matches!(shape, Shape::Groups) { 4 } else { 2 }) { Exclusive } else { Shared };
    let priority = dice.pick(&[-1, 0, 1]);
    match (shape, party) {
        (Shape::Crowd | Shape::Stream, 0) => Ask { what: What::Names, mode: Exclusive, names: 0b01, priority: 0 },
        (Shape::Crowd | Shape::Stream, 1) => Ask { what: What::Names, mode: Exclusive, names: 0b11, priority: 0 },
        (Shape::Crowd, _) => {
            let (mode, priority) = (if dice.once_in(8) { Shared } else { Exclusive }, i8::from(dice.once_in(16)));
            Ask { what: What::Names, mode, names: if dice.once_in(8) { 0b110 } else { 0b010 }, priority }
        }
        (Shape::Stream, _) => Ask { what: What::Names, mode: Exclusive, names: 0b010, priority: 0 },
        (Shape::Groups, _) => Ask { what: What::Names, mode, names: dice.pick(&[0b01, 0b10, 0b11]), priority },
        (Shape::Few, _) => {
            let names: Names = dice.pick(&[0b001, 0b010, 0b100, 0b011, 0b110, 0b101, 0b111]);
            let what = match dice.below(8) {
                0 => What::Every,
                1 => What::Free,
                2 => What::AtLeast(1 + u32::from(dice.once_in(3))),
                _ => What::Names,
            };
            Ask { what, mode, names: if what == What::Every { 0 } else { names }, priority }
        }
    }
}

/// What can happen next.
fn possible(stage: &Stage, shape: Shape) -> Vec<(usize, Deed)> {
    let mut deeds = Vec::new();
    for (at, party) in stage.rule.parties.iter().enumerate() {
        match party.standing {
            Standing::Away => deeds.push((at, Deed::Arrives)),
            Standing::Waits { .. } if matches!(shape, Shape::Stream) || matches!(shape, Shape::Crowd) && at == 1 => {}
            Standing::Waits { .. } => {
                deeds.push((at, Deed::Cancels));
                deeds.extend([-1, 0, 1].map(|priority| (at, Deed::Moves(priority))));
            }
            Standing::Holds(_) if matches!(shape, Shape::Crowd | Shape::Stream) && at == 0 => {}
            Standing::Holds(hold) => {
                // Four times, so that most holders release.
                deeds.extend([(at, Deed::Releases); 4]);
                let with_members = hold.whole == Whole::WithMembers;
                let names = if with_members { stage.rule.existing } else { hold.names };
                if hold.mode == Exclusive && (names != 0 || with_members) {
                    deeds.push((at, Deed::Downgrades));
                }
                if names.count_ones() > 1 || with_members && names != 0 {
                    deeds.push((at, Deed::ReleasesPart));
                }
                if hold.mode == Exclusive && names != 0 && matches!(shape, Shape::Few) {
                    deeds.push((at, Deed::Removes));
                }
            }
            Standing::Gone => {}
        }
    }
    deeds
}

fn tell(shape: Shape, dice: &mut Dice, story: &RefCell<Vec<String>>) -> u64 {
    let parties = if matches!(shape, Shape::Crowd | Shape::Stream) { 64 } else { 4 + dice.below(6) };
    let asks: Vec<_> = (0..parties).map(|party| ask(shape, party, dice)).collect();
    let mut stage = Stage::new(0b111, asks);
    let mut steps = 0;
    loop {
        let deeds = possible(&stage, shape);
        if deeds.is_empty() || steps > 250 {
            return stage.most_passed();
        }
        // The first two parties come first, as a crowd needs it.
        let (party, deed) =
            if steps < 2 { (usize::try_from(steps).unwrap(), Deed::Arrives) } else { dice.pick(&deeds) };
        story.borrow_mut().push(format!("{party} {deed:?} {:?}", stage.rule.parties[party].ask));
        stage.play(party, deed);
        steps += 1;
    }
}

#[test]
fn stories_are_granted_in_the_order_of_the_rule() {
    let stories: usize = env::var("LOCKLADDER_STORIES").map_or(900, |stories| stories.parse().unwrap());
    let seed = seed();
    println!("LOCKLADDER_SEED={seed}");
    let (mut dice, mut most_passed) = (Dice::new(seed), 0);
    for at in 0..stories {
        let shape = [Shape::Few, Shape::Crowd, Shape::Groups, Shape::Stream][at % 4];
        let (mut drawn, story) = (Dice::new(dice.number()), RefCell::new(Vec::new()));
        let tell_it = || println!("story {at} by LOCKLADDER_SEED={seed}:\n  {}", story.borrow().join("\n  "));
        most_passed = most_passed.max(explained(|| tell(shape, &mut drawn, &story), tell_it));
    }
    println!("{stories} stories; somebody was passed {most_passed} times");
    assert_eq!(most_passed, 16, "the bound is reached, and not exceeded");
}
