//! Random stories of one session whose levels are known at run time only, beside the model. No other session exists, so
//! it never waits.

use crate::model::{Answer, Kind, Level, Model, Names, Owned};
use lockladder::{All, DynSession, LockManager, LockMode, OrderError, SessionError, hierarchy};
use lockladder_test_support::requests::now;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;

hierarchy! {
    struct Four { root Root, level Low: char, open level Middle: char, level High: char }
}

const MEMBERS: [char; 2] = ['a', 'b'];

/// How many stories a run plays at least. `PROPTEST_CASES=100000` plays more, as CI does.
const STORIES: u32 = 10_000;

#[derive(Clone, Debug)]
enum Verb {
    Acquire(LockMode),
    AcquireAll(LockMode),
    Release,
    ReleaseNames,
    Downgrade,
    Add,
    AddAcquired(LockMode),
    AddHeld,
    Remove,
    RemoveHeld,
}

#[derive(Clone, Debug)]
struct Step {
    level: usize,
    verb: Verb,
    names: Vec<char>,
}

fn step() -> impl Strategy<Value = Step> {
    let mode = || select(vec![LockMode::Shared, LockMode::Exclusive]);
    let any = prop_oneof![
        3 => mode().prop_map(Verb::Acquire),
        2 => mode().prop_map(Verb::AcquireAll),
        2 => Just(Verb::Release),
        2 => Just(Verb::ReleaseNames),
        1 => Just(Verb::Downgrade),
        1 => Just(Verb::Add),
        1 => mode().prop_map(Verb::AddAcquired),
        2 => Just(Verb::AddHeld),
        1 => Just(Verb::Remove),
        2 => Just(Verb::RemoveHeld),
    ];
    let of_an_open_level = prop_oneof![
        3 => mode().prop_map(Verb::Acquire),
        1 => mode().prop_map(Verb::AcquireAll),
        2 => Just(Verb::Release),
        2 => Just(Verb::ReleaseNames),
        1 => Just(Verb::Downgrade),
    ];
    let verb = prop_oneof![2 => (select(vec![1, 3]), any), 1 => (Just(2), of_an_open_level)];
    let names = vec(select(vec!['a', 'b', 'c', 'd']), 0..3);
    (verb, names).prop_map(|((level, verb), names)| Step { level, verb, names })
}

/// The model's answer, which is the seed's.
fn told(model: &mut Model, Step { level, verb, names }: &Step) -> Answer {
    match *verb {
        Verb::Acquire(mode) => model.acquire(*level, Some(names), mode),
        Verb::AcquireAll(mode) => model.acquire(*level, None, mode),
        Verb::Release => model.release(*level),
        Verb::ReleaseNames => model.release_names(*level, names),
        Verb::Downgrade => model.downgrade(*level),
        Verb::Add => model.add(*level, names, None),
        Verb::AddAcquired(mode) => model.add(*level, names, Some(mode)),
        Verb::AddHeld => model.add_held(*level, names),
        Verb::Remove => model.remove(*level, names),
        Verb::RemoveHeld => model.remove_held(*level, names),
    }
}

/// The library's answer, at the level that the step names.
macro_rules! done {
    ($job:ident, $step:ident, $($index:literal $kind:ident $level:ident),+) => {
        match $step.level {
            $($index => {
                let names = &$step.names;
                let given = |given: Result<(), SessionError>| given.map(|()| Names::new());
                match $step.verb {
                    Verb::Acquire(mode) => given(now($job.acquire::<$level>(names, mode))),
                    Verb::AcquireAll(mode) => given(now($job.acquire::<$level>(All, mode))),
                    Verb::Release => given($job.release::<$level>().map_err(SessionError::from)),
                    Verb::ReleaseNames => given($job.release_names::<$level>(names)),
                    Verb::Downgrade => given($job.downgrade::<$level>().map_err(SessionError::from)),
                    _ => done!(@changes $kind $job, $step, $level),
                }
            })+
            level => unreachable!("there is no level {level}"),
        }
    };
    (@changes open $job:ident, $step:ident, $level:ident) => {
        unreachable!("that does not compile: {:?}", $step)
    };
    (@changes level $job:ident, $step:ident, $level:ident) => {{
        let names = &$step.names;
        let given = |given: Result<(), SessionError>| given.map(|()| Names::new());
        match $step.verb {
            Verb::Add => given(now($job.add::<$level>(names))),
            Verb::AddAcquired(mode) => given(now($job.add_in::<$level>(names, mode))),
            Verb::AddHeld => given($job.add_held::<$level>(names)),
            Verb::Remove => now($job.remove::<$level>(names)).map(Names::from_iter),
            Verb::RemoveHeld => given($job.remove_held::<$level>(names)),
            _ => unreachable!("that changes no member: {:?}", $step),
        }
    }};
}

