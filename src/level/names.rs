//! What can be acquired of a level: names, and of some levels the whole.

use super::{Closed, Level};
use crate::set::{NamesOrAll, extent};

/// What can be acquired of level `L`: names, or [`All`](crate::All) if the level is not open. Sealed.
///
/// # Examples
///
/// A helper that passes on what its caller wants, for any session that can still acquire nodes:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{All, CanAcquire, LockManager, Session, SessionError, level::NamesOf};
///
/// async fn count<H: CanAcquire<Node>>(
///     job: &mut Session<Seed, H>,
///     nodes: impl NamesOf<Node>,
/// ) -> Result<usize, SessionError> {
///     Ok(job.nest().shared::<Node>(nodes).await?.owned::<Node>().len())
/// }
///
/// # tokio_test::block_on(async {
/// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1", "node2"]).build();
/// let mut job = manager.shared("count").await?;
/// assert_eq!((count(&mut job, "node1").await?, count(&mut job, All).await?), (1, 2));
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name locks of level `{L}`",
    label = "expected names of `{L}`, of the type that it is declared with",
    note = "pass an array, slice, `Vec` or set of names, by value or by reference; collect an iterator into a `Vec` first",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait NamesOf<L: Level>: NamesOrAll<L::Name> + sealed::Fits<L> {}

impl<L: Level, N: NamesOrAll<L::Name> + sealed::Fits<L>> NamesOf<L> for N {}

/// Other crates cannot name these traits, so only the impls here count.
mod sealed {
    use super::{Closed, Level, NamesOrAll, extent};

    /// Level `L` has all that this stands for.
    pub trait Fits<L: Level> {}

    impl<L: Level, N: NamesOrAll<L::Name>> Fits<L> for N where N::Extent: ExtentOf<L> {}

    /// Level `L` has that much.
    #[diagnostic::on_unimplemented(
        message = "it is not known whether level `{L}` has all that is asked for: names, or the whole of it",
        label = "these may be names or `All`, and an open level has no whole",
        note = "in a generic function, take `impl NamesOf<{L}>`"
    )]
    pub trait ExtentOf<L: Level> {}

    impl<L: Level> ExtentOf<L> for extent::Listed {}

    impl<L: Closed> ExtentOf<L> for extent::Whole {}
}
