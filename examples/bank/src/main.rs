//! The program: see `--help`.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use bank::desk::Desk;
use bank::load;
use bank::options::{Command, Options, Serving};
use bank::serve::serve;
use bank::signals::Signals;
use bank::store::{MemoryStore, Store};
use clap::Parser;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// The exit code by which a shell reports a program that SIGINT killed.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match &options.command {
        Some(Command::Load(plan)) => load::run(plan).await,
        None => run(&options.serving).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serving: &Serving) -> Result<(), Box<dyn Error + Send + Sync>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("bank=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let desk = Desk::new(store(serving).await?, serving.patience());
    let paths = serving.locks.open(desk.clone()).router;
    let listener = TcpListener::bind(serving.listen).await.map_err(|error| format!("{}: {error}", serving.listen))?;
    let signals = Signals::listen()?;
    greet(serving, listener.local_addr()?);
    let stop = CancellationToken::new();
    let served = serve(listener, paths, desk, stop.clone().cancelled_owned());
    tokio::select! {
        ended = served => Ok(ended?),
        () = two_signals(signals, &stop) => std::process::exit(INTERRUPTED.into()),
    }
}

#[cfg(feature = "postgres")]
async fn store(serving: &Serving) -> Result<Arc<dyn Store>, Box<dyn Error + Send + Sync>> {
    match &serving.database {
        Some(url) => Ok(Arc::new(bank::store::PgStore::open(url, serving.opening()).await?)),
        None => Ok(Arc::new(MemoryStore::new(serving.opening(), serving.round_trip()))),
    }
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "opening a database takes time")]
async fn store(serving: &Serving) -> Result<Arc<dyn Store>, Box<dyn Error + Send + Sync>> {
    Ok(Arc::new(MemoryStore::new(serving.opening(), serving.round_trip())))
}

/// The first signal stops the service. Resolves at the second one, which ends the program.
async fn two_signals(mut signals: Signals, stop: &CancellationToken) {
    signals.next().await;
    tracing::info!("stopping: open requests are answered first");
    stop.cancel();
    signals.next().await;
}

fn greet(serving: &Serving, address: SocketAddr) {
    let (locks, url) = (serving.locks, format!("http://{address}"));
    let text = format!(
        "bank: listening on {url}, on {locks}. Try:\n\
         curl -i {url}/transfer -H 'content-type: application/json' -d '{{\"from\": \"1-1\", \"to\": \"2-1\", \"amount\": 500}}'\n\
         curl -i {url}/close-month -H 'content-type: application/json' -d '{{\"tenant\": 1, \"month\": \"2026-11\"}}'\n\
         curl -i {url}/statements/1/2026-11\n"
    );
    let mut out = io::stdout();
    // A reader that has gone away does not stop the service.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
