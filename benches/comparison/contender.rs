//! What takes part in a comparison, and how it is asked.

use std::fmt;

use super::row::Row;
use super::stage::Stage;

/// The contender that the others are compared with.
pub(crate) const OURS: &str = "lockladder";

/// Does the work once, and returns a value for each column; `None` if the contender cannot do it.
pub(crate) type Sampler<'a, S> = Box<dyn FnMut(&S) -> Option<Vec<f64>> + 'a>;

/// Makes what a row needs, untimed; `None` if the contender cannot do the row.
pub(crate) type Prepare<R, S> = for<'a> fn(R, &'a Stage, &S) -> Option<Sampler<'a, S>>;

/// A peer, and how it is asked.
pub(crate) struct Contender<R: Row> {
    pub(crate) name: &'static str,
    /// The package it comes from.
    pub(crate) package: &'static str,
    pub(crate) prepare: Prepare<R, R::Scale>,
}

impl<R: Row> fmt::Debug for Contender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).field("package", &self.package).finish_non_exhaustive()
    }
}
