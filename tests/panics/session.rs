//! Every verb of sessions, typed and dynamic.

use crate::story::{Neighbour, Story, Value, Verb, alone, poll};
use crate::wakers::on_wake;
use futures::future::FusedFuture;
use lockladder::{All, LockManager, LockMode, Session, SessionError, held, hierarchy};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};

hierarchy! { struct Farm { root Gate, level Barn: u32 => Value, level Node: u32 => Value } }

type Manager = LockManager<Farm>;
type Reached = Session<Farm, held![exclusive Gate, exclusive Barn, exclusive Node]>;

fn farm() -> Manager {
    LockManager::builder().names::<Barn>([1_u32, 2]).names::<Node>([1_u32, 2]).build()
}

fn climbed(manager: &Manager) -> Reached {
    let job = manager.try_exclusive("job").unwrap();
    job.try_exclusive::<Barn>([1, 2]).unwrap().try_exclusive::<Node>([1, 2]).unwrap()
}

/// Who waits for the levels, behind a shared root.
fn climbers(story: &mut Story, manager: &Manager) -> Vec<Neighbour> {
    let (one, other) = (manager.clone(), manager.clone());
    vec![
        story.neighbour(async move { one.shared("a").await?.exclusive::<Barn>(1).await.map(drop) }),
        story.neighbour(async move { other.shared("b").await?.shared::<Node>([1, 2]).await.map(drop) }),
    ]
}

/// They, and who waits for the root.
fn crowd(story: &mut Story, manager: &Manager) -> Vec<Neighbour> {
    let (mut crowd, last) = (climbers(story, manager), manager.clone());
    crowd.push(story.neighbour(async move { last.exclusive("c").await.map(drop) }));
    crowd
}

fn rest(manager: &Manager) {
    let job = manager.try_exclusive("rest").expect("nobody has a session");
    let job =
        job.try_exclusive::<Barn>(All).expect("nobody has a barn").try_exclusive::<Node>(All).expect("nor a node");
    drop(job);
}

fn climber(story: &mut Story, act: impl FnOnce(Reached)) {
    let manager = farm();
    let job = climbed(&manager);
    let crowd = crowd(story, &manager);
    story.act(|| act(job));
    story.go(crowd);
    rest(&manager);
}

/// A session with a shared root, behind others who hold the levels and wait for them.
fn request<F: FusedFuture + 'static>(story: &mut Story, ask: fn(Manager) -> F) {
    let manager = farm();
    let holder = manager.try_shared("holder").unwrap().try_exclusive::<Barn>([1, 2]).unwrap();
    let holder = holder.try_shared::<Node>(All).unwrap();
    let crowd = climbers(story, &manager);
    story.see_through(Box::pin(ask(manager.clone())), holder, crowd);
    rest(&manager);
}

fn dynamic(story: &mut Story, act: impl FnOnce(&mut lockladder::DynSession<Farm>)) {
    let manager = farm();
    let mut job = manager.try_dynamic("job", LockMode::Shared).unwrap();
    job.try_acquire::<Barn>([1, 2], LockMode::Exclusive).unwrap();
    let crowd = crowd(story, &manager);
    story.act(|| act(&mut job));
    story.go(crowd);
    // Whatever the session holds now, it does not wait for itself.
    if job.mode::<Barn>().is_none() {
        job.try_acquire::<Barn>(All, LockMode::Exclusive).expect("nobody has it, and this session may");
    }
    story.drop(job);
    rest(&manager);
}

