//! Hierarchies of 1 to 16 levels, declared as a user does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{All, Hierarchy, Level, LockManager, Session, held, hierarchy};
use tokio_test::block_on;

hierarchy! { struct One { root Only } }

hierarchy! {
    /// As many as there may be.
    pub(crate) struct Sixteen {
        root L0,
        level L1: String, level L2: u8, level L3: (u8, u8), level L4: char, level L5: String, level L6: String,
        level L7: String, fixed level L8: u16, level L9: String, level L10: String, level L11: String,
        level L12: String, level L13: String, level L14: String, fixed level L15: &'static str,
    }
}

#[test]
fn a_hierarchy_may_be_its_root_alone() {
    let manager: LockManager<One> = LockManager::builder().build();
    let session: Session<One, held![exclusive Only]> = block_on(manager.exclusive("all")).unwrap();
    let _session: Session<One, held![shared Only]> = session.downgrade::<Only>();
    assert_eq!(One::LEVELS, ["Only"]);
}

#[test]
fn sixteen_levels_can_be_climbed_skipped_and_released_out_of_order() {
    let manager: LockManager<Sixteen> =
        LockManager::builder().names::<L3>([(1, 2)]).names::<L8>([80_u16]).names::<L15>(["top"]).build();
    block_on(async {
        type Reached = held![shared L0, shared L3, exclusive L15];
        let job = manager.shared("climb").await.unwrap();
        let job = job.shared::<L1>(All).await.unwrap();
        let job = job.exclusive::<L3>([(1, 2)]).await.unwrap();
        let job = job.shared::<L8>(80).await.unwrap();
        let job = job.exclusive::<L15>(["top"]).await.unwrap();
        let job = job.release::<L8>().release::<L1>();
        let job: Session<Sixteen, Reached> = job.downgrade::<L3>();
        assert_eq!((job.owned::<L3>().names(), job.owned::<L15>().names()), (vec![&(1, 2)], vec![&"top"]));
    });
}

#[test]
fn levels_know_their_names_and_their_order() {
    assert_eq!(Sixteen::LEVELS.len(), 16);
    assert_eq!((L0::INDEX, L1::INDEX, L15::INDEX), (0, 1, 15));
    assert_eq!(Sixteen::LEVELS[L8::INDEX], L8::NAME);
}
