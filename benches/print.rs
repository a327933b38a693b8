//! Results that cannot be written are not lost in silence.

use std::io::{self, ErrorKind, Write};

/// Prints a report. A reader who has closed the pipe wants no more of it: that is no error.
pub(crate) fn print(report: &str) -> Result<(), String> {
    let mut out = io::stdout();
    match writeln!(out, "{report}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write the report: {error}")),
        _ => Ok(()),
    }
}
