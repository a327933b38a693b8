//! The table as text, for a terminal or a log.
//!
//! ```text
//! Bank  4 sessions, 2 waiting, longest 12.4 s                                 2026-11-26 03:12:09Z
//!   level    name  mode  holder               held    asked at         waiting, in order
//! ▶ Tenant   7     X     close month (#41)    12.4 s  month.rs:88      transfer (#57) S 12.1 s · refund (#60) S 9.0 s
//!   Account  3     X     transfer (#57) ⏸     12.1 s  transfer.rs:31
//! jam: close month (#41) holds Tenant 7 and waits for no lock: see month.rs:88; 2 sessions are behind it
//! ```

use super::{Hold, LockRow, LockTable, SessionRow, Wait};
use crate::abridged::Beginning;
use crate::mode::LockMode;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The width of a terminal that does not tell its own.
const WIDTH: usize = 120;

/// The most holders of one lock, and the most jams and circles, that are shown.
const SHOWN: usize = 4;

/// The most locks that are shown; the others are counted by level.
const LOCKS: usize = 40;

/// As a table: the locks that are awaited first. As wide as the format says (`{table:100}`), else as the environment
/// variable `COLUMNS` says, else 120 columns. What does not fit is counted; `{table:#}` shows all.
impl fmt::Display for LockTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns >= 40);
        let width = f.width().or_else(columns).unwrap_or(WIDTH);
        let page = Page { table: self, width: if f.alternate() { usize::MAX } else { width }, whole: f.alternate() };
        page.head(f, width)?;
        page.locks(f)?;
        page.jams(f)?;
        page.circles(f)
    }
}

struct Page<'t> {
    table: &'t LockTable,
    width: usize,
    whole: bool,
}

/// A line of the table: all columns but the last, and the last.
struct Line {
    cells: [String; 6],
    waiting: Vec<String>,
}

