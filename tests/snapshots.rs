//! What rustc prints for each misuse, to the letter: a change of it must be reviewed.
//!
//! The output depends on the compiler's version, so CI runs this test (`cargo test --test snapshots`) and a plain
//! `cargo test` does not; `tests/ui.rs` checks what must hold with any compiler. `TRYBUILD=overwrite` accepts a
//! reviewed difference.

#[test]
fn rustc_prints_what_was_reviewed() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
