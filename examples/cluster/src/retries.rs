//! How long a job waits for its locks before it gives up and tries again: Ganeti's strategy.
//!
//! ```text
//!   attempt            1     2     3     …   waits longer each time, up to a cap, and a little more or less by chance
//!   after a round      the priority is one step more urgent, and the next round begins with short waits
//!   at −20             the last round ends with an attempt that waits as long as it takes
//! ```
//!
//! A job that gives up releases all that it holds, so that others can run which only it stood in the way of. All times
//! are multiples of the first wait, which is a second in Ganeti.

use std::time::Duration;

use lockladder::{ErrorKind, Priority};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::desk::Desk;
use crate::opcodes::{self, Ladder};
use crate::refusal::Refusal;
use crate::task::Task;

/// The wait after one of `previous`, both in first waits.
fn next_wait(previous: f64) -> f64 {
    (previous * 1.05).powf(1.25).clamp(1.0, LONGEST)
}

/// The longest wait, in first waits.
const LONGEST: f64 = 15.0;
/// The waits of a round add up to this at least, in first waits.
const ROUND: f64 = 1800.0;
/// Each wait is by chance longer or shorter by up to this part of it, so that two jobs that want the same locks do not
/// meet each time.
const JITTER: f64 = 0.05;
/// So that chance has no part in both the waits and the work of a job.
const STREAM: u64 = 0x7265_7472_6965_7300;

/// The first wait of all jobs of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The first attempt waits as long as it takes.
    Endless,
    First(Duration),
}

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) priority: Priority,
    /// How long it waits for all its locks together; `None`: as long as it takes.
    pub(crate) wait: Option<Duration>,
}

/// The attempts of one job, in their order.
#[derive(Debug)]
pub(crate) struct Attempts {
    patience: Patience,
    chance: StdRng,
    priority: Priority,
    /// The last wait, and the sum of this round, in first waits; before the first attempt of a round, both are 0.
    last: f64,
    sum: f64,
}

impl Attempts {
    /// The seed and the number of the job decide on the chance.
    pub(crate) fn new(patience: Patience, seed: u64, number: usize) -> Self {
        let chance = StdRng::seed_from_u64(seed ^ number as u64 ^ STREAM);
        Self { patience, chance, priority: Priority::default(), last: 0.0, sum: 0.0 }
    }

    pub(crate) fn next_attempt(&mut self) -> Attempt {
        let Patience::First(first) = self.patience else { return Attempt { priority: self.priority, wait: None } };
        if self.sum >= ROUND {
            if self.priority == Priority::HIGHEST {
                return Attempt { priority: self.priority, wait: None };
            }
            self.priority = Priority::new(self.priority.get() - 1);
            (self.last, self.sum) = (0.0, 0.0);
        }
        self.last = next_wait(self.last);
        self.sum += self.last;
        let chance = self.chance.random_range(1.0 - JITTER..=1.0 + JITTER);
        Attempt { priority: self.priority, wait: Some(first.mul_f64(self.last * chance)) }
    }
}

/// Does `task`, in as many attempts as it takes.
pub(crate) async fn run(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    task: &Task,
    mut attempts: Attempts,
) -> Result<(), Refusal> {
    loop {
        desk.tries(attempts.next_attempt());
        match opcodes::run(desk, ladder, task).await {
            // Only a wait of an attempt that is limited ends like this.
            Err(Refusal::Locks(error)) if error.kind() == ErrorKind::Busy => desk.gives_up(),
            ended => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);

    fn attempts(number: usize) -> Attempts {
        Attempts::new(Patience::First(FIRST), 7, number)
    }

    /// The waits of the first round, in seconds.
    fn first_round(number: usize) -> Vec<f64> {
        let (mut attempts, mut waits) = (attempts(number), Vec::new());
        loop {
            let attempt = attempts.next_attempt();
            if attempt.priority != Priority::default() {
                return waits;
            }
            waits.push(attempt.wait.expect("only the last of all attempts has no limit").as_secs_f64());
        }
    }

    #[test]
    fn the_waits_grow_from_one_second_to_fifteen_with_a_twentieth_more_or_less() {
        let (waits, mut expected) = (first_round(1), 0.0);
        for wait in &waits {
            expected = next_wait(expected);
            assert!((wait / expected - 1.0).abs() <= JITTER + 1e-9, "{wait}, about {expected} expected");
        }
        assert!(waits[0] < 1.1 && waits[20] > 14.0 && waits.iter().all(|wait| *wait <= 15.0 * 1.05), "{waits:?}");
        assert!((1700.0..1950.0).contains(&waits.iter().sum()), "about half an hour in all");
    }

    #[test]
    fn each_round_is_more_urgent_by_one_and_only_the_most_urgent_ends_without_a_limit() {
        let (mut attempts, mut rounds) = (attempts(1), vec![Priority::default()]);
        let last = loop {
            let attempt = attempts.next_attempt();
            if rounds.last() != Some(&attempt.priority) {
                rounds.push(attempt.priority);
            }
            if attempt.wait.is_none() {
                break attempt;
            }
        };
        assert_eq!(rounds, (0..=20).map(|step| Priority::new(-step)).collect::<Vec<_>>());
        assert_eq!((last.priority, attempts.next_attempt()), (Priority::HIGHEST, last));
    }

    #[test]
    fn the_same_seed_and_number_give_the_same_waits_and_another_number_others() {
        assert_eq!(first_round(1), first_round(1));
        assert_ne!(first_round(1), first_round(2));
    }

    #[test]
    fn a_job_of_endless_patience_waits_as_long_as_it_takes() {
        let first = Attempts::new(Patience::Endless, 7, 1).next_attempt();
        assert_eq!(first, Attempt { priority: Priority::default(), wait: None });
    }
}
