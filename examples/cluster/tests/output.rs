//! A report that cannot be written is no success. A closed pipe is no failure: its reader wants no more of the report.
#![cfg(unix)]

mod support;

use std::fs::File;
use std::process::{Command, Stdio};

use support::cluster;

fn short_run(more: &[&str]) -> Command {
    cluster(&[&["--quiet", "--jobs", "100", "--work-us", "0", "--no-baseline"], more].concat())
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_is_no_success() {
    for format in [&[][..], &["--json"]] {
        let full = File::options().write(true).open("/dev/full").expect("there is one on Linux");
        let output = short_run(format).stdout(full).stderr(Stdio::piped()).output().expect("the program starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("error: cannot write the report: No space left on device"), "{told}");
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    for format in [&[][..], &["--json"]] {
        let mut program = short_run(format).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(program.stdout.take()); // Long before there is a report.
        let output = program.wait_with_output().expect("the program ends");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    }
}
