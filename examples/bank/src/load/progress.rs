//! Shows how far the measuring is, on stderr: a bar on a terminal, lines in a file, or nothing.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const BAR: &str = "{msg} [{bar:30}] {eta} left";
const BAR_EVERY: Duration = Duration::from_millis(100);

/// How to show progress.
#[derive(Debug)]
pub(super) enum Progress {
    Quiet,
    Lines,
    /// Counts milliseconds of all passes together.
    Bar(ProgressBar),
}

impl Progress {
    /// The kind that suits stderr, for so many passes of this length.
    pub(super) fn new(quiet: bool, length: Duration, passes: u64) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let style = ProgressStyle::with_template(BAR).expect("the template is right");
        Self::Bar(ProgressBar::new(millis(length) * passes).with_style(style))
    }

    /// A pass begins.
    pub(super) fn begin(&self, title: &str) {
        match self {
            Self::Quiet => {}
            Self::Lines => eprintln!("bank: {title}"),
            Self::Bar(bar) => bar.set_message(title.to_owned()),
        }
    }

    /// Shows the progress of a pass for as long as it is polled.
    pub(super) async fn follow(&self) -> Infallible {
        let Self::Bar(bar) = self else { return std::future::pending().await };
        let (before, begun) = (bar.position(), Instant::now());
        loop {
            bar.set_position(before + millis(begun.elapsed()));
            tokio::time::sleep(BAR_EVERY).await;
        }
    }

    /// Leaves the screen to the table.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
