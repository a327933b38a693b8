//! Every state that a case can reach, by playing it from its beginning again and again: futures cannot be cloned.
//!
//! Two ways to one state are gone on with once. What makes them the same is exact:
//!
//! * A program is as far as its past says: how often it paused, and all that it was told (or, of programs that tell nothing,
//!   all that it could see whenever it ran), and whether it has a request in a queue. Locks answer a request at once or
//!   later, in which case it runs again; all else that it has seen is in its past.
//! * Who holds what follows from how far the programs are, and so does which names exist.
//! * A queue in which nobody has a request remembers nothing. Of one in which somebody has, who stands where and how often
//!   anybody was passed follows from what happened at it since, in this order; that is kept. (What happens at one queue
//!   makes no difference to another.)
//!
//! A test compares this with all schedules of small cases, one by one: as many schedules, as many that end in a deadlock.

use super::steps::{Stage, Standing, Step};
use std::collections::{HashMap, VecDeque};
use std::env;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A schedule longer than that goes in circles.
const TOO_LONG: usize = 500;

/// Whether to explore all of what there is, or a sample that is always the same.
pub(crate) fn is_thorough() -> bool {
    env::var_os("EXPLORE").is_some()
}

/// Which schedules there are, and what of them is worth one visit only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope {
    /// Sessions that wait may be dropped.
    pub(crate) with_drops: bool,
    /// Each schedule is played by itself, however it comes to a state.
    pub(crate) one_by_one: bool,
}

/// What came of a case, or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    pub(crate) states: u64,
    pub(crate) steps: u64,
    /// How many schedules these are; a number that long is not exact.
    pub(crate) schedules: f64,
    pub(crate) deadlocks: f64,
    /// How many of the cases can deadlock.
    pub(crate) can_deadlock: u64,
    /// In the most crowded state, so many waited.
    pub(crate) most_waiting: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.states += other.states;
        self.steps += other.steps;
        self.schedules += other.schedules;
        self.deadlocks += other.deadlocks;
        self.can_deadlock += other.can_deadlock;
        self.most_waiting = self.most_waiting.max(other.most_waiting);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, states, steps, schedules, can_deadlock, most_waiting, .. } = self;
        write!(f, "{cases} cases, {states} states, {steps} steps, {schedules:.3e} schedules, ")?;
        write!(f, "at most {most_waiting} wait at once; {can_deadlock} cases can deadlock")
    }
}

/// A state, how it was first come to, and what follows it.
struct Reached {
    before: Option<(usize, Step)>,
    next: Vec<(Step, usize)>,
    is_stuck: bool,
}

/// Visits every state of a case. Returns what there was, and the shortest schedule that ends in a deadlock, if there is one.
pub(crate) fn explore(begin: &dyn Fn() -> Stage, scope: Scope) -> (Tally, Option<Vec<Step>>) {
    let mut tally = Tally { cases: 1, ..Tally::default() };
    let start = begin();
    let mut known = HashMap::from([(start.fingerprint(), 0)]);
    let mut states = vec![Reached { before: None, next: Vec::new(), is_stuck: false }];
    let mut open: Vec<(usize, Step)> = start.possible(scope.with_drops).into_iter().map(|step| (0, step)).collect();
    let mut live = Some((0, start)); // What comes next begins mostly where the last step ended.
    while let Some((at, step)) = open.pop() {
        let path = [schedule(&states, at), vec![step]].concat();
        assert!(path.len() < TOO_LONG, "a schedule without end: {}", story(begin, &path));
        let stage = explained(begin, &path, || {
            let alive = live.take().filter(|(live_at, _)| *live_at == at);
            let mut stage = alive.map_or_else(|| replay(begin, &path[..path.len() - 1]), |(_, stage)| stage);
            stage.play(step);
            stage
        });
        tally.steps += 1;
        let waiting = stage.standings().filter(|standing| *standing == Standing::Waiting).count();
        tally.most_waiting = tally.most_waiting.max(waiting);
        let fingerprint = if scope.one_by_one { format!("{path:?}") } else { stage.fingerprint() };
        let target = *known.entry(fingerprint).or_insert(states.len());
        states[at].next.push((step, target));
        if target == states.len() {
            states.push(Reached { before: Some((at, step)), next: Vec::new(), is_stuck: stage.is_stuck() });
            open.extend(stage.possible(scope.with_drops).into_iter().map(|step| (target, step)));
            live = Some((target, stage));
        }
    }
    tally.states = states.len() as u64;
    (tally.schedules, tally.deadlocks) = schedules(&states);
    let shortest = states.iter().any(|state| state.is_stuck).then(|| shortest_deadlock(&states)).flatten();
    tally.can_deadlock = u64::from(shortest.is_some());
    (tally, shortest)
}

/// How a state was first come to.
fn schedule(states: &[Reached], at: usize) -> Vec<Step> {
    let before = std::iter::successors(states[at].before, |(before, _)| states[*before].before);
    let mut steps: Vec<Step> = before.map(|(_, step)| step).collect();
    steps.reverse();
    steps
}

fn shortest_deadlock(states: &[Reached]) -> Option<Vec<Step>> {
    let mut paths = HashMap::from([(0, Vec::new())]);
    let mut open = VecDeque::from([0]); // The nearest first.
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

/// How many schedules end, and how many of them in a deadlock.
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

fn replay(begin: &dyn Fn() -> Stage, steps: &[Step]) -> Stage {
    let mut stage = begin();
    for step in steps {
        stage.play(*step);
    }
    stage
}

/// If a program panics, tells how it came to that.
fn explained<R>(begin: &dyn Fn() -> Stage, steps: &[Step], play: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|panic| {
        eprintln!("{}", story(begin, &steps[..steps.len().saturating_sub(1)]));
        eprintln!("  and then, with a panic: {:?} (the first is 0)", steps.last());
        resume_unwind(panic)
    })
}

/// A schedule as people read it.
pub(crate) fn story(begin: &dyn Fn() -> Stage, steps: &[Step]) -> String {
    let mut stage = begin();
    let mut lines = Vec::new();
    for step in steps {
        let (Step::Runs(session) | Step::IsDropped(session)) = *step;
        lines.push(format!("  {}: {}", session + 1, stage.play(*step)));
    }
    let standings = stage.standings().enumerate().map(|(session, standing)| format!("{} {standing:?}", session + 1));
    lines.push(format!("  then: {}", standings.collect::<Vec<_>>().join(", ")));
    lines.join("\n")
}
