//! The time of day for people: cheap to read, and good to some milliseconds.
//!
//! A climb reads the clock once a level. `Instant::now` takes 30 ns where this takes 6: three of those would be a
//! seventh of a climb.

use std::time::{Duration, SystemTime};
#[cfg(feature = "test-util")]
use {std::sync::OnceLock, tokio::time::Instant};

/// A moment, in milliseconds since an origin that is the same for all threads. On 32 bits it wraps after 49 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment(usize);

impl Moment {
    #[inline]
    pub(crate) fn now() -> Self {
        Self(milliseconds())
    }

    /// How long ago this was at another moment. Zero if it was later.
    pub(crate) fn until(self, later: Self) -> Duration {
        let passed = later.0.wrapping_sub(self.0);
        Duration::from_millis(if passed > usize::MAX / 2 { 0 } else { passed as u64 })
    }

    /// The number to be kept in an atomic.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0
    }

    pub(crate) fn of_number(number: usize) -> Self {
        Self(number)
    }
}

/// The time of day. If tests may pause tokio's clock, it goes by that, as ages do.
pub(crate) fn time_of_day() -> SystemTime {
    #[cfg(not(feature = "test-util"))]
    return SystemTime::now();
    #[cfg(feature = "test-util")]
    {
        static START: OnceLock<(Instant, SystemTime)> = OnceLock::new();
        let (start, time) = START.get_or_init(|| (Instant::from_std(std::time::Instant::now()), SystemTime::now()));
        let now = Instant::now();
        if now >= *start { *time + (now - *start) } else { *time - (*start - now) }
    }
}

/// By the kernel's clock of its last tick; or by tokio's, which a test can pause.
#[inline]
fn milliseconds() -> usize {
    #[cfg(all(target_os = "linux", not(feature = "test-util")))]
    return coarse();
    #[cfg(not(all(target_os = "linux", not(feature = "test-util"))))]
    return of_tokio();
}

/// The time of the last tick of the kernel, which comes every 1 to 10 ms.
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "unused if tests may pause the time")]
#[allow(unsafe_code, reason = "the clock is read by a C function")]
#[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "not negative; it may wrap on 32 bits")]
#[inline]
fn coarse() -> usize {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: this relies on no invariant of ours. The pointer is to a `timespec` of this function. If the clock did not exist, it would stay zero.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    (time.tv_sec as usize).wrapping_mul(1_000).wrapping_add(time.tv_nsec as usize / 1_000_000)
}

#[allow(dead_code, reason = "unused where there is a cheaper clock")]
#[allow(clippy::cast_possible_truncation, reason = "it may wrap on 32 bits")]
fn of_tokio() -> usize {
    use std::sync::OnceLock;
    use tokio::time::Instant;

    /// A paused clock stays behind, but not by this much.
    const BEHIND: Duration = Duration::from_secs(1 << 20);
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let origin = ORIGIN.get_or_init(|| {
        let now = std::time::Instant::now();
        Instant::from_std(now.checked_sub(BEHIND).unwrap_or(now))
    });
    origin.elapsed().as_millis() as usize
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use std::time::Duration;

    #[test]
    fn ages_are_never_negative_and_survive_a_wrap() {
        let (early, late) = (Moment(usize::MAX - 4), Moment(5));
        assert_eq!(early.until(late), Duration::from_millis(10));
        assert_eq!(late.until(early), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cheap_clock_goes_on_as_the_precise_one_does() {
        let (start, began) = (super::coarse(), std::time::Instant::now());
        while super::coarse() == start {
            assert!(began.elapsed() < Duration::from_secs(60), "it stands still");
        }
        assert!(super::coarse() > start);
    }
}
