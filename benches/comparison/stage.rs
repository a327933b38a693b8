//! The runtimes that do the work, and the clock that times it.

use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};
use tokio::runtime::{Builder, Runtime};

/// Which of the two runtimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    CurrentThread,
    TwoWorkers,
}

/// One runtime of each flavor, made once: while a runtime is not used, its threads wait and cost nothing.
pub(crate) struct Stage {
    current_thread: Runtime,
    two_workers: Runtime,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let built = |mut builder: Builder| builder.enable_all().build().expect("the system has threads for a runtime");
        let mut two_workers = Builder::new_multi_thread();
        two_workers.worker_threads(2);
        Self { current_thread: built(Builder::new_current_thread()), two_workers: built(two_workers) }
    }

    pub(crate) fn runtime(&self, flavor: Flavor) -> &Runtime {
        match flavor {
            Flavor::CurrentThread => &self.current_thread,
            Flavor::TwoWorkers => &self.two_workers,
        }
    }
}

/// CPU time: of this thread if it does all the work itself, else of the whole process.
#[derive(Debug)]
pub(crate) enum Clock {
    Thread(ThreadTime),
    Process(ProcessTime),
}

impl Clock {
    /// Starts the clock that suits work on this runtime.
    pub(crate) fn start(flavor: Flavor) -> Self {
        match flavor {
            Flavor::CurrentThread => Self::Thread(ThreadTime::now()),
            Flavor::TwoWorkers => Self::Process(ProcessTime::now()),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match self {
            Self::Thread(begun) => begun.elapsed(),
            Self::Process(begun) => begun.elapsed(),
        }
    }
}
