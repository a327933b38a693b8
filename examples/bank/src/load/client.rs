//! The clients of a pass: a connection each, and a request at a time.

use std::error::Error;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::{Client, StatusCode};
use serde_json::json;

use super::case::Case;

pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// What some clients saw.
#[derive(Debug)]
pub(super) struct Seen {
    /// How long the transfers took that were made, in microseconds.
    pub(super) times: Histogram<u64>,
    /// How many were told that the accounts are busy.
    pub(super) busy: u64,
    /// How many months were closed.
    pub(super) closed: u64,
}

impl Seen {
    pub(super) fn nothing() -> Self {
        Self { times: Histogram::new(3).expect("three significant digits is a precision there is"), busy: 0, closed: 0 }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.times.add(&other.times).expect("a histogram that grows takes any other of its precision");
        self.busy += other.busy;
        self.closed += other.closed;
    }

    fn record(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.times.record(micros).expect("a histogram that grows takes any value");
    }
}

/// A client with a connection of its own.
pub(super) fn connect() -> Result<Client, Failure> {
    Ok(Client::builder().no_proxy().tcp_nodelay(true).build()?)
}

/// Sends transfers until the time is up. The same number chooses the same accounts.
pub(super) async fn transfer(url: String, case: Case, number: u64, until: Instant) -> Result<Seen, Failure> {
    let (client, mut random, mut seen) = (connect()?, StdRng::seed_from_u64(number), Seen::nothing());
    let url = format!("{url}/transfer");
    while Instant::now() < until {
        let order = case.order(&mut random);
        let begun = Instant::now();
        let answer = client.post(&url).json(&order).send().await?;
        let status = answer.status();
        // Read to its end, the answer leaves the connection to the next request.
        answer.bytes().await?;
        match status {
            StatusCode::OK => seen.record(begun.elapsed()),
            StatusCode::SERVICE_UNAVAILABLE => seen.busy += 1,
            other => return Err(format!("{other} for {order}").into()),
        }
    }
    Ok(seen)
}

/// Closes months until the time is up: of each tenant in turn, one after the other is closed.
pub(super) async fn close_months(url: String, case: Case, until: Instant) -> Result<Seen, Failure> {
    let (client, mut seen) = (connect()?, Seen::nothing());
    let months = (0..12 * 9000).map(|month| format!("{:04}-{:02}", 1000 + month / 12, month % 12 + 1));
    for (month, tenant) in
        months.flat_map(|month| (1..=case.opening.tenants).map(move |tenant| (month.clone(), tenant)))
    {
        if Instant::now() >= until {
            break;
        }
        let order = json!({ "tenant": tenant, "month": month });
        let answer = client.post(format!("{url}/close-month")).json(&order).send().await?;
        if answer.status() == StatusCode::ACCEPTED {
            // Waits until the month is closed.
            let statement = client.get(format!("{url}/statements/{tenant}/{month}")).send().await?;
            seen.closed += u64::from(statement.status() == StatusCode::OK);
        }
    }
    Ok(seen)
}
