//! How often each opcode is drawn.

use clap::ValueEnum;
use rand::Rng;

use crate::task::Opcode;

/// Which opcodes a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// All opcodes
    All,
    /// The eight opcodes that docs/BENCHMARKS.md measures
    Benchmark,
}

/// How many jobs in a thousand are of each opcode.
///
/// Most concern one instance. Those that stop most other jobs are rare, as they are in a real cluster: the ones that own
/// the cluster as a whole (`NodeAdd`, `InstanceRename`), those that want all nodes, and `ClusterVerify`.
const ALL: [(Opcode, u32); 28] = [
    (Opcode::ClusterVerify, 6),
    (Opcode::VerifyDisks, 4),
    (Opcode::SetClusterParams, 4),
    (Opcode::RedistributeConfig, 4),
    (Opcode::RenameCluster, 1),
    (Opcode::DestroyCluster, 1),
    (Opcode::DiagnoseOS, 4),
    (Opcode::QueryNodeVolumes, 4),
    (Opcode::NodeAdd, 3),
    (Opcode::NodeRemove, 2),
    (Opcode::NodeSetParams, 10),
    (Opcode::InstanceCreate, 110),
    (Opcode::InstanceRemove, 100),
    (Opcode::InstanceFailover, 100),
    (Opcode::InstanceMigrate, 100),
    (Opcode::ActivateDisks, 40),
    (Opcode::GrowDisk, 40),
    (Opcode::SetInstanceParams, 60),
    (Opcode::ReplaceDisks, 60),
    (Opcode::InstanceStartup, 40),
    (Opcode::InstanceShutdown, 40),
    (Opcode::InstanceReboot, 40),
    (Opcode::InstanceReinstall, 15),
    (Opcode::InstanceRename, 5),
    (Opcode::QueryInstances, 190),
    (Opcode::ExportInstance, 3),
    (Opcode::RemoveExport, 2),
    (Opcode::TestDelay, 12),
];

/// The same for the streams that docs/BENCHMARKS.md measures: its figures hold for these shares only.
const BENCHMARK: [(Opcode, u32); 8] = [
    (Opcode::ClusterVerify, 10),
    (Opcode::InstanceCreate, 125),
    (Opcode::InstanceRemove, 115),
    (Opcode::InstanceFailover, 340),
    (Opcode::ReplaceDisks, 130),
    (Opcode::NodeAdd, 3),
    (Opcode::InstanceRename, 7),
    (Opcode::QueryInstances, 270),
];

impl Mix {
    pub(super) fn shares(self) -> &'static [(Opcode, u32)] {
        match self {
            Self::All => &ALL,
            Self::Benchmark => &BENCHMARK,
        }
    }

    pub(super) fn draw(self, rng: &mut impl Rng) -> Opcode {
        let shares = self.shares();
        let mut ticket: u32 = rng.random_range(0..shares.iter().map(|(_, share)| share).sum());
        for (opcode, share) in shares {
            if ticket < *share {
                return *opcode;
            }
            ticket -= share;
        }
        unreachable!("the ticket is less than the sum of the shares")
    }
}
