//! The compiler's errors are part of the API: each file in `tests/ui` is a misuse, and says in its head what rustc must
//! answer. `ERROR` is the first line of the first error, and each `NOTE` is one of its notes, both to the letter. No
//! other text is compared, so this holds with any recent compiler. All that rustc prints for a case must fit on a
//! screen.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder_test_support::package::Package;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What rustc must answer to a misuse, or did answer.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    error: String,
    notes: Vec<String>,
    /// How many lines the error takes, as rustc renders it, with all errors that follow.
    lines: usize,
    /// Whether the error says more than what is wrong: a note, a help, or a second place in the source.
    helped: bool,
}

/// How many lines fit on a screen.
const SCREEN: usize = 50;

#[test]
fn each_misuse_is_refused_in_our_words() {
    let cases = cases();
    let answers = answers(&cases);
    let mut wrong = String::new();
    for (name, path) in &cases {
        let promised = promised(&fs::read_to_string(path).unwrap());
        assert!(!promised.error.is_empty(), "{name} does not say what it must be answered with");
        let answer = answers.get(name.as_str());
        let error = answer.map_or("it compiles", |answer| &answer.error);
        let missing = |note: &&String| !answer.is_some_and(|answer| answer.notes.contains(note));
        if error != promised.error {
            writeln!(wrong, "{name}: promised `{}`, rustc said `{error}`", promised.error).unwrap();
        }
        let (lines, helped) = answer.map_or((0, false), |answer| (answer.lines, answer.helped));
        if lines > SCREEN {
            writeln!(wrong, "{name}: {lines} lines are more than a screen").unwrap();
        }
        if !helped {
            writeln!(wrong, "{name}: neither a note nor a help says what to do").unwrap();
        }
        for note in promised.notes.iter().filter(missing) {
            writeln!(wrong, "{name}: rustc does not note `{note}`").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases.len() >= 43, "where have the cases gone? {cases:?}");
}

/// The files in `tests/ui`, by name.
fn cases() -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

/// What the head of a case promises.
fn promised(source: &str) -> Answer {
    let lines = |kind: &'static str| source.lines().filter_map(move |line| line.strip_prefix(kind)).map(str::to_owned);
    let (error, notes) = (lines("//! ERROR ").next().unwrap_or_default(), lines("//! NOTE ").collect());
    Answer { error, notes, ..Answer::default() }
}

/// The first error of each case, by the name of the case, and how long all its errors are.
fn answers(cases: &BTreeMap<String, PathBuf>) -> BTreeMap<String, Answer> {
    let package = Package::of_user("ui");
    let package = cases.iter().fold(package, |package, (name, path)| package.target("bin", name, path));
    let output =
        package.write(env!("CARGO_TARGET_TMPDIR")).cargo(&["check", "--keep-going", "--message-format=json"], &[]);
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let report: Value = serde_json::from_str(line).unwrap();
        let (case, message) = (report["target"]["name"].as_str(), &report["message"]);
        if let (Some(case), "compiler-message", "error") =
            (case, report["reason"].as_str().unwrap(), message["level"].as_str().unwrap_or_default())
        {
            let next = answer(message);
            let first = answers.entry(case.to_owned());
            first.and_modify(|first| first.lines += 1 + next.lines).or_insert(next);
        }
    }
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(!answers.is_empty(), "the cases were not compiled at all:\n{trouble}");
    answers
}

fn answer(message: &Value) -> Answer {
    let text = |message: &Value| message["message"].as_str().unwrap().to_owned();
    let children = message["children"].as_array().unwrap();
    let notes = children.iter().filter(|child| child["level"] == "note").map(text).collect();
    let helped = !children.is_empty() || message["spans"].as_array().unwrap().len() > 1;
    Answer { error: text(message), notes, lines: message["rendered"].as_str().unwrap().lines().count(), helped }
}
