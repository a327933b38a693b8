//! The table: each case in both variants, and how they compare.

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

use super::Findings;
use super::client::Seen;
use super::pass::Pass;
use crate::options::Load;
use crate::variant::Variant;

/// Lays out everything that was found.
pub(super) fn table(options: &Load, all: &[Findings]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header([
        "case",
        "locks",
        "transfers/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "longest ms",
        "busy",
        "closes",
        "names left",
    ]);
    for Findings { case, rounds } in all {
        let (ladder, plain): (Vec<_>, Vec<_>) = rounds.iter().map(|round| (&round.ladder, &round.plain)).unzip();
        table.add_row(row(case.name, Variant::Ladder, &ladder));
        table.add_row(row("", Variant::Plain, &plain));
        let ratio = |of: fn(&Pass) -> f64| {
            spread(rounds.iter().map(|round| of(&round.ladder) / of(&round.plain).max(1e-9)).collect())
        };
        let (rate, tail) = (ratio(Pass::rate), ratio(p99));
        table.add_row([String::new(), "ratio".into(), rate, String::new(), tail]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let Load { seconds, rounds, clients, .. } = options;
    format!(
        "{table}\n{clients} connections, {rounds} rounds of {seconds} s. Transfers/s are those of the median round; times \
         are of all rounds together.\nA ratio is lockladder / the other one, of the two passes of a round: the median \
         (the least to the most)."
    )
}

fn row(case: &str, variant: Variant, passes: &[&Pass]) -> Vec<String> {
    let mut seen = Seen::nothing();
    for pass in passes {
        seen.add(&pass.seen);
    }
    let quantile = |quantile| millis(seen.times.value_at_quantile(quantile));
    vec![
        case.to_owned(),
        variant.to_string(),
        format!("{:.0}", median(passes.iter().map(|pass| pass.rate()).collect())),
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        millis(seen.times.max()),
        seen.busy.to_string(),
        seen.closed.to_string(),
        passes.iter().map(|pass| pass.names_left).max().unwrap_or_default().to_string(),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "no request takes 2^52 microseconds")]
fn p99(pass: &Pass) -> f64 {
    pass.seen.times.value_at_quantile(0.99) as f64
}

#[expect(clippy::cast_precision_loss, reason = "no request takes 2^52 microseconds")]
fn millis(micros: u64) -> String {
    format!("{:.1}", micros as f64 / 1000.0)
}

/// The median, and the least and the most.
fn spread(values: Vec<f64>) -> String {
    let (least, most) =
        values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    format!("{:.2} ({least:.2} to {most:.2})", median(values))
}

/// The value in the middle; of an even number, the upper one of the two. Zero of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_between_the_ends() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), "2.00 (1.00 to 3.00)");
        assert_eq!(spread(vec![1.5]), "1.50 (1.50 to 1.50)");
    }
}
