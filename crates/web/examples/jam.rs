//! A small bank whose locks can be watched: `cargo run --release -p lockladder-web --example jam`, then open the address
//! that it prints.
//!
//! The close of month 7 never ends, so the requests of tenant 7 pile up behind it. With `healthy` as an argument, it does
//! end. A number is the port; a second number is how many more sessions there are, each with an account of its own.
//!
//! The pictures in `docs` are of this program.

use axum::Router;
use lockladder::{LockManager, SessionError, hierarchy};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;

hierarchy! {
    /// The lock order of the bank.
    pub struct Bank {
        root Ledger,
        open level Tenant: u64,
        open level Account: u64,
    }
}

type Locks = Arc<LockManager<Bank>>;

/// Numbers without a pattern that the eye sees.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A transfer between two accounts of a tenant.
async fn transfer(locks: &Locks, dice: &mut Dice) -> Result<(), SessionError> {
    let tenant = 5 + dice.below(4);
    let from = tenant * 100 + dice.below(6);
    let to = tenant * 100 + 10 + dice.below(6);
    let session = locks.shared(format!("transfer {from}→{to}")).await?;
    let session = session.shared::<Tenant>(tenant).await?;
    let session = session.exclusive::<Account>([from, to]).await?;
    sleep(Duration::from_millis(100 + dice.below(600))).await;
    drop(session);
    Ok(())
}

/// A statement reads the accounts of a tenant.
async fn statement(locks: &Locks, dice: &mut Dice) -> Result<(), SessionError> {
    let tenant = 5 + dice.below(4);
    let session = locks.shared(format!("statement of tenant {tenant}")).await?;
    let session = session.shared::<Tenant>(tenant).await?;
    let session = session.shared::<Account>([tenant * 100, tenant * 100 + 1]).await?;
    sleep(Duration::from_millis(200 + dice.below(600))).await;
    drop(session);
    Ok(())
}

/// The close of a month has its tenant alone.
async fn close_month(locks: &Locks, is_stuck: bool) -> Result<(), SessionError> {
    let session = locks.shared("close month 7").await?;
    let session = session.exclusive::<Tenant>(7).await?;
    if is_stuck {
        pending::<()>().await;
    }
    sleep(Duration::from_millis(700)).await;
    drop(session);
    Ok(())
}

/// One client after another: each waits a while between two requests.
async fn client(locks: Locks, number: u64) -> Result<(), SessionError> {
    let mut dice = Dice(number);
    loop {
        sleep(Duration::from_millis(200 + dice.below(4_000))).await;
        if number % 3 == 0 { statement(&locks, &mut dice).await? } else { transfer(&locks, &mut dice).await? }
    }
}

async fn closes(locks: Locks, is_stuck: bool) -> Result<(), SessionError> {
    loop {
        sleep(Duration::from_secs(20)).await;
        close_month(&locks, is_stuck).await?;
    }
}

/// A session that holds an account and does nothing.
async fn idle(locks: Locks, account: u64) -> Result<(), SessionError> {
    let session = locks.shared(format!("idle {account}")).await?;
    let session = session.exclusive::<Account>(account).await?;
    pending::<()>().await;
    drop(session);
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let (port, more) = (numbers.next().unwrap_or(3_900), numbers.next().unwrap_or(0));
    let is_stuck = !arguments.iter().any(|argument| argument == "healthy");

    let locks: Locks = Arc::new(LockManager::builder().build());
    (1..=9).for_each(|number| drop(tokio::spawn(client(Arc::clone(&locks), number))));
    (0..more).for_each(|number| drop(tokio::spawn(idle(Arc::clone(&locks), 10_000 + number))));
    tokio::spawn(closes(Arc::clone(&locks), is_stuck));

    let page = lockladder_web::router(move || locks.locks());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://127.0.0.1:{port}/locks");
    axum::serve(listener, Router::new().nest_service("/locks", page)).await
}
