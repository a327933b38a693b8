//! Hierarchies of the Ganeti cluster manager, ready to use.

/// The order of Ganeti 2.0, in which the locks began: the Big Ganeti Lock, instances, nodes.
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

/// The order of later versions: seven levels.
///
/// The levels are aliases, of types in a module of their own: rustc prints the names of types without their paths as long
/// as no two that can be named are alike, and [`seed`] has levels of these names.
pub mod modern {
    pub use declared::Modern;

    /// The Big Ganeti Lock: held by every session, exclusively only by what must run alone.
    pub type Cluster = declared::Cluster;
    /// Instances, by name.
    pub type Instance = declared::Instance;
    /// The right to allocate nodes: held exclusively by what picks nodes, shared by what takes many of them, so that
    /// neither finds the other's choice taken. It has one lock, named [`NODE_ALLOC`] by convention, and is fixed.
    pub type NodeAlloc = declared::NodeAlloc;
    /// Groups of nodes, by UUID.
    pub type NodeGroup = declared::NodeGroup;
    /// Nodes, by UUID.
    pub type Node = declared::Node;
    /// What is done on a node, by the UUID of the node; held where the lock of the node itself can be released early.
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
