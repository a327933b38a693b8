//! Visits every state that a case can reach. Futures cannot be cloned, so it replays the case from its beginning.
//!
//! The exploration goes on from a state once, even if two ways lead to it. Two states are the same if these are:
//!
//! * **How far each program is.** Its past decides that: how often it paused, and all that it was told. (If a program
//!   tells nothing, its past is all that it could see whenever it ran.) A program may also have a request in a queue;
//!   the lock answers at once or later, and then the program runs again. All else that it has seen is in its past.
//! * **What is held, and which names exist.** Both follow from how far the programs are.
//! * **The queues.** A queue without requests remembers nothing. In a queue with requests, their order, and how often
//!   each was passed, follow from what happened at the queue since it was empty, in this order; so that is kept. (What
//!   happens at one queue makes no difference to another.)
//!
//! A test compares this with playing all schedules of small cases one by one: it finds as many schedules, and as many
//! that end in a deadlock.

use crate::failures::explained;
use crate::steps::{Condition, Scene, Step};
use std::collections::{HashMap, VecDeque};
use std::fmt;

/// A longer schedule goes in circles.
const TOO_LONG: usize = 500;

/// Which schedules exist, and whether each is played by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// Sessions that wait may be dropped.
    pub with_drops: bool,
    /// Each schedule is played by itself, even if others lead to the same states.
    pub one_by_one: bool,
}

/// What the exploration of one or more cases found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// How many cases were explored.
    pub cases: u64,
    /// How many states they can reach.
    pub states: u64,
    /// How many steps were played.
    pub steps: u64,
    /// How many schedules there are; a large number is rounded.
    pub schedules: f64,
    /// How many of the schedules end in a deadlock.
    pub deadlocks: f64,
    /// How many of the cases can deadlock.
    pub can_deadlock: u64,
    /// The most sessions that wait in one state.
    pub most_waiting: usize,
}

impl Findings {
    /// Adds the findings of another case.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.states += other.states;
        self.steps += other.steps;
        self.schedules += other.schedules;
        self.deadlocks += other.deadlocks;
        self.can_deadlock += other.can_deadlock;
        self.most_waiting = self.most_waiting.max(other.most_waiting);
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, states, steps, schedules, can_deadlock, most_waiting, .. } = self;
        write!(f, "{cases} cases, {states} states, {steps} steps, {schedules:.3e} schedules, ")?;
        write!(f, "at most {most_waiting} wait at once; {can_deadlock} cases can deadlock")
    }
}

/// A state, how it was first reached, and what follows it.
struct Reached {
    before: Option<(usize, Step)>,
    next: Vec<(Step, usize)>,
    is_stuck: bool,
}

/// Visits every state of a case. Returns the findings, and the shortest schedule that ends in a deadlock, if any.
pub fn explore(begin: &dyn Fn() -> Scene, scope: Scope) -> (Findings, Option<Vec<Step>>) {
    let mut findings = Findings { cases: 1, ..Findings::default() };
    let start = begin();
    let mut known = HashMap::from([(start.fingerprint(), 0)]);
    let mut states = vec![Reached { before: None, next: Vec::new(), is_stuck: false }];
    let mut open: Vec<(usize, Step)> = start.possible(scope.with_drops).into_iter().map(|step| (0, step)).collect();
    let mut live = Some((0, start)); // Mostly, the next step begins where the last one ended.
    while let Some((at, step)) = open.pop() {
        let path = [schedule(&states, at), vec![step]].concat();
        assert!(path.len() < TOO_LONG, "a schedule without end: {}", story(begin, &path));
        let play = || {
            let alive = live.take().filter(|(live_at, _)| *live_at == at);
            let mut scene = alive.map_or_else(|| replay(begin, &path[..path.len() - 1]), |(_, scene)| scene);
            scene.play(step);
            scene
        };
        let scene = explained(play, || tell_panic(begin, &path));
        findings.steps += 1;
        let waiting = scene.conditions().filter(|condition| *condition == Condition::Waiting).count();
        findings.most_waiting = findings.most_waiting.max(waiting);
        let fingerprint = if scope.one_by_one { format!("{path:?}") } else { scene.fingerprint() };
        let target = *known.entry(fingerprint).or_insert(states.len());
        states[at].next.push((step, target));
        if target == states.len() {
            states.push(Reached { before: Some((at, step)), next: Vec::new(), is_stuck: scene.is_stuck() });
            open.extend(scene.possible(scope.with_drops).into_iter().map(|step| (target, step)));
            live = Some((target, scene));
        }
    }
    findings.states = states.len() as u64;
    (findings.schedules, findings.deadlocks) = schedules(&states);
    let shortest = states.iter().any(|state| state.is_stuck).then(|| shortest_deadlock(&states)).flatten();
    findings.can_deadlock = u64::from(shortest.is_some());
    (findings, shortest)
}

