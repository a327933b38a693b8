//! Rounds: every peer once per round, each round begun by another one.
//!
//! The machine has faster and slower moments, so a time means little by itself. What counts is the ratio of ours to a
//! peer **within one round**, and of these ratios the median.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::peers::OURS;
use crate::rows::{Column, Contender, Row, Scale, Unit};
use crate::stage::Stage;

/// A peer that needs longer than this for one sample is not asked again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What one peer showed in one column.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    pub(crate) peer: &'static str,
    /// The median over the rounds, in the unit of the column; of spreads, the least.
    pub(crate) value: f64,
    /// Ours over this peer's.
    pub(crate) ratio: Option<Ratio>,
    /// Only 1, and that with less to do, for a peer that tries our patience.
    pub(crate) rounds: usize,
}

/// How ours compares with a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    /// The median of the ratios of the rounds; of spreads, the ratio of the least.
    pub(crate) value: f64,
    /// Half of the rounds lies between these.
    pub(crate) half: Option<[f64; 2]>,
}

/// One column, measured.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) row: Row,
    pub(crate) column: Column,
    /// Of those who could do it.
    pub(crate) scores: Vec<Score>,
}

/// Measures all `rows`, row by row.
pub(crate) fn measure(rows: &[Row], contenders: &[Contender], scale: &Scale) -> Vec<Measurement> {
    let stage = Stage::new();
    let steps: usize = rows.iter().map(|row| rounds(*row, scale) + 1).sum();
    let progress = progress(steps);
    let measurements = rows.iter().flat_map(|row| {
        progress.set_message(row.to_string());
        measure_row(*row, contenders, &stage, scale, &progress)
    });
    let measurements = measurements.collect();
    progress.finish_and_clear();
    measurements
}

/// Hidden where stderr is not a terminal. It draws only when a round is over, and never while something is timed.
fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} [{bar:30}] {pos}/{len} rounds, {eta} left");
    ProgressBar::new(steps as u64).with_style(style.expect("the template is right"))
}

fn rounds(row: Row, scale: &Scale) -> usize {
    if row.varies() { scale.rounds } else { 1 }
}

/// A value per column.
type Answer = Vec<f64>;

/// How a peer did when it was asked for the first time.
enum Rehearsal {
    /// It cannot do this.
    Unable,
    /// It takes so long that this answer must do.
    TooSlow(Answer),
    Ready,
}

/// Warms up: asks for less first, and goes on only while that does not take too long.
fn rehearse(contender: &Contender, row: Row, stage: &Stage, scale: &Scale) -> Rehearsal {
    for fraction in [50, 10, 1] {
        let begun = Instant::now();
        let Some(answer) = contender.run(row, stage, &scale.divided_by(fraction)) else { return Rehearsal::Unable };
        if begun.elapsed() > PATIENCE {
            return Rehearsal::TooSlow(answer);
        }
    }
    Rehearsal::Ready
}

fn measure_row(
    row: Row,
    contenders: &[Contender],
    stage: &Stage,
    scale: &Scale,
    progress: &ProgressBar,
) -> Vec<Measurement> {
    let rehearsals: Vec<_> = contenders.iter().map(|contender| rehearse(contender, row, stage, scale)).collect();
    progress.inc(1);
    let ready = contenders.iter().zip(&rehearsals).filter(|(_, rehearsal)| matches!(rehearsal, Rehearsal::Ready));
    let mut ready: Vec<(_, Vec<Answer>)> = ready.map(|(contender, _)| (contender, Vec::new())).collect();
    for round in 0..rounds(row, scale) {
        let count = ready.len();
        for turn in 0..count {
            let (contender, answers) = &mut ready[(round + turn) % count];
            answers.push(contender.run(row, stage, scale).expect("what a peer could do before it can do again"));
        }
        progress.inc(1);
    }
    let slow = contenders.iter().zip(rehearsals).filter_map(|(contender, rehearsal)| match rehearsal {
        Rehearsal::TooSlow(answer) => Some((contender.name, answer)),
        Rehearsal::Unable | Rehearsal::Ready => None,
    });
    let slow: Vec<_> = slow.collect();
    let measurement = |(index, column): (usize, Column)| {
        let slow = slow.iter().map(|(peer, answer)| Score { peer, value: answer[index], ratio: None, rounds: 1 });
        let scores = scores(&ready, index, column.unit).into_iter().chain(slow).collect();
        Measurement { row, column, scores }
    };
    row.columns().into_iter().enumerate().map(measurement).collect()
}

/// The scores in one column of those who went through all rounds.
fn scores(ready: &[(&Contender, Vec<Answer>)], column: usize, unit: Unit) -> Vec<Score> {
    let values = |answers: &[Answer]| answers.iter().map(|answer| answer[column]).collect::<Vec<_>>();
    let ours = ready.iter().find(|(contender, _)| contender.name == OURS).map(|(_, answers)| values(answers));
    let score = |(contender, answers): &(&Contender, Vec<Answer>)| {
        let theirs = values(answers);
        let ours = ours.as_ref().filter(|_| contender.name != OURS);
        let ratio = ours.map(|ours| match unit {
            Unit::Spread => Ratio { value: quantile(ours, 0) / quantile(&theirs, 0), half: None },
            _ => by_round(ours, &theirs),
        });
        let value = quantile(&theirs, if unit == Unit::Spread { 0 } else { 2 });
        Score { peer: contender.name, value, ratio, rounds: answers.len() }
    };
    ready.iter().map(score).collect()
}

fn by_round(ours: &[f64], theirs: &[f64]) -> Ratio {
    let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    Ratio { value: quantile(&ratios, 2), half: Some([1, 3].map(|quarters| quantile(&ratios, quarters))) }
}

/// The value below which so many quarters of the others lie.
fn quantile(values: &[f64], quarters: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() - 1) * quarters / 4]
}
