//! One lock per key: a name exists while it is in use. Run it: `cargo run --example per_key`.

use lockladder::{OpenSet, SetError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

type Seats = Arc<OpenSet<String>>;

/// Books seats. Their locks are taken at once, so the order in which they are listed does not matter.
async fn book(seats: Seats, guest: &str, wanted: [&str; 2]) -> Result<(), SetError<String>> {
    let held = seats.exclusive(wanted).await?; // both, or it waits and holds neither
    println!("{guest} has {:?}; in use now: {:?}", held.names(), seats.names());
    sleep(Duration::from_millis(20)).await; // pays
    Ok(())
} // here both are released, and the set forgets those that no other request waits for

#[tokio::main]
async fn main() -> Result<(), SetError<String>> {
    let seats = Seats::default();

    println!("Ann and Bob ask for seat 2B, in opposite orders. Eve has seats of her own, and does not wait.");
    tokio::try_join!(
        book(seats.clone(), "Ann", ["1A", "2B"]),
        book(seats.clone(), "Bob", ["2B", "1A"]),
        book(seats.clone(), "Eve", ["7E", "7F"]),
    )?;

    println!("A guard moves into a task of its own, and keeps the set alive.");
    let held = seats.clone().exclusive_owned("1A").await?;
    let cleaning = tokio::spawn(async move { println!("cleaning {:?}", held.names()) });
    cleaning.await.expect("the task does not panic");

    println!("A request that cannot be granted at once says which names are held.");
    let held = seats.exclusive(["1A", "2B"]).await?;
    println!("{}", seats.try_shared(["2B", "3C"]).expect_err("2B is held"));
    drop(held);

    println!("Names left in the set: {:?}", seats.names());
    assert!(seats.names().is_empty());
    Ok(())
}
