//! The peers. An adapter is a few lines; [`all`] says which peer takes part in what.

use std::future::{Future, ready};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};

use lockladder::{Exclusive, Guard, SharedLock};

use crate::comparison::contender::OURS;
use crate::contender::Contender;
use crate::rows::{FUTURES_INTRUSIVE, MAITAKE, PARKING_LOT, TOKIO};
use crate::verbs::{Lock, Sharing, Value};

/// All contenders, with the types of the lock and of its exclusive guard. A floor blocks the thread or spins, so it
/// only shows the least that a free lock costs.
pub(crate) fn all() -> Vec<Contender> {
    use futures_intrusive::sync as futures_intrusive;
    use tokio::sync as tokio;
    use {maitake_sync as maitake, mea::rwlock as mea};

    vec![
        Contender::rwlock::<SharedLock<Value>, Guard<&SharedLock<Value>, Exclusive>>(OURS, "lockladder"),
        Contender::rwlock::<tokio::RwLock<Value>, tokio::RwLockWriteGuard<Value>>(TOKIO, "tokio"),
        Contender::mutex::<tokio::Mutex<Value>, tokio::MutexGuard<Value>>("tokio Mutex", "tokio"),
        Contender::rwlock::<async_lock::RwLock<Value>, async_lock::RwLockWriteGuard<Value>>(
            "async-lock RwLock",
            "async-lock",
        ),
        Contender::rwlock::<mea::RwLock<Value>, mea::RwLockWriteGuard<Value>>("mea RwLock", "mea"),
        Contender::rwlock::<maitake::RwLock<Value>, maitake::RwLockWriteGuard<Value>>(MAITAKE, "maitake-sync"),
        Contender::mutex::<maitake::Mutex<Value>, maitake::MutexGuard<Value>>("maitake Mutex", "maitake-sync"),
        Contender::mutex::<
            futures_intrusive::Mutex<Value>,
            futures_intrusive::GenericMutexGuard<parking_lot::RawMutex, Value>,
        >(FUTURES_INTRUSIVE, "futures-intrusive"),
        Contender::rwlock::<saa::RwLock<Value>, saa::RwLockWriteGuard<Value>>("saa RwLock", "saa"),
        Contender::mutex::<xutex::AsyncMutex<Value>, xutex::MutexGuard<Value>>("xutex AsyncMutex", "xutex"),
        Contender::floor::<parking_lot::RwLock<Value>>(PARKING_LOT, "parking_lot"),
        Contender::floor::<CompareExchange>("compare-exchange pair", "std"),
    ]
}

impl Lock for tokio::sync::RwLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.write()
    }
}

impl Sharing for tokio::sync::RwLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        self.read()
    }
}

impl Lock for tokio::sync::Mutex<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.lock()
    }
}

impl Lock for async_lock::RwLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.write()
    }
}

impl Sharing for async_lock::RwLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        self.read()
    }
}

impl Lock for mea::rwlock::RwLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.write()
    }
}

impl Sharing for mea::rwlock::RwLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        self.read()
    }
}

impl Lock for maitake_sync::RwLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.write()
    }
}

impl Sharing for maitake_sync::RwLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        self.read()
    }
}

impl Lock for maitake_sync::Mutex<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.lock()
    }
}

impl Lock for futures_intrusive::sync::Mutex<Value> {
    fn new() -> Self {
        const FAIR: bool = true;
        Self::new(0, FAIR)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.lock()
    }
}

impl Lock for saa::RwLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        saa::write_async(self)
    }
}

impl Sharing for saa::RwLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        saa::read_async(self)
    }
}

impl Lock for xutex::AsyncMutex<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.lock()
    }
}

impl Lock for parking_lot::RwLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        ready(self.write())
    }
}

impl Sharing for parking_lot::RwLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        ready(self.read())
    }
}

/// The least that a lock can do: one exchange to take it, one atomic step to give it back. Spins if it is taken.
pub(crate) struct CompareExchange {
    word: AtomicUsize,
}

/// When dropped, takes back what was added to the word.
pub(crate) struct Held<'a> {
    word: &'a AtomicUsize,
    added: usize,
}

const EXCLUSIVE: usize = 1;
const SHARER: usize = 2;

impl Lock for CompareExchange {
    fn new() -> Self {
        Self { word: AtomicUsize::new(0) }
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        while self.word.compare_exchange_weak(0, EXCLUSIVE, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spin_loop();
        }
        ready(Held { word: &self.word, added: EXCLUSIVE })
    }
}

impl Sharing for CompareExchange {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        let mut word = self.word.load(Ordering::Relaxed);
        while word == EXCLUSIVE
            || self.word.compare_exchange_weak(word, word + SHARER, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            spin_loop();
            word = self.word.load(Ordering::Relaxed);
        }
        ready(Held { word: &self.word, added: SHARER })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.word.fetch_sub(self.added, Ordering::Release);
    }
}
