//! What the documentation says about errors, read from the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The name of each variant, and its kind.
pub(crate) type Kinds = BTreeMap<String, String>;

/// The kinds in the table in the documentation of `ErrorKind`.
pub(crate) fn kinds_in_the_table() -> Kinds {
    let source = fs::read_to_string(sources().join("error_kind.rs")).unwrap();
    let rows = source.lines().filter_map(|line| line.strip_prefix("/// | ["));
    let mut kinds = Kinds::new();
    for row in rows {
        let [errors, kind, advice] = row.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        assert!(advice.len() > 10, "it says what to do: {row}");
        for error in errors.split('`').skip(1).step_by(2) {
            let twice = kinds.insert(error.to_owned(), kind.trim_matches('`').to_owned());
            assert_eq!(twice, None, "{error}");
        }
    }
    kinds
}

/// The variants of all errors in the sources, with the kind that the documentation of each names.
pub(crate) fn kinds_in_the_sources() -> Kinds {
    files(&sources()).iter().flat_map(|file| kinds_in(&fs::read_to_string(file).unwrap())).collect()
}

/// Reads a file as `cargo fmt` has written it.
fn kinds_in(source: &str) -> Kinds {
    let (mut kinds, mut error, mut words) = (Kinds::new(), None, String::new());
    for line in source.lines() {
        let words_of_an_item = line.strip_prefix("    ").unwrap_or(line).strip_prefix("/// ");
        let variant = line.strip_prefix("    ").filter(|rest| rest.starts_with(char::is_uppercase)).map(name);
        match (words_of_an_item, &error, variant) {
            (Some(more), ..) => {
                words.push_str(more);
                continue;
            }
            (_, Some(error), Some(variant)) => drop(kinds.insert(format!("{error}::{variant}"), kind(&words))),
            _ if line.starts_with("pub enum ") => error = error_after("pub enum ", line),
            _ if line == "}" => error = None,
            _ => match error_after("pub struct ", line) {
                Some(error) => drop(kinds.insert(error.to_owned(), kind(&words))),
                None => continue, // Attributes stand between the words and the item.
            },
        }
        words.clear();
    }
    kinds
}

/// The name of the error that a line declares.
fn error_after<'l>(keyword: &str, line: &'l str) -> Option<&'l str> {
    line.strip_prefix(keyword).map(name).filter(|name| name.ends_with("Error"))
}

fn name(line: &str) -> &str {
    line.split(|char: char| !char.is_alphanumeric()).next().unwrap()
}

/// The kind to which the documentation links.
fn kind(words: &str) -> String {
    let link = words.split_once("(ErrorKind::").and_then(|(_, link)| link.split_once(')'));
    link.map_or_else(|| "none".to_owned(), |(kind, _)| kind.to_owned())
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
