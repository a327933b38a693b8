//! Both variants of the service in turns, over HTTP on the loopback interface, and a table of what they did.
//!
//! ```text
//!   for each case, for each round:   a pass of one variant ─► a pass of the other one
//!   a pass:   a new service ◄── N connections, each a transfer at a time
//! ```
//!
//! Clients and service share the machine, and each pass has accounts and locks of its own. What others do on the machine
//! meanwhile changes the figures, but much the same in both passes of a round: so the ratio says more than they do.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use crate::options::Load;
use crate::variant::Variant;

mod case;
mod client;
mod pass;
mod progress;
mod report;

use case::Case;
use pass::Pass;
use progress::Progress;

/// All passes of one case.
#[derive(Debug)]
struct Findings {
    case: Case,
    rounds: Vec<Round>,
}

/// A pass of each variant, one after the other.
#[derive(Debug)]
struct Round {
    ladder: Pass,
    plain: Pass,
}

/// Measures, and prints the table.
///
/// # Errors
///
/// No case is chosen, the service or a client failed, or the sum changed.
pub async fn run(options: &Load) -> Result<(), Box<dyn Error + Send + Sync>> {
    let length = Duration::from_secs(options.seconds);
    let cases: Vec<_> = Case::ALL.into_iter().filter(|case| case.name.contains(&options.only)).collect();
    if cases.is_empty() {
        let names = Case::ALL.map(|case| format!("`{}`", case.name)).join(", ");
        return Err(format!("no case contains `{}`; there are {names}", options.only).into());
    }
    let passes = cases.len() as u64 * u64::from(options.rounds) * 2;
    let progress = Progress::new(options.quiet, length, passes);
    let mut all = Vec::new();
    for case in cases {
        let pass = async |variant| {
            progress.begin(&format!("{}, {variant}", case.name));
            pass::run(variant, &case, options.clients, length, &progress).await
        };
        let mut rounds = Vec::new();
        for number in 0..options.rounds {
            // Neither profits from its place in the order.
            let round = if number % 2 == 0 {
                let ladder = pass(Variant::Ladder).await?;
                Round { ladder, plain: pass(Variant::Plain).await? }
            } else {
                let plain = pass(Variant::Plain).await?;
                Round { ladder: pass(Variant::Ladder).await?, plain }
            };
            rounds.push(round);
        }
        all.push(Findings { case, rounds });
    }
    progress.end();
    let mut out = io::stdout();
    match writeln!(out, "{}", report::table(options, &all)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
