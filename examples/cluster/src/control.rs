//! What others see of a running job, and how they stop it. The service has one for each of its jobs, a timeline one for
//! each of its lanes; other jobs run without.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockladder::Priority;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ledger::Access;
use crate::refusal::Refusal;

/// A level of the ladder and a mode: what a job asks for, and later holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rung {
    /// The name of the level.
    pub(crate) level: &'static str,
    pub(crate) access: Access,
}

/// Whether a rung is waited for or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grip {
    Waits,
    Holds,
}

/// A time during which a job waited for a rung, or held it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) rung: Rung,
    pub(crate) grip: Grip,
    pub(crate) from: Instant,
    /// `None` as long as it lasts.
    pub(crate) to: Option<Instant>,
}

/// What a job does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It is between two requests.
    Climbs,
    /// Its request for this rung is in a queue.
    Waits(Rung),
    /// It has its locks, and works.
    Works,
}

/// How far a job is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) activity: Activity,
    /// Which attempt this is, from 1; 0 before the first.
    pub(crate) attempt: u32,
    pub(crate) priority: Priority,
}

/// One job's control.
#[derive(Debug)]
pub(crate) struct Control {
    /// Stops the job: it gives up its waits, undoes what it has done, and releases its locks.
    pub(crate) stop: CancellationToken,
    trail: Mutex<Trail>,
}

#[derive(Debug)]
struct Trail {
    standing: Standing,
    /// The rungs that are waited for or held at present, and with `keeps_all` also those of the past.
    spans: Vec<Span>,
    keeps_all: bool,
    /// Why the job came to nothing, once it has.
    refusal: Option<String>,
}

impl Control {
    /// With `keeps_all`, [`spans`](Self::spans) has the whole past of the job.
    pub(crate) fn new(keeps_all: bool) -> Self {
        let standing = Standing { activity: Activity::Climbs, attempt: 0, priority: Priority::default() };
        let trail = Trail { standing, spans: Vec::new(), keeps_all, refusal: None };
        Self { stop: CancellationToken::new(), trail: Mutex::new(trail) }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.trail().standing
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.trail().spans.clone()
    }

    pub(crate) fn refusal(&self) -> Option<String> {
        self.trail().refusal.clone()
    }

    pub(crate) fn fails(&self, refusal: String) {
        self.trail().refusal = Some(refusal);
    }

    pub(crate) fn tries(&self, priority: Priority) {
        let mut trail = self.trail();
        trail.standing.attempt += 1;
        trail.standing.priority = priority;
    }

    /// The request of the job is in a queue.
    pub(crate) fn waits(&self, rung: Rung) {
        let mut trail = self.trail();
        trail.standing.activity = Activity::Waits(rung);
        trail.begin(rung, Grip::Waits);
    }

    /// The job has what it asked for.
    pub(crate) fn gets(&self, rung: Rung) {
        let mut trail = self.trail();
        trail.standing.activity = Activity::Climbs;
        trail.end(|span| span.rung.level == rung.level);
        trail.begin(rung, Grip::Holds);
    }

    pub(crate) fn works(&self) {
        self.trail().standing.activity = Activity::Works;
    }

    pub(crate) fn downgrades(&self, level: &'static str) {
        let mut trail = self.trail();
        trail.end(|span| span.rung.level == level);
        trail.begin(Rung { level, access: Access::Shared }, Grip::Holds);
    }

    pub(crate) fn releases(&self, level: &'static str) {
        self.trail().end(|span| span.rung.level == level);
    }

    /// The job waits for nothing and holds nothing any more.
    pub(crate) fn leaves(&self) {
        let mut trail = self.trail();
        trail.standing.activity = Activity::Climbs;
        trail.end(|_| true);
    }

    fn trail(&self) -> MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trail {
    fn begin(&mut self, rung: Rung, grip: Grip) {
        self.spans.push(Span { rung, grip, from: Instant::now(), to: None });
    }

    fn end(&mut self, ends: impl Fn(&Span) -> bool) {
        let now = Instant::now();
        for span in self.spans.iter_mut().filter(|span| span.to.is_none() && ends(span)) {
            span.to = Some(now);
        }
        if !self.keeps_all {
            self.spans.retain(|span| span.to.is_none());
        }
    }
}

/// What comes of a request. Its control is told once it is in a queue.
pub(crate) async fn noticed<T>(control: Option<&Control>, rung: Rung, request: impl Future<Output = T>) -> T {
    let (mut request, mut untold) = (pin!(request), control);
    poll_fn(|context| {
        let polled = request.as_mut().poll(context);
        if polled.is_pending() {
            untold.take().inspect(|control| control.waits(rung));
        }
        polled
    })
    .await
}

/// What comes of `task`; or, if the job is stopped before, that it is.
pub(crate) async fn unless_stopped<T, E>(
    control: Option<&Control>,
    task: impl Future<Output = Result<T, E>>,
) -> Result<T, Refusal>
where
    Refusal: From<E>,
{
    let Some(control) = control else { return Ok(task.await?) };
    tokio::select! {
        biased;
        () = control.stop.cancelled() => Err(Refusal::Cancelled),
        ended = task => Ok(ended?),
    }
}
