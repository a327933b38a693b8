//! `docs/PORTING.md` shows both versions as they are compiled here, and counts them.

pub const PAGE: &str = include_str!("../../docs/PORTING.md");
const BEFORE: &str = include_str!("before.rs");
const AFTER: &str = include_str!("after.rs");

/// The lines of code, without comments and blank lines.
fn lines(code: &str) -> impl Iterator<Item = &str> {
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
}

/// The characters of these lines, without white space.
fn characters(code: &str) -> usize {
    lines(code).flat_map(str::chars).filter(|character| !character.is_whitespace()).count()
}

#[test]
fn the_page_shows_both_versions_as_they_are_tested() {
    for (file, code) in [("before.rs", BEFORE), ("after.rs", AFTER)] {
        assert!(
            PAGE.contains(&format!("```rust\n{code}```\n")),
            "`tests/port/{file}` has changed: copy it to the page"
        );
    }
}

#[test]
fn the_port_is_shorter_by_what_the_page_says() {
    let row = format!("| lines | {} | {} |", lines(BEFORE).count(), lines(AFTER).count());
    assert!(PAGE.contains(&row), "the page lacks the row: {row}");
    let row = format!("| characters | {} | {} |", characters(BEFORE), characters(AFTER));
    assert!(PAGE.contains(&row), "the page lacks the row: {row}");
    assert!(lines(AFTER).count() < lines(BEFORE).count());
}
