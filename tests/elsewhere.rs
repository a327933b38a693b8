//! `hierarchy!` in a user's crate, under every lint that a user may switch on: `tests/elsewhere/user.rs`.

use lockladder_test_support::package::{Package, Written};
use std::path::Path;
use std::process::Output;

fn user() -> Written {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/elsewhere/user.rs");
    Package::of_user("elsewhere").target("lib", "user", &source).write(env!("CARGO_TARGET_TMPDIR"))
}

fn is_silent(step: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{step} is not silent:\n{said}");
}

#[test]
fn a_hierarchy_of_another_crate_passes_every_lint_and_is_documented() {
    let user = user();
    // With a compiler chosen by `RUSTC`, clippy may be of another version, which cannot read what the compiler writes.
    let chosen = std::env::var_os("RUSTC").is_some();
    let clippy = !chosen && user.cargo(&["clippy", "--version"], &[]).status.success();
    if !clippy {
        println!("there is no clippy here: `cargo check` stands in for it, and its lints are not looked at");
    }
    let lint = if clippy { "clippy" } else { "check" };
    is_silent(lint, &user.cargo(&[lint], &[("RUSTFLAGS", "-D warnings")]));
    is_silent("doc", &user.cargo(&["doc", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")]));
}
