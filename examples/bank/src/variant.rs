//! The two variants of the service, which differ in their locks alone.

use std::fmt;

use axum::Router;
use clap::ValueEnum;

use crate::desk::Desk;
use crate::{ladder, plain};

/// Which locks the service uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// A hierarchy of lockladder.
    Ladder,
    /// Maps of tokio's locks, sorted by hand.
    Plain,
}

/// A service on which nothing is locked yet.
pub struct Opened {
    /// Its paths.
    pub router: Router,
    /// Counts the names that its locks know at the moment.
    pub names: Box<dyn Fn() -> usize + Send + Sync>,
}

impl Variant {
    /// The service on these locks.
    pub fn open(self, desk: Desk) -> Opened {
        match self {
            Self::Ladder => {
                let bank = ladder::Bank::new(desk);
                let locks = bank.locks.clone();
                let names = move || locks.names::<ladder::Tenant>().len() + locks.names::<ladder::Account>().len();
                Opened { router: bank.router(), names: Box::new(names) }
            }
            Self::Plain => {
                let bank = plain::Bank::new(desk);
                let locks = bank.locks.clone();
                Opened { router: bank.router(), names: Box::new(move || locks.entries()) }
            }
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ladder => "lockladder",
            Self::Plain => "DashMap of tokio's locks",
        })
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("names", &(self.names)()).finish_non_exhaustive()
    }
}
