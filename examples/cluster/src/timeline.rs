//! Draws when each job waited for its locks and held them, as an SVG picture.
//!
//! ```text
//!   0 ms        10 ms       20 ms          the time axis, with a line through all lanes at each mark
//!   1 Create    ░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓         one lane for each job, with three strips: cluster, instances, nodes
//!                 ░░░▓▓▓▓▓▓▓▓▓▓▓▓▓         light while the job waits, dark while it holds
//!                    ░░░▓▓▓▓▓▓             blue is shared, orange is exclusive
//! ```

mod axis;
mod xml;

use std::fmt::{self, Write};
use std::time::Duration;

use lockladder::ganeti::seed::{Cluster, Instance, Node};
use lockladder::level::Level;
use tokio::time::Instant;

use self::axis::Axis;
use self::xml::escaped;
use crate::control::{Control, Grip, Span};
use crate::ledger::Access;
use crate::task::Task;

/// The most lanes: the first jobs have them.
pub(crate) const LANES: usize = 200;

/// The strips of a lane, from the top, with the words of the legend.
const STRIPS: [(&str, &str); 3] = [(Cluster::NAME, "cluster"), (Instance::NAME, "instances"), (Node::NAME, "nodes")];

const STRIP: u32 = 5;
const LANE: u32 = 21;
const LEFT: u32 = 330;
const PLOT: u32 = 1000;
const RIGHT: u32 = 40;
const TOP: u32 = 120;
const BOTTOM: u32 = 34;

/// The most characters of a label; the rest is shown where the mouse points.
const LABEL: usize = 44;

const STYLE: &str = "text{font:12px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}.axis{fill:#555}\
                     .grid{stroke:#ddd}.lane{fill:#f6f6f6}.failed{fill:#b00020}\
                     .waits.shared{fill:#bdd7ee}.holds.shared{fill:#1f6fb4}\
                     .waits.exclusive{fill:#fbd3a4}.holds.exclusive{fill:#c8500a}";

/// What the timeline shows of one job.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    number: usize,
    task: String,
    refusal: Option<String>,
    spans: Vec<Span>,
}

impl Lane {
    /// The lane of a job that has ended, or has not begun.
    pub(crate) fn of(number: usize, task: &Task, control: &Control) -> Self {
        Self { number, task: task.to_string(), refusal: control.refusal(), spans: control.spans() }
    }
}

/// The picture of these lanes, which are the first of `jobs` jobs.
pub(crate) fn svg(lanes: &[Lane], jobs: usize) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = Picture::of(lanes, jobs).draw(&mut text);
    text
}

struct Picture<'l> {
    lanes: Vec<&'l Lane>,
    jobs: usize,
    begun: Instant,
    axis: Axis,
}

impl<'l> Picture<'l> {
    fn of(lanes: &'l [Lane], jobs: usize) -> Self {
        let lanes: Vec<_> = lanes.iter().filter(|lane| !lane.spans.is_empty()).collect();
        let spans = || lanes.iter().flat_map(|lane| &lane.spans);
        let begun = spans().map(|span| span.from).min().unwrap_or_else(Instant::now);
        let ended = spans().filter_map(|span| span.to).max().unwrap_or(begun);
        Self { lanes, jobs, begun, axis: Axis::over(ended - begun) }
    }

    fn height(&self) -> u32 {
        TOP + LANE * u32::try_from(self.lanes.len()).unwrap_or(u32::MAX / LANE / 2) + BOTTOM
    }

