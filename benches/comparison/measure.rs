//! Rounds: every peer is measured once per round, and each round begins with another peer.
//!
//! The machine has faster and slower moments, so a time means little by itself. What counts is the ratio of ours to a
//! peer **within one round**, and of these ratios the median.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::contender::{Contender, OURS, Sampler};
use super::row::{Column, Row, Scale, Unit};
use super::stage::Stage;

/// What one peer showed in one column.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    pub(crate) peer: &'static str,
    /// The median over the rounds, in the unit of the column; the least, if [`Unit::is_least`].
    pub(crate) value: f64,
    /// Ours over this peer's.
    pub(crate) ratio: Option<Ratio>,
    /// Only 1, and that with less to do, for a peer that is too slow.
    pub(crate) rounds: usize,
}

/// How ours compares with a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    /// The median of the ratios of the rounds; the ratio of the least values, if [`Unit::is_least`].
    pub(crate) value: f64,
    /// Half of the rounds lie between these.
    pub(crate) half: Option<[f64; 2]>,
}

/// One column, measured.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) row: String,
    pub(crate) table: &'static str,
    pub(crate) column: Column,
    /// The scores of the peers that could do it.
    pub(crate) scores: Vec<Score>,
}

/// Measures all `rows`, row by row.
pub(crate) fn measure<R: Row>(
    rows: &[R],
    contenders: &[Contender<R>],
    scale: &R::Scale,
    rounds: usize,
) -> Vec<Measurement> {
    let stage = Stage::new();
    let rounds = |row: R| if row.varies() { rounds } else { 1 };
    let progress = progress(rows.iter().map(|row| rounds(*row) + 1).sum());
    let measurements = rows.iter().flat_map(|row| {
        progress.set_message(row.to_string());
        measure_row(*row, contenders, &stage, scale, rounds(*row), &progress)
    });
    let measurements = measurements.collect();
    progress.finish_and_clear();
    measurements
}

/// Hidden if stderr is not a terminal. The bar draws only when a round is over, and never while something is timed.
fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} [{bar:30}] {pos}/{len} rounds, {eta} left");
    ProgressBar::new(steps as u64).with_style(style.expect("the template is right"))
}

/// A value per column.
type Answer = Vec<f64>;

/// How a peer did in its first samples.
enum Rehearsal<'a, S> {
    /// It cannot do this.
    Unable,
    /// It takes so long that this answer must do.
    TooSlow(Answer),
    Ready(Sampler<'a, S>),
}

/// Prepares, and warms up: asks for less first, and goes on only while that does not take too long.
fn rehearse<'a, R: Row>(
    contender: &Contender<R>,
    row: R,
    stage: &'a Stage,
    scale: &R::Scale,
) -> Rehearsal<'a, R::Scale> {
    let Some(mut sample) = (contender.prepare)(row, stage, scale) else { return Rehearsal::Unable };
    for fraction in [50, 10, 1] {
        let begun = Instant::now();
        let Some(answer) = sample(&scale.divided_by(fraction)) else { return Rehearsal::Unable };
        if begun.elapsed() > row.patience() {
            return Rehearsal::TooSlow(answer);
        }
    }
    Rehearsal::Ready(sample)
}

fn measure_row<R: Row>(
    row: R,
    contenders: &[Contender<R>],
    stage: &Stage,
    scale: &R::Scale,
    rounds: usize,
    progress: &ProgressBar,
) -> Vec<Measurement> {
    let (mut ready, mut slow) = (Vec::new(), Vec::new());
    for contender in contenders {
        match rehearse(contender, row, stage, scale) {
            Rehearsal::Unable => {}
            Rehearsal::TooSlow(answer) => slow.push((contender.name, answer)),
            Rehearsal::Ready(sample) => ready.push((contender.name, sample, Vec::new())),
        }
    }
    progress.inc(1);
    for round in 0..rounds {
        let count = ready.len();
        for turn in 0..count {
            let (_, sample, answers) = &mut ready[(round + turn) % count];
            answers.push(sample(scale).expect("what a peer could do before it can do again"));
        }
        progress.inc(1);
    }
    let ready: Vec<_> = ready.into_iter().map(|(peer, _, answers)| (peer, answers)).collect();
    let measurement = |(index, column): (usize, Column)| {
        let slow = slow.iter().map(|(peer, answer)| Score { peer, value: answer[index], ratio: None, rounds: 1 });
        let scores = scores(&ready, index, column.unit).into_iter().chain(slow).collect();
        Measurement { row: row.to_string(), table: row.table(), column, scores }
    };
    row.columns().into_iter().enumerate().map(measurement).collect()
}

/// The scores, in one column, of the peers that did all rounds.
fn scores(ready: &[(&'static str, Vec<Answer>)], column: usize, unit: Unit) -> Vec<Score> {
    let values = |answers: &[Answer]| answers.iter().map(|answer| answer[column]).collect::<Vec<_>>();
    let ours = ready.iter().find(|(peer, _)| *peer == OURS).map(|(_, answers)| values(answers));
    let score = |&(peer, ref answers): &(&'static str, Vec<Answer>)| {
        let theirs = values(answers);
        let ours = ours.as_ref().filter(|_| peer != OURS);
        let least = |ours: &[f64]| Ratio { value: quantile(ours, 0) / quantile(&theirs, 0), half: None };
        let ratio = ours.map(|ours| if unit.is_least() { least(ours) } else { by_round(ours, &theirs) });
        let value = quantile(&theirs, if unit.is_least() { 0 } else { 2 });
        Score { peer, value, ratio, rounds: answers.len() }
    };
    ready.iter().map(score).collect()
}

fn by_round(ours: &[f64], theirs: &[f64]) -> Ratio {
    let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    Ratio { value: quantile(&ratios, 2), half: Some([1, 3].map(|quarters| quantile(&ratios, quarters))) }
}

/// The value below which `quarters` quarters of the values lie.
fn quantile(values: &[f64], quarters: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() - 1) * quarters / 4]
}
