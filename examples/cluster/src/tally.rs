//! Counts, per opcode, what the jobs did, and how long they waited for locks and held them.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use lockladder::Priority;
use serde::Serialize;
use strum::VariantArray;

use crate::desk::Service;
use crate::refusal::Refusal;
use crate::task::{Opcode, Task};

/// The most failures that are kept in words; the others are only counted.
const FAILURES_KEPT: usize = 5;

/// How one job went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<(), Refusal>,
    pub(crate) service: Service,
}

/// The outcomes of some jobs. Each worker keeps a tally of its own; they are merged in the end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    opcodes: BTreeMap<Opcode, OpcodeTally>,
    failures: BTreeMap<usize, String>,
    /// The most urgent priority that a job has reached.
    most_urgent: Priority,
}

#[derive(Debug)]
struct OpcodeTally {
    jobs: u64,
    failures: u64,
    retries: u64,
    wait: Times,
    hold: Times,
}

impl Default for OpcodeTally {
    fn default() -> Self {
        Self { jobs: 0, failures: 0, retries: 0, wait: Times::new(), hold: Times::new() }
    }
}

impl Tally {
    pub(crate) fn record(&mut self, number: usize, task: &Task, outcome: &Outcome) {
        let opcode = self.opcodes.entry(task.opcode()).or_default();
        opcode.jobs += 1;
        opcode.retries += u64::from(outcome.service.attempts.saturating_sub(1));
        opcode.wait.record(outcome.service.wait);
        opcode.hold.record(outcome.service.hold);
        self.most_urgent = self.most_urgent.min(outcome.service.priority);
        if let Err(refusal) = &outcome.result {
            opcode.failures += 1;
            if self.failures.len() < FAILURES_KEPT {
                self.failures.insert(number, format!("job {number} ({task}): {refusal}"));
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (opcode, theirs) in other.opcodes {
            let mine = self.opcodes.entry(opcode).or_default();
            mine.jobs += theirs.jobs;
            mine.failures += theirs.failures;
            mine.retries += theirs.retries;
            mine.wait.merge(&theirs.wait);
            mine.hold.merge(&theirs.hold);
        }
        self.most_urgent = self.most_urgent.min(other.most_urgent);
        self.failures.extend(other.failures);
        // The lowest numbers stay: a stream begins with the same jobs, however long it is.
        while self.failures.len() > FAILURES_KEPT {
            self.failures.pop_last();
        }
    }

    pub(crate) fn jobs(&self) -> u64 {
        self.opcodes.values().map(|opcode| opcode.jobs).sum()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.opcodes.values().map(|opcode| opcode.failures).sum()
    }

    /// How many attempts gave up, so that another followed.
    pub(crate) fn retries(&self) -> u64 {
        self.opcodes.values().map(|opcode| opcode.retries).sum()
    }

    pub(crate) fn most_urgent(&self) -> Priority {
        self.most_urgent
    }

    /// How long the jobs of all opcodes waited.
    pub(crate) fn waits(&self) -> Option<Summary> {
        let mut all = Times::new();
        self.opcodes.values().for_each(|opcode| all.merge(&opcode.wait));
        all.summary()
    }

    /// A few of the failures, in words.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.values().cloned().collect()
    }

    /// One row per opcode, even if no job had it.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let none = OpcodeTally::default();
        let row = |opcode| {
            let tally = self.opcodes.get(&opcode).unwrap_or(&none);
            Row {
                op: opcode,
                jobs: tally.jobs,
                failures: tally.failures,
                retries: tally.retries,
                wait_us: tally.wait.summary(),
                hold_us: tally.hold.summary(),
            }
        };
        Opcode::VARIANTS.iter().copied().map(row).collect()
    }
}

/// What the report says about one opcode.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Row {
    pub(crate) op: Opcode,
    pub(crate) jobs: u64,
    pub(crate) failures: u64,
    pub(crate) retries: u64,
    pub(crate) wait_us: Option<Summary>,
    pub(crate) hold_us: Option<Summary>,
}

/// Some times at a glance, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

/// Times in microseconds.
#[derive(Debug)]
struct Times(Histogram<u64>);

impl Times {
    fn new() -> Self {
        Self(Histogram::new(3).expect("three significant digits is a precision there is"))
    }

    fn record(&mut self, time: Duration) {
        // A time of more than half a million years counts as `u64::MAX` microseconds.
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.record(micros).expect("a histogram that grows takes any value");
    }

    fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("a histogram that grows takes any other of its precision");
    }

    /// `None` if there were no times.
    fn summary(&self) -> Option<Summary> {
        let Self(times) = self;
        (!times.is_empty()).then(|| Summary {
            p50: times.value_at_quantile(0.50),
            p99: times.value_at_quantile(0.99),
            max: times.max(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(result: Result<(), Refusal>, wait_us: u64) -> Outcome {
        let (wait, hold) = (Duration::from_micros(wait_us), Duration::ZERO);
        Outcome { result, service: Service { wait, hold, attempts: 2, priority: Priority::new(-1) } }
    }

    #[test]
    fn merged_tallies_are_as_if_one_worker_had_done_it_all() {
        let task = Task::ClusterVerify {};
        let (mut one, mut other) = (Tally::default(), Tally::default());
        one.record(2, &task, &outcome(Ok(()), 10));
        let refused = Err(Refusal::NoSuchNode("node9".to_owned()));
        other.record(1, &task, &outcome(refused, 30));
        one.merge(other);
        assert_eq!((one.jobs(), one.failed(), one.retries(), one.most_urgent()), (2, 1, 2, Priority::new(-1)));
        assert_eq!(one.rows()[0].wait_us, Some(Summary { p50: 10, p99: 30, max: 30 }));
        assert_eq!(one.waits(), one.rows()[0].wait_us);
        assert_eq!(one.failures(), ["job 1 (ClusterVerify): there is no node `node9`"]);
    }

    #[test]
    fn an_opcode_without_jobs_has_no_times() {
        assert_eq!(Tally::default().rows()[13].wait_us, None);
    }
}
