//! A package beside this one: written down, locked to the versions of this workspace, and built offline.
#![allow(dead_code, reason = "each test uses a part")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A package in a folder of its own.
pub(crate) struct Package {
    folder: PathBuf,
    manifest: String,
}

impl Package {
    /// One that depends on this library, as a user's does.
    pub(crate) fn of_user(name: &str) -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        let tokio = "tokio = { version = \"1\", features = [\"rt\"] }";
        Self::new(name, &format!("lockladder = {{ path = {root:?} }}\n{tokio}\n"))
    }

    /// One that depends on what this library depends on, to be made of its sources.
    pub(crate) fn of_sources(name: &str) -> Self {
        let manifest = include_str!("../../Cargo.toml");
        let (_, after) = manifest.split_once("\n[dependencies]\n").expect("the dependencies of the library");
        let (dependencies, _) = after.split_once("\n[").expect("what follows them");
        Self::new(name, &format!("{dependencies}\n"))
    }

    fn new(name: &str, dependencies: &str) -> Self {
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n\
             [workspace]\n\n\
             [dependencies]\n{dependencies}"
        );
        Self { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), manifest }
    }

    /// With a target of this kind, `lib` or `bin`, whose source is that file.
    #[must_use]
    pub(crate) fn target(mut self, kind: &str, name: &str, path: &Path) -> Self {
        let header = if kind == "lib" { "[lib]" } else { "[[bin]]" };
        let path = path.to_str().expect("a path in UTF-8");
        write!(self.manifest, "\n{header}\nname = {name:?}\npath = {path:?}\n").expect("a string takes all");
        self
    }

    /// Writes it down.
    pub(crate) fn write(self) -> Written {
        fs::create_dir_all(&self.folder).expect("a folder to write to");
        fs::write(self.folder.join("Cargo.toml"), self.manifest).expect("a file to write to");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        fs::copy(lock, self.folder.join("Cargo.lock")).expect("the versions of this workspace");
        Written { folder: self.folder }
    }
}

/// A package that has been written.
pub(crate) struct Written {
    folder: PathBuf,
}

impl Written {
    /// What cargo answers.
    pub(crate) fn cargo(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO"))
            .args(arguments)
            .arg("--offline")
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTDOCFLAGS")
            .envs(environment.iter().copied())
            .output()
            .expect("cargo runs")
    }
}
