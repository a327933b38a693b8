//! Programs of sessions, as data, and the real sessions that run them.

use lockladder::{All, DynSession, LockManager, LockMode, SessionError, hierarchy};
use lockladder_test_support::steps::{Moment, Scene, Watch};
use std::fmt;
use std::rc::Rc;

hierarchy! {
    pub(crate) struct Small { root Root, level Low: char, open level Middle: char, level High: char }
}

/// The number of levels above the root.
pub(crate) const LEVELS: usize = 3;

/// The levels above the root whose members come and go.
pub(crate) const CLOSED: [usize; 2] = [1, 3];

/// The level whose names exist while they are held or waited for.
pub(crate) const OPEN: usize = 2;

/// The names of a level that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// In any order.
    These(Vec<char>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Everything,
    AtLeast(usize),
    Free,
}

/// What a session does at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Acquire(Which, LockMode, Want),
    Release,
    ReleaseNames(Vec<char>),
    Downgrade,
    Add(Vec<char>),
    AddAcquired(Vec<char>, LockMode),
    AddHeld(Vec<char>),
    Remove(Vec<char>),
    RemoveHeld(Vec<char>),
}

/// A line of a program: a level, from 1, and what the session does there.
pub(crate) type Line = (usize, Verb);

/// What a session does after it has been refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    GoesOn,
    Ends,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) root: LockMode,
    /// Whether the session downgrades an exclusive root before the first line.
    pub(crate) downgrades_root: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) refused: Refused,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} root{}", self.root, if self.downgrades_root { ", downgraded" } else { "" })?;
        for (level, verb) in &self.lines {
            write!(f, "; level {level}: {verb:?}")?;
        }
        write!(f, "; refused, it {:?}", self.refused)
    }
}

/// The programs of a case, as readable text.
pub(crate) fn tell(programs: &[Program]) -> String {
    let lines = programs.iter().enumerate().map(|(index, program)| format!("  {}: {program}", index + 1));
    lines.collect::<Vec<_>>().join("\n")
}

/// A fresh manager with these names at each closed level, and a session at the beginning of each program.
pub(crate) fn real(programs: &[Program], names: &[char]) -> Scene {
    let manager: LockManager<Small> = LockManager::builder().names::<Low>(names).names::<High>(names).build();
    let audited = manager.clone();
    let mut scene = Scene::new(1 + LEVELS).audited(move |moment| {
        let is_free = || audited.try_exclusive("audit").is_ok();
        if moment == Moment::InTheEnd {
            assert!(is_free(), "all have gone, and the root is held");
            assert!(audited.names::<Middle>().is_empty(), "all have gone, and a name is left");
        }
    });
    for program in programs.iter().cloned() {
        let manager = manager.clone();
        scene.enter(|watch| run(manager, program, watch));
    }
    scene
}

async fn run(manager: LockManager<Small>, program: Program, watch: Rc<Watch>) {
    watch.touches(0);
    let Ok(mut job) = manager.dynamic("job", program.root).await else { unreachable!("nobody deletes the root") };
    watch.says("has the root");
    if program.downgrades_root {
        watch.pause().await;
        watch.touches(0);
        job = job.downgrade_root().unwrap_or_else(|job| job);
        watch.says("downgrades the root");
    }
    for (level, verb) in &program.lines {
        watch.pause().await;
        watch.touches(*level);
        let done = at_level(&mut job, *level, verb).await;
        match &done {
            Ok(names) => watch.says(&format!("level {level}, {verb:?}: {names:?}")),
            Err(error) => watch.says(&format!("level {level}, {verb:?}: {error}")),
        }
        if done.is_err() && program.refused == Refused::Ends {
            break;
        }
    }
    watch.pause().await;
    drop(job);
}

/// Does this; returns the names that the session then holds, or those that it removed.
async fn at_level(job: &mut DynSession<Small>, level: usize, verb: &Verb) -> Result<Vec<char>, SessionError> {
    macro_rules! at {
        ($($index:literal $kind:ident $level:ident),+) => {
            match level {
                $($index => {
                    match verb {
                        Verb::Acquire(which, mode, want) => {
                            let request = match which {
                                Which::All => job.acquire::<$level>(All, *mode),
                                Which::These(names) => job.acquire::<$level>(names, *mode),
                            };
                            match want {
                                Want::Everything => request.await?,
                                Want::AtLeast(names) => request.at_least(*names).await?,
                                Want::Free => request.opportunistic().await?,
                            }
                        }
                        Verb::Release => job.release::<$level>()?,
                        Verb::ReleaseNames(names) => job.release_names::<$level>(names)?,
                        Verb::Downgrade => job.downgrade::<$level>()?,
                        _ => at!(@changes $kind $level),
                    }
                    Ok(job.names::<$level>())
                })+
                level => unreachable!("there is no level {level}"),
            }
        };
        (@changes open $level:ident) => { unreachable!("that does not compile: {verb:?}") };
        (@changes level $level:ident) => {
            match verb {
                Verb::Add(names) => job.add::<$level>(names).await?,
                Verb::AddAcquired(names, mode) => job.add_in::<$level>(names, *mode).await?,
                Verb::AddHeld(names) => job.add_held::<$level>(names)?,
                Verb::Remove(names) => return job.remove::<$level>(names).await,
                Verb::RemoveHeld(names) => job.remove_held::<$level>(names)?,
                _ => unreachable!("that changes no member: {verb:?}"),
            }
        };
    }
    at!(1 level Low, 2 open Middle, 3 level High)
}