    fn draw(&self, out: &mut String) -> fmt::Result {
        let (width, height) = (LEFT + PLOT + RIGHT, self.height());
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
        )?;
        writeln!(out, "<style>{STYLE}</style>")?;
        writeln!(out, r#"<rect width="{width}" height="{height}" fill="white"/>"#)?;
        let shown = if self.lanes.len() < self.jobs {
            format!("{} of {} jobs", self.lanes.len(), self.jobs)
        } else {
            format!("{} jobs", self.jobs)
        };
        writeln!(out, r#"<text class="title" x="12" y="26">When {shown} waited for locks and held them</text>"#)?;
        draw_legend(out)?;
        self.draw_axis(out)?;
        let mut top = TOP;
        for lane in &self.lanes {
            self.draw_lane(out, lane, top)?;
            top += LANE;
        }
        writeln!(out, "</svg>")
    }

    fn draw_axis(&self, out: &mut String) -> fmt::Result {
        let bottom = self.height() - BOTTOM;
        for (time, label) in self.axis.marks() {
            let x = self.x(time);
            writeln!(out, r#"<line class="grid" x1="{x:.2}" x2="{x:.2}" y1="{}" y2="{bottom}"/>"#, TOP - 4)?;
            for y in [TOP - 8, bottom + 16] {
                writeln!(out, r#"<text class="axis" x="{x:.2}" y="{y}" text-anchor="middle">{label}</text>"#)?;
            }
        }
        Ok(())
    }

    fn draw_lane(&self, out: &mut String, lane: &Lane, top: u32) -> fmt::Result {
        let Lane { number, task, refusal, spans } = lane;
        let outcome = refusal.as_ref().map_or_else(String::new, |refusal| format!(": {refusal}"));
        writeln!(out, "<g><title>{}</title>", escaped(&format!("job {number}, {task}{outcome}")))?;
        let (height, class) = (LANE - 4, if refusal.is_some() { " class=\"failed\"" } else { "" });
        writeln!(out, r#"<rect class="lane" x="{LEFT}" y="{top}" width="{PLOT}" height="{height}"/>"#)?;
        let label = label(&format!("{number} {task}"), refusal.is_some());
        let (right, base) = (LEFT - 10, top + 13);
        writeln!(out, r#"<text{class} x="{right}" y="{base}" text-anchor="end">{}</text>"#, escaped(&label))?;
        for span in spans {
            self.draw_span(out, span, top + 1)?;
        }
        writeln!(out, "</g>")
    }

    fn draw_span(&self, out: &mut String, span: &Span, top: u32) -> fmt::Result {
        let Some(to) = span.to else { return Ok(()) };
        let Some(strip) = STRIPS.iter().position(|(level, _)| *level == span.rung.level) else { return Ok(()) };
        let y = top + STRIP * u32::try_from(strip).unwrap_or(0);
        let (x, end) = (self.x(span.from - self.begun), self.x(to - self.begun));
        // What is over at once is still to be seen.
        let width = (end - x).max(0.5);
        let (grip, mode) = (grip(span.grip), mode(span.rung.access));
        let told = format!("{grip} {} ({mode}): {:.3?}", STRIPS[strip].1, to - span.from);
        writeln!(
            out,
            r#"<rect class="{grip} {mode}" x="{x:.2}" y="{y}" width="{width:.2}" height="{STRIP}"><title>{told}</title></rect>"#
        )
    }

    /// Where this time is, from the left.
    fn x(&self, time: Duration) -> f64 {
        f64::from(LEFT) + f64::from(PLOT) * self.axis.part(time)
    }
}

fn draw_legend(out: &mut String) -> fmt::Result {
    let mut x = 12;
    for (grip, mode) in [("waits", "shared"), ("holds", "shared"), ("waits", "exclusive"), ("holds", "exclusive")] {
        writeln!(out, r#"<rect class="{grip} {mode}" x="{x}" y="42" width="28" height="12"/>"#)?;
        writeln!(out, r#"<text x="{}" y="52">{grip}, {mode}</text>"#, x + 34)?;
        x += 160;
    }
    let strips: Vec<_> = STRIPS.iter().map(|(_, words)| *words).collect();
    let strips = strips.join(", ");
    writeln!(out, r#"<text x="12" y="76">A lane is a job. Its three strips, from the top: {strips}.</text>"#)?;
    writeln!(out, r#"<text class="failed" x="{}" y="76">✗ The job failed.</text>"#, LEFT + 122)
}

fn grip(grip: Grip) -> &'static str {
    match grip {
        Grip::Waits => "waits",
        Grip::Holds => "holds",
    }
}

fn mode(access: Access) -> &'static str {
    match access {
        Access::Shared => "shared",
        Access::Exclusive => "exclusive",
    }
}

/// The label of a lane, cut if it is long.
fn label(text: &str, failed: bool) -> String {
    let mark = if failed { " ✗" } else { "" };
    let mut label: String = text.chars().take(LABEL).collect();
    if label.len() < text.len() {
        label.push('…');
    }
    label + mark
}

#[cfg(test)]
mod tests;
