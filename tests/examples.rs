//! The three programs for newcomers run to their end, and print what they are there to show.
#![cfg(not(any(lockladder_loom, lockladder_shuttle)))]

use std::process::Command;

/// Runs an example, which cargo has built beside the tests already, and returns what it prints.
fn run(example: &str) -> String {
    let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--package", "lockladder", "--example", example])
        .args(profile)
        .output()
        .expect("cargo runs");
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "`{example}` failed:\n{printed}{errors}");
    printed.into_owned()
}

/// The lines of a text that tell of requests that are let in.
fn let_in(printed: &str) -> Vec<&str> {
    printed.lines().filter_map(|line| line.split_once(" in, ").map(|(name, _)| name)).collect()
}

#[test]
fn first_lock_lets_the_readers_that_wait_in_together() {
    let printed = run("first_lock");
    assert_eq!(let_in(&printed), ["writer 1", "reader 1", "reader 2", "writer 2"], "{printed}");
    assert!(printed.contains("gave up on the lock after "), "{printed}");
}

#[test]
fn per_key_ends_with_no_name_left() {
    let printed = run("per_key");
    assert!(printed.ends_with("Names left in the set: []\n"), "{printed}");
}

#[test]
fn lock_order_shows_what_each_step_of_a_job_holds() {
    let printed = run("lock_order");
    assert!(printed.contains("Robot: (Exclusive, [1, 2]), Shelf: (Exclusive, [\"A\"]), Site: Shared"), "{printed}");
    assert!(printed.contains("blocked on `A`"), "{printed}");
}
