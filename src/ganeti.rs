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
