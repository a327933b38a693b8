//! Helpers that are generic over sessions and levels, and structs that store sessions, as users write them: each asks for
//! what it relies on by one bound. That this compiles is most of the test.

use lockladder::level::{Before, Closed, Held, Hierarchy, LevelOf, Modifiable, NamesOf, NotRoot};
use lockladder::names::Names;
use lockladder::{
    All, CanAcquire, CanAdd, Exclusive, HoldsExclusive, LockManager, Session, SessionError, held, hierarchy,
};

/// A helper for any session that can still lock accounts: one short bound.
async fn pay<S: CanAcquire<Account>>(job: &mut Session<Bank, S>, from: u64, to: u64) -> Result<(), SessionError> {
    let mut job = job.nest().exclusive::<Account>([from, to]).await?;
    let [from, to] = job.get_disjoint_mut::<Account, _>([from, to])?;
    (*from, *to) = (*from + 1, *to + 2);
    Ok(())
}

/// A helper that returns the session which has climbed.
async fn lock<S: CanAcquire<Account>>(
    job: Session<Bank, S>,
    account: u64,
) -> Result<Session<Bank, Held<Account, Exclusive, S>>, SessionError> {
    job.exclusive::<Account>(account).await
}

/// A helper for any level of any hierarchy.
async fn count<H, L, S>(job: &mut Session<H, S>, names: impl NamesOf<L>) -> Result<usize, SessionError>
where
    H: Hierarchy,
    L: NotRoot + LevelOf<H>,
    S: CanAcquire<L>,
{
    Ok(job.nest().exclusive::<L>(names).await?.owned::<L>().len())
}

/// A helper that is given a list, and not the whole.
async fn count_listed<S: CanAcquire<Account>>(
    job: &mut Session<Bank, S>,
    names: impl Names<u64>,
) -> Result<usize, SessionError> {
    count(job, names).await
}

/// A helper that hands its request on to other threads, for any level.
fn send_and_sync<L, S>(job: Session<Bank, S>, names: impl NamesOf<L>) -> impl Future + Send + Sync
where
    L: NotRoot + LevelOf<Bank>,
    S: CanAcquire<L> + Send + Sync,
{
    job.shared::<L>(names)
}

/// A helper for any level that is not open.
async fn count_all<L, S>(job: &mut Session<Bank, S>) -> Result<usize, SessionError>
where
    L: NotRoot + Closed + LevelOf<Bank>,
    S: CanAcquire<L>,
{
    count::<Bank, L, S>(job, All).await
}

/// A helper for any level below another.
async fn past<S: CanAcquire<L>, L>(job: Session<Bank, S>, names: impl NamesOf<L>) -> Result<usize, SessionError>
where
    L: NotRoot + LevelOf<Bank> + Before<Branch>,
{
    let mut job = job.shared::<L>(names).await?;
    let branches = job.nest().exclusive::<Branch>("main").await?.owned::<Branch>().len();
    Ok(job.owned::<L>().len() + branches)
}

/// A helper for any level whose members change.
async fn forget<S: CanAdd<L>, L: Modifiable + LevelOf<Bank>>(
    job: &mut Session<Bank, S>,
    names: impl Names<L::Name>,
) -> Result<usize, SessionError> {
    job.remove::<L>(names).await.map(|removed| removed.len())
}

/// A session in a struct: one short type.
struct Transfer {
    job: Session<Bank, held![shared Ledger, exclusive Account]>,
}

/// A struct for whatever is held.
struct Opened<S> {
    job: Session<Bank, S>,
}

impl<S: HoldsExclusive<Account>> Opened<S> {
    fn deposit(&mut self, account: u64) -> Option<u64> {
        *self.job.get_mut::<Account>(account)? += 1;
        self.job.get::<Account>(account).copied()
    }
}

hierarchy! {
    struct Bank {
        root Ledger,
        open level Account: u64 => u64,
        level Branch: String,
    }
}

#[tokio::test]
async fn a_helper_needs_one_short_bound_for_each_thing_that_it_relies_on() -> Result<(), SessionError> {
    let bank: LockManager<Bank> = LockManager::builder().names::<Branch>("main").build();
    let mut job = bank.shared("helpers").await?;
    pay(&mut job, 1, 2).await?;
    assert_eq!(count::<_, Account, _>(&mut job, [1, 2]).await?, 2);
    assert_eq!(count_listed(&mut job, vec![1, 2, 3]).await?, 3);
    drop(send_and_sync::<Account, _>(bank.shared("elsewhere").await?, 5).await);
    assert_eq!(count_all::<Branch, _>(&mut job).await?, 1);
    assert_eq!(past::<_, Account>(bank.shared("past").await?, 7).await?, 2);
    assert_eq!(forget::<_, Branch>(&mut job, "gone").await?, 0);
    let transfer = Transfer { job: lock(job, 7).await? };
    let mut opened = Opened { job: transfer.job };
    assert_eq!((opened.deposit(7), opened.deposit(8)), (Some(1), None));
    Ok(())
}
