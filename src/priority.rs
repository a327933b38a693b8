//! The priority of a request.

use crate::error_kind::ErrorKind;
use thiserror::Error;

/// The urgency of a request: from −20, the most urgent, to 19, like `nice`. The default is 0.
///
/// See [`Acquire::priority`](crate::futures::Acquire::priority) for a request with a priority.
///
/// # Examples
///
/// ```
/// use lockladder::Priority;
///
/// assert!(Priority::new(-10) < Priority::default(), "lower is more urgent");
/// assert_eq!(Priority::try_from(20).unwrap_err().to_string(), "priority 20 is outside of -20..=19");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i8);

impl Priority {
    /// The most urgent, −20.
    pub const HIGHEST: Self = Self(-20);

    /// The least urgent, 19.
    pub const LOWEST: Self = Self(19);

    /// Makes a priority from a number that is known to be in range.
    ///
    /// See [`Priority`] for an example.
    ///
    /// # Panics
    ///
    /// If the number is outside of −20..=19. [`Priority::try_from`] returns an error instead.
    #[must_use]
    pub const fn new(priority: i8) -> Self {
        assert!(Self::is_one(priority), "a priority is outside of -20..=19");
        Self(priority)
    }

    /// The number, from −20 to 19.
    ///
    /// See [`Priority`] for an example.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }

    const fn is_one(priority: i8) -> bool {
        Self::HIGHEST.0 <= priority && priority <= Self::LOWEST.0
    }
}

/// The error of a number that is no priority. [Refused](ErrorKind::Refused): give a number from −20 to 19.
///
/// See [`Priority`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("priority {0} is outside of -20..=19")]
pub struct PriorityError(
    /// The number.
    pub i64,
);

impl PriorityError {
    /// Whether to try again, to refuse, or to mend the code: always [`ErrorKind::Refused`], because numbers come from
    /// outside. (A number in the code goes through [`Priority::new`], which panics.)
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

impl TryFrom<i64> for Priority {
    type Error = PriorityError;

    fn try_from(number: i64) -> Result<Self, PriorityError> {
        let priority = i8::try_from(number).ok().filter(|priority| Self::is_one(*priority));
        priority.map(Self).ok_or(PriorityError(number))
    }
}

impl From<Priority> for i8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}
