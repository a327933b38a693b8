//! Visits every order in which a few jobs can arrive, be served and leave, and checks every state.

use crate::stage::Stage;
use lockladder::LockMode::Exclusive;
use lockladder_test_support::failures::explained;
use lockladder_test_support::set_rule::{Ask, Deed, Limits, Names, SetRule, Standing, Whole};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What a job asks for at each level, the lowest first. It releases everything at the end.
pub(crate) type Job = Vec<Option<Ask>>;

/// A small case: a few jobs, whose deeds may happen in any order.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) jobs: Vec<Job>,
    /// The names of each level.
    pub(crate) names: Names,
    pub(crate) limits: Limits,
    pub(crate) conduct: Conduct,
}

/// What jobs do besides arriving, cancelling and releasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// Nothing.
    Plain,
    /// They release in parts, downgrade, remove, list and change their priority.
    Everything,
}

/// What has been explored.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    pub(crate) cases: u64,
    pub(crate) states: u64,
    pub(crate) changes: u64,
    /// The most times that a request was passed.
    pub(crate) passed: u32,
    pub(crate) time: Duration,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, states, changes, passed, time } = self;
        write!(f, "{cases} cases, {states} states, {changes} changes; passed {passed} times at most; {time:.1?}")
    }
}

/// A level, a job, and what the job does there.
type Step = (usize, usize, Deed);

/// The steps so far, the last ones first.
struct Past {
    steps: Vec<Step>,
    before: Option<Rc<Past>>,
}

fn told(past: Option<&Past>) -> Vec<&[Step]> {
    let mut steps: Vec<_> =
        std::iter::successors(past, |past| past.before.as_deref()).map(|past| &past.steps[..]).collect();
    steps.reverse();
    steps
}

/// What the rule says about each level.
type World = Vec<SetRule>;

impl Case {
    fn world(&self) -> World {
        let levels = self.jobs.iter().map(Vec::len).max().unwrap_or_default();
        let asks = |level: usize| self.jobs.iter().map(move |job| job.get(level).copied().flatten());
        (0..levels).map(|level| SetRule::new(self.names, asks(level))).collect()
    }

    /// Visits every state that can be reached.
    pub(crate) fn explore(&self, explored: &mut Explored) {
        let began = Instant::now();
        let start = self.world();
        let mut seen = HashSet::from([start.clone()]);
        let mut open = VecDeque::from([(start, None::<Rc<Past>>)]); // Breadth first: failures get short stories.
        while let Some((world, past)) = open.pop_front() {
            for deed in self.possible(&world) {
                let past = Rc::new(Past { steps: steps(&world, deed), before: past.clone() });
                let steps = told(Some(&past));
                let next = explained(|| self.change(&world, &steps), || self.tell(&steps));
                explored.changes += 1;
                if !seen.contains(&next) {
                    let waiting = next.iter().flat_map(|rule| &rule.parties);
                    let passed = waiting.map(|party| passes(party.standing)).max().unwrap_or_default();
                    explored.passed = explored.passed.max(passed);
                    seen.insert(next.clone());
                    open.push_back((next, Some(past)));
                }
            }
        }
        explored.cases += 1;
        explored.states += seen.len() as u64;
        explored.time += began.elapsed();
    }

    /// Prints the case and the steps that led to a failure.
    fn tell(&self, steps: &[&[Step]]) {
        eprintln!("in this case: {self:?}");
        eprintln!("after all this (level, job, deed): {steps:?}");
    }

    /// Plays the last steps by the rule, and all steps on real queues. Checks that both agree, that no request has been
    /// passed too often, and that some job can run.
    fn change(&self, before: &World, steps: &[&[Step]]) -> World {
        let mut stages: Vec<Stage> = self.world().iter().map(|rule| Stage::new(rule, self.limits)).collect();
        for (level, party, deed) in steps.iter().copied().flatten() {
            stages[*level].play(*party, *deed);
        }
        let mut world = before.clone();
        for (level, party, deed) in steps.last().copied().into_iter().flatten() {
            world[*level].play(*party, *deed, self.limits);
        }
        for (rule, stage) in world.iter().zip(&mut stages) {
            stage.check(rule);
            let passed = rule.parties.iter().map(|party| passes(party.standing)).max().unwrap_or_default();
            assert!(passed <= self.limits.passes, "somebody has been passed {passed} times");
        }
        assert!(somebody_runs(&world), "all wait, and none holds: {world:#?}");
        world
    }
}

