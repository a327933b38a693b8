//! Errors as a caller meets them, who has to decide: try again, refuse, or mend the code.
//!
//! Each variant of each error is provoked here, but for three that no program reaches. So each has been seen with its
//! kind and its text, and with what the documentation says of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{
    AcquireError, AddError, All, ErrorKind, LockManager, LockMode, LockSet, OrderError, Priority, SessionError,
    SetError, Shared, SharedLock, TryAcquireError, hierarchy,
};
use lockladder_test_support::requests::{now, waiting};
use lockladder_test_support::small::{abc, two_nodes};
use std::any::type_name;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;
use std::fs;
use std::mem::forget;
use std::path::Path;
use std::time::Duration;
use tokio_test::{assert_ready_err, block_on};

/// An error that has been provoked.
struct Seen {
    variant: String,
    kind: ErrorKind,
    text: String,
    expected: &'static str,
}

macro_rules! seen {
    ($result:expr, $expected:expr) => {{
        let error = $result.map(drop).unwrap_err();
        Seen { variant: variant(&error), kind: error.kind(), text: error.to_string(), expected: $expected }
    }};
}

/// Such as `SetError::Unknown`.
fn variant<E: Debug>(error: &E) -> String {
    let path = type_name::<E>().split('<').next().unwrap();
    let name = path.rsplit("::").next().unwrap();
    let variant: String = format!("{error:?}").chars().take_while(|char| char.is_alphanumeric()).collect();
    if variant == name { variant } else { format!("{name}::{variant}") }
}

const SHORTLY: Duration = Duration::from_millis(50);

async fn of_one_lock() -> Vec<Seen> {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let late = lock.shared().timeout(SHORTLY).await;
    let blocked = lock.try_shared();
    held.delete();
    vec![
        seen!(late, "gave up on the lock after 50ms: others hold it or come first; wait longer, or try again later"),
        seen!(blocked, "the lock cannot be acquired without waiting: try again later, or wait for it"),
        seen!(lock.shared().await, "the lock has been deleted: it can no longer be acquired; use another one"),
        seen!(lock.try_shared(), "the lock has been deleted: it can no longer be acquired; use another one"),
        seen!(
            Err::<(), _>(AcquireError::TooManySharers), // `src/lock/tests.rs` provokes it.
            "the lock has too many sharers to count one more: look for guards that are forgotten"
        ),
        seen!(
            Err::<(), _>(TryAcquireError::TooManySharers),
            "the lock has too many sharers to count one more: look for guards that are forgotten"
        ),
        seen!(Priority::try_from(20), "priority 20 is outside of -20..=19"),
    ]
}

