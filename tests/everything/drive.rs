//! Three ways to run the tasks of a program: under shuttle, on threads, and polled by hand with time that stands still.

use crate::dice::Dice;
use std::env;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A program, drawn by dice: its tasks, and what is to be true once they have ended.
pub(crate) type Program = fn(&mut Dice, Clock) -> (Vec<Task>, Box<dyn FnOnce() + Send>);

/// When requests give up.
pub(crate) enum Limit {
    None,
    At(Instant),
    After(Duration),
}

/// What deadlines there can be.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    past: Instant,
    /// Whether time goes on.
    goes: bool,
}

impl Clock {
    pub(crate) fn limit(self, dice: &mut Dice) -> Limit {
        match dice.roll(8) {
            0 => Limit::At(self.past),
            1 if self.goes => Limit::After(Duration::from_millis(dice.roll(4))),
            2 => Limit::After(Duration::from_secs(1_000_000)),
            _ => Limit::None,
        }
    }
}

fn runtime(paused: bool) -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(paused).build().unwrap()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).map_or(otherwise, |number| number.parse().unwrap())
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    number("LOCKLADDER_SEED", u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap())
}

fn named<R>(seed: u64, run: impl FnOnce() -> R) -> R {
    struct Named(u64);
    impl Drop for Named {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("LOCKLADDER_SEED={} LOCKLADDER_SCHEDULES=1", self.0);
            }
        }
    }
    let _named = Named(seed);
    run()
}

/// Lets others run.
pub(crate) async fn pause() {
    #[cfg(lockladder_shuttle)]
    shuttle::thread::yield_now();
    #[cfg(not(lockladder_shuttle))]
    {
        let mut paused = false;
        poll_fn(|context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[cfg(lockladder_shuttle)]
pub(crate) fn shuttle(program: Program) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
    use shuttle::{Config, Runner};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    fn run(program: Program, scheduler: impl Scheduler + 'static, first: u64) {
        let mut config = Config::new();
        config.stack_size = 0x4_0000;
        config.silence_warnings = true;
        let next = AtomicU64::new(first);
        let runtime = runtime(true);
        let _entered = runtime.enter();
        let past = Instant::now();
        Runner::new(scheduler, config).run(move || {
            let seed = next.fetch_add(1, Relaxed);
            named(seed, || {
                let (tasks, rest) = program(&mut Dice::new(seed), Clock { past, goes: false });
                let tasks: Vec<_> =
                    tasks.into_iter().map(|task| shuttle::thread::spawn(|| shuttle::future::block_on(task))).collect();
                tasks.into_iter().for_each(|task| task.join().unwrap());
                rest();
            });
        });
    }

    let (schedules, mut first) = (number("LOCKLADDER_SCHEDULES", 20_000), seed());
    let each = usize::try_from(schedules.div_ceil(6)).unwrap();
    let began = std::time::Instant::now();
    for depth in 2..=7 {
        if depth == 2 {
            run(program, RandomScheduler::new_from_seed(first, each), first);
        } else {
            run(program, PctScheduler::new_from_seed(first, depth, each), first);
        }
        first += each as u64;
    }
    println!("{} schedules in {:?}", each * 6, began.elapsed());
}

#[cfg(not(lockladder_shuttle))]
pub(crate) fn threads(program: Program) {
    let (programs, first) = (number("LOCKLADDER_SCHEDULES", 2_000), seed());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let began = std::time::Instant::now();
    for seed in first..first + programs {
        named(seed, || {
            let clock = Clock { past: Instant::now(), goes: true };
            let (tasks, rest) = program(&mut Dice::new(seed), clock);
            let threads: Vec<_> = tasks
                .into_iter()
                .map(|task| {
                    let handle = runtime.handle().clone();
                    std::thread::spawn(move || {
                        let _entered = handle.enter();
                        futures::executor::block_on(task);
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            rest();
        });
    }
    println!("{programs} programs on threads in {:?}", began.elapsed());
}

#[cfg(not(lockladder_shuttle))]
pub(crate) fn by_hand(program: Program) {
    use tokio_test::task::{Spawn, spawn};
    let (programs, first) = (number("LOCKLADDER_SCHEDULES", 20_000), seed());
    let began = std::time::Instant::now();
    let runtime = runtime(true);
    for seed in first..first + programs {
        named(seed, || {
            runtime.block_on(tokio::task::unconstrained(async {
                let mut dice = Dice::new(seed);
                let clock = Clock { past: Instant::now(), goes: true };
                let (tasks, rest) = program(&mut dice, clock);
                let mut tasks: Vec<(Spawn<Task>, bool)> = tasks.into_iter().map(|task| (spawn(task), true)).collect();
                let mut idle = 0;
                while !tasks.is_empty() {
                    let turn = usize::try_from(dice.roll(tasks.len() as u64)).unwrap();
                    let (task, ready) = &mut tasks[turn];
                    *ready |= task.is_woken();
                    if *ready || dice.chance(20) {
                        *ready = false;
                        if task.poll().is_ready() {
                            tasks.swap_remove(turn);
                        }
                    }
                    if tasks.iter().any(|(task, ready)| *ready || task.is_woken()) {
                        idle = 0;
                    } else if !tasks.is_empty() {
                        idle += 1;
                        assert!(idle < 20, "nobody is woken any more, and {} wait", tasks.len());
                        tokio::time::advance(Duration::from_millis(1)).await;
                    }
                }
                rest();
            }));
        });
    }
    println!("{programs} programs by hand in {:?}", began.elapsed());
}
