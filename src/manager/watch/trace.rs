//! Spans, events and warnings, by `tracing`.

use super::super::super::{Builder, LockManager};
use super::console::{Operation, Resources};
use super::span::QuietSpan;
use super::{End, Party, word};
use crate::abridged::{Abridged, Beginning, SHOWN};
use crate::level::Hierarchy;
use crate::mode::LockMode;
use crate::panics::quietly;
use crate::priority::Priority;
use crate::table::{LockTable, SessionRow};
use crate::wants::NamesWanted;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::{Level, event, span};

/// From when on a wait or a hold is worth a warning.
#[derive(Clone, Copy, Default)]
pub(in super::super::super) struct Limits {
    waits: Option<Duration>,
    holds: Option<Duration>,
}

impl<H: Hierarchy> Builder<H> {
    /// Warns of each wait that takes this long: by an event `lock.slow_wait` of the crate `tracing`, which names the
    /// sessions in the way, and where in the source they asked for what they hold.
    ///
    /// A wait is told of once, as soon as it has taken so long: a timer in its own task notices it. Needs the feature
    /// `tracing`; `docs/WATCHING.md` has the fields, and says what is not noticed.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockladder::{LockManager, ganeti::seed::{Node, Seed}};
    /// use std::time::Duration;
    ///
    /// let manager: LockManager<Seed> = LockManager::builder()
    ///     .names::<Node>(["node1"])
    ///     .warn_waits(Duration::from_secs(5))
    ///     .warn_holds(Duration::from_secs(60))
    ///     .build();
    /// ```
    #[must_use]
    pub fn warn_waits(mut self, limit: Duration) -> Self {
        self.limits.waits = Some(limit);
        self
    }

    /// Warns of each hold that has taken this long: by an event `lock.long_hold` of the crate `tracing`, when the level
    /// is released.
    ///
    /// A hold that does not end is told of by [`warn_waits`](Self::warn_waits) alone, if a session waits for it. Needs the
    /// feature `tracing`. See [`warn_waits`](Self::warn_waits) for an example.
    #[must_use]
    pub fn warn_holds(mut self, limit: Duration) -> Self {
        self.limits.holds = Some(limit);
        self
    }
}

/// What is known of a manager.
pub(super) struct Home {
    limits: Limits,
    /// Takes a table of the manager, if that still exists.
    tables: OnceLock<Box<dyn Fn() -> Option<LockTable> + Send + Sync>>,
    /// The last table, for the other requests that are slow at the same time.
    recent: Mutex<Option<(Instant, Arc<LockTable>)>>,
    /// The levels, for tokio-console.
    resources: Resources,
}

impl Home {
    pub(super) fn new(limits: Limits, hierarchy: &'static str, levels: &'static [&'static str]) -> Self {
        let resources = Resources::new(hierarchy, levels);
        Self { limits, tables: OnceLock::new(), recent: Mutex::default(), resources }
    }

    pub(super) fn opens<H: Hierarchy>(&self, manager: &LockManager<H>) {
        let locks = Arc::downgrade(&manager.locks);
        let _ = self.tables.set(Box::new(move || Some(LockManager { locks: locks.upgrade()? }.locks())));
    }

    /// A table in which this session waits. It may be a tenth of a second old: a jam makes many requests slow at once,
    /// and a table for each would take the more time the longer the jam is.
    fn table(&self, session: u64) -> Option<Arc<LockTable>> {
        const FRESH: Duration = Duration::from_millis(100);
        let recent = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let last = recent().clone().filter(|(at, _)| at.elapsed() < FRESH);
        let is_there = |table: &Arc<LockTable>| table.session(session).is_some_and(SessionRow::is_waiting);
        if let Some(table) = last.map(|(_, table)| table).filter(is_there) {
            return Some(table);
        }
        let table = Arc::new(self.tables.get()?()?); // Shows names, which is foreign code: with nothing locked.
        let before = recent().replace((Instant::now(), Arc::clone(&table)));
        drop(before);
        Some(table)
    }
}

/// The span of a request, and of the hold that it becomes.
pub(super) struct Watched {
    span: QuietSpan,
    alarm: Slow,
    /// The request, for tokio-console; until it is answered.
    operation: Option<Box<Operation>>,
}

/// How far a request is from being slow.
#[derive(Default)]
enum Slow {
    #[default]
    NotYet,
    Timed(Pin<Box<Sleep>>),
    /// It has been told, or cannot be timed.
    Told,
    Untimed,
}

impl Default for Watched {
    fn default() -> Self {
        Self { span: QuietSpan::none(), alarm: Slow::NotYet, operation: None }
    }
}

/// Dropping the waker in the timer is foreign code.
impl Drop for Watched {
    fn drop(&mut self) {
        if let Slow::Timed(timer) = mem::take(&mut self.alarm) {
            quietly(|| drop(timer));
        }
    }
}

impl Watched {
    pub(super) fn new(
        party: Party<'_>,
        mode: LockMode,
        priority: Priority,
        names: impl FnOnce() -> Option<NamesWanted>,
    ) -> Self {
        let make = || {
            span!(
                target: "lockladder",
                Level::DEBUG,
                "lock.acquire",
                hierarchy = party.home().hierarchy,
                level = party.level_name(),
                names = names().map(debug),
                mode = word(mode),
                priority = priority.get(),
                session = party.flow.id,
                label = display(Beginning(&party.flow.label)),
                place = display(party.place),
            )
        };
        let span = QuietSpan::of(make);
        let operation = Operation::new(&party.home().trace.resources, party.level, mode).map(Box::new);
        Self { span, alarm: Slow::NotYet, operation }
    }

