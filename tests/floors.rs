//! Each layer depends on the layers below it and on none above: with all layers above taken away, the rest compiles.

use lockladder_test_support::package::Package;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The files and folders of `src`, from the ground up, without the [`ROOF`].
const FLOORS: [(&str, &[&str]); 5] = [
    (
        "ground",
        &[
            "abridged",
            "by_mode",
            "clock",
            "deadline",
            "error",
            "error_kind",
            "mode",
            "panics",
            "priority",
            "sync",
            "table",
            "wants",
        ],
    ),
    ("lock", &["lock"]),
    ("set", &["set"]),
    ("level", &["level"]),
    ("manager", &["manager"]),
];

/// The sources of the library.
fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn what_is_left_compiles_when_all_above_a_floor_is_taken_away() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("floors-sources");
    copy_all(&src(), &copy);
    let mut house = Package::of_sources("floors");
    for (at, (name, _)) in FLOORS.iter().enumerate() {
        let mut root = String::from("#![allow(unused, unexpected_cfgs, reason = \"what is above uses it\")]\n");
        for module in FLOORS[..=at].iter().flat_map(|(_, modules)| *modules) {
            writeln!(root, "mod {module};").expect("a string takes all");
        }
        root.push_str("fn main() {}\n");
        let path = copy.join(format!("up_to_{name}.rs"));
        fs::write(&path, root).expect("a file to write to");
        house = house.target("bin", name, &path);
    }
    let checked = house.write(env!("CARGO_TARGET_TMPDIR")).cargo(&["check", "--bins", "--keep-going"], &[]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// Replaces the folder `to` by a copy of `from`.
fn copy_all(from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    fs::create_dir_all(to).expect("a folder to write to");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("a file")) {
        let copy = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &copy);
        } else {
            fs::copy(entry.path(), copy).expect("a file to write to");
        }
    }
}

#[test]
fn every_file_at_the_top_of_the_sources_stands_on_a_floor_or_is_the_roof() {
    let files = fs::read_dir(src()).expect("the sources").map(|file| file.expect("a file").path());
    let mut found: Vec<_> = files
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .filter(|file| !ROOF.contains(&file.as_str()))
        .collect();
    let mut known: Vec<_> =
        FLOORS.iter().flat_map(|(_, modules)| *modules).map(|module| (*module).to_owned()).collect();
    found.sort();
    found.dedup();
    known.sort();
    assert_eq!(found, known);
}

/// What depends on all floors: `lib.rs`, and the examples of hierarchies.
const ROOF: [&str; 2] = ["lib", "ganeti"];
