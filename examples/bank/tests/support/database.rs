//! A throw-away server of `PostgreSQL`, which listens on a socket in a temporary directory and nowhere else.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The user and group `nobody` of most systems: the server refuses to run as root.
const NOBODY: u32 = 65534;

/// A server that is stopped when it is dropped.
pub(crate) struct Database {
    programs: PathBuf,
    directory: TempDir,
}

impl Database {
    /// Starts a server. `None` if its programs are not installed, which it says loudly.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("NOT TESTED: found no `initdb` and `pg_ctl` of PostgreSQL in PATH or /usr/lib/postgresql/*/bin");
            return None;
        };
        let database = Self { programs, directory: tempfile::tempdir().unwrap() };
        if database.owner() == 0 {
            chown(database.directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = database.data();
        database.run("initdb", &["-D", &data, "-U", "bank", "-A", "trust", "--no-sync"]);
        let options = format!(
            "-c listen_addresses='' -c fsync=off -c deadlock_timeout=10ms -k {}",
            database.directory.path().display()
        );
        let log = format!("{data}/log");
        database.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "start"]);
        Some(database)
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        let directory = self.directory.path().display().to_string().replace('/', "%2F");
        format!("postgres://bank@{directory}/postgres")
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    fn owner(&self) -> u32 {
        fs::metadata(self.directory.path()).unwrap().uid()
    }

    /// Runs a program as the owner of the directory.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        // The server inherits these, and would keep the pipes of the test open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if self.owner() == NOBODY {
            command.uid(NOBODY).gid(NOBODY);
        }
        let status = command.status().unwrap();
        assert!(status.success(), "{program}: {status}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

/// Where the server's programs are.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let places = std::env::split_paths(&path).chain(debian.map(|version| version.path().join("bin")));
    let complete = |place: &Path| ["initdb", "pg_ctl"].iter().all(|program| place.join(program).is_file());
    places.into_iter().find(|place| complete(place))
}
