//! Locks in levels: the compiler checks the order in which they are taken. Run it: `cargo run --example lock_order`.

use lockladder::{All, LockManager, Session, SessionError, held, hierarchy};
use std::time::Duration;

hierarchy! {
    /// The lock order of a warehouse. Each job climbs it from the top line to the bottom line.
    pub struct Warehouse {
        root Site,            // every job has it, shared or exclusive
        level Shelf: String,
        level Robot: u32,
    }
}

/// The type says what the job holds at the end.
type Moving = Session<Warehouse, held![shared Site, exclusive Shelf, exclusive Robot]>;

async fn fetch(locks: &LockManager<Warehouse>, shelf: &str) -> Result<Moving, SessionError> {
    let job = locks.shared(format!("fetch {shelf}")).await?; // the root first: there is no other way in
    let job = job.exclusive::<Shelf>(shelf).await?;
    // With these two steps in the other order, this program does not compile, and rustc says:
    //     error[E0277]: lock order violation: cannot acquire level `Shelf` while holding level `Robot`
    job.exclusive::<Robot>(All).at_least(1).await // as many robots as are free now, but at least one
}

#[tokio::main]
async fn main() -> Result<(), SessionError> {
    let locks: LockManager<Warehouse> =
        LockManager::builder().names::<Shelf>(["A", "B"]).names::<Robot>([1, 2]).build();

    let mut job = fetch(&locks, "A").await?;
    println!("a job climbs:      {job:?}");
    job.release_names::<Robot>(2)?; // a part of a level goes early
    println!("robot 2 goes back: {job:?}");

    let other = fetch(&locks, "B").await?;
    println!("another job:       {other:?}");

    let mut third = locks.shared("third").await?;
    let late = third.nest().shared::<Shelf>("A").timeout(Duration::from_millis(20)).await;
    println!("a third job:       {}", late.expect_err("shelf A is held"));

    let job = job.release::<Shelf>(); // a level in the middle, while the robot goes on
    println!("the shelf goes:    {job:?}");
    let third = third.shared::<Shelf>("A").await?;
    println!("the third goes on: {third:?}");

    drop((job, other, third)); // releases the rest, the highest level of each first
    let alone = locks.try_exclusive("stocktaking")?;
    println!("and one alone:     {alone:?}");
    Ok(())
}
