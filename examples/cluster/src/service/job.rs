//! One posted job: what it is, how far it is, and how it ended.

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::control::{Activity, Control, Standing};
use crate::ledger::Access;
use crate::refusal::Refusal;
use crate::tally::Outcome;
use crate::task::Task;

/// How far a job is, as its board knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// No worker has taken it yet.
    Queued,
    /// A worker has it. What it waits for, its [control](Job::control) knows.
    Running,
    Done(Times),
    Failed(Times, String),
    /// A client or the end of the service has stopped it. The names that it had added or removed are as before; a change
    /// that it had written already stays written.
    Cancelled(Times, &'static str),
}

impl State {
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// How long a job waited for locks and held them, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Times {
    waited_ms: u128,
    held_ms: u128,
}

/// One posted job.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its number, by which clients name it.
    pub(crate) number: usize,
    pub(crate) task: Task,
    pub(crate) control: Control,
    pub(crate) state: watch::Sender<State>,
}

/// What clients are told about a job.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    id: usize,
    job: Value,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<Wanted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    attempt: u32,
    priority: i8,
    #[serde(flatten)]
    times: Option<Times>,
}

/// What a job waits for.
#[derive(Debug, Serialize)]
struct Wanted {
    level: &'static str,
    mode: Access,
}

impl Job {
    pub(crate) fn new(number: usize, task: Task, has_lane: bool) -> Self {
        Self { number, task, control: Control::new(has_lane), state: watch::Sender::new(State::Queued) }
    }

    /// The state to which this outcome leads.
    pub(crate) fn state_after(outcome: Outcome) -> State {
        let times = Times { waited_ms: outcome.service.wait.as_millis(), held_ms: outcome.service.hold.as_millis() };
        match outcome.result {
            Ok(()) => State::Done(times),
            Err(Refusal::Cancelled) => State::Cancelled(times, "a client cancelled it while it ran"),
            Err(refusal) => State::Failed(times, refusal.to_string()),
        }
    }

    pub(crate) fn told(&self) -> Told {
        let Standing { activity, attempt, priority } = self.control.standing();
        let (state, times, reason) = match self.state.borrow().clone() {
            State::Queued => ("queued", None, None),
            State::Running => (activity.name(), None, None),
            State::Done(times) => ("done", Some(times), None),
            State::Failed(times, reason) => ("failed", Some(times), Some(reason)),
            State::Cancelled(times, reason) => ("cancelled", Some(times), Some(reason.to_owned())),
        };
        let waits_for = match activity {
            Activity::Waits(rung) => Some(Wanted { level: rung.level, mode: rung.access }),
            Activity::Climbs | Activity::Works => None,
        };
        Told {
            id: self.number,
            job: self.task.to_json(),
            state,
            waits_for,
            reason,
            attempt,
            priority: priority.get(),
            times,
        }
    }
}

impl Activity {
    fn name(self) -> &'static str {
        match self {
            Self::Climbs => "running",
            Self::Waits(_) => "waiting",
            Self::Works => "working",
        }
    }
}
