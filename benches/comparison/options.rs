//! The command line.

use std::path::PathBuf;

use clap::Parser;

use super::contender::{Contender, OURS};
use super::row::{Extent, Row, Scale};

/// Compares lockladder with its peers, in one interleaved run.
///
/// Every peer does the same work once per round, and each round begins with another peer. The report has medians over
/// the rounds and, in brackets, the median of the per-round ratios of lockladder to the peer: below 1, lockladder is
/// faster.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo bench -p lockladder-benches --bench NAME --")]
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
    test: bool,
}

impl Options {
    /// `cargo bench` passes `--bench`, and `cargo test` does not: that tells them apart.
    pub(crate) fn extent(&self) -> Extent {
        match self {
            Self { test: true, .. } | Self { bench: false, .. } => Extent::Rehearsal,
            Self { quick: true, .. } => Extent::Quick,
            _ => Extent::Full,
        }
    }

    pub(crate) fn rounds<S: Scale>(&self) -> usize {
        self.rounds.map_or_else(|| S::rounds(self.extent()), usize::from)
    }

    pub(crate) fn rows<R: Row>(&self) -> Result<Vec<R>, String> {
        chosen("row", &self.rows, R::ALL.to_vec(), R::to_string)
    }

    /// The contenders asked for, and ours in any case.
    pub(crate) fn contenders<R: Row>(&self, all: Vec<Contender<R>>) -> Result<Vec<Contender<R>>, String> {
        let (ours, others): (Vec<_>, _) = all.into_iter().partition(|contender| contender.name == OURS);
        let others = chosen("peer", &self.peers, others, |contender| contender.name.to_owned())?;
        Ok(ours.into_iter().chain(others).collect())
    }
}

/// The items whose name contains one of the `wanted` words; all items if there are no words.
fn chosen<T>(what: &str, wanted: &[String], all: Vec<T>, name: fn(&T) -> String) -> Result<Vec<T>, String> {
    let names: Vec<_> = all.iter().map(name).collect();
    if let Some(word) = wanted.iter().find(|word| !names.iter().any(|name| name.contains(word.as_str()))) {
        return Err(format!("no {what} is called `{word}`; there are: {}", names.join(", ")));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    Ok(all.into_iter().zip(names).filter(|(_, name)| is_wanted(name)).map(|(one, _)| one).collect())
}
