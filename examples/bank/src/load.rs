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

/// The order of a round. Every second round has the other order, so that neither profits from its place.
const ORDERS: [[Variant; 2]; 2] = [[Variant::Ladder, Variant::Plain], [Variant::Plain, Variant::Ladder]];

/// All passes of one case.
#[derive(Debug)]
struct Findings {
    case: Case,
    rounds: Vec<[Pass; 2]>,
}

/// Measures, and prints the table.
///
/// # Errors
///
/// The service or a client failed, or money was lost.
pub async fn run(plan: &Load) -> Result<(), Box<dyn Error + Send + Sync>> {
    let length = Duration::from_secs(plan.seconds);
    let passes = Case::ALL.len() as u64 * u64::from(plan.rounds) * 2;
    let progress = Progress::new(plan.quiet, length, passes);
    let mut all = Vec::new();
    for case in Case::ALL {
        let mut rounds = Vec::new();
        for order in ORDERS.into_iter().cycle().take(plan.rounds as usize) {
            let mut round = Vec::with_capacity(2);
            for variant in order {
                progress.begin(&format!("{}, {variant}", case.name));
                round.push((variant, pass::run(variant, &case, plan.clients, length, &progress).await?));
            }
            round.sort_by_key(|(variant, _)| *variant != Variant::Ladder);
            let [(_, ladder), (_, plain)] = <[_; 2]>::try_from(round).expect("an order has two variants");
            rounds.push([ladder, plain]);
        }
        all.push(Findings { case, rounds });
    }
    progress.end();
    let mut out = io::stdout();
    match writeln!(out, "{}", report::table(plan, &all)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
