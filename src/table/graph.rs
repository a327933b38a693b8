//! Who blocks whom.
//!
//! A session that waits is behind the sessions in its way. A session that does not wait is at the root of a jam, unless
//! its task waits in another session: then it can go on only when that one does.

use super::{LockTable, SessionRow};
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

/// The sessions by their positions in the table, and those that each one is behind.
struct Graph<'t> {
    sessions: &'t [SessionRow],
    behind: Vec<Vec<usize>>,
}

impl<'t> Graph<'t> {
    fn of(table: &'t LockTable) -> Self {
        let sessions = &table.sessions[..];
        let position = |id: &u64| sessions.binary_search_by_key(id, |session| session.id).ok();
        let mut waits_in: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, session) in sessions.iter().enumerate().filter(|(_, session)| session.is_stuck()) {
            if let Some(task) = session.task {
                waits_in.entry(task).or_default().push(at);
            }
        }
        let behind = |session: &SessionRow| match (&session.awaits, session.task) {
            (Some(wait), _) if wait.unclaimed.is_none() => wait.behind.iter().filter_map(position).collect(),
            (Some(_), _) | (None, None) => Vec::new(),
            (None, Some(task)) => waits_in.get(&task).cloned().unwrap_or_default(),
        };
        Self { sessions, behind: sessions.iter().map(behind).collect() }
    }

    /// The sessions that can be reached from these, the nearest first. These are among them only if they are in a cycle.
    fn reached(edges: &[Vec<usize>], from: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let (mut seen, mut reached) = (vec![false; edges.len()], Vec::new());
        let mut next: VecDeque<usize> = from.into_iter().collect();
        while let Some(at) = next.pop_front() {
            for other in &edges[at] {
                if !seen[*other] {
                    seen[*other] = true;
                    reached.push(*other);
                    next.push_back(*other);
                }
            }
        }
        reached
    }

    /// The edges the other way round: the sessions that are behind each one.
    fn reversed(&self) -> Vec<Vec<usize>> {
        let mut reversed = vec![Vec::new(); self.behind.len()];
        for (at, behind) in self.behind.iter().enumerate() {
            for other in behind {
                reversed[*other].push(at);
            }
        }
        reversed
    }

    /// Whether each session can reach a cycle. All others are taken away, those that are behind none first.
    fn reach_cycles(&self) -> Vec<bool> {
        let reversed = self.reversed();
        let mut left: Vec<usize> = self.behind.iter().map(Vec::len).collect();
        let mut ended: Vec<usize> = (0..left.len()).filter(|at| left[*at] == 0).collect();
        let mut do_reach = vec![true; left.len()];
        while let Some(at) = ended.pop() {
            do_reach[at] = false;
            for other in &reversed[at] {
                left[*other] -= 1;
                if left[*other] == 0 {
                    ended.push(*other);
                }
            }
        }
        do_reach
    }

    /// A shortest way from a session back to itself.
    fn cycle(&self, from: usize) -> Option<Vec<usize>> {
        let (mut came_from, mut next) = (HashMap::new(), VecDeque::from([from]));
        while let Some(at) = next.pop_front() {
            for other in &self.behind[at] {
                if *other == from {
                    let mut cycle = vec![at];
                    while let Some(before) = cycle.last().and_then(|last| came_from.get(last)) {
                        cycle.push(*before);
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                if !came_from.contains_key(other) {
                    came_from.insert(*other, at);
                    next.push_back(*other);
                }
            }
        }
        None
    }

    fn rows(&self, at: impl IntoIterator<Item = usize>) -> Vec<&'t SessionRow> {
        at.into_iter().map(|at| &self.sessions[at]).collect()
    }
}

impl SessionRow {
    /// Whether it waits for a grant, and has none.
    pub(super) fn is_stuck(&self) -> bool {
        self.awaits.as_ref().is_some_and(|wait| wait.unclaimed.is_none())
    }
}

