//! The program ends by signals: the first one drains, the second one does not wait.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use reqwest::StatusCode;
use serde_json::json;
use support::client;

struct Program {
    child: Child,
    url: String,
    log: Lines<BufReader<ChildStderr>>,
    // Kept open: the program may still write to it.
    _out: BufReader<ChildStdout>,
}

impl Program {
    fn start(round_trip_ms: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
        command.args(["--listen", "127.0.0.1:0", "--round-trip-ms", round_trip_ms]);
        command.env("RUST_LOG", "bank=info").env("NO_COLOR", "1");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let address = first.strip_prefix("bank: listening on ").unwrap().split(',').next().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { url: address.to_owned(), child, log, _out: out }
    }

    async fn close_month(&self) {
        let request = client().post(format!("{}/close-month", self.url));
        let answer = request.json(&json!({"tenant": 1, "month": "2026-11"})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Reads the log up to a line with these words.
    fn read_to(&mut self, words: &str) {
        self.log.by_ref().map_while(Result::ok).find(|line| line.contains(words)).expect(words);
    }
}

#[tokio::test]
async fn after_the_first_signal_the_program_ends_what_was_begun() {
    for signal in ["-INT", "-TERM"] {
        let mut program = Program::start("20");
        program.close_month().await;
        program.signal(signal);
        program.read_to("stopping");
        program.read_to("closed");
        assert_eq!(program.child.wait().unwrap().code(), Some(0));
    }
}

#[tokio::test]
async fn after_the_second_signal_the_program_ends_at_once() {
    let mut program = Program::start("1000");
    program.close_month().await;
    program.signal("-INT");
    program.read_to("stopping");
    program.signal("-INT");
    assert_eq!(program.child.wait().unwrap().code(), Some(130));
}
