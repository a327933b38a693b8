//! Hierarchies of 1 to 16 levels, declared as a user does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{
    All, LockManager, Session, held, hierarchy,
    level::{Hierarchy, Level},
};
use tokio_test::block_on;

hierarchy! { struct One { root Only } }

hierarchy! {
    /// As many levels as a hierarchy may have.
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

/// Climbs two levels, and uses every rule that looks through the higher one to the lower ones.
macro_rules! named {
    ($($test:ident: $hierarchy:ident $root:ident $low:ident $high:ident;)+) => {$(
        #[test]
        fn $test() {
            hierarchy! { struct $hierarchy { root $root, level $low: String => u8, level $high: u8 } }
            let manager: LockManager<$hierarchy> =
                LockManager::builder().names::<$low>(["one"]).names::<$high>([1_u8]).build();
            let job = block_on(manager.exclusive("job")).unwrap();
            let job = job.try_exclusive::<$low>("one").unwrap().try_shared::<$high>(1).unwrap();
            assert_eq!(job.owned::<$low>().names(), ["one"]);
            let job: Session<$hierarchy, held![shared $root, shared $low, shared $high]> =
                job.downgrade::<$low>().downgrade::<$root>();
            let job: Session<$hierarchy, held![shared $root, shared $high]> = job.release::<$low>();
            drop(job);
            let job = manager.try_dynamic("job", lockladder::LockMode::Shared).unwrap();
            assert!(job.into_typed::<held![shared $root]>().is_ok());
        }
    )+};
}

// Names that the macro gives to its type parameters, in each position and together, and names of items that it uses.
named! {
    levels_may_be_called_m_and_r: Order Ground M_ R_;
    levels_may_be_called_r_and_n: Order Ground R_ N_;
    levels_may_be_called_n_and_m: Order Ground N_ M_;
    levels_may_be_called_s_and_o: Order Ground S_ O_;
    levels_may_be_called_t_and_s: Order Ground T_ S_;
    a_root_may_be_called_m_below_n: Order M_ N_ Top;
    a_root_may_be_called_r_below_s: Order R_ S_ M_;
    a_root_may_be_called_n_below_r: Order N_ R_ O_;
    a_hierarchy_may_be_called_m_above_r: M_ R_ Low High;
    a_hierarchy_may_be_called_n_above_m: N_ M_ S_ R_;
    levels_may_be_called_as_what_the_macro_uses: Hierarchy_ Debug Clone Copy;
    levels_may_be_called_as_types_of_ours: Level_ Held_ SetGuard Mode;
    levels_may_be_called_as_what_is_always_there: Sized Some Option Box;
}