impl LockTable {
    /// All sessions that the sessions of this label are behind, directly or not: the nearest first, the roots of the
    /// jam last.
    ///
    /// Empty if no session of the label waits. See the [module](super) for an example.
    pub fn blockers(&self, label: &str) -> Vec<&SessionRow> {
        let graph = Graph::of(self);
        let labelled = self.sessions.iter().enumerate().filter(|(_, session)| session.label == label);
        let found = Graph::reached(&graph.behind, labelled.map(|(at, _)| at));
        let (roots, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|at| graph.behind[*at].is_empty());
        graph.rows(others.into_iter().chain(roots))
    }

    /// Sessions that the session of this number is behind, directly or not, the nearest first. At most 64 are looked at:
    /// each waiter of a long jam asks for its own, and the whole jam for each would be too much.
    #[cfg(feature = "tracing")]
    pub(crate) fn in_the_way(&self, id: u64) -> Vec<&SessionRow> {
        const LOOKED: usize = 64;
        let behind = |session: &SessionRow| match (&session.awaits, session.task) {
            (Some(wait), _) if wait.unclaimed.is_none() => wait.behind.clone(),
            (Some(_), _) | (None, None) => Vec::new(),
            (None, task) => {
                let stuck = self.sessions.iter().filter(|other| other.is_stuck() && other.task == task);
                stuck.map(|other| other.id).take(LOOKED).collect()
            }
        };
        let mut found: Vec<&SessionRow> = self.session(id).into_iter().collect();
        let mut at = 0;
        while let Some(session) = found.get(at).filter(|_| at < LOOKED) {
            for row in behind(session).into_iter().filter_map(|other| self.session(other)) {
                if !found.iter().any(|known| known.id == row.id) {
                    found.push(row);
                }
            }
            at += 1;
        }
        found.into_iter().skip(1).collect()
    }

    /// The sessions at the roots of the jams: each is in the way of a session that waits, and is behind none. The one
    /// with the most sessions behind it comes first.
    ///
    /// Such a session waits for nothing that the locks know of: look at what it does, at the places where it asked for
    /// what it holds. Or it has a grant that its task does not poll for: see [`Wait::unclaimed`](super::Wait::unclaimed).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockManager, ganeti::seed::{Node, Seed}};
    /// let manager: LockManager<Seed> = LockManager::builder().build();
    /// let rename = manager.exclusive("rename the cluster").await?;
    /// let mut job = Box::pin(manager.shared("job"));
    /// assert!(futures::poll!(job.as_mut()).is_pending());
    /// let table = manager.locks();
    /// assert_eq!(table.roots()[0].label, "rename the cluster");
    /// assert!(table.cycles().is_empty());
    /// # drop(rename); Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn roots(&self) -> Vec<&SessionRow> {
        self.jams().into_iter().map(|(root, _)| root).collect()
    }

    /// The roots of the jams, and how many sessions are behind each.
    pub(super) fn jams(&self) -> Vec<(&SessionRow, usize)> {
        let graph = Graph::of(self);
        let reversed = graph.reversed();
        // Behind none, a session that waits is no root: what is in its way changed hands while the copy was taken.
        let is_root =
            |at: &usize| graph.behind[*at].is_empty() && !reversed[*at].is_empty() && !self.sessions[*at].is_stuck();
        let roots = (0..self.sessions.len()).filter(is_root);
        let mut jams: Vec<_> =
            roots.map(|root| (&self.sessions[root], Graph::reached(&reversed, [root]).len())).collect();
        jams.sort_by_key(|(root, behind)| (Reverse(*behind), root.id));
        jams
    }

    /// Sessions that wait for each other in a circle, each circle once, its first session first.
    ///
    /// The levels of a manager exclude circles of sessions alone. But a task that waits in one session for what it holds
    /// in another is a circle, too, and is found by the numbers of tasks. (It is a guess if the other session has been
    /// given to another task since.)
    pub fn cycles(&self) -> Vec<Vec<&SessionRow>> {
        let graph = Graph::of(self);
        let mut unknown = graph.reach_cycles();
        let mut cycles = Vec::new();
        for at in 0..self.sessions.len() {
            if let Some(cycle) = unknown[at].then(|| graph.cycle(at)).flatten() {
                for at in &cycle {
                    unknown[*at] = false;
                }
                cycles.push(graph.rows(cycle));
            }
        }
        cycles
    }
}
