//! Hierarchies as a user declares them, under every lint that a user may switch on. `tests/elsewhere.rs` compiles this.
#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations, missing_copy_implementations, unreachable_pub, unnameable_types)]
#![deny(rust_2018_idioms, unused, unused_qualifications, single_use_lifetimes, elided_lifetimes_in_paths)]
#![deny(clippy::all, clippy::pedantic, clippy::missing_docs_in_private_items)]
#![deny(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links, rustdoc::missing_crate_level_docs)]
#![allow(dead_code, reason = "levels that nobody acquires are declared all the same")]

use lockladder::{LockManager, Session, SessionError, held, hierarchy};

hierarchy! {
    /// The lock order of a site.
    pub struct Site {
        /// Held by every job.
        root Gate,
        /// Instances, by name.
        level Instance: String,
        /// Nodes, with their state.
        level Node: String => NodeState,
        /// Zones, which never change.
        fixed level Zone: u16,
    }
}

/// The state of a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeState {
    /// Free memory, in MiB.
    pub free: u64,
}

hierarchy! {
    pub struct Undocumented { root Bottom, level Middle: String, fixed level Upper: u8 => u8, level Highest: (u8, String) }
}

/// A nested module.
pub mod inner {
    lockladder::hierarchy! {
        /// Visible in this crate.
        pub(crate) struct Ours { root OurRoot, level OurLevel: &'static str }
    }
}

/// Private.
mod hidden {
    lockladder::hierarchy! { pub(super) struct Hidden { root HiddenRoot, level HiddenLevel: char } }
    lockladder::hierarchy! { struct Alone { root AloneRoot } }
}

/// Names that mean something else in the expansion or the prelude.
pub mod shadowed {
    /// Not what it seems.
    #[derive(Clone, Copy, Debug)]
    pub struct Option;
    /// Not what it seems.
    #[derive(Clone, Copy, Debug)]
    pub struct Result;
    /// Not what it seems.
    pub trait Send {}
    /// Not what it seems.
    pub trait Sized {}
    /// Not what it seems.
    #[allow(non_camel_case_types, reason = "it is the name of the primitive type")]
    #[derive(Clone, Copy, Debug)]
    pub struct bool;
    #[allow(non_camel_case_types, reason = "it is the name of the primitive type")]
    /// Not what it seems.
    #[derive(Clone, Copy, Debug)]
    pub struct usize;
    #[allow(non_camel_case_types, reason = "it is the name of the primitive type")]
    /// Not what it seems.
    #[derive(Clone, Copy, Debug)]
    pub struct str;
    /// Not what it seems.
    pub mod core {}
    /// Not what it seems.
    pub mod std {}

    lockladder::hierarchy! {
        /// Levels named like type parameters, and like types of the library and the prelude.
        pub struct H { root R, level M: u8, level S: u8, level L: u8, level Held: u8, level Vec: u8, level String: u8,
            level Shared: u8, level Exclusive: u8, level Release: u8, level r#Mode: u8, level r#Type: u8 }
    }
}

hierarchy! {
    /// With attributes.
    #[cfg(all())]
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    #[allow(clippy::exhaustive_enums)]
    #[non_exhaustive]
    pub struct Attributed {
        /// With one.
        #[derive(PartialEq, Eq, Hash)]
        root AttributedRoot,
        /// With one.
        #[derive(PartialEq, Eq, Hash)]
        #[doc(alias = "attributes")]
        level AttributedLevel: String,
    }
}

/// What [`climb`] ends with. (Written inline, three levels are too complex a type for clippy.)
pub type Reached = held![shared Gate, exclusive Instance, shared Node];

/// Climbs in a function that also declares a hierarchy of its own.
///
/// # Errors
///
/// The error of the session.
pub async fn climb(site: &LockManager<Site>) -> Result<u64, SessionError> {
    hierarchy! { struct Local { root LocalRoot, level LocalLevel: u8 } }
    let local: LockManager<Local> = LockManager::builder().names::<LocalLevel>([7_u8]).build();
    let inner: Session<Local, held![shared LocalRoot, exclusive LocalLevel]> =
        local.shared("local").await?.exclusive::<LocalLevel>(7_u8).await?;
    drop(inner.release::<LocalLevel>());
    let job = site.shared("climb").await?.exclusive::<Instance>("web1").await?;
    let job: Session<Site, Reached> = job.shared::<Node>("node1").await?;
    Ok(job.get::<Node>("node1").map_or(0, |node| node.free))
}
