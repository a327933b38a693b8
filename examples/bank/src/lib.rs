//! A small bank over HTTP, whose requests lock tenants and accounts: a service to copy from.
//!
//! ```text
//!   main ─► options
//!     ├───► serve ─► trace
//!     ├───► variant ─► ladder   the lock order and its handlers: the file to copy
//!     │           └──► plain    the same as people write it, for comparison
//!     │                  └────► orders ─► input ─► refusal ─► answers
//!     │                  └────► desk ─► store ─► memory / postgres
//!     └───► load                both variants in turns, and a table
//! ```
//!
//! `docs/BANK.md` says what to copy, and compares the two.

pub mod account;
pub mod amount;
pub mod answers;
pub mod desk;
pub mod input;
pub mod ladder;
pub mod load;
pub mod month;
pub mod options;
pub mod orders;
pub mod plain;
pub mod refusal;
pub mod serve;
pub mod signals;
pub mod store;
mod text;
pub mod trace;
pub mod variant;

/// The snippets of the page about this example, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/BANK.md")]
struct Page;
