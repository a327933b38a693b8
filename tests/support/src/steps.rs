//! Programs on hand-driven futures, one step at a time.
//!
//! ```text
//!   begins ─► ready ──a step: one poll──► ready      it pauses, to let other programs run, or it has been woken
//!               ▲                    ├──► waiting    for a lock; when its holder wakes it, it is ready again
//!               └───────woken────────┘    ended
//! ```
//!
//! A waiting program can also be dropped. If no program is ready, and one has not ended, all that are left wait for
//! each other: that is a deadlock (or a lost wake-up, which is no better).

use crate::patience::give_way;
use crate::wakers::Alarm;

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

/// What happens next, and to which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is polled once.
    Runs(usize),
    /// It is dropped.
    IsDropped(usize),
}

/// Whether a session can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It can.
    Ready,
    /// It can after it has been woken.
    Waiting,
    /// It has ended, or it has been dropped.
    Gone,
}

/// When an audit takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A session has done something.
    AfterAStep,
    /// All sessions are gone.
    InTheEnd,
}

/// A program tells the exploration through this what it does.
#[derive(Debug, Default)]
pub struct Watch {
    said: RefCell<String>,
    touched: RefCell<Vec<usize>>,
    pauses: Cell<bool>,
}

impl Watch {
    /// Lets other sessions run.
    pub async fn pause(&self) {
        self.pauses.set(true);
        give_way().await;
    }

    /// Says that what comes next may change this queue.
    pub fn touches(&self, queue: usize) {
        self.touched.borrow_mut().push(queue);
    }

    /// Says what came of a step. A program says all that its further course depends on.
    pub fn says(&self, text: &str) {
        let _ = write!(self.said.borrow_mut(), "{text}; ");
    }
}

type Program = Pin<Box<dyn Future<Output = ()>>>;

struct Session {
    /// `None` once it is gone.
    program: Option<Program>,
    watch: Rc<Watch>,
    /// It rings if the session has been woken since it was polled.
    alarm: Arc<Alarm>,
    /// The queue in which it has a request.
    awaits: Option<usize>,
    /// All that decides how far its program is.
    past: String,
    /// What it last saw of the world (all that is not locks), since its last pause.
    saw: Option<String>,
}

/// What happened at a queue: the session that did it, and the length of its past then, which tells what it did.
type Event = (usize, usize);

/// A case that has begun: its sessions, and what the exploration knows of them.
pub struct Scene {
    sessions: Vec<Session>,
    /// What happened at each queue since it last had no requests.
    queues: Vec<Vec<Event>>,
    /// What the programs share besides the locks, as text.
    world: Option<Box<dyn Fn() -> String>>,
    /// Checks that all is well.
    audit: Option<Box<dyn Fn(Moment)>>,
}

impl Scene {
    /// A scene with this number of queues, and no sessions yet. Programs tell their [`Watch`] everything.
    pub fn new(queues: usize) -> Self {
        Self { sessions: Vec::new(), queues: vec![Vec::new(); queues], world: None, audit: None }
    }

    /// A scene with no sessions yet, whose programs tell nothing. All that they do counts as done at one queue. They
    /// pause before each request by waking themselves. All that they can see besides the locks is in the text of the
    /// world.
    pub fn untold(world: impl Fn() -> String + 'static) -> Self {
        Self { world: Some(Box::new(world)), ..Self::new(1) }
    }

    /// Adds an audit, which panics if something is wrong.
    #[must_use]
    pub fn audited(self, audit: impl Fn(Moment) + 'static) -> Self {
        Self { audit: Some(Box::new(audit)), ..self }
    }

    /// Adds a session, at the beginning of its program.
    pub fn enter<F: Future<Output = ()> + 'static>(&mut self, program: impl FnOnce(Rc<Watch>) -> F) {
        let watch = Rc::new(Watch::default());
        let program: Program = Box::pin(program(Rc::clone(&watch)));
        self.sessions.push(Session {
            program: Some(program),
            watch,
            alarm: Alarm::ringing(),
            awaits: None,
            past: String::new(),
            saw: None,
        });
    }

    /// Whether each session can go on, by number.
    pub fn conditions(&self) -> impl Iterator<Item = Condition> {
        self.sessions.iter().map(|session| match session {
            Session { program: None, .. } => Condition::Gone,
            Session { alarm, .. } if alarm.rings() => Condition::Ready,
            _ => Condition::Waiting,
        })
    }

    /// Whether no session can go on though one has not ended.
    pub fn is_stuck(&self) -> bool {
        let mut left = self.conditions().filter(|condition| *condition != Condition::Gone).peekable();
        left.peek().is_some() && left.all(|condition| condition == Condition::Waiting)
    }

    /// The steps that are possible next. Only a session with a request in a queue is worth dropping.
    pub fn possible(&self, with_drops: bool) -> Vec<Step> {
        let runs = self.conditions().enumerate().filter(|(_, condition)| *condition == Condition::Ready);
        let mut steps: Vec<_> = runs.map(|(session, _)| Step::Runs(session)).collect();
        if with_drops {
            let waits = self.sessions.iter().enumerate().filter(|(_, session)| session.awaits.is_some());
            steps.extend(waits.map(|(session, _)| Step::IsDropped(session)));
        }
        steps
    }

    /// Plays a step, and says what came of it.
    pub fn play(&mut self, step: Step) -> String {
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
        let all_gone = self.conditions().all(|condition| condition == Condition::Gone);
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
        session.alarm.hush();
        let program = session.program.as_mut().expect("a session that is gone does not run");
        let has_ended = program.as_mut().poll(&mut Context::from_waker(&session.alarm.waker())).is_ready();

        let said = session.watch.said.take();
        session.past.push_str(&said);
        let told = session.watch.touched.take();
        let awaited = session.awaits.take();
        let untold = self.world.is_some();
        let pauses = session.watch.pauses.take() || untold && session.alarm.rings();
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

    /// Notes that a session did something that may have changed these queues.
    fn happens(&mut self, index: usize, touched: impl IntoIterator<Item = usize>) {
        for queue in touched {
            self.queues[queue].push((index, self.sessions[index].past.len()));
        }
        for (queue, events) in self.queues.iter_mut().enumerate() {
            if !self.sessions.iter().any(|session| session.awaits == Some(queue)) {
                events.clear(); // It remembers nothing. What is held follows from how far the programs are.
            }
        }
    }

    /// Two scenes of one case are in the same state if their fingerprints are equal: see [`states`](crate::states).
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (session, condition) in self.sessions.iter().zip(self.conditions()) {
            let _ = writeln!(text, "{} {condition:?} {:?}", session.past, session.awaits);
        }
        let _ = write!(text, "{:?}", self.queues);
        text
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}
