//! The stream of events: a table a second for all pages together, taken only while there is a page.
//!
//! One task takes the tables and lends the last one to all streams. It begins with the first stream and ends with the
//! last. A stream that is new, or too slow and has missed a table, gets the whole next one.

use crate::{Source, changes};
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use lockladder::LockTable;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

const PERIOD: Duration = Duration::from_secs(1);

/// When a stream ends by itself, so that a service that drains need not wait for the page to be closed.
const LIFE: Duration = Duration::from_secs(20);

/// Up to so many sessions, or twice as many locks, the whole table is told each time.
const FEW: usize = 200;

pub(crate) struct Feed {
    source: Source,
    running: Arc<Running>,
}

/// The way to the task, if there is one.
type Running = Mutex<Weak<Tables>>;

type Tables = watch::Sender<Option<Arc<Shot>>>;

/// A table, and what the streams say of it.
struct Shot {
    number: u64,
    table: LockTable,
    whole: OnceLock<Bytes>,
    changes: Option<Bytes>,
}

impl Shot {
    fn after(before: Option<&Self>, table: LockTable) -> Self {
        let many = |before: &&Self| before.table.sessions.len() > FEW || before.table.locks.len() > 2 * FEW;
        let changes = before.filter(many).map(|before| event(&changes::since(&before.table, &table)));
        Self { number: before.map_or(0, |before| before.number + 1), table, whole: OnceLock::new(), changes }
    }

    /// For a stream that has last sent the table of this number.
    fn for_stream(&self, last: Option<u64>) -> Bytes {
        match &self.changes {
            Some(changes) if last.is_some_and(|last| last + 1 == self.number) => changes.clone(),
            _ => self.whole.get_or_init(|| event(&changes::whole(&self.table))).clone(),
        }
    }
}

/// JSON has no line breaks outside of strings, and none that are not escaped inside of them.
fn event(json: &str) -> Bytes {
    Bytes::from(format!("data: {json}\n\n"))
}

impl Feed {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, running: Arc::default() }
    }

    pub(crate) fn table(&self) -> LockTable {
        (self.source)()
    }

    pub(crate) fn response(&self) -> Response {
        // A proxy that gathers answers (nginx) is told to pass them on at once.
        let headers = [(header::CONTENT_TYPE.as_str(), "text/event-stream"), ("x-accel-buffering", "no")];
        let first = stream::iter([Bytes::from_static(b"retry: 200\n\n")]);
        let events = first.chain(Self::events(self.subscribe())).take_until(sleep(LIFE));
        (headers, Body::from_stream(events.map(Ok::<_, Infallible>))).into_response()
    }

    fn events(tables: watch::Receiver<Option<Arc<Shot>>>) -> impl Stream<Item = Bytes> {
        stream::unfold((tables, None), |(mut tables, last)| async move {
            let shot = tables.wait_for(|shot| shot.as_ref().is_some_and(|shot| last != Some(shot.number)));
            let shot = shot.await.ok()?.clone()?;
            Some((shot.for_stream(last), (tables, Some(shot.number))))
        })
    }

    fn subscribe(&self) -> watch::Receiver<Option<Arc<Shot>>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tables) = running.upgrade() {
            return tables.subscribe();
        }
        let (tables, stream) = watch::channel(None);
        let tables = Arc::new(tables);
        *running = Arc::downgrade(&tables);
        drop(running);
        tokio::spawn(take_tables(Arc::clone(&self.source), tables, Arc::clone(&self.running)));
        stream
    }
}

/// Takes tables until no stream is left.
async fn take_tables(source: Source, tables: Arc<Tables>, running: Arc<Running>) {
    let mut seconds = interval(PERIOD);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before: Option<Arc<Shot>> = None;
    loop {
        tokio::select! {
            biased;
            () = tables.closed() => {
                if is_over(&tables, &running) {
                    return;
                }
            }
            _ = seconds.tick() => {
                let shot = Arc::new(Shot::after(before.as_deref(), source()));
                tables.send_replace(Some(Arc::clone(&shot)));
                before = Some(shot);
            }
        }
    }
}

