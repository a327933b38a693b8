//! One pass: a new service, its clients, and what is left when they have gone.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::case::Case;
use super::client::{Failure, Seen, close_months, transfer};
use super::progress::Progress;
use crate::desk::Desk;
use crate::serve::serve;
use crate::store::{MemoryStore, Store};
use crate::variant::Variant;

/// The longest time that a request waits for its locks.
const PATIENCE: Duration = Duration::from_secs(2);

/// The results of one pass.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) seen: Seen,
    /// How long it took.
    pub(super) wall: Duration,
    /// How many names the locks still knew when nothing was locked any more.
    pub(super) names_left: usize,
}

impl Pass {
    /// Transfers a second.
    #[expect(clippy::cast_precision_loss, reason = "no pass has 2^52 transfers")]
    pub(super) fn rate(&self) -> f64 {
        self.seen.times.len() as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

/// Runs a pass.
pub(super) async fn run(
    variant: Variant,
    case: &Case,
    clients: u32,
    length: Duration,
    progress: &Progress,
) -> Result<Pass, Failure> {
    let store = Arc::new(MemoryStore::new(case.opening, case.round_trip));
    let desk = Desk::new(store.clone(), PATIENCE);
    let opened = variant.open(desk.clone());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let served = tokio::spawn(serve(listener, opened.router, desk, stop.clone().cancelled_owned()));

    let begun = Instant::now();
    let until = begun + length;
    let mut tasks: Vec<_> =
        (0..u64::from(clients)).map(|number| tokio::spawn(transfer(url.clone(), *case, number, until))).collect();
    if case.closes {
        tasks.push(tokio::spawn(close_months(url, *case, until)));
    }
    let mut seen = Seen::nothing();
    let ended = async {
        for task in tasks {
            seen.add(&task.await??);
        }
        Ok::<_, Failure>(begun.elapsed())
    };
    let wall = tokio::select! {
        wall = ended => wall?,
        never = progress.follow() => match never {},
    };
    stop.cancel();
    served.await??;
    let total = store.audit().await?.total;
    if total != case.total() {
        return Err(format!("the sum was {}, and is {total}", case.total()).into());
    }
    Ok(Pass { seen, wall, names_left: (opened.names)() })
}
