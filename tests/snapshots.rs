//! What rustc prints for each misuse, to the letter: looked at before it changes.
//!
//! Depends on the compiler's version, so CI runs it (`cargo test --test snapshots`) and a plain `cargo test` does not;
//! `tests/ui.rs` checks what must hold with any compiler. After a look at the difference, `TRYBUILD=overwrite` accepts it.

#[test]
fn rustc_prints_what_was_reviewed() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