    pub(super) fn waits(&mut self, party: Party<'_>, began: Instant, waker: Option<&Waker>) {
        if let Some(operation) = &self.operation {
            operation.polled(false);
        }
        let Some(limit) = party.home().trace.limits.waits else { return };
        if let Slow::NotYet = self.alarm {
            self.alarm = Slow::Untimed; // First: without timers, making one panics.
            let due = began.checked_add(limit).filter(|_| Handle::try_current().is_ok());
            self.alarm = due.map_or(Slow::Untimed, |due| Slow::Timed(Box::pin(sleep_until(due))));
        }
        let (Slow::Timed(timer), Some(waker)) = (&mut self.alarm, waker) else { return };
        if timer.as_mut().poll(&mut Context::from_waker(waker)) == Poll::Ready(()) {
            self.tell_slow(party, began, limit);
        }
    }

    /// Called at the grant: tells of a wait that no timer has noticed.
    pub(super) fn was_slow(&mut self, party: Party<'_>, began: Instant) {
        let limit = party.home().trace.limits.waits.filter(|_| !matches!(self.alarm, Slow::Told | Slow::NotYet));
        if let Some(limit) = limit.filter(|limit| began.elapsed() >= *limit) {
            self.tell_slow(party, began, limit);
        }
    }

    fn tell_slow(&mut self, party: Party<'_>, began: Instant, limit: Duration) {
        let timer = mem::replace(&mut self.alarm, Slow::Told);
        let table = party.home().trace.table(party.flow.id);
        let row = table.as_ref().and_then(|table| table.session(party.flow.id));
        let wait = row.and_then(|row| row.awaits.as_ref());
        let blockers = table.as_ref().map_or_else(Vec::new, |table| table.in_the_way(party.flow.id));
        let names = wait.map(|wait| Abridged::beside(wait.names.iter().map(Beginning), wait.more));
        self.span.inside(|| {
            event!(
                name: "lock.slow_wait",
                target: "lockladder",
                Level::WARN,
                hierarchy = party.home().hierarchy,
                level = party.level_name(),
                names = names.map(debug),
                mode = wait.map(|wait| word(wait.mode)),
                priority = wait.map(|wait| wait.priority.get()),
                session = party.flow.id,
                label = display(Beginning(&party.flow.label)),
                place = display(party.place),
                waited_ms = milliseconds(began.elapsed()),
                limit_ms = milliseconds(limit),
                ahead = wait.map(|wait| wait.ahead),
                blockers = display(Blockers { blockers: &blockers, level: party.level_name() }),
                "lock.slow_wait"
            );
        });
        drop(timer);
    }

    pub(super) fn moves(&mut self, priority: Priority) {
        self.span.record("priority", priority.get());
    }

    pub(super) fn ended(&mut self, waited: Duration, end: End<'_>) {
        if let Some(operation) = self.operation.take().filter(|_| end != End::Cancelled) {
            operation.polled(true);
        }
        let (span, waited_ms) = (&*self.span, milliseconds(waited));
        macro_rules! tell {
            ($name:literal $(, $field:ident = $value:expr)*) => {
                event!(
                    name: $name, target: "lockladder", parent: span, Level::DEBUG, waited_ms $(, $field = $value)*, $name
                )
            };
        }
        match end {
            End::Granted => tell!("granted"),
            End::TimedOut => tell!("timed_out"),
            End::Deleted => tell!("deleted"),
            End::Cancelled => tell!("cancelled"),
            End::Refused(error) => tell!("refused", error = display(error)),
        }
    }

    pub(super) fn released(&mut self, party: Party<'_>, mode: LockMode, held: Duration) {
        let (span, held_ms) = (&*self.span, milliseconds(held));
        event!(name: "released", target: "lockladder", parent: span, Level::DEBUG, held_ms, "released");
        let Some(limit) = party.home().trace.limits.holds.filter(|limit| held >= *limit) else { return };
        self.span.inside(|| {
            event!(
                name: "lock.long_hold",
                target: "lockladder",
                Level::WARN,
                hierarchy = party.home().hierarchy,
                level = party.level_name(),
                mode = word(mode),
                session = party.flow.id,
                label = display(Beginning(&party.flow.label)),
                place = display(party.place),
                held_ms,
                limit_ms = milliseconds(limit),
                "lock.long_hold"
            );
        });
    }
}

/// The sessions in the way of one that waits for this level, as text.
struct Blockers<'t> {
    blockers: &'t [&'t SessionRow],
    level: &'static str,
}

impl fmt::Display for Blockers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, session) in self.blockers.iter().take(SHOWN).enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}`{}` (session {})", Beginning(&session.label), session.id)?;
            let here = session.holds.iter().find(|hold| hold.level == self.level).or(session.holds.last());
            if let Some(hold) = here {
                write!(f, " holds {} {} for {:?}, from {}", hold.level, hold.mode, hold.held, hold.place)?;
            }
            match &session.awaits {
                Some(wait) if wait.unclaimed.is_some() => {
                    write!(f, ", has {} and does not poll for it, at {}", wait.level, wait.place)?;
                }
                Some(wait) => write!(f, ", waits for {} at {}", wait.level, wait.place)?,
                None => {}
            }
        }
        match self.blockers.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; {more} more"),
        }
    }
}

/// In whole milliseconds.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