/// The steps by which a state was first reached.
fn schedule(states: &[Reached], at: usize) -> Vec<Step> {
    let before = std::iter::successors(states[at].before, |(before, _)| states[*before].before);
    let mut steps: Vec<Step> = before.map(|(_, step)| step).collect();
    steps.reverse();
    steps
}

fn shortest_deadlock(states: &[Reached]) -> Option<Vec<Step>> {
    let mut paths = HashMap::from([(0, Vec::new())]);
    let mut open = VecDeque::from([0]); // The nearest state first.
    while let Some(at) = open.pop_front() {
        if states[at].is_stuck {
            return paths.remove(&at);
        }
        for (step, next) in &states[at].next {
            if !paths.contains_key(next) {
                paths.insert(*next, [&paths[&at][..], &[*step]].concat());
                open.push_back(*next);
            }
        }
    }
    None
}

/// How many schedules end, and how many of them end in a deadlock.
fn schedules(states: &[Reached]) -> (f64, f64) {
    let mut ways_in = vec![0; states.len()];
    states.iter().flat_map(|state| &state.next).for_each(|(_, next)| ways_in[*next] += 1);
    let mut ways = vec![0.0; states.len()];
    ways[0] = 1.0;
    let (mut ended, mut stuck, mut open, mut seen) = (0.0, 0.0, vec![0], 0);
    while let Some(at) = open.pop() {
        seen += 1;
        if states[at].next.is_empty() {
            ended += ways[at];
        }
        if states[at].is_stuck {
            stuck += ways[at];
        }
        for (_, next) in &states[at].next {
            ways[*next] += ways[at];
            ways_in[*next] -= 1;
            if ways_in[*next] == 0 {
                open.push(*next);
            }
        }
    }
    assert_eq!(seen, states.len(), "no step leads back");
    (ended, stuck)
}

fn replay(begin: &dyn Fn() -> Scene, steps: &[Step]) -> Scene {
    let mut scene = begin();
    for step in steps {
        scene.play(*step);
    }
    scene
}

/// Prints a schedule whose last step panicked.
fn tell_panic(begin: &dyn Fn() -> Scene, steps: &[Step]) {
    eprintln!("{}", story(begin, &steps[..steps.len().saturating_sub(1)]));
    eprintln!("  and then, with a panic: {:?} (the first is 0)", steps.last());
}

/// A schedule as readable text.
pub fn story(begin: &dyn Fn() -> Scene, steps: &[Step]) -> String {
    let mut scene = begin();
    let mut lines = Vec::new();
    for step in steps {
        let (Step::Runs(session) | Step::IsDropped(session)) = *step;
        lines.push(format!("  {}: {}", session + 1, scene.play(*step)));
    }
    let left = scene.conditions().enumerate().map(|(session, condition)| format!("{} {condition:?}", session + 1));
    lines.push(format!("  then: {}", left.collect::<Vec<_>>().join(", ")));
    lines.join("\n")
}