pub(crate) const VERBS: &[Verb] = &[
    ("enter", |story| {
        let manager = farm();
        let holder = manager.try_exclusive("holder").unwrap();
        let crowd = crowd(story, &manager);
        story.see_through(Box::pin(manager.exclusive("job")), holder, crowd);
        rest(&manager);
    }),
    ("climb", |story| request(story, |manager| manager.try_shared("job").unwrap().exclusive::<Barn>([1, 2]))),
    ("climb to all", |story| request(story, |manager| manager.try_shared("job").unwrap().exclusive::<Node>(All))),
    ("add_exclusive", |story| request(story, |manager| manager.try_shared("job").unwrap().add_exclusive::<Node>(5))),
    ("reclaim", |story| {
        let manager = farm();
        let holder = manager.try_shared("holder").unwrap().try_exclusive::<Node>([1, 2]).unwrap();
        let job = manager.try_shared("job").unwrap().try_exclusive::<Barn>(1).unwrap();
        let mut climb = Box::pin(job.exclusive::<Node>([1, 2]));
        let _ = story.poll(climb.as_mut());
        let crowd = crowd(story, &manager);
        story.drop(holder);
        if let Some(Some(job)) = story.act(|| climb.as_mut().reclaim()) {
            assert_eq!(job.owned::<Barn>().names(), [&1]);
            story.drop(job);
        }
        story.drop(climb);
        story.go(crowd);
        rest(&manager);
    }),
    ("a session dropped", |story| climber(story, drop)),
    ("release", |story| climber(story, |job| drop(job.release::<Barn>()))),
    ("release_names", |story| climber(story, |mut job| job.release_names::<Barn>(1).unwrap())),
    ("downgrade of a level", |story| climber(story, |job| drop(job.downgrade::<Node>()))),
    ("downgrade of the root", |story| climber(story, |job| drop(job.downgrade::<Gate>()))),
    ("remove_held", |story| climber(story, |mut job| job.remove_held::<Barn>(1).unwrap())),
    ("nest", |story| climber(story, |mut job| drop(job.nest()))),
    ("dynamic: release", |story| dynamic(story, |job| job.release::<Barn>().unwrap())),
    ("dynamic: release_names", |story| dynamic(story, |job| job.release_names::<Barn>(1).unwrap())),
    ("dynamic: downgrade", |story| dynamic(story, |job| job.downgrade::<Barn>().unwrap())),
    ("dynamic: remove_held", |story| dynamic(story, |job| job.remove_held::<Barn>(1).unwrap())),
    ("dynamic: downgrade_root", |story| {
        let manager = farm();
        let mut job = manager.try_dynamic("job", LockMode::Exclusive).unwrap();
        job.try_acquire::<Barn>([1, 2], LockMode::Exclusive).unwrap();
        let crowd = crowd(story, &manager);
        story.act(|| drop(job.downgrade_root()));
        story.go(crowd);
        rest(&manager);
    }),
];

type Alone = Session<Farm, held![exclusive Gate]>;
type Enters = Pin<Box<dyn Future<Output = Result<Alone, SessionError>> + Send>>;

/// Begins a session as it is woken, and looks whether the barns are free.
struct Looks {
    enters: Mutex<Option<Enters>>,
    free: Mutex<Option<bool>>,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let mut enters = self.enters.lock().unwrap().take().unwrap();
        let Poll::Ready(job) = poll(enters.as_mut(), Waker::noop()) else { panic!("it is woken for nothing") };
        *self.free.lock().unwrap() = Some(job.unwrap().try_exclusive::<Barn>(All).is_ok());
    }
}

#[test]
fn the_root_goes_last_though_a_waker_panics_as_it_is_downgraded() {
    let _alone = alone();
    let manager = farm();
    let job = climbed(&manager);
    // Is let in by the downgrade: gives up as it is woken, and panics.
    let sharer: Arc<Mutex<Option<Neighbour>>> = Arc::default();
    let enters = manager.clone();
    let mut enters: Neighbour = Box::pin(async move { drop(enters.shared("sharer").await) });
    let own = SendOnly(Arc::clone(&sharer));
    let gives_up = on_wake(move || {
        drop(own.take());
        panic!("hostile wake");
    });
    assert!(poll(enters.as_mut(), &gives_up).is_pending());
    *sharer.lock().unwrap() = Some(enters);
    // Has the root when nobody else has: what stood upon it must be free by then.
    let looks = Arc::new(Looks { enters: Mutex::default(), free: Mutex::default() });
    let mut owner: Enters = Box::pin(manager.exclusive("owner"));
    assert!(poll(owner.as_mut(), &Waker::from(Arc::clone(&looks))).is_pending());
    *looks.enters.lock().unwrap() = Some(owner);

    let told = catch_unwind(AssertUnwindSafe(|| drop(job.downgrade::<Gate>())));
    assert!(told.is_err());
    assert_eq!(*looks.free.lock().unwrap(), Some(true), "the root was free before what stood upon it");
    rest(&manager);
}

/// A future that stays on this thread.
struct SendOnly(Arc<Mutex<Option<Neighbour>>>);

#[allow(unsafe_code, reason = "a waker may go to other threads, and this one does not")]
// SAFETY: the test has one thread.
unsafe impl Send for SendOnly {}
#[allow(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for SendOnly {}

impl SendOnly {
    fn take(&self) -> Option<Neighbour> {
        self.0.lock().unwrap().take()
    }
}