/// Whether no stream is left. Then the next one will find no way to this task. (One may have come since the last left.)
fn is_over(tables: &Tables, running: &Running) -> bool {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    let is_over = tables.receiver_count() == 0;
    if is_over {
        *running = Weak::new();
    }
    is_over
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{Feed, LIFE, PERIOD, is_over};
    use axum::body::Bytes;
    use futures_util::StreamExt as _;
    use lockladder::ganeti::seed::{Node, Seed};
    use lockladder::{LockManager, Session};
    use serde_json::Value;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::time::{Instant, sleep};

    /// A feed of a manager in which so many sessions are, and how often it has taken a table.
    async fn feed(sessions: usize) -> (Feed, impl Fn() -> usize, impl Sized) {
        let names: Vec<String> = (0..sessions).map(|number| format!("node{number}")).collect();
        let manager: LockManager<Seed> = LockManager::builder().names::<Node>(names.clone()).build();
        let manager = Arc::new(manager);
        let mut open: Vec<Session<Seed, _>> = Vec::new();
        for name in &names {
            open.push(manager.shared("job").await.unwrap().exclusive::<Node>(name.as_str()).await.unwrap());
        }
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let feed = Feed::new(Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            manager.locks()
        }));
        (feed, move || asked.load(Ordering::SeqCst), open)
    }

    struct Listener(axum::body::BodyDataStream);

    impl Listener {
        async fn to(feed: &Feed) -> Self {
            let mut stream = feed.response().into_body().into_data_stream();
            assert_eq!(stream.next().await.unwrap().unwrap(), Bytes::from_static(b"retry: 200\n\n"));
            Self(stream)
        }

        async fn next(&mut self) -> Option<Value> {
            let event = self.0.next().await?.unwrap();
            let json = event.strip_prefix(b"data: ").unwrap().strip_suffix(b"\n\n").unwrap();
            Some(serde_json::from_slice(json).unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_table_is_taken_unless_somebody_listens_and_one_is_enough_for_all() {
        let (feed, asked, _open) = feed(3).await;
        sleep(60 * PERIOD).await;
        assert_eq!(asked(), 0);

        let (mut one, mut other) = (Listener::to(&feed).await, Listener::to(&feed).await);
        for tables in 1..=5 {
            let (told, told_too) = (one.next().await.unwrap(), other.next().await.unwrap());
            assert_eq!(told, told_too);
            assert_eq!(asked(), tables);
        }
        drop(one);
        other.next().await.unwrap();
        assert_eq!(asked(), 6, "the other still listens");
        drop(other);
        sleep(60 * PERIOD).await;
        assert_eq!(asked(), 6, "nobody listens any more");

        let mut late = Listener::to(&feed).await;
        late.next().await.unwrap();
        assert_eq!(asked(), 7);
    }

    #[tokio::test]
    async fn the_task_goes_on_for_one_who_came_after_the_last_one_left() {
        let (feed, _, _open) = feed(1).await;
        let stream = feed.subscribe();
        let tables = feed.running.lock().unwrap().upgrade().unwrap();
        assert!(!is_over(&tables, &feed.running));
        assert!(feed.running.lock().unwrap().upgrade().is_some());
        drop(stream);
        assert!(is_over(&tables, &feed.running));
        assert!(feed.running.lock().unwrap().upgrade().is_none(), "the next one begins another");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_who_comes_as_the_last_one_leaves_is_told() {
        let (feed, _, _open) = feed(1).await;
        let feed = Arc::new(feed);
        let come_and_go = || {
            let feed = Arc::clone(&feed);
            tokio::spawn(async move {
                for turn in 0..1_000 {
                    let told = Listener::to(&feed).await.next().await;
                    assert!(told.is_some(), "the stream of turn {turn} ended with nothing");
                }
            })
        };
        for task in [come_and_go(), come_and_go(), come_and_go()] {
            task.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_sessions_one_who_has_missed_no_table_is_told_the_changes() {
        let (feed, _, _open) = feed(201).await;
        let mut one = Listener::to(&feed).await;
        assert_eq!(one.next().await.unwrap()["full"], true);
        let second = one.next().await.unwrap();
        assert_eq!((&second["full"], second["sessions"].as_array().unwrap().len()), (&Value::Bool(false), 0));

        let mut late = Listener::to(&feed).await;
        let all = late.next().await.unwrap();
        assert_eq!((&all["full"], all["sessions"].as_array().unwrap().len()), (&Value::Bool(true), 201));
        assert_eq!(late.next().await.unwrap()["full"], false);
        sleep(3 * PERIOD).await;
        assert_eq!(late.next().await.unwrap()["full"], true, "it was too slow, and begins anew");
        assert_eq!(late.next().await.unwrap()["full"], false);
    }

    #[tokio::test(start_paused = true)]
    async fn of_few_sessions_all_are_told_each_time() {
        let (feed, _, _open) = feed(200).await;
        let mut one = Listener::to(&feed).await;
        for _ in 0..3 {
            assert_eq!(one.next().await.unwrap()["sessions"].as_array().unwrap().len(), 200);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_by_itself() {
        let (feed, _, _open) = feed(1).await;
        let (began, mut one) = (Instant::now(), Listener::to(&feed).await);
        while one.next().await.is_some() {}
        assert_eq!(began.elapsed(), LIFE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_panics_ends_the_streams_and_the_next_one_asks_again() {
        let (good, asked) = (Arc::new(LockManager::<Seed>::builder().build()), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&asked);
        let feed = Feed::new(Arc::new(move || {
            assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "on purpose");
            good.locks()
        }));
        assert_eq!(Listener::to(&feed).await.next().await, None);
        assert_eq!(Listener::to(&feed).await.next().await.unwrap()["hierarchy"], "Seed");
    }
}