fn passes(standing: Standing) -> u32 {
    match standing {
        Standing::Waits { passed } => passed,
        _ => 0,
    }
}

fn is_waiting(standing: Standing) -> bool {
    matches!(standing, Standing::Waits { .. })
}

/// Whether no job waits, or some job holds something and does not wait.
fn somebody_runs(world: &World) -> bool {
    let jobs = world.first().map_or(0, |rule| rule.parties.len());
    let standings = |job: usize| world.iter().map(move |rule| rule.parties[job].standing);
    let waits = |job: usize| standings(job).any(is_waiting);
    let runs = |job: usize| !waits(job) && standings(job).any(|standing| matches!(standing, Standing::Holds(_)));
    !(0..jobs).any(waits) || (0..jobs).any(runs)
}

/// The steps, level by level, that make up a deed of a job.
fn steps(world: &World, (job, deed): (usize, Deed)) -> Vec<Step> {
    let standing = |level: usize| world[level].parties[job].standing;
    let levels = 0..world.len();
    match deed {
        Deed::Arrives => {
            levels.filter(|level| standing(*level) == Standing::Away).take(1).map(|l| (l, job, deed)).collect()
        }
        Deed::Cancels | Deed::Releases => {
            let ends = levels.rev().filter_map(|level| match standing(level) {
                Standing::Waits { .. } => Some((level, job, Deed::Cancels)),
                Standing::Holds(_) => Some((level, job, Deed::Releases)),
                _ => None,
            });
            ends.collect()
        }
        _ => {
            let concerned = levels.filter(|level| !matches!(standing(*level), Standing::Away | Standing::Gone));
            concerned.map(|level| (level, job, deed)).collect()
        }
    }
}

impl Case {
    /// All that can happen next.
    fn possible(&self, world: &World) -> Vec<(usize, Deed)> {
        let mut deeds = Vec::new();
        for job in 0..self.jobs.len() {
            let standings: Vec<Standing> = world.iter().map(|rule| rule.parties[job].standing).collect();
            if standings.iter().copied().any(is_waiting) {
                deeds.push((job, Deed::Cancels));
            } else if standings.contains(&Standing::Away) {
                deeds.push((job, Deed::Arrives));
            } else if standings.iter().any(|standing| matches!(standing, Standing::Holds(_))) {
                deeds.push((job, Deed::Releases));
            }
            if let (Conduct::Everything, [rule]) = (self.conduct, &world[..]) {
                deeds.extend(more(rule, job).into_iter().map(|deed| (job, deed)));
            }
        }
        deeds
    }
}

/// What else a job can do under [`Conduct::Everything`].
fn more(rule: &SetRule, job: usize) -> Vec<Deed> {
    let party = &rule.parties[job];
    match party.standing {
        Standing::Waits { .. } if !party.has_moved => vec![Deed::Moves(1 - party.ask.priority)],
        Standing::Holds(hold) => {
            let with_members = hold.whole == Whole::WithMembers;
            let names = if with_members { rule.existing } else { hold.names };
            let is_addition = hold.whole == Whole::Alone && hold.names == 0;
            let (owns, some) = (hold.mode == Exclusive, names != 0);
            let deeds = [
                (some && (names.count_ones() > 1 || with_members), Deed::ReleasesPart),
                (owns && !is_addition, Deed::Downgrades),
                (owns && some, Deed::Removes),
                (with_members && some, Deed::Lists),
            ];
            deeds.into_iter().filter_map(|(can, deed)| can.then_some(deed)).collect()
        }
        _ => Vec::new(),
    }
}
