//! What a caller can do about an error: the same question for every error, and three answers.

/// What a caller can do about an error: try again, tell whoever asked, or mend the code.
///
/// Every error of this crate has a method `kind`. The kinds are these three for good, so a `match` needs no arm for
/// others.
///
/// | error | kind | what to do |
/// |---|---|---|
/// | [`AcquireError::TimedOut`], [`SetError::TimedOut`], [`AddError::TimedOut`], [`SessionError::TimedOut`] | `Busy` | wait longer, or try again later |
/// | [`TryAcquireError::WouldBlock`], [`SetError::WouldBlock`], [`SessionError::WouldBlock`] | `Busy` | wait for it, or try again later |
/// | [`SetError::Unknown`], [`SessionError::Unknown`] | `Refused` | add the name first, or leave it out |
/// | [`SetError::Deleted`], [`SessionError::Deleted`] | `Refused` | look again whether the name is still there |
/// | [`AcquireError::Deleted`], [`TryAcquireError::Deleted`] | `Refused` | use another lock: this one stays deleted |
/// | [`SetError::TooFew`], [`SessionError::TooFew`] | `Refused` | add more of the names, or ask for fewer |
/// | [`AddError::Exists`], [`SessionError::Exists`] | `Refused` | leave the names out, or acquire them |
/// | [`SetError::Repeated`], [`AddError::Repeated`], [`SessionError::Repeated`] | `Refused` | name each lock once |
/// | [`OrderError::Open`] | `Refused` | name the locks that are needed |
/// | [`PriorityError`] | `Refused` | give a number from −20 to 19 |
/// | [`SetError::NotHeld`], [`SessionError::NotHeld`] | `Bug` | name only what is held |
/// | [`AddError::NotWhole`], [`SessionError::NotWhole`] | `Bug` | acquire `All` exclusively, and release no part |
/// | [`SessionError::AlreadyHeld`] | `Bug` | forget no nested session, and no request that was polled |
/// | [`SessionError::NestedSession`] | `Bug` | use the session that the flow has |
/// | [`OrderError::NotAbove`], [`OrderError::NotTop`] | `Bug` | take levels in their order, or release the higher one first |
/// | [`SessionError::Order`] | that of the [`OrderError`](crate::OrderError) in it | what that says |
/// | [`OrderError::NotHeld`], [`OrderError::NotExclusive`] | `Bug` | acquire the level first, in that mode |
/// | [`AcquireError::TooManySharers`], [`TryAcquireError::TooManySharers`], [`SessionError::TooManySharers`] | `Bug` | forget no guards |
///
/// # Examples
///
/// ```
/// use lockladder::{ErrorKind, LockSet, SetError};
///
/// fn status<K>(error: &SetError<K>) -> u16 {
///     match error.kind() {
///         ErrorKind::Busy => 503, // with `Retry-After`
///         ErrorKind::Refused => 404,
///         ErrorKind::Bug => 500,
///     }
/// }
///
/// let accounts: LockSet<u32> = LockSet::new([1_u32, 2]);
/// let _transfer = accounts.try_exclusive([1, 2])?;
/// assert_eq!(status(&accounts.try_shared(1).unwrap_err()), 503);
/// assert_eq!(status(&accounts.try_shared(7).unwrap_err()), 404);
/// # Ok::<_, SetError<u32>>(())
/// ```
///
/// [`AcquireError::TimedOut`]: crate::AcquireError::TimedOut
/// [`AcquireError::Deleted`]: crate::AcquireError::Deleted
/// [`AcquireError::TooManySharers`]: crate::AcquireError::TooManySharers
/// [`TryAcquireError::WouldBlock`]: crate::TryAcquireError::WouldBlock
/// [`TryAcquireError::Deleted`]: crate::TryAcquireError::Deleted
/// [`TryAcquireError::TooManySharers`]: crate::TryAcquireError::TooManySharers
/// [`SetError::Unknown`]: crate::SetError::Unknown
/// [`SetError::Deleted`]: crate::SetError::Deleted
/// [`SetError::TimedOut`]: crate::SetError::TimedOut
/// [`SetError::WouldBlock`]: crate::SetError::WouldBlock
/// [`SetError::TooFew`]: crate::SetError::TooFew
/// [`SetError::NotHeld`]: crate::SetError::NotHeld
/// [`SetError::Repeated`]: crate::SetError::Repeated
/// [`AddError::Exists`]: crate::AddError::Exists
/// [`AddError::Repeated`]: crate::AddError::Repeated
/// [`AddError::NotWhole`]: crate::AddError::NotWhole
/// [`AddError::TimedOut`]: crate::AddError::TimedOut
/// [`SessionError::Unknown`]: crate::SessionError::Unknown
/// [`SessionError::Deleted`]: crate::SessionError::Deleted
/// [`SessionError::NotHeld`]: crate::SessionError::NotHeld
/// [`SessionError::Exists`]: crate::SessionError::Exists
/// [`SessionError::Repeated`]: crate::SessionError::Repeated
/// [`SessionError::NotWhole`]: crate::SessionError::NotWhole
/// [`SessionError::TimedOut`]: crate::SessionError::TimedOut
/// [`SessionError::WouldBlock`]: crate::SessionError::WouldBlock
/// [`SessionError::TooFew`]: crate::SessionError::TooFew
/// [`SessionError::AlreadyHeld`]: crate::SessionError::AlreadyHeld
/// [`SessionError::NestedSession`]: crate::SessionError::NestedSession
/// [`SessionError::Order`]: crate::SessionError::Order
/// [`SessionError::TooManySharers`]: crate::SessionError::TooManySharers
/// [`OrderError::NotAbove`]: crate::OrderError::NotAbove
/// [`OrderError::NotHeld`]: crate::OrderError::NotHeld
/// [`OrderError::NotExclusive`]: crate::OrderError::NotExclusive
/// [`OrderError::NotTop`]: crate::OrderError::NotTop
/// [`OrderError::Open`]: crate::OrderError::Open
/// [`PriorityError`]: crate::PriorityError
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Others hold what was asked for, or come first. The same call can succeed later: wait longer, or try again, as
    /// HTTP's 503 with `Retry-After` says.
    Busy,
    /// What was asked for cannot be had as things are: a name does not exist, exists already, was removed, or is
    /// repeated. Waiting does not help: tell whoever asked, as HTTP's 404, 409 or 400 do.
    Refused,
    /// The calling code is wrong, whatever it was asked for: it gives back what it does not hold, takes levels out of
    /// their order, begins a second session, or forgets guards. Mend it; until then it is HTTP's 500.
    Bug,
}
