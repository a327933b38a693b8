//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::retries::Patience;
use crate::stream::Mix;

/// Runs a stream of cluster jobs on lockladder's locks, and checks that no two of them got in each
/// other's way.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit code: 0 all well; 1 the ledger noticed a violation, or the service could not start; 2 wrong option, \
                  configuration or job file (nothing was started); 130 interrupted by Ctrl-C.",
    after_long_help = LONG_HELP
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Options {
    /// Read the cluster from FILE, Ganeti's config.data, instead of the embedded sample
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Grow the cluster to N instances, with nodes in proportion
    #[arg(long, value_name = "N", value_parser = up_to_a_million)]
    pub(crate) scale: Option<usize>,

    /// Make up N jobs
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = up_to_ten_millions)]
    pub(crate) jobs: usize,

    /// Make up jobs of these opcodes
    #[arg(long, value_name = "MIX", default_value = "all", conflicts_with_all = ["job_file", "serve"])]
    pub(crate) mix: Mix,

    /// The same seed makes up the same jobs, each with the same amount of work
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Run the jobs in FILE, one JSON object a line (see --help for the opcodes)
    #[arg(long, value_name = "FILE", conflicts_with = "jobs")]
    pub(crate) job_file: Option<PathBuf>,

    /// Take jobs by HTTP at ADDR, a port or an address with a port; a port alone is one of 127.0.0.1, which only
    /// programs of this machine reach (`--serve 8080` or `--serve 127.0.0.1:8080`; port 0 is any free one)
    #[arg(
        long,
        value_name = "ADDR",
        value_parser = loopback_unless_told,
        conflicts_with_all = ["jobs", "job_file", "sabotage", "virtual_time"]
    )]
    pub(crate) serve: Option<SocketAddr>,

    /// With `--serve`: refuse jobs while N wait for a worker
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "serve", value_parser = one_to_a_million)]
    pub(crate) queue_limit: usize,

    /// Run N jobs at a time
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = one_to_ten_thousand)]
    pub(crate) workers: usize,

    /// Mean simulated work per step, in microseconds; the timer rounds up to milliseconds
    #[arg(long, value_name = "MICROSECONDS", default_value_t = 1000)]
    pub(crate) work_us: u32,

    /// Let the first attempt of a job wait MILLISECONDS for its locks; 0: as long as it takes. A job that does not get
    /// them gives up and tries again, and waits longer each time, up to 15 times as long; after waits of 1800 times as
    /// long, it becomes more urgent by one, and begins again
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1000)]
    pub(crate) attempt_ms: u32,

    /// Run `InstanceFailover` without its node locks, to see the ledger notice
    #[arg(long)]
    pub(crate) sabotage: bool,

    /// Measure by a clock that jumps to whatever comes next: the times are then the same in each run, on any machine
    #[arg(long)]
    pub(crate) virtual_time: bool,

    /// Draw into FILE when the first 200 jobs waited for their locks and held them, as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) timeline: Option<PathBuf>,

    /// Do not run the stream again with locks taken one by one, or under one global mutex
    #[arg(long)]
    pub(crate) no_baseline: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    pub(crate) fn step(&self) -> Duration {
        Duration::from_micros(self.work_us.into())
    }

    pub(crate) fn patience(&self) -> Patience {
        match self.attempt_ms {
            0 => Patience::Endless,
            ms => Patience::First(Duration::from_millis(ms.into())),
        }
    }
}

const LONG_HELP: &str = r#"Job file: one JSON object a line, empty lines are skipped. The same objects are posted to a service.
  {"op": "ClusterVerify"}
      likewise VerifyDisks, RedistributeConfig, and DestroyCluster (of a cluster that is empty but for one node)
  {"op": "SetClusterParams", "parameter": NAME, "value": TEXT}
  {"op": "RenameCluster", "name": NAME}
  {"op": "DiagnoseOS", "nodes": [NODE, ...]}
      likewise QueryNodeVolumes; without "nodes": all of them
  {"op": "NodeAdd", "node": NAME}
      likewise NodeRemove (of a node on which no instance lives)
  {"op": "NodeSetParams", "node": NODE, "drained": BOOL}
      the allocator passes over a drained node
  {"op": "InstanceCreate", "instance": NAME, "nodes": [PRIMARY, SECONDARY], "fails": BOOL}
      without "nodes" the allocator chooses; "fails" (default false) simulates a failure
  {"op": "InstanceRemove", "instance": NAME}
      likewise InstanceFailover, InstanceMigrate, ActivateDisks, InstanceStartup, InstanceShutdown,
      InstanceReboot and InstanceReinstall (of an instance that is down)
  {"op": "GrowDisk", "instance": NAME, "by_mib": N}
  {"op": "SetInstanceParams", "instance": NAME, "memory_mib": N}
  {"op": "ReplaceDisks", "instance": NAME, "new_secondary": NODE}
      without "new_secondary" the allocator chooses
  {"op": "InstanceRename", "instance": NAME, "new_name": NAME}
  {"op": "QueryInstances", "instances": [NAME, ...]}
      without "instances": all of them
  {"op": "ExportInstance", "instance": NAME, "node": NODE}
  {"op": "RemoveExport", "instance": NAME}
  {"op": "TestDelay", "nodes": [NODE, ...], "duration_ms": N}
      keeps the nodes; without "duration_ms": for one step of work
A job that names what does not exist by the time it runs fails, and is counted as failed.

Exit code:
  0    all well; a service has ended its running jobs
  1    the ledger noticed a violation; the service could not start; the report could not be written
  2    wrong option, configuration or job file; nothing was started
  130  interrupted by Ctrl-C: running jobs were finished, the others are counted; a second signal ended a service"#;

fn up_to_a_million(text: &str) -> Result<usize, String> {
    in_range(text, 0, 1_000_000)
}

fn up_to_ten_millions(text: &str) -> Result<usize, String> {
    in_range(text, 0, 10_000_000)
}

fn one_to_a_million(text: &str) -> Result<usize, String> {
    in_range(text, 1, 1_000_000)
}

fn one_to_ten_thousand(text: &str) -> Result<usize, String> {
    in_range(text, 1, 10_000)
}

fn in_range(text: &str, least: usize, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from {least} to {most}")),
    }
}

fn loopback_unless_told(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|_| text.parse())
        .map_err(|_| "expected a port, or an address and a port such as 127.0.0.1:8080".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_reaches_the_service_unless_told_otherwise() {
        let serve = |address| Options::try_parse_from(["cluster", "--serve", address]).ok()?.serve;
        assert_eq!(serve("8080"), Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))));
        assert_eq!(serve("[::]:80").map(|address| address.to_string()).as_deref(), Some("[::]:80"));
        assert_eq!(serve("example.com"), None);
    }
}
