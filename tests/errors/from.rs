//! `?` makes of every error what callers return: a boxed error, an `anyhow` error, an error of their own.

use lockladder::ganeti::seed::Node;
use lockladder::{AcquireError, ErrorKind, LockMode, LockSet, Priority, SessionError, SetError, SharedLock};
use lockladder_test_support::requests::now;
use lockladder_test_support::small::{abc, two_nodes};
use std::error::Error;
use tokio_test::block_on;

/// What a service makes of the errors below it.
#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error("the accounts are in use")]
    Accounts(#[from] SetError<u32>),
    #[error("the job did not run")]
    Session(#[from] SessionError),
    #[error(transparent)]
    Lock(#[from] AcquireError),
}

fn unknown_account() -> SetError<u32> {
    LockSet::<u32>::new([1_u32]).try_shared(7).map(drop).unwrap_err()
}

fn out_of_order() -> Result<(), SessionError> {
    let manager = two_nodes();
    let mut job = now(manager.dynamic("job", LockMode::Shared))?;
    job.try_acquire::<Node>("node1", LockMode::Shared)?;
    job.downgrade::<Node>()?; // An `OrderError`.
    Ok(())
}

#[test]
fn a_question_mark_makes_a_boxed_error_of_any_error() {
    fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
        drop(SharedLock::new(()).try_shared()?);
        block_on(SharedLock::new(()).delete())?;
        block_on(abc().add("d"))?;
        Priority::try_from(-20)?;
        drop(two_nodes().try_shared("job")?);
        Err(unknown_account())?
    }
    let error = boxed().unwrap_err();
    assert_eq!(error.downcast::<SetError<u32>>().unwrap().kind(), ErrorKind::Refused);
}

#[test]
fn a_question_mark_makes_an_anyhow_error_whose_chain_says_nothing_twice() {
    use anyhow::Context as _;
    fn with_context() -> anyhow::Result<()> {
        drop(SharedLock::new(()).try_shared()?);
        block_on(abc().add("d"))?;
        out_of_order().context("closing the month")
    }
    let error = with_context().unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "closing the month: this session does not hold level `Node` exclusively: acquire it in that mode"
    );
    assert_eq!(error.downcast_ref::<SessionError>().unwrap().kind(), ErrorKind::Bug);
}

#[test]
fn a_question_mark_makes_an_error_of_the_service_by_from() {
    fn accounts() -> Result<(), ServiceError> {
        Err(unknown_account())?
    }
    fn session() -> Result<(), ServiceError> {
        Ok(out_of_order()?)
    }
    fn lock() -> Result<(), ServiceError> {
        let lock = SharedLock::new(());
        block_on(lock.delete())?;
        Ok(block_on(lock.delete())?)
    }
    let kind = |error: ServiceError| match error {
        ServiceError::Accounts(error) => error.kind(),
        ServiceError::Session(error) => error.kind(),
        ServiceError::Lock(error) => error.kind(),
    };
    let sources = |error: &ServiceError| std::iter::successors(error.source(), |error| (*error).source()).count();
    assert_eq!([accounts(), session(), lock()].map(|done| sources(&done.unwrap_err())), [1, 1, 0]);
    let kinds = [accounts(), session(), lock()].map(|done| kind(done.unwrap_err()));
    assert_eq!(kinds, [ErrorKind::Refused, ErrorKind::Bug, ErrorKind::Refused]);
}
