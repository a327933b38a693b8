//! Shows how far a run is, on stderr: a bar on a terminal, lines in a file, or nothing.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::queue::Queue;

const BAR: &str = "{msg} [{bar:30}] {pos}/{len} jobs, {per_sec}, {eta} left";
const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Quiet,
    Lines,
    Bar,
}

impl Progress {
    /// The kind that suits stderr.
    pub(crate) fn suited(quiet: bool) -> Self {
        match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Bar,
            (false, false) => Self::Lines,
        }
    }

    /// Prints a line of its own, unless quiet.
    pub(crate) fn say(self, line: &str) {
        if self != Self::Quiet {
            eprintln!("cluster: {line}");
        }
    }

    /// Shows the progress of `queue` for as long as it is polled.
    pub(crate) async fn follow(self, title: &'static str, queue: &Queue) -> Infallible {
        match self {
            Self::Quiet => std::future::pending().await,
            Self::Lines => self.print_lines(queue).await,
            Self::Bar => draw_bar(title, queue).await,
        }
    }

    async fn print_lines(self, queue: &Queue) -> Infallible {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(LINE_EVERY).await;
            let (finished, all) = (queue.finished(), queue.len());
            let rate = crate::report::rate(finished, begun.elapsed());
            self.say(&format!("{finished} of {all} jobs, {rate:.0} jobs/s"));
        }
    }
}

async fn draw_bar(title: &'static str, queue: &Queue) -> Infallible {
    let style = ProgressStyle::with_template(BAR).expect("the template is right");
    let bar = Cleared(ProgressBar::new(queue.len() as u64).with_style(style).with_message(title));
    loop {
        bar.0.set_position(queue.finished() as u64);
        tokio::time::sleep(BAR_EVERY).await;
    }
}

/// A bar that is cleared when it is dropped, so that the report has the screen.
struct Cleared(ProgressBar);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