fn ours(job: &mut DynSession<Four>, step: &Step) -> Result<Names, SessionError> {
    done!(job, step, 1 level Low, 2 open Middle, 3 level High)
}

/// What the seed would have answered instead of an error of the library.
fn kind(error: &SessionError) -> Answer {
    match error {
        SessionError::Order(OrderError::Open { level }) => {
            assert_eq!(*level, "Middle");
            Answer::Open
        }
        SessionError::Order(_) | SessionError::NotHeld { .. } | SessionError::NotWhole { .. } => Answer::Assertion,
        SessionError::Unknown { .. } | SessionError::Exists { .. } => Answer::LockError,
        SessionError::Repeated { .. } => Answer::Repeated,
        other => panic!("nobody else is there: {other}"),
    }
}

/// Restores the members that every story begins with. (A new manager for each story would take most of the time.)
fn restore(manager: &LockManager<Four>) {
    macro_rules! levels {
        ($job:ident: $($level:ident)*) => {$(
            let names = manager.names::<$level>();
            if names != MEMBERS {
                let missing: Vec<_> = MEMBERS.into_iter().filter(|name| !names.contains(name)).collect();
                now($job.remove::<$level>(names.into_iter().filter(|name| !MEMBERS.contains(name)).collect::<Vec<_>>())).unwrap();
                now($job.add::<$level>(missing)).unwrap();
            }
        )*};
    }
    let mut job = now(manager.exclusive("restore")).unwrap();
    levels!(job: Low High);
}

type State = Vec<(Names, Option<LockMode>, Names)>;

fn state(manager: &LockManager<Four>, job: &DynSession<Four>) -> State {
    macro_rules! levels {
        ($($level:ident)*) => {
            vec![$((
                Names::from_iter(manager.names::<$level>()),
                job.mode::<$level>(),
                Names::from_iter(job.names::<$level>()),
            )),*]
        };
    }
    levels!(Low Middle High)
}

fn model_state(model: &Model) -> State {
    let shown = |level: &Level| {
        let names = level.owned.as_ref().map(|owned| owned.names.clone()).unwrap_or_default();
        (level.names(), level.owned.as_ref().map(|owned| owned.mode), names)
    };
    model.levels[1..].iter().map(shown).collect()
}

#[test]
fn a_session_known_at_run_time_answers_as_the_seed_in_random_stories() {
    let manager: LockManager<Four> = LockManager::builder().build();
    let (stories, answers) = (Cell::new(0_u32), Cell::new([0_u64; 5]));
    let config = Config { failure_persistence: None, ..Config::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases.max(STORIES) } else { STORIES };
    let config = Config { cases, ..config };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&vec(step(), 1..12), |steps| {
        restore(&manager);
        let mut job = now(manager.dynamic("story", LockMode::Shared)).unwrap();
        let root = Owned { mode: LockMode::Shared, whole: false, names: Names::new(), here: true };
        let level = Level { kind: Kind::Modifiable, members: MEMBERS.into(), owned: None };
        let open = Level { kind: Kind::Open, ..Level::default() };
        let mut model =
            Model { levels: vec![Level { owned: Some(root), ..Level::default() }, level.clone(), open, level] };
        for step in &steps {
            let (told, done) = (told(&mut model, step), ours(&mut job, step));
            let mut seen = answers.get();
            seen[match told {
                Answer::Done(_) => 0,
                Answer::Assertion => 1,
                Answer::LockError => 2,
                Answer::Repeated => 3,
                Answer::Open => 4,
            }] += 1;
            answers.set(seen);
            match (&done, &told) {
                (Ok(removed), Answer::Done(names)) => {
                    prop_assert!(
                        !matches!(step.verb, Verb::Remove) || removed == names,
                        "{step:?}: {removed:?}, {names:?}"
                    );
                }
                (Ok(_), _) => prop_assert!(false, "{step:?}: done, where the seed says {told:?}"),
                (Err(error), _) => prop_assert_eq!(&kind(error), &told, "{:?}: {}", step, error),
            }
            prop_assert_eq!(state(&manager, &job), model_state(&model), "after {:?}", step);
        }
        drop(job);
        prop_assert_eq!(manager.names::<Middle>(), Vec::<char>::new(), "names that no session holds");
        stories.set(stories.get() + 1);
        Ok(())
    });
    outcome.unwrap();
    println!("{} stories agree; done, assertions, lock errors, repeated, open: {:?}", stories.get(), answers.get());
    assert_eq!(stories.get(), cases);
    assert!(answers.get().into_iter().all(|count| count > 100), "the stories are one-sided: {answers:?}");
}
