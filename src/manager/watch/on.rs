//! The parties that watch: what happens, in what order, and what is told of it.

#[cfg(feature = "tracing")]
#[path = "console.rs"]
mod console;
#[cfg(feature = "metrics")]
#[path = "figures.rs"]
mod figures;
#[cfg(not(feature = "metrics"))]
#[path = "no_figures.rs"]
mod figures;
#[cfg(feature = "tracing")]
#[path = "span.rs"]
mod span;
#[cfg(feature = "tracing")]
#[path = "trace.rs"]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "no_trace.rs"]
mod trace;

use super::super::LockManager;
use super::super::error::SessionError;
use super::super::flow::Flow;
use super::super::record::Place;
use crate::level::Hierarchy;
use crate::mode::LockMode;
use crate::panics::quietly;
use crate::priority::Priority;
use crate::wants::{NamesWanted, Wants};
use smallvec::SmallVec;
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use tokio::time::Instant;

pub(in super::super) use trace::Limits;

/// What is known of a manager.
#[derive(Clone)]
pub(in super::super) struct Home(Arc<Inner>);

struct Inner {
    hierarchy: &'static str,
    /// The names of the levels.
    levels: &'static [&'static str],
    trace: trace::Home,
    figures: figures::Home,
}

impl Home {
    pub(in super::super) fn new(
        limits: Limits,
        hierarchy: fn() -> &'static str,
        levels: &'static [&'static str],
    ) -> Self {
        let hierarchy = hierarchy();
        let (trace, figures) = (trace::Home::new(limits, hierarchy, levels), figures::Home::new(levels.len()));
        Self(Arc::new(Inner { hierarchy, levels, trace, figures }))
    }

    /// Makes it the home of this manager.
    pub(in super::super) fn opens<H: Hierarchy>(&self, manager: &LockManager<H>) {
        self.0.trace.opens(manager);
    }
}

// Foreign code behind these is called in `quietly` alone, and is not ours to mend if it has panicked.
impl UnwindSafe for Home {}
impl RefUnwindSafe for Home {}
impl UnwindSafe for Watched {}
impl RefUnwindSafe for Watched {}

/// Who asks: a session, for a level, from a place in the source.
#[derive(Clone, Copy)]
pub struct Party<'a> {
    flow: &'a Flow,
    level: usize,
    place: Place,
}

impl<'a> Party<'a> {
    #[inline]
    pub(in super::super) fn new(flow: impl FnOnce() -> &'a Flow, level: usize, place: Place) -> Self {
        Self { flow: flow(), level, place }
    }

    fn home(self) -> &'a Inner {
        &self.flow.home.0
    }

    fn level_name(self) -> &'static str {
        self.home().levels.get(self.level).copied().unwrap_or_default()
    }
}

/// Wakes a task that waits, when it has waited for long. `None` for a request that is not going to wait.
#[derive(Clone, Copy)]
pub(in super::super) struct Alarm<'a>(Option<&'a Waker>);

impl<'a> Alarm<'a> {
    #[inline]
    pub(in super::super) fn of(context: &Context<'a>) -> Self {
        Self(Some(context.waker()))
    }

    #[inline]
    pub(in super::super) fn none() -> Self {
        Self(None)
    }
}

/// A request, from its first poll to its answer. `None` before that, and after. A request that is dropped in between is
/// told as cancelled.
#[derive(Default)]
pub struct Watched(Option<Open>);

struct Open {
    home: Home,
    level: usize,
    mode: LockMode,
    began: Instant,
    /// Whether it is counted among those that wait.
    waits: bool,
    trace: trace::Watched,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End<'e> {
    Granted,
    TimedOut,
    Deleted,
    Cancelled,
    Refused(&'e SessionError),
}

impl<'e> End<'e> {
    fn of(error: &'e SessionError) -> Self {
        match error {
            SessionError::TimedOut { .. } => Self::TimedOut,
            SessionError::Deleted { .. } => Self::Deleted,
            _ => Self::Refused(error),
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.0.as_ref().map(|open| open.mode)).finish()
    }
}

impl fmt::Debug for Party<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Party");
        out.field("session", &self.flow.id).field("level", &self.level_name()).finish_non_exhaustive()
    }
}

impl Watched {
    /// A request that does not wait.
    pub(in super::super) fn now(party: Party<'_>, request: &impl Wants) -> Self {
        let (mode, priority) = request.wants();
        Self::of(party, mode, priority, || request.names_wanted())
    }

    /// A request for the root that does not wait.
    pub(in super::super) fn for_root(party: Party<'_>, mode: LockMode) -> Self {
        Self::of(party, mode, Priority::default(), || None)
    }

    fn of(party: Party<'_>, mode: LockMode, priority: Priority, names: impl FnOnce() -> Option<NamesWanted>) -> Self {
        let trace = quietly(|| trace::Watched::new(party, mode, priority, names)).unwrap_or_default();
        let (home, level) = (party.flow.home.clone(), party.level);
        Self(Some(Open { home, level, mode, began: Instant::now(), waits: false, trace }))
    }

