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

/// Up to here, a whole table is as small as the differences are clever.
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
        let many = |before: &&Self| before.table.sessions.len().max(before.table.locks.len()) > FEW;
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
                let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
                if tables.receiver_count() == 0 {
                    *running = Weak::new();
                    return;
                }
                // A stream has begun since.
            }
            _ = seconds.tick() => {
                let shot = Arc::new(Shot::after(before.as_deref(), source()));
                tables.send_replace(Some(Arc::clone(&shot)));
                before = Some(shot);
            }
        }
    }
}
