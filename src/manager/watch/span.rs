//! A span whose subscriber may panic.
//!
//! Closing a span, and leaving it, are foreign code, and happen in destructors: while the thread panics already, one more
//! panic there would abort the process.

use crate::panics::quietly;
use std::mem;
use std::ops::Deref;
use tracing::Span;

/// A span that is closed quietly.
pub(super) struct QuietSpan(Span);

impl QuietSpan {
    /// The span that this makes; none if making it panics, or if no subscriber wants it.
    pub(super) fn of(make: impl FnOnce() -> Span) -> Self {
        Self(quietly(make).unwrap_or_else(Span::none))
    }

    pub(super) fn none() -> Self {
        Self(Span::none())
    }

    /// The same span once more.
    pub(super) fn again(&self) -> Self {
        Self::of(|| self.0.clone())
    }

    /// Runs foreign code in the span. What it returns is dropped if the subscriber panics as the span is left.
    pub(super) fn inside<R>(&self, tell: impl FnOnce() -> R) -> Option<R> {
        self.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        let told = quietly(tell);
        self.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        told
    }
}

impl Deref for QuietSpan {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.0
    }
}

impl Drop for QuietSpan {
    fn drop(&mut self) {
        if !self.0.is_none() {
            let span = mem::replace(&mut self.0, Span::none());
            quietly(|| drop(span));
        }
    }
}
