//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::store::Opening;
use crate::variant::Variant;

/// A small bank over HTTP, whose requests lock tenants and accounts.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Log: RUST_LOG=bank=debug shows each request and how long it waited for locks.\n\
                  Ctrl-C or SIGTERM: open requests are answered, work that was begun is ended; a second one ends at once.\n\
                  Exit code: 0 all well; 1 the service could not start, or the sum changed; 2 wrong option; 130 ended by the \
                  second signal."
)]
pub struct Options {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serving: Serving,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare both variants, in turns, over HTTP on the loopback interface, and print a table
    Load(Load),
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct Serving {
    /// Listen on ADDRESS; port 0 is any free one. Only programs of this machine reach the default
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// Which locks to use
    #[arg(long, value_name = "WHICH", default_value = "ladder")]
    pub locks: Variant,

    /// The longest time that a request waits for its locks, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub patience_ms: u64,

    /// The pause in memory for each round trip to a database, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub round_trip_ms: u64,

    /// Tenants in memory, numbered from 1
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub tenants: u32,

    /// Accounts of each tenant, numbered from 1
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub accounts: u32,

    /// What each account holds at first, in cents
    #[arg(long, value_name = "CENTS", default_value_t = 100_000, value_parser = clap::value_parser!(i64).range(0..=1_000_000_000_000))]
    pub balance: i64,

    /// Keep the accounts in this database of `PostgreSQL`, which is set up if it is empty
    #[cfg(feature = "postgres")]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

impl Serving {
    /// The longest time that a request waits for its locks.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    /// The pause for each round trip.
    pub fn round_trip(&self) -> Duration {
        Duration::from_millis(self.round_trip_ms)
    }

    /// What a new bank has.
    pub fn opening(&self) -> Opening {
        Opening { tenants: self.tenants, accounts: self.accounts, balance: self.balance }
    }
}

/// How to measure.
#[derive(Debug, Clone, Args)]
pub struct Load {
    /// Send requests for N seconds in each pass
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,

    /// Run each variant N times in each case, in turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,

    /// Send from N connections, each a request at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub clients: u32,

    /// Run only the cases whose name contains TEXT
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub only: String,

    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}
