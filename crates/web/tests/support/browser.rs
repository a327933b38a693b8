//! Chromium without a window, driven by its `chromedriver`.
//!
//! Where one of the two is not installed, a test says so and passes, unless the environment variable `LOCKLADDER_BROWSER`
//! is `required`.

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use lockladder::{Exclusive, Guard, SharedLock};
use serde_json::{Value, json};
use std::fmt::Debug;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Duration, Instant, sleep};

/// What Chromium is told: no window, as root, and no talk with its maker.
const SWITCHES: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// One browser at a time is enough for a small machine.
static ONE: SharedLock<()> = SharedLock::new(());

/// How long a test waits for what must come at last.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Browser {
    pub(crate) client: Client,
    driver_address: String,
    _driver: Child,
    _profile: TempDir,
    _one: Guard<&'static SharedLock<()>, Exclusive>,
}

impl Browser {
    /// A browser on a desk. `None` where none is installed.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::with(test, json!({})).await
    }

    /// A browser as on a phone, 390 pixels wide. `None` where none is installed.
    pub(crate) async fn on_phone(test: &str) -> Option<Self> {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
        Self::with(test, json!({ "mobileEmulation": { "deviceMetrics": metrics } })).await
    }

    async fn with(test: &str, mut options: Value) -> Option<Self> {
        let is_installed = |name: &str| std::process::Command::new(name).arg("--version").output().is_ok();
        if !(is_installed("chromium") && is_installed("chromedriver")) {
            let is_required = std::env::var("LOCKLADDER_BROWSER").is_ok_and(|value| value == "required");
            assert!(!is_required, "chromium or chromedriver is not installed, and LOCKLADDER_BROWSER=required");
            #[allow(clippy::explicit_write, reason = "the test runner keeps to itself what `eprintln!` prints")]
            writeln!(std::io::stderr(), "\n!!! SKIPPED: {test}: chromium or chromedriver is not installed\n").unwrap();
            return None;
        }
        let one = ONE.exclusive().await.unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says its port");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let own = [format!("--user-data-dir={}", profile.path().display()), "--window-size=1200,1400".to_owned()];
        let switches: Vec<String> = SWITCHES.into_iter().map(str::to_owned).chain(own).collect();
        options["args"] = json!(switches);
        let wanted = json!({ "goog:chromeOptions": options });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Some(Self {
            client,
            driver_address: format!("127.0.0.1:{port}"),
            _driver: driver,
            _profile: profile,
            _one: one,
        })
    }

    /// What a script of the test returns, run in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What the page shows in the elements of a selector, and how it is read aloud.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let script = "return [...document.querySelectorAll(arguments[0])].map(node => node.innerText).join('\\n')";
        let text = self.client.execute(script, vec![json!(selector)]).await.unwrap();
        text.as_str().unwrap().to_owned()
    }

    /// Waits until a script returns this.
    pub(crate) async fn until<V: PartialEq<Value> + Debug>(&self, script: &str, expected: V) {
        let began = Instant::now();
        loop {
            let value = self.run(script).await;
            if expected == value {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{script} is {value}, not {expected:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until an element shows this text.
    pub(crate) async fn until_shown(&self, selector: &str, text: &str) {
        let began = Instant::now();
        loop {
            let shown = self.text(selector).await;
            if shown.contains(text) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{selector} shows {shown:?}, not {text:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

/// A test that fails leaves no Chromium behind either: the driver ends it, if it is told to go.
impl Drop for Browser {
    fn drop(&mut self) {
        let told = TcpStream::connect(&self.driver_address).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            stream.read_to_end(&mut Vec::new())
        });
        drop(told); // What it says does not matter: it is killed next.
    }
}
