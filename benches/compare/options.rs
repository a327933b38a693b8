//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::peers::{self, OURS};
use crate::rows::{Contender, Row, Scale};

/// Compares lockladder's lock with its peers, in one interleaved run.
///
/// Every peer does the same work once per round, each round begun by another one. Printed are medians over the rounds
/// and, in brackets, the median of the per-round ratios of lockladder to the peer: below 1, lockladder is faster.
#[derive(Debug, Parser)]
#[command(name = "compare")]
pub(crate) struct Options {
    /// Rounds per row
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,

    /// Fewer and shorter rounds: for a first look
    #[arg(long)]
    quick: bool,

    /// Writes the results to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Measures only rows whose name contains this (repeatable)
    #[arg(long = "row", value_name = "NAME")]
    rows: Vec<String>,

    /// Compares only with peers whose name contains this (repeatable)
    #[arg(long = "peer", value_name = "NAME")]
    peers: Vec<String>,

    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,

    /// One tiny round, to see that everything works: what `cargo test --benches` asks for
    #[arg(long)]
    pub(crate) test: bool,
}

impl Options {
    /// Whether this is a rehearsal, whose times mean nothing. As with criterion, `cargo test` is known by what it does
    /// not pass.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.test || !self.bench
    }

    pub(crate) fn scale(&self) -> Scale {
        let full = Scale {
            rounds: 31,
            cycles: 100_000,
            relays: 5_000,
            waiters: 100_000,
            cancels: 10_000,
            time: Duration::from_millis(100),
        };
        let mut scale = full;
        if self.quick {
            scale = Scale { rounds: 9, relays: 2_000, time: Duration::from_millis(40), ..full };
        }
        if self.is_rehearsal() {
            let time = Duration::from_millis(1);
            scale = Scale { rounds: 1, cycles: 100, relays: 10, waiters: 100, cancels: 100, time };
        }
        Scale { rounds: self.rounds.map_or(scale.rounds, usize::from), ..scale }
    }

    pub(crate) fn rows(&self) -> Result<Vec<Row>, String> {
        chosen("row", &self.rows, Row::ALL.into(), Row::to_string)
    }

    /// Those asked for, and ours in any case.
    pub(crate) fn contenders(&self) -> Result<Vec<Contender>, String> {
        let (ours, others) = peers::all().into_iter().partition(|contender| contender.name == OURS);
        let (ours, others): (Vec<_>, _) = (ours, others);
        let others = chosen("peer", &self.peers, others, |contender| contender.name.to_owned())?;
        Ok(ours.into_iter().chain(others).collect())
    }
}

/// Those whose name contains one of the `wanted` words; all if there are none.
fn chosen<T>(what: &str, wanted: &[String], all: Vec<T>, name: fn(&T) -> String) -> Result<Vec<T>, String> {
    let names: Vec<_> = all.iter().map(name).collect();
    if let Some(word) = wanted.iter().find(|word| !names.iter().any(|name| name.contains(word.as_str()))) {
        return Err(format!("no {what} is called `{word}`; there are: {}", names.join(", ")));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    Ok(all.into_iter().zip(names).filter(|(_, name)| is_wanted(name)).map(|(one, _)| one).collect())
}