impl Page<'_> {
    fn head(&self, f: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        let table = self.table;
        let waiting = table.waiting();
        let longest = waiting.first().and_then(|session| session.awaits.as_ref()).map(|wait| wait.waited);
        let locks = table.locks.iter().filter(|lock| !lock.waiters.is_empty()).count();
        let mut head = if table.hierarchy.is_empty() {
            format!("{}, {locks} awaited", counted(table.locks.len(), "lock"))
        } else {
            let sessions = counted(table.sessions.len(), "session");
            format!("{}  {sessions}, {} waiting", table.hierarchy, waiting.len())
        };
        if let Some(longest) = longest {
            head = format!("{head}, longest {}", Span(longest));
        }
        let at = Utc(table.at).to_string();
        let gap = width.saturating_sub(head.chars().count() + at.len()).max(2);
        writeln!(f, "{head}{:gap$}{at}", "")
    }

    fn locks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.whole { usize::MAX } else { LOCKS };
        let (shown, hidden) = self.table.locks.split_at(most.min(self.table.locks.len()));
        let mut lines: Vec<Line> = shown.iter().flat_map(|lock| self.lines(lock)).collect();
        if lines.is_empty() {
            return writeln!(f, "nothing is held, and no request waits");
        }
        let titles = ["", "level", "name", "mode", "holder", "held"].map(str::to_owned);
        lines.insert(0, Line { cells: titles, waiting: Vec::new() });
        let widths: [usize; 6] =
            std::array::from_fn(|at| lines.iter().map(|line| line.cells[at].chars().count()).max().unwrap_or(0));
        for (at, Line { cells, waiting }) in lines.iter().enumerate() {
            let mut text = String::new();
            for (cell, width) in cells.iter().zip(widths).filter(|(_, width)| *width > 0) {
                text = format!("{text}{cell}{:gap$}", "", gap = width - cell.chars().count() + 2);
            }
            let text = text.replacen("  ", " ", usize::from(widths[0] > 0));
            let last =
                if at == 0 { "asked at, and who waits, in order".to_owned() } else { self.fitting(&text, waiting) };
            writeln!(f, "{}", format!("{text}{last}").trim_end())?;
        }
        let mut levels: Vec<&str> = hidden.iter().map(|lock| lock.level).collect();
        levels.dedup();
        for level in levels {
            let count = hidden.iter().filter(|lock| lock.level == level).count();
            writeln!(f, "and {} more of level {level}", counted(count, "lock"))?;
        }
        Ok(())
    }

    /// As much of a list as fits behind a text, and how many entries are left out.
    fn fitting(&self, text: &str, entries: &[String]) -> String {
        let room = self.width.saturating_sub(text.chars().count());
        let mut shown = String::new();
        for (at, entry) in entries.iter().enumerate() {
            let separator = if at == 0 { "" } else { " · " };
            let more = format!(" · and {} more", entries.len() - at);
            let reserve = if at + 1 == entries.len() { 0 } else { more.chars().count() };
            if at > 0 && shown.chars().count() + entry.chars().count() + 3 + reserve > room {
                return shown + &more;
            }
            shown = shown + separator + entry;
        }
        shown
    }

    fn lines(&self, lock: &LockRow) -> Vec<Line> {
        let mark = if lock.waiters.is_empty() { "" } else { "▶" };
        let is_root = !lock.level.is_empty() && lock.level == self.table.root;
        let name = lock.name.as_deref().unwrap_or(if is_root { "–" } else { "all" });
        let mode = lock.mode.map_or("", letter);
        let first = [mark, lock.level, name, mode].map(|text| Beginning(text).to_string());
        let [mark, level, name, mode] = &first;
        let waiting: Vec<String> = lock.waiters.iter().map(|waiter| self.waiter(waiter)).collect();
        let known: Vec<&SessionRow> = lock.held_by.iter().filter_map(|id| self.table.session(*id)).collect();
        // Holders that are in no one's way are only counted.
        let most = if self.whole || (known.len() <= SHOWN && !waiting.is_empty()) { known.len() } else { SHOWN };
        let listed = known.len() == 1 || !waiting.is_empty() || self.whole;
        if !listed || known.is_empty() {
            let holders = match (lock.holders, lock.removed) {
                (0, false) => "free".to_owned(),
                (0, true) => "removed".to_owned(),
                (count, _) if lock.level.is_empty() => counted(count, "holder"),
                (count, _) => counted(count, "session"),
            };
            let cells = [mark.clone(), level.clone(), name.clone(), mode.clone(), holders, String::new()];
            return vec![Line { cells, waiting }];
        }
        let mut lines: Vec<Line> = known.iter().take(most).map(|session| Self::holder(lock, session)).collect();
        let left = lock.holders.saturating_sub(lines.len());
        if left > 0 {
            let holders = format!("and {left} more");
            let cells = [String::new(), String::new(), String::new(), String::new(), holders, String::new()];
            lines.push(Line { cells, waiting: Vec::new() });
        }
        if let Some(line) = lines.first_mut() {
            for (cell, text) in line.cells.iter_mut().zip([mark, level, name, mode]) {
                cell.clone_from(text);
            }
            line.waiting.extend(waiting);
        }
        lines
    }

    fn holder(lock: &LockRow, session: &SessionRow) -> Line {
        let pause = if session.is_stuck() { " ⏸" } else { "" };
        let doubt = if session.uncertain { " ~" } else { "" };
        let holder = format!("{}{pause}{doubt}", named(session));
        let hold = session.holds.iter().find(|hold| hold.level == lock.level);
        let (age, place) = match (hold, &session.awaits) {
            (Some(hold), _) => (Span(hold.held).to_string(), Some(hold.place)),
            (None, Some(Wait { unclaimed: Some(unclaimed), place, .. })) => {
                (format!("granted, not claimed {}", Span(*unclaimed)), Some(*place))
            }
            (None, _) => (String::new(), None),
        };
        let cells = [String::new(), String::new(), String::new(), String::new(), holder, age];
        Line { cells, waiting: place.map(|place| at(place)).into_iter().collect() }
    }

    fn waiter(&self, waiter: &super::Waiter) -> String {
        let letter = letter(waiter.mode);
        let urgency = match waiter.priority.get() {
            0 => String::new(),
            priority => format!(" priority {priority}"),
        };
        let session = waiter.session.and_then(|id| self.table.session(id));
        match session.and_then(|session| Some((session, session.awaits.as_ref()?))) {
            Some((session, wait)) => format!("{} {letter} {}{urgency}", named(session), Span(wait.waited)),
            None => format!("{letter}{urgency}"),
        }
    }

    fn jams(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jams = self.table.jams();
        let most = if self.whole { usize::MAX } else { SHOWN };
        for (root, behind) in jams.iter().take(most) {
            let why = match (&root.awaits, root.holds.last()) {
                (Some(wait), _) => format!(
                    "is granted {} and has not claimed it for {}: its task is not polled; it asked at {}",
                    what(wait.level, wait.whole, &wait.names, wait.more),
                    Span(wait.unclaimed.unwrap_or_default()),
                    at(wait.place)
                ),
                (None, Some(Hold { level, whole, names, more, held, place, .. })) => format!(
                    "holds {} for {} and waits for no lock: see {}",
                    what(level, *whole, names, *more),
                    Span(*held),
                    at(place)
                ),
                (None, None) => "is beginning".to_owned(),
            };
            let is = if *behind == 1 { "is" } else { "are" };
            writeln!(f, "jam: {} {why}; {} {is} behind it", named(root), counted(*behind, "session"))?;
        }
        match jams.len().saturating_sub(most) {
            0 => Ok(()),
            more => writeln!(f, "and {}", counted(more, "more jam")),
        }
    }

    fn circles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for circle in self.table.cycles().iter().take(if self.whole { usize::MAX } else { SHOWN }) {
            let names: Vec<String> = circle.iter().map(|session| named(session)).collect();
            writeln!(f, "circle: {} → {}", names.join(" → "), names[0])?;
        }
        Ok(())
    }
}

