//! Jobs by HTTP: clients post them, look at them, and cancel them.
//!
//! ```text
//!   POST /jobs ─► body ─► board ─► queue of the board ─► workers ─► queue::do_job
//!   GET, DELETE /jobs/{id} ─┘  ▲                            │
//!                              └──── state and control ◄────┘
//!   signals ─► the board closes (503) ─► running jobs end ─► the listener closes
//! ```
//!
//! Each worker does one job at a time, as in a run without `--serve`.

mod answer;
mod board;
mod body;
mod job;
mod paths;
mod signals;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::exit;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::board::Board;
use self::signals::Signals;
use crate::desk::Site;
use crate::opcodes::Ladder;
use crate::queue::{Guarding, do_job};
use crate::run::{self, Findings, INTERRUPTED, Pass, Plan};
use crate::tally::Tally;

/// Where to serve, and how many jobs may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    /// The most jobs that no worker has taken yet.
    pub(crate) queue_limit: usize,
}

/// Serves until a signal comes, and then until the running jobs have ended. A second signal ends the program.
pub(crate) async fn serve(serving: Serving, plan: &Plan) -> io::Result<Findings> {
    let Serving { address, queue_limit } = serving;
    let at = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(at)?;
    let mut signals = Signals::listen()?;
    greet(listener.local_addr()?);

    let site = Arc::new(run::site(plan));
    let ladder = Ladder::new(&plan.cluster, plan.sabotage);
    let board = Arc::new(Board::new(queue_limit, plan.lanes));
    let begun = Instant::now();
    let (paths, stop) = (paths::router(&board, &ladder), CancellationToken::new());
    let server =
        tokio::spawn(axum::serve(listener, paths).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future());
    let mut work = tokio::spawn(work(Arc::clone(&board), plan.workers, Arc::clone(&site), ladder.clone().into()));
    let tally = tokio::select! {
        // The workers end before the board is closed only if one of them has panicked.
        tally = &mut work => joined(tally),
        () = signals.next() => {
            plan.progress.say("stopping: running jobs end first");
            board.close();
            tokio::select! {
                tally = &mut work => joined(tally),
                () = signals.next() => exit(INTERRUPTED.into()),
            }
        }
    };
    stop.cancel();
    tokio::select! {
        ended = server => joined(ended)?,
        () = signals.next() => exit(INTERRUPTED.into()),
    }
    let pass = Pass {
        scheme: "the lock ladder",
        tally,
        wall: begun.elapsed(),
        most_at_once: site.ledger.most_at_work(),
        lanes: board.lanes(),
    };
    let violations = run::audited(&site, Some(&ladder.names()));
    Ok(Findings {
        jobs: board.posted(),
        ladder: pass,
        one_by_one: None,
        one_mutex: None,
        violations,
        interrupted: false,
    })
}

/// Runs the workers until the board is closed and the running jobs have ended.
async fn work(board: Arc<Board>, workers: usize, site: Arc<Site>, guarding: Guarding) -> Tally {
    let (guarding, mut crew) = (Arc::new(guarding), JoinSet::new());
    for _ in 0..workers {
        let (board, site, guarding) = (Arc::clone(&board), Arc::clone(&site), Arc::clone(&guarding));
        crew.spawn(async move {
            let mut tally = Tally::default();
            while let Some(job) = board.take().await {
                let outcome = do_job(&site, &guarding, job.number, &job.task, Some(&job.control)).await;
                tally.record(job.number, &job.task, &outcome);
                board.ended(&job, outcome);
            }
            tally
        });
    }
    let mut tally = Tally::default();
    while let Some(worker) = crew.join_next().await {
        tally.merge(joined(worker));
    }
    tally
}

/// What a task returned. No task here is ever aborted, so one that failed has panicked.
fn joined<T>(ended: Result<T, tokio::task::JoinError>) -> T {
    ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn greet(address: SocketAddr) {
    let url = format!("http://{address}");
    let text = format!(
        "cluster: listening on {url}. Try:\n\
         curl -i {url}/jobs -H 'content-type: application/json' -d '{{\"op\": \"ClusterVerify\"}}'\n\
         curl -i {url}/jobs/1\n\
         curl -i -X DELETE {url}/jobs/1\n"
    );
    // The report has stdout for itself. A reader that has gone away does not stop the service.
    let _ = io::stderr().write_all(text.as_bytes());
}
