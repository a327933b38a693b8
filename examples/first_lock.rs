//! One lock: how requests queue for it, and how they are let in. Run it: `cargo run --example first_lock`.

use lockladder::{AcquireError, SharedLock};
use std::time::Duration;
use tokio::time::sleep;

/// The lock, with the value that it protects. `new` is `const`, so a lock can be a `static`.
static PRICES: SharedLock<Vec<u32>> = SharedLock::new(Vec::new());

async fn read(reader: &str) -> Result<(), AcquireError> {
    let prices = PRICES.shared().await?; // together with other sharers
    println!("{reader} in,  sees {prices:?}");
    sleep(Duration::from_millis(20)).await; // other tasks run meanwhile
    println!("{reader} out");
    Ok(())
} // `prices` is dropped here, and that releases the lock

async fn write(writer: &str, price: u32) -> Result<(), AcquireError> {
    let mut prices = PRICES.exclusive().await?; // alone
    println!("{writer} in,  adds {price}");
    prices.push(price);
    sleep(Duration::from_millis(20)).await;
    println!("{writer} out");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), AcquireError> {
    println!("Requests are let in by their order. Readers that wait together go in together.");
    tokio::try_join!(biased; write("writer 1", 7), read("reader 1"), write("writer 2", 8), read("reader 2"))?;
    assert_eq!(*PRICES.shared().await?, [7, 8]);

    println!("A request that gives up leaves nothing behind.");
    let held = PRICES.exclusive().await?;
    let late = PRICES.shared().timeout(Duration::from_millis(20)).await;
    println!("{}", late.expect_err("the lock is held"));
    drop(held);

    assert!(PRICES.try_exclusive().is_ok(), "the lock is free again");
    Ok(())
}
