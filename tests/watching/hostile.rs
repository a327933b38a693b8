//! Subscribers and recorders that panic: sessions go on as if nothing were heard.

use super::{builder, ms};
use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, LockManager, LockMode, SessionError};
use lockladder_test_support::hostile::throw;
use lockladder_test_support::requests::waiting;
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder};
use metrics::{SharedString, Unit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::time::advance;
use tokio_test::{assert_pending, assert_ready_ok};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_default};
use tracing::{Event, Subscriber};

/// Counts its calls, and panics in those that it is told to.
#[derive(Clone, Default)]
struct Hostile {
    calls: Arc<AtomicUsize>,
    /// The first call that panics, and how many calls later the next one does; 0 for each.
    first: usize,
    every: usize,
}

impl Hostile {
    fn call(&self) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call >= self.first && (call - self.first) % self.every == 0 {
            throw();
        }
    }
}

impl Subscriber for Hostile {
    fn register_callsite(&self, _metadata: &'static tracing::Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        ["lockladder", "runtime"].contains(&metadata.target())
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        self.call();
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {
        self.call();
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, _event: &Event<'_>) {
        self.call();
    }

    fn enter(&self, _span: &Id) {
        self.call();
    }

    fn exit(&self, _span: &Id) {
        self.call();
    }

    fn try_close(&self, _id: Id) -> bool {
        self.call();
        true
    }
}

impl Recorder for Hostile {
    fn describe_counter(&self, _key: KeyName, _unit: Option<Unit>, _description: SharedString) {}
    fn describe_gauge(&self, _key: KeyName, _unit: Option<Unit>, _description: SharedString) {}
    fn describe_histogram(&self, _key: KeyName, _unit: Option<Unit>, _description: SharedString) {
        self.call();
    }

    fn register_counter(&self, _key: &Key, _metadata: &Metadata<'_>) -> Counter {
        self.call();
        Counter::from_arc(Arc::new(self.clone()))
    }

    fn register_gauge(&self, _key: &Key, _metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(self.clone()))
    }

    fn register_histogram(&self, _key: &Key, _metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(self.clone()))
    }
}

impl CounterFn for Hostile {
    fn increment(&self, _value: u64) {
        self.call();
    }

    fn absolute(&self, _value: u64) {}
}

impl GaugeFn for Hostile {
    fn increment(&self, _value: f64) {
        self.call();
    }

    fn decrement(&self, _value: f64) {
        self.call();
    }

    fn set(&self, _value: f64) {}
}

impl HistogramFn for Hostile {
    fn record(&self, _value: f64) {
        self.call();
    }
}

/// A story with all that can be told. Each step does what it would do if no party listened.
async fn story(manager: &LockManager<Seed>) {
    let job = manager.shared("job").await.unwrap().exclusive::<Instance>("web1").await.unwrap();
    let mut job = job.exclusive::<Node>("node1").await.unwrap();
    let mut late = waiting(manager.shared("late").await.unwrap().exclusive::<Node>("node1"));
    let mut cancelled = waiting(manager.shared("cancelled").await.unwrap().shared::<Node>("node1"));
    let mut other = manager.dynamic("other", LockMode::Shared).await.unwrap();
    let error = other.acquire::<Node>("node1", LockMode::Shared).timeout(ms(5)).await.unwrap_err();
    assert!(matches!(error, SessionError::TimedOut { .. }));
    advance(ms(1_000)).await;
    assert_pending!(late.poll());
    assert_pending!(cancelled.poll());
    drop(cancelled);
    job.release_names::<Node>("node1").unwrap();
    let late = assert_ready_ok!(late.poll());
    assert_eq!(late.owned::<Node>().names(), ["node1"], "the grant is not lost");
    let job = job.release::<Node>().downgrade::<Instance>().release::<Instance>();
    drop(late.downgrade::<Node>());
    other.add::<Node>("node9").await.unwrap();
    assert_eq!(other.remove::<Node>("node9").await.unwrap(), ["node9"]);
    other.acquire::<Node>(All, LockMode::Exclusive).await.unwrap();
    let mut removed = waiting(job.shared::<Node>("node2"));
    other.remove_held::<Node>("node2").unwrap();
    let std::task::Poll::Ready(Err(SessionError::Deleted { .. })) = removed.poll() else { panic!("it is removed") };
    drop(removed);
    other.add_held::<Node>("node2").unwrap();
    other.downgrade::<Node>().unwrap();
    other.release::<Node>().unwrap();
    drop(other);
    let rest = manager.try_exclusive("rest").expect("no root is left held");
    let rest = rest.try_exclusive::<Instance>(All).expect("nothing is left held");
    assert_eq!(rest.try_exclusive::<Node>(All).expect("nothing is left held").owned::<Node>().len(), 3);
    assert!(manager.locks().sessions.is_empty(), "no session is left");
}

/// Tells the story to a hostile party that panics at one call or more, until the story has no more calls.
async fn at_each_call(listen: impl Fn(Hostile) -> Box<dyn std::any::Any>) -> usize {
    for every in [usize::MAX, 1] {
        for first in 0.. {
            let hostile = Hostile { first, every, ..Hostile::default() };
            let listens = listen(hostile.clone());
            story(&builder().warn_waits(ms(500)).warn_holds(ms(1)).build()).await;
            drop(listens);
            if hostile.calls.load(Ordering::Relaxed) <= first {
                break;
            }
        }
    }
    let quiet = Hostile { first: usize::MAX, every: 1, ..Hostile::default() };
    let listens = listen(quiet.clone());
    story(&builder().warn_waits(ms(500)).warn_holds(ms(1)).build()).await;
    drop(listens);
    quiet.calls.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_at_any_call_changes_nothing() {
    let calls = at_each_call(|hostile| Box::new(set_default(hostile))).await;
    assert!(calls > 50, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_panics_at_any_call_changes_nothing() {
    let calls = at_each_call(|hostile| {
        let recorder: &'static Hostile = Box::leak(Box::new(hostile));
        Box::new(metrics::set_default_local_recorder(recorder))
    });
    let calls = calls.await;
    assert!(calls > 50, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_may_use_the_locks_that_it_hears_of() {
    /// It does not hear of what it does itself.
    struct Curious(LockManager<Seed>, AtomicBool);
    impl Subscriber for Curious {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            ["lockladder", "runtime"].contains(&metadata.target())
        }
        fn new_span(&self, _span: &Attributes<'_>) -> Id {
            self.look();
            Id::from_u64(1)
        }
        fn record(&self, _span: &Id, _values: &Record<'_>) {}
        fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
        fn event(&self, _event: &Event<'_>) {
            self.look();
        }
        fn enter(&self, _span: &Id) {}
        fn exit(&self, _span: &Id) {}
        fn try_close(&self, _id: Id) -> bool {
            self.look();
            true
        }
    }
    impl Curious {
        fn look(&self) {
            if self.1.swap(true, Ordering::Relaxed) {
                return;
            }
            assert!(!self.0.locks().to_string().is_empty());
            drop(self.0.try_exclusive("curious"));
            drop(self.0.try_shared("curious").and_then(|job| job.try_exclusive::<Node>(All)));
            self.1.store(false, Ordering::Relaxed);
        }
    }
    let manager = builder().warn_waits(ms(500)).warn_holds(ms(1)).build();
    let _listens = set_default(Curious(manager.clone(), AtomicBool::new(false)));
    story(&manager).await;
}