async fn of_a_set() -> Vec<Seen> {
    let set = abc();
    let mut a = set.try_exclusive("a").unwrap();
    let late = set.shared(["a", "b"]).timeout(SHORTLY).await;
    let blocked = set.try_exclusive(["c", "a"]);
    let whole = set.try_shared(All);
    let mut removed = waiting(set.shared("a"));
    let (unheld, twice) = (a.release("b"), a.get_disjoint_mut(["a", "a"]));
    let mut seen = vec![
        seen!(
            late,
            r#"gave up on shared locks after 50ms, blocked on ["a"]: others hold them or come first; wait longer, or try again later"#
        ),
        seen!(
            blocked,
            r#"cannot acquire exclusive locks without waiting, blocked on ["a"]: others hold them or come first; wait for them, or try again later"#
        ),
        seen!(
            whole,
            r#"cannot acquire shared locks without waiting, blocked on ["a"]: others hold them or come first; wait for them, or try again later"#
        ),
        seen!(unheld, r#"this guard does not hold ["b"]: nothing was done; name only what `names()` lists"#),
        seen!(twice, r#"cannot give out the value of "a" twice: name each lock once"#),
        seen!(set.try_shared("x"), r#"there is no lock named "x" in this set: add it first, or leave it out"#),
        seen!(
            set.shared(["a", "x"]).at_least(2).await,
            "asked for at least 2 names, but only 1 of those listed exist: add more of them, or ask for fewer"
        ),
        seen!(
            a.add_held("d"),
            "this guard does not hold the whole set, so it cannot add to it: acquire `All` exclusively, and release no part"
        ),
        seen!(
            set.add(["a", "d"]).await,
            r#"cannot add ["a"]: already in this set; nothing was added; leave them out, or acquire them"#
        ),
        seen!(set.add(["d", "d"]).await, r#"cannot add ["d"] twice in one call; nothing was added; name each once"#),
    ];
    a.remove("a").unwrap();
    seen.push(seen!(
        Err::<(), _>(assert_ready_err!(removed.poll())),
        r#"the lock named "a" was removed while this request waited for it: look again whether it is still wanted"#
    ));
    drop(a);
    let _whole = set.try_shared(All).unwrap();
    seen.push(seen!(
        set.add("d").timeout(SHORTLY).await,
        "gave up on adding after 50ms: others hold the set as a whole or come first; nothing was added; wait longer, or try again later"
    ));
    seen
}

async fn of_a_session() -> Vec<Seen> {
    let manager = two_nodes();
    let mut job = manager.try_shared("job").unwrap().try_exclusive::<Node>("node1").unwrap();
    let sharer = || manager.try_shared("sharer").unwrap();
    let late = sharer().shared::<Node>(All).timeout(SHORTLY).await;
    let mut removed = waiting(sharer().shared::<Node>("node1"));
    let mut seen = vec![
        seen!(
            late,
            "gave up on level Node, shared, after 50ms, blocked on `node1`: others hold it or come first; wait longer, or try again later"
        ),
        seen!(
            manager.try_exclusive("alone"),
            "cannot acquire level Cluster, exclusive, without waiting: others hold it or come first; wait for it, or try again later"
        ),
        seen!(
            sharer().try_exclusive::<Node>(["node2", "node1"]),
            "cannot acquire level Node, exclusive, without waiting, blocked on `node1`: others hold it or come first; wait for it, or try again later"
        ),
        seen!(
            sharer().try_shared::<Node>("node9"),
            "level Node has no lock named `node9`: add it first, or leave it out"
        ),
        seen!(
            sharer().shared::<Node>(["node1", "node9"]).at_least(2).await,
            "asked for at least 2 names of level Node, but only 1 of those listed exist: add more of them, or ask for fewer"
        ),
        seen!(
            job.release_names::<Node>(["node1", "node2"]),
            "this session does not hold `node2` of level Node: nothing was done; name only what it owns"
        ),
        seen!(
            job.get_disjoint_mut::<Node, _>(["node1", "node1"]),
            "`node1` of level Node named more than once in one call: name each once; nothing was done"
        ),
        seen!(
            job.add_held::<Node>("node3"),
            "cannot add to level Node while holding only a part of it: acquire `All` of it exclusively, and release no part"
        ),
        seen!(
            sharer().add::<Node>(["node1", "node3"]).await,
            "cannot add `node1` to level Node: already there; nothing was added; leave them out, or acquire them"
        ),
        seen!(
            Err::<(), _>(SessionError::TooManySharers { level: "Cluster" }),
            "the root Cluster has too many sharers to count one more: look for sessions that are forgotten"
        ),
    ];
    job.remove_held::<Node>("node1").unwrap();
    seen.push(seen!(
        Err::<(), _>(assert_ready_err!(removed.poll())),
        "lock `node1` of level Node was removed while this session waited for it: look again whether it is still wanted"
    ));
    seen
}

async fn of_flows_that_would_wait_for_themselves() -> Vec<Seen> {
    let manager = two_nodes();
    let mut job = manager.try_shared("job").unwrap();
    forget(job.nest().try_exclusive::<Node>("node1").unwrap());
    let second = manager.scope("outer", Shared, async |_job| manager.try_shared("inner").map(drop)).await.unwrap();
    vec![
        seen!(
            job.nest().try_shared::<Instance>("web1"),
            "this session holds or awaits level Node already, in a nested session or a request that was forgotten: waiting for level Instance would be waiting for itself; drop what it nests, and never forget it"
        ),
        seen!(
            second,
            "cannot begin session `inner` inside of session `outer`: with both, this flow could wait for itself; use the session that it has, or one nested in it"
        ),
    ]
}

fn of_levels_out_of_order() -> Vec<Seen> {
    let manager = two_nodes();
    let mut job = now(manager.dynamic("job", LockMode::Shared)).unwrap();
    job.try_acquire::<Instance>(All, LockMode::Exclusive).unwrap();
    let unheld = job.release::<Node>();
    job.try_acquire::<Node>("node1", LockMode::Shared).unwrap();
    let many: LockManager<Many> = LockManager::builder().build();
    let open = now(many.dynamic("open", LockMode::Shared)).unwrap().try_acquire::<Any>(All, LockMode::Shared);
    let not_above = "lock order violation: cannot acquire, add to or remove from level `Instance` while holding level \
                     `Node`: acquire levels in increasing order, all names of a level in one call; release `Node` first";
    let not_top = "level `Instance` is not the highest level held by this session: release level `Node` first";
    vec![
        seen!(unheld, "this session does not hold level `Node`: acquire it first"),
        seen!(job.downgrade::<Node>(), "this session does not hold level `Node` exclusively: acquire it in that mode"),
        seen!(job.try_acquire::<Instance>("web1", LockMode::Shared), not_above),
        seen!(job.try_acquire::<Instance>("web1", LockMode::Shared).map_err(the_order), not_above),
        seen!(job.add_held::<Instance>("web2").map_err(the_order), not_top),
        seen!(
            open.map_err(the_order),
            "level `Any` is open: every name exists, so there is no whole of it to take; name the locks that you need"
        ),
    ]
}

/// The error of the levels' order inside.
fn the_order(error: SessionError) -> OrderError {
    match error {
        SessionError::Order(error) => error,
        other => panic!("{other}"),
    }
}

async fn every_error() -> Vec<Seen> {
    let mut seen = of_one_lock().await;
    seen.extend(of_a_set().await);
    seen.extend(of_a_session().await);
    seen.extend(of_flows_that_would_wait_for_themselves().await);
    seen.extend(of_levels_out_of_order());
    seen
}

/// The name of each variant, and its kind.
type Kinds = BTreeMap<String, String>;

/// The kinds in the table in the documentation of [`ErrorKind`].
fn kinds_in_the_table() -> Kinds {
    let source = fs::read_to_string(sources().join("error_kind.rs")).unwrap();
    let rows = source.lines().filter_map(|line| line.strip_prefix("/// | ["));
    let mut kinds = Kinds::new();
    for row in rows {
        let [errors, kind, advice] = row.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        assert!(advice.len() > 10, "it says what to do: {row}");
        for error in errors.split('`').skip(1).step_by(2) {
            let twice = kinds.insert(error.to_owned(), kind.trim_matches('`').to_owned());
            assert_eq!(twice, None, "{error}");
        }
    }
    kinds
}

/// The variants of all errors in the sources, with the kind that the documentation of each names.
fn kinds_in_the_sources() -> Kinds {
    let mut kinds = Kinds::new();
    for file in files(&sources()) {
        let (mut inside, mut words) = (None, String::new());
        for line in fs::read_to_string(file).unwrap().lines() {
            let kind = || words.split("(ErrorKind::").nth(1)?.split(')').next().map(str::to_owned);
            let name = |from: &str| from.split(|char: char| !char.is_alphanumeric()).next().unwrap().to_owned();
            if let Some(words_more) = line.trim_start().strip_prefix("///") {
                let is_of_a_field = line.starts_with("        ");
                words.push_str(if is_of_a_field { "" } else { words_more });
                continue;
            } else if let Some(from) = line.strip_prefix("pub enum ").filter(|from| name(from).ends_with("Error")) {
                inside = Some(name(from));
            } else if let Some(from) = line.strip_prefix("pub struct ").filter(|from| name(from).ends_with("Error")) {
                kinds.insert(name(from), kind().unwrap_or_default());
            } else if line == "}" {
                inside = None;
            } else if let Some(of) = inside.as_ref().filter(|_| {
                line.strip_prefix("    ").is_some_and(|from| from.starts_with(|char: char| char.is_ascii_uppercase()))
            }) {
                kinds.insert(format!("{of}::{}", name(&line[4..])), kind().unwrap_or_default());
            } else {
                continue; // Attributes stand between the words and what they are about.
            }
            words.clear();
        }
    }
    kinds
}

fn sources() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(start_paused = true)]
async fn every_variant_of_every_error_has_the_kind_that_its_documentation_says() {
    let seen: Kinds = every_error().await.into_iter().map(|seen| (seen.variant, format!("{:?}", seen.kind))).collect();
    assert_eq!(kinds_in_the_sources(), seen);
    assert_eq!(kinds_in_the_table(), seen);
}

#[tokio::test(start_paused = true)]
async fn every_text_says_what_is_wrong_where_and_what_to_do() {
    for Seen { variant, text, expected, .. } in every_error().await {
        assert_eq!(text, expected, "{variant}");
    }
}

/// What a service makes of the errors below it.
#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error("the accounts are in use")]
    Accounts(#[from] SetError<u32>),
    #[error("the job did not run")]
    Session(#[from] SessionError),
    #[error(transparent)]
    Lock(#[from] AcquireError),
}

fn unknown_account() -> SetError<u32> {
    LockSet::<u32>::new([1_u32]).try_shared(7).map(drop).unwrap_err()
}

fn out_of_order() -> Result<(), SessionError> {
    let manager = two_nodes();
    let mut job = now(manager.dynamic("job", LockMode::Shared))?;
    job.try_acquire::<Node>("node1", LockMode::Shared)?;
    job.downgrade::<Node>()?; // An `OrderError`.
    Ok(())
}

#[test]
fn a_question_mark_makes_a_boxed_error_of_any_error() {
    fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
        drop(SharedLock::new(()).try_shared()?);
        block_on(SharedLock::new(()).delete())?;
        block_on(abc().add("d"))?;
        Priority::try_from(-20)?;
        drop(two_nodes().try_shared("job")?);
        Err(unknown_account())?
    }
    let error = boxed().unwrap_err();
    assert_eq!(error.downcast::<SetError<u32>>().unwrap().kind(), ErrorKind::Refused);
}

#[test]
fn a_question_mark_makes_an_anyhow_error_whose_chain_says_nothing_twice() {
    use anyhow::Context as _;
    fn with_context() -> anyhow::Result<()> {
        drop(SharedLock::new(()).try_shared()?);
        block_on(abc().add("d"))?;
        out_of_order().context("closing the month")
    }
    let error = with_context().unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "closing the month: this session does not hold level `Node` exclusively: acquire it in that mode"
    );
    assert_eq!(error.downcast_ref::<SessionError>().unwrap().kind(), ErrorKind::Bug);
}

#[test]
fn a_question_mark_makes_an_error_of_the_service_by_from() {
    fn accounts() -> Result<(), ServiceError> {
        Err(unknown_account())?
    }
    fn session() -> Result<(), ServiceError> {
        Ok(out_of_order()?)
    }
    fn lock() -> Result<(), ServiceError> {
        let lock = SharedLock::new(());
        block_on(lock.delete())?;
        Ok(block_on(lock.delete())?)
    }
    let kind = |error: ServiceError| match error {
        ServiceError::Accounts(error) => error.kind(),
        ServiceError::Session(error) => error.kind(),
        ServiceError::Lock(error) => error.kind(),
    };
    let sources = |error: &ServiceError| std::iter::successors(error.source(), |error| (*error).source()).count();
    assert_eq!([accounts(), session(), lock()].map(|done| sources(&done.unwrap_err())), [1, 1, 0]);
    let kinds = [accounts(), session(), lock()].map(|done| kind(done.unwrap_err()));
    assert_eq!(kinds, [ErrorKind::Refused, ErrorKind::Bug, ErrorKind::Refused]);
}

hierarchy! {
    /// A level with many names, and one of any name.
    struct Many {
        root Whole,
        level Number: u32,
        open level Any: u32,
    }
}

const MILLION: u32 = 1_000_000;

/// Checks that the text is short and says how many names it leaves out.
#[track_caller]
fn assert_short(error: &impl ToString) {
    let text = error.to_string();
    assert!(text.len() < 1_024, "{} bytes: {}", text.len(), &text[..200]);
    assert!(text.contains("999984 more"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_text_about_a_million_names_that_others_hold_is_below_a_kibibyte() {
    let names: Vec<u32> = (0..MILLION).collect();
    let set: LockSet<u32> = LockSet::new([0_u32; 0]);
    let held = set.add_exclusive(&names).await.unwrap();
    assert_short(&set.try_shared(All).unwrap_err());
    assert_short(&set.shared(All).timeout(SHORTLY).await.unwrap_err());
    drop(held);
    let manager: LockManager<Many> = LockManager::builder().build();
    let _job = manager.shared("job").await.unwrap().add_exclusive::<Number>(&names).await.unwrap();
    let mut other = manager.try_shared("other").unwrap();
    assert_short(&other.nest().try_shared::<Number>(All).map(drop).unwrap_err());
    assert_short(&other.nest().exclusive::<Number>(All).timeout(SHORTLY).await.map(drop).unwrap_err());
}

/// Such errors come from calls that list all names, which take seconds without optimization.
#[test]
fn the_text_about_a_list_of_a_million_names_is_below_a_kibibyte() {
    let (mode, waited) = (LockMode::Shared, SHORTLY);
    let names: Vec<u32> = (0..MILLION).collect();
    assert_short(&SetError::TimedOut { names: names.clone(), more: 0, mode, waited });
    assert_short(&SetError::WouldBlock { names: names.clone(), more: 0, mode });
    assert_short(&SetError::NotHeld { names: names.clone() });
    assert_short(&AddError::Exists { names: names.clone() });
    assert_short(&AddError::Repeated { names });
    let names: Vec<String> = (0..MILLION).map(|name| name.to_string()).collect();
    let (listed, level) = (|| names.clone(), "Number");
    assert_short(&SessionError::TimedOut { level, names: listed(), more: 0, mode, waited });
    assert_short(&SessionError::WouldBlock { level, names: listed(), more: 0, mode });
    assert_short(&SessionError::NotHeld { level, names: listed() });
    assert_short(&SessionError::Exists { level, names: listed() });
    assert_short(&SessionError::Repeated { level, names: listed() });
}

/// Checks that a text contains 128 bytes of a long name.
#[track_caller]
fn assert_cut(error: &impl ToString) {
    let text = error.to_string();
    assert!((128..512).contains(&text.len()), "{} bytes: {}", text.len(), &text[..128]);
    assert!(text.contains('…'), "{text}");
}

#[test]
fn the_text_about_a_name_of_a_megabyte_contains_only_its_beginning() {
    let long = "é".repeat(500_000);
    let set: LockSet<String> = LockSet::new([&*long]);
    let mut held = set.try_exclusive(&*long).unwrap();
    assert_cut(&set.try_shared(&*long).unwrap_err());
    assert_cut(&set.try_shared(format!("{long}x")).unwrap_err());
    assert_cut(&held.get_disjoint_mut([&*long, &*long]).unwrap_err());
    assert_cut(&now(set.add(&*long)).unwrap_err());
    assert!(format!("{set:?} {held:?}").len() < 1_024);
    assert!(SetError::NotHeld { names: vec![long.clone(); 20] }.to_string().len() < 2_560, "of each of 16 names");
    let bytes: LockSet<Vec<u8>> = LockSet::new([vec![7; 1_000_000]]);
    assert_cut(&bytes.try_shared([vec![8_u8; 1_000_000]]).unwrap_err());
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>([&*long]).build();
    let mut job = manager.try_shared("job").unwrap();
    assert_cut(&job.nest().try_shared::<Node>(format!("{long}x")).map(drop).unwrap_err());
    forget(job.nest().try_exclusive::<Node>(&*long).unwrap());
    assert_cut(&manager.try_shared("other").unwrap().try_shared::<Node>(&*long).map(drop).unwrap_err());
    let second = block_on(manager.scope(long.clone(), Shared, async |_job| manager.try_shared("inner").map(drop)));
    assert_cut(&second.unwrap().unwrap_err());
}

#[test]
fn a_name_of_128_bytes_is_whole() {
    let [whole, cut] = [128, 129].map(|bytes| "n".repeat(bytes));
    let job = || two_nodes().try_shared("job").unwrap();
    let text = |name: &str| job().try_shared::<Node>(name).map(drop).unwrap_err().to_string();
    assert_eq!(text(&whole), format!("level Node has no lock named `{whole}`: add it first, or leave it out"));
    assert_eq!(text(&cut), format!("level Node has no lock named `{whole}…`: add it first, or leave it out"));
}

#[test]
fn a_name_begins_no_new_line_in_a_log() {
    let job = two_nodes().try_shared("job").unwrap();
    let error = job.try_shared::<Node>("a\nERROR b\u{1b}[0m").map(drop).unwrap_err();
    assert_eq!(error.to_string(), r"level Node has no lock named `a\nERROR b\u{1b}[0m`: add it first, or leave it out");
}
