//! A time axis whose marks are round numbers.

use std::time::Duration;

/// The fewest marks after the first, if the time is not shorter than that many nanoseconds.
const MARKS: u128 = 5;

/// An axis from 0 to a length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    length: Duration,
}

impl Axis {
    pub(super) fn over(length: Duration) -> Self {
        Self { length: length.max(Duration::from_nanos(1)) }
    }

    /// Which part of the axis lies before this time.
    pub(super) fn part(self, time: Duration) -> f64 {
        time.as_secs_f64() / self.length.as_secs_f64()
    }

    /// The marks: 1, 2 or 5 times a power of ten apart, each with its label.
    pub(super) fn marks(self) -> impl Iterator<Item = (Duration, String)> {
        let length = self.length.as_nanos();
        let steps = (0..).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_u128.pow(power)));
        let step = steps.take_while(|step| length / step >= MARKS).last().unwrap_or(1);
        let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
        let (unit, name) = units.into_iter().find(|(unit, _)| step >= *unit).unwrap_or((1, "ns"));
        (0..=length / step).map(move |mark| {
            let time = mark * step;
            (Duration::from_nanos(u64::try_from(time).unwrap_or(u64::MAX)), format!("{} {name}", time / unit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(length: Duration) -> Vec<String> {
        Axis::over(length).marks().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_are_round_and_neither_few_nor_many() {
        assert_eq!(labels(Duration::from_millis(57)), ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms", "50 ms"]);
        let seconds = ["0 s", "200 s", "400 s", "600 s", "800 s", "1000 s"];
        assert_eq!(labels(Duration::from_millis(1_199_999)), seconds);
        for length in (0..60).map(|power| Duration::from_nanos(1 << power)) {
            let marks = labels(length);
            assert!((2..=14).contains(&marks.len()), "{length:?}: {marks:?}");
            assert!(marks.iter().collect::<std::collections::BTreeSet<_>>().len() == marks.len(), "{marks:?}");
        }
    }

    #[test]
    fn an_axis_of_no_length_has_a_mark() {
        assert_eq!(labels(Duration::ZERO), ["0 ns", "1 ns"]);
    }
}
