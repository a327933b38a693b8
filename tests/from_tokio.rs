//! `docs/FROM_TOKIO.md` says what is so: its code is compiled, and the two libraries differ where it says that they do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::SharedLock;
use tokio::sync::RwLock;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};

const PAGE: &str = include_str!("../docs/FROM_TOKIO.md");

/// The cells of the tables, row by row. A `|` within a cell is written `\|`.
fn rows() -> impl Iterator<Item = Vec<String>> {
    PAGE.lines().filter(|line| line.starts_with('|')).map(|line| {
        let cells = line.replace(r"\|", "\n");
        cells.trim_matches('|').split('|').map(|cell| cell.replace('\n', "|")).collect()
    })
}

#[test]
fn every_line_of_code_that_stands_for_one_of_tokio_is_compiled() {
    let (_, snippet) = PAGE.split_once("```rust\n").unwrap();
    let (snippet, _) = snippet.split_once("```").unwrap();
    let mut lines = 0;
    for row in rows() {
        for code in row[1].split('`').skip(1).step_by(2) {
            assert!(snippet.contains(code), "the snippet does not contain `{code}`");
            lines += 1;
        }
    }
    assert!(lines > 35, "only {lines} lines of code were found: has the page another form?");
}

#[test]
fn readers_that_wait_together_go_in_together_and_one_by_one_in_tokio() {
    let (theirs, ours) = (RwLock::new(()), SharedLock::new(()));
    let (their_owner, our_owner) = (theirs.try_write().unwrap(), ours.try_exclusive().unwrap());

    let (mut one, mut writer, mut other) =
        (task::spawn(theirs.read()), task::spawn(theirs.write()), task::spawn(theirs.read()));
    assert_pending!(one.poll());
    assert_pending!(writer.poll());
    assert_pending!(other.poll());
    drop(their_owner);
    let _one = assert_ready!(one.poll());
    assert_pending!(other.poll());

    let (mut one, mut writer, mut other) =
        (task::spawn(ours.shared()), task::spawn(ours.exclusive()), task::spawn(ours.shared()));
    assert_pending!(one.poll());
    assert_pending!(writer.poll());
    assert_pending!(other.poll());
    drop(our_owner);
    let (_one, _other) = (assert_ready_ok!(one.poll()), assert_ready_ok!(other.poll()));
    assert_pending!(writer.poll());
}

#[test]
fn a_downgrade_lets_in_the_readers_that_wait_and_in_tokio_those_before_the_first_writer() {
    let (theirs, ours) = (RwLock::new(()), SharedLock::new(()));
    let (their_owner, our_owner) = (theirs.try_write().unwrap(), ours.try_exclusive().unwrap());

    let (mut writer, mut reader) = (task::spawn(theirs.write()), task::spawn(theirs.read()));
    assert_pending!(writer.poll());
    assert_pending!(reader.poll());
    let _shared = their_owner.downgrade();
    assert_pending!(reader.poll());

    let (mut writer, mut reader) = (task::spawn(ours.exclusive()), task::spawn(ours.shared()));
    assert_pending!(writer.poll());
    assert_pending!(reader.poll());
    let _shared = our_owner.downgrade();
    drop(assert_ready_ok!(reader.poll()));
    assert_pending!(writer.poll());
}
