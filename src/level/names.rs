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
    label = "expected names of `{L}`, or `All`",
    note = "pass an array, slice, `Vec` or set of names, by value or by reference; `All` stands for the whole level",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait NamesOf<L: Level>: NamesOrAll<L::Name> + Within<L> {}

impl<L: Level, N: NamesOrAll<L::Name, Extent: ExtentOf<L>>> NamesOf<L> for N {}

/// It asks for no more than level `L` has. Other crates cannot name this trait, so they cannot implement [`NamesOf`].
///
/// This is the bound of [`NamesOf`], and not one on the extent: in a bound for one level, such as `NamesOf<Node>`, rustc
/// would look for the extent of names whose type it has not worked out yet, and find none.
pub trait Within<L: Level> {}

impl<L: Level, N: NamesOrAll<L::Name, Extent: ExtentOf<L>>> Within<L> for N {}

/// Level `L` has that much. Other crates cannot name this trait, so only the impls here count.
pub trait ExtentOf<L: Level> {}

impl<L: Level> ExtentOf<L> for extent::Listed {}

impl<L: Closed> ExtentOf<L> for extent::Whole {}