    /// Called before each poll.
    #[inline]
    pub(in super::super) fn begins(&mut self, party: Party<'_>, request: &impl Wants) {
        if self.0.is_none() {
            *self = Self::now(party, request);
        }
    }

    /// Called after each poll that has not answered.
    pub(in super::super) fn waits(&mut self, party: Party<'_>, alarm: Alarm<'_>) {
        let Some(open) = &mut self.0 else { return };
        let is_new = !mem::replace(&mut open.waits, true);
        quietly(|| {
            if is_new {
                open.home.0.figures.waits(party, open.mode);
            }
            open.trace.waits(party, open.began, alarm.0);
        });
    }

    /// Called when the priority changes.
    pub(in super::super) fn moves(&mut self, priority: Priority) {
        if let Some(open) = &mut self.0 {
            quietly(|| open.trace.moves(priority));
        }
    }

    /// Tells of an error, and returns it.
    pub(in super::super) fn failed<T>(mut self, error: SessionError) -> Result<T, SessionError> {
        self.end(End::of(&error));
        Err(error)
    }

    /// Tells of a grant, if it is one, to a request that holds nothing then.
    pub(in super::super) fn ends(&mut self, party: Option<Party<'_>>, is_granted: bool) {
        if let Some(party) = party.filter(|_| is_granted) {
            self.granted(party);
        }
    }

    /// Tells of a grant, and of a wait that was long and has not been told of yet.
    fn granted(&mut self, party: Party<'_>) -> Option<trace::Watched> {
        if let Some(open) = &mut self.0 {
            quietly(|| open.trace.was_slow(party, open.began));
        }
        self.end(End::Granted)
    }

    /// Tells how a request ended. Returns its span, which lasts as long as its hold does.
    fn end(&mut self, end: End<'_>) -> Option<trace::Watched> {
        let Open { home: Home(home), level, mode, began, waits, mut trace } = self.0.take()?;
        let waited = began.elapsed();
        quietly(|| home.figures.ended(&home, level, mode, waits, waited, end));
        quietly(|| trace.ended(waited, end));
        Some(trace)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end(End::Cancelled);
    }
}

/// What a flow holds. A few levels are in place: a flow is used again and again, and allocates nothing then.
#[derive(Default)]
pub(in super::super) struct Holds(Mutex<List>);

type List = SmallVec<[Hold; 4]>;

struct Hold {
    level: usize,
    mode: LockMode,
    since: Instant,
    /// Since when it is held in this mode.
    in_mode: Instant,
    place: Place,
    trace: trace::Watched,
}

impl Holds {
    /// Looks at the list. No foreign code runs meanwhile.
    fn with<R>(&self, look: impl FnOnce(&mut List) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells that a level is held from now on.
pub(in super::super) fn held(party: Party<'_>, mode: LockMode, mut watched: Watched) {
    let Party { flow, level, place } = party;
    end_holds(flow, flow.record.held() & !(1 << level));
    let trace = watched.granted(party).unwrap_or_default();
    let now = Instant::now();
    flow.holds.with(|holds| holds.push(Hold { level, mode, since: now, in_mode: now, place, trace }));
    quietly(|| flow.home.0.figures.held(party, mode));
}

/// Tells that a level is held shared from now on.
pub(in super::super) fn downgraded<'a>(flow: impl FnOnce() -> &'a Flow, level: usize) {
    let (flow, now) = (flow(), Instant::now());
    let changed = flow.holds.with(|holds| {
        let hold = holds.iter_mut().find(|hold| hold.level == level)?;
        let (mode, since) = (mem::replace(&mut hold.mode, LockMode::Shared), mem::replace(&mut hold.in_mode, now));
        Some((Party { flow, level, place: hold.place }, mode, now.duration_since(since)))
    });
    if let Some((party, mode, held)) = changed {
        quietly(|| {
            party.home().figures.released(party, mode, held);
            party.home().figures.held(party, LockMode::Shared);
        });
    }
}

/// Tells of the holds that are not on the record any more. Their locks have been released.
pub(in super::super) fn settle<'a>(flow: impl FnOnce() -> &'a Flow) {
    let flow = flow();
    end_holds(flow, flow.record.held());
}

/// Tells of the end of all holds but those of these levels.
fn end_holds(flow: &Flow, but: u16) {
    loop {
        let is_over = |hold: &Hold| but & 1 << hold.level == 0;
        let ended = flow.holds.with(|holds| holds.iter().rposition(is_over).map(|at| holds.swap_remove(at)));
        let Some(Hold { level, mode, since, in_mode, place, mut trace }) = ended else { return };
        let (party, now) = (Party { flow, level, place }, Instant::now());
        quietly(|| party.home().figures.released(party, mode, now.duration_since(in_mode)));
        quietly(|| trace.released(party, mode, now.duration_since(since)));
    }
}

/// A mode as a label.
fn word(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Shared => "shared",
        LockMode::Exclusive => "exclusive",
    }
}
