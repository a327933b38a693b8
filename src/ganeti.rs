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
pub mod modern {
    crate::hierarchy! {
        /// The lock order of later Ganeti versions.
        pub struct Modern {
            /// The Big Ganeti Lock: held by every session, exclusively only by what must run alone.
            root Cluster,
            /// Instances, by name.
            level Instance: String,
            /// The right to allocate nodes: held exclusively by what picks nodes, shared by what takes many of them, so
            /// that neither finds the other's choice taken. It has one lock, named by [`NODE_ALLOC`].
            fixed level NodeAlloc: String,
            /// Groups of nodes, by UUID.
            level NodeGroup: String,
            /// Nodes, by UUID.
            level Node: String,
            /// What is done on a node, by the UUID of the node: shared or exclusive beside the lock of the node itself,
            /// which can be released early.
            level NodeRes: String,
            /// Networks, by UUID.
            level Network: String,
        }
    }

    /// The name of the one lock of [`NodeAlloc`].
    pub const NODE_ALLOC: &str = "NAL";
}
