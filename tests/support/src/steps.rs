//! Programs on hand-driven futures, one step at a time.
//!
//! ```text
//!   begins ─► ready ──a step: one poll──► ready      it pauses, to let others come between, or it has been woken
//!               ▲                    ├──► waiting    for a lock; who lets go of that wakes it, and it is ready again
//!               └───────woken────────┘    ended
//! ```
//!
//! Whoever waits can also be dropped. If nobody is ready, and somebody has not ended, all wait for each other: that is a
//! deadlock (or a lost wake-up, which is no better).

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// What happens next, and to which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Runs(usize),
    IsDropped(usize),
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Ready,
    Waiting,
    /// It has come to its end, or been dropped.
    Gone,
}

/// When an audit takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    AfterAStep,
    /// All are gone.
    InTheEnd,
}

/// By which a program says what it does.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    said: RefCell<String>,
    touched: RefCell<Vec<usize>>,
    pauses: Cell<bool>,
}

#[allow(dead_code, reason = "the programs of the cluster say nothing")]
impl Watch {
    /// Lets others come between.
    pub(crate) async fn pause(&self) {
        let mut paused = false;
        std::future::poll_fn(|context| {
            if mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            self.pauses.set(true);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Now comes something that the queue of a level may notice.
    pub(crate) fn touches(&self, queue: usize) {
        self.touched.borrow_mut().push(queue);
    }

    /// What came of it; whatever the rest of the program depends on must be said.
    pub(crate) fn says(&self, text: &str) {
        let _ = write!(self.said.borrow_mut(), "{text}; ");
    }
}

/// Of the waker of a session: whether it has been woken since it was polled.
struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

type Program = Pin<Box<dyn Future<Output = ()>>>;

struct Session {
    /// Nothing once it is gone.
    program: Option<Program>,
    watch: Rc<Watch>,
    alarm: Arc<Alarm>,
    /// The queue that it has a request in.
    awaits: Option<usize>,
    /// All that has decided how far its program has come.
    past: String,
    /// What it saw last, of what is not locks, since its last pause.
    saw: Option<String>,
}

/// Something happened at a queue: whose doing, and how long their past was then, which tells what it was.
type Event = (usize, usize);

/// A case that has begun.
pub(crate) struct Stage {
    sessions: Vec<Session>,
    /// What happened at each queue since nobody had a request in it.
    queues: Vec<Vec<Event>>,
    /// What the programs share beside the locks, as text.
    world: Option<Box<dyn Fn() -> String>>,
    /// Looks whether all is well.
    audit: Option<Box<dyn Fn(Moment)>>,
}

#[allow(dead_code, reason = "each of two programs uses its part")]
impl Stage {
    /// Nobody there yet, and so many queues. Programs tell their [`Watch`] everything.
    pub(crate) fn new(queues: usize) -> Self {
        Self { sessions: Vec::new(), queues: vec![Vec::new(); queues], world: None, audit: None }
    }

    /// Nobody there yet. Programs tell nothing: all they do is taken to happen at one queue; they pause before each request
    /// by waking themselves; and what else they can see is the text of the world.
    pub(crate) fn untold(world: impl Fn() -> String + 'static) -> Self {
        Self { world: Some(Box::new(world)), ..Self::new(1) }
    }

    pub(crate) fn audited(self, audit: impl Fn(Moment) + 'static) -> Self {
        Self { audit: Some(Box::new(audit)), ..self }
    }

    pub(crate) fn enter<F: Future<Output = ()> + 'static>(&mut self, program: impl FnOnce(Rc<Watch>) -> F) {
        let watch = Rc::new(Watch::default());
        let program: Program = Box::pin(program(Rc::clone(&watch)));
        self.sessions.push(Session {
            program: Some(program),
            watch,
            alarm: Arc::new(Alarm(AtomicBool::new(true))),
            awaits: None,
            past: String::new(),
            saw: None,
        });
    }

    pub(crate) fn standings(&self) -> impl Iterator<Item = Standing> {
        self.sessions.iter().map(|session| match session {
            Session { program: None, .. } => Standing::Gone,
            Session { alarm, .. } if alarm.0.load(Relaxed) => Standing::Ready,
            _ => Standing::Waiting,
        })
    }

    /// Whether nobody can go on though somebody has not ended.
    pub(crate) fn is_stuck(&self) -> bool {
        let mut standings = self.standings().filter(|standing| *standing != Standing::Gone).peekable();
        standings.peek().is_some() && standings.all(|standing| standing == Standing::Waiting)
    }

    /// What can happen next. Of dropping, only whoever has a request in a queue is worth it.
    pub(crate) fn possible(&self, with_drops: bool) -> Vec<Step> {
        let runs = self.standings().enumerate().filter(|(_, standing)| *standing == Standing::Ready);
        let mut steps: Vec<_> = runs.map(|(session, _)| Step::Runs(session)).collect();
        if with_drops {
            let waits = self.sessions.iter().enumerate().filter(|(_, session)| session.awaits.is_some());
            steps.extend(waits.map(|(session, _)| Step::IsDropped(session)));
        }
        steps
    }

    /// Plays a step, and says how it went.
    pub(crate) fn play(&mut self, step: Step) -> String {
        let told = match step {
            Step::Runs(index) => self.run(index),
            Step::IsDropped(index) => {
                let session = &mut self.sessions[index];
                session.program = None;
                session.awaits = None;
                session.past.push_str("dropped");
                self.happens(index, 0..self.queues.len());
                "is dropped".to_owned()
            }
        };
        let all_gone = self.standings().all(|standing| standing == Standing::Gone);
        let moment = if all_gone { Moment::InTheEnd } else { Moment::AfterAStep };
        self.audit.iter().for_each(|audit| audit(moment));
        told
    }

    fn run(&mut self, index: usize) -> String {
        let world = self.world.as_ref().map(|world| world());
        let session = &mut self.sessions[index];
        if let Some(world) = world {
            if session.saw.as_ref() != Some(&world) {
                session.past.push_str(&world);
            }
            session.saw = Some(world);
        }
        session.alarm.0.store(false, Relaxed);
        let waker = Waker::from(Arc::clone(&session.alarm));
        let program = session.program.as_mut().expect("who is gone does not run");
        let has_ended = program.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();

        let said = session.watch.said.take();
        session.past.push_str(&said);
        let told = session.watch.touched.take();
        let awaited = session.awaits.take();
        let untold = self.world.is_some();
        let pauses = session.watch.pauses.take() || untold && session.alarm.0.load(Relaxed);
        let mut touched: Vec<usize> = awaited.into_iter().chain(told).collect();
        if untold {
            touched = vec![0];
        }
        if has_ended {
            session.program = None;
            session.past.push_str("ended");
            touched.extend(0..self.queues.len());
        } else if pauses {
            session.past.push('.');
            session.saw = None;
        } else {
            session.awaits = touched.last().copied();
            assert!(session.awaits.is_some(), "a program waits for something that is no lock");
        }
        self.happens(index, touched);
        match (has_ended, pauses) {
            (true, _) => format!("{said}ends"),
            (_, true) => format!("{said}pauses"),
            _ => format!("{said}waits"),
        }
    }

    /// These queues may have noticed something that a session did.
    fn happens(&mut self, index: usize, touched: impl IntoIterator<Item = usize>) {
        for queue in touched {
            self.queues[queue].push((index, self.sessions[index].past.len()));
        }
        for (queue, events) in self.queues.iter_mut().enumerate() {
            if !self.sessions.iter().any(|session| session.awaits == Some(queue)) {
                events.clear(); // It remembers nothing now. Who holds what follows from how far the programs are.
            }
        }
    }

    /// Two stages of one case with the same fingerprint are in the same state: see [`states`](super::states).
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (session, standing) in self.sessions.iter().zip(self.standings()) {
            let _ = writeln!(text, "{} {standing:?} {:?}", session.past, session.awaits);
        }
        let _ = write!(text, "{:?}", self.queues);
        text
    }
}
