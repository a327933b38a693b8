//! Hierarchies of the Ganeti cluster manager, ready to use.
//!
//! See [`LockManager`](crate::LockManager) for an example with [`seed`].

/// The lock order of Ganeti 2.0, the seed of this crate: the Big Ganeti Lock, instances, nodes.
///
/// See [`LockManager`](crate::LockManager) for an example.
pub mod seed {
    crate::hierarchy! {
        /// The lock order of Ganeti 2.0: cluster, instances, nodes.
        pub struct Seed {
            /// The Big Ganeti Lock: held by every session, exclusively only by what must run alone.
            root Cluster,
            /// Instances, by name.
            level Instance: String,
            /// Nodes, by name.
            level Node: String,
        }
    }
}

/// The lock order of later Ganeti versions: seven levels.
///
/// The levels are aliases of types in a private module. rustc prints the name of a type without its path only if no
/// other type that can be named has the same name, and [`seed`] has levels of these names. The levels are used like
/// those of [`seed`]; see [`LockManager`](crate::LockManager) for an example.
pub mod modern {
    pub use declared::Modern;

    /// The Big Ganeti Lock. Every session holds it; only a session that must run alone holds it exclusively.
    pub type Cluster = declared::Cluster;
    /// Instances, by name.
    pub type Instance = declared::Instance;
    /// The right to allocate nodes. A job that picks nodes holds it exclusively; a job that takes many nodes shares it.
    /// So neither finds the other's choice taken. It has one lock, named [`NODE_ALLOC`] by convention, and is fixed.
    pub type NodeAlloc = declared::NodeAlloc;
    /// Groups of nodes, by UUID.
    pub type NodeGroup = declared::NodeGroup;
    /// Nodes, by UUID.
    pub type Node = declared::Node;
    /// The work on a node, by the UUID of the node; held where the lock of the node itself can be released early.
    pub type NodeRes = declared::NodeRes;
    /// Networks, by UUID.
    pub type Network = declared::Network;

    /// The name of the one lock of [`NodeAlloc`].
    pub const NODE_ALLOC: &str = "NAL";

    #[allow(rustdoc::private_intra_doc_links, reason = "its links name the levels, which are public by their aliases")]
    mod declared {
        crate::hierarchy! {
            /// The lock order of later Ganeti versions: seven levels, see [`modern`](super).
            pub struct Modern {
                root Cluster,
                level Instance: String,
                fixed level NodeAlloc: String,
                level NodeGroup: String,
                level Node: String,
                level NodeRes: String,
                level Network: String,
            }
        }
    }
}