fn letter(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Shared => "S",
        LockMode::Exclusive => "X",
    }
}

fn named(session: &SessionRow) -> String {
    format!("{} (#{})", Beginning(&session.label), session.id)
}

/// What is held or awaited of a level, in a few words.
fn what(level: &str, whole: bool, names: &[String], more: usize) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|name| Beginning(name).to_string()).collect();
    let more = more + names.len() - shown.len();
    match (whole, more) {
        (true, _) => level.to_owned(),
        (false, 0) => format!("{level} {}", shown.join(", ")),
        (false, _) => format!("{level} {} and {more} more", shown.join(", ")),
    }
}

/// The place in the source, without its folders.
fn at(place: &Location<'_>) -> String {
    let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
    format!("{file}:{}", place.line())
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A duration for people.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, seconds) = (self.0.as_millis(), self.0.as_secs());
        match seconds {
            0 => write!(f, "{ms} ms"),
            1..=59 => write!(f, "{}.{} s", seconds, self.0.subsec_millis() / 100),
            60..=3_599 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3_600..=86_399 => write!(f, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
        }
    }
}

/// A time in UTC, to the second.
struct Utc(SystemTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // Years begin in March here, so that a leap day is the last of its year; 719,468 days from then to 1970.
        let day = days + 719_468;
        let (era, of_era) = (day / 146_097, day % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = (era * 400 + year + u64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Utc};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn durations_are_for_people() {
        let shown = |ms| Span(Duration::from_millis(ms)).to_string();
        assert_eq!(["0 ms", "999 ms"], [0, 999].map(shown)[..]);
        assert_eq!(["1.0 s", "12.4 s", "59.9 s"], [1_000, 12_499, 59_999].map(shown)[..]);
        assert_eq!(["1 min 0 s", "1 h 1 min", "2 d 1 h"], [60_000, 3_661_000, 176_400_000].map(shown)[..]);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let shown = |seconds| Utc(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        assert_eq!(shown(0), "1970-01-01 00:00:00Z");
        assert_eq!(shown(951_782_399), "2000-02-28 23:59:59Z");
        assert_eq!(shown(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(shown(1_793_243_529), "2026-10-29 03:12:09Z");
        assert_eq!(shown(4_107_542_399), "2100-02-28 23:59:59Z");
        assert_eq!(shown(4_107_542_400), "2100-03-01 00:00:00Z");
    }
}
