//! A package outside this workspace: written to a folder, locked to the same versions, and built offline.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of the library.
fn library() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this package is in `tests/support` of the library")
}

/// A package that is to be written.
#[derive(Clone, Debug)]
pub struct Package {
    name: String,
    manifest: String,
}

impl Package {
    /// A package that depends on this library, as a user's does.
    pub fn of_user(name: &str) -> Self {
        let tokio = "tokio = { version = \"1\", features = [\"rt\"] }";
        let path = library().to_str().expect("a path in UTF-8");
        Self::new(name, &format!("lockladder = {{ path = {path:?} }}\n{tokio}\n"))
    }

    /// A package with the dependencies of this library, to be built from its sources.
    pub fn of_sources(name: &str) -> Self {
        let manifest = fs::read_to_string(library().join("Cargo.toml")).expect("the manifest of the library");
        let section = |title: &str| {
            let (_, after) = manifest.split_once(title).expect("the dependencies of the library");
            let (dependencies, _) = after.split_once("\n[").expect("what follows them");
            dependencies.to_owned()
        };
        let linux = "\n[target.'cfg(target_os = \"linux\")'.dependencies]\n";
        Self::new(name, &format!("{}\n{linux}{}\n", section("\n[dependencies]\n"), section(linux)))
    }

    fn new(name: &str, dependencies: &str) -> Self {
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n\
             [workspace]\n\n\
             [dependencies]\n{dependencies}"
        );
        Self { name: name.to_owned(), manifest }
    }

    /// Adds a target of this kind, `lib` or `bin`, whose source is that file.
    #[must_use]
    pub fn target(mut self, kind: &str, name: &str, path: &Path) -> Self {
        let header = if kind == "lib" { "[lib]" } else { "[[bin]]" };
        let path = path.to_str().expect("a path in UTF-8");
        write!(self.manifest, "\n{header}\nname = {name:?}\npath = {path:?}\n").expect("a string takes all");
        self
    }

    /// Writes the package to its own folder within this one: a test passes its `CARGO_TARGET_TMPDIR`.
    pub fn write(self, within: &str) -> Written {
        let folder = Path::new(within).join(self.name);
        fs::create_dir_all(&folder).expect("a folder to write to");
        fs::write(folder.join("Cargo.toml"), self.manifest).expect("a file to write to");
        fs::copy(library().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the versions of this workspace");
        Written { folder }
    }
}

/// A package that has been written.
#[derive(Clone, Debug)]
pub struct Written {
    folder: PathBuf,
}

impl Written {
    /// Runs cargo in the package, and returns its output.
    pub fn cargo(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
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
