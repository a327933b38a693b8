//! Starts the program as a service, and talks to it over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::cluster;

/// Work that no test waits for: a step takes more than an hour.
pub(crate) const ENDLESS: [&str; 2] = ["--work-us", "4000000000"];

/// The running program. It is killed when this is dropped.
pub(crate) struct Service {
    child: Option<Child>,
    pub(crate) url: String,
    pub(crate) client: Client,
    said: Lines<BufReader<ChildStderr>>,
}

impl Service {
    /// A service on a free port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = cluster(&[&["--serve", "127.0.0.1:0", "--json"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = said.next().unwrap().unwrap();
        let url = first.strip_prefix("cluster: listening on ").and_then(|rest| rest.strip_suffix(". Try:"));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { url: url.unwrap().to_owned(), child: Some(child), client, said }
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> (StatusCode, Value) {
        told(self.client.request(method, format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path).await
    }

    pub(crate) async fn delete(&self, job: &Value) -> (StatusCode, Value) {
        self.send(Method::DELETE, &format!("/jobs/{job}")).await
    }

    pub(crate) async fn post(&self, body: &Value) -> (StatusCode, Value) {
        told(self.client.post(format!("{}/jobs", self.url)).json(body).send().await.unwrap()).await
    }

    /// Posts a job, and returns its number.
    pub(crate) async fn begin(&self, job: &Value) -> Value {
        let (status, told) = self.post(job).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{told}");
        told["id"].clone()
    }

    /// Waits, without a clock, until the job is in this state. Returns what is told of it.
    pub(crate) async fn reaches(&self, job: &Value, state: &str) -> Value {
        self.reaches_any(job, &[state]).await
    }

    /// Waits, without a clock, until the job is in one of these states.
    pub(crate) async fn reaches_any(&self, job: &Value, any_of: &[&str]) -> Value {
        loop {
            let (status, told) = self.get(&format!("/jobs/{job}")).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            if any_of.iter().any(|state| told["state"] == json!(state)) {
                return told;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    /// Reads what the program says, up to a line with these words.
    pub(crate) fn says(&mut self, words: &str) {
        self.said.by_ref().map_while(Result::ok).find(|line| line.contains(words)).expect(words);
    }

    /// Waits for the end of the program.
    pub(crate) fn ends(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn told(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap())
}
