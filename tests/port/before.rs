//! The fleet on tokio's locks.

use crate::fleet::{Busy, Device, Devices, LIMIT, Site};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// One lock for each name in use.
struct Locks<K>(Mutex<HashMap<K, Entry>>);

#[derive(Default)]
struct Entry {
    lock: Arc<RwLock<()>>,
    users: usize,
}

/// A holder or a waiter. The last one removes the name, also if it is cancelled.
struct User<K: Hash + Eq> {
    locks: Arc<Locks<K>>,
    name: K,
}

impl<K: Hash + Ord + Copy> Locks<K> {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    fn join(self: &Arc<Self>, name: K) -> (Arc<RwLock<()>>, User<K>) {
        let mut names = self.names();
        let entry = names.entry(name).or_default();
        entry.users += 1;
        (Arc::clone(&entry.lock), User { locks: Arc::clone(self), name })
    }

    /// Takes the locks in the order of their names, each once: or two calls could wait for each other.
    async fn take<F: Future>(
        self: &Arc<Self>,
        names: impl IntoIterator<Item = K>,
        how: impl Fn(Arc<RwLock<()>>) -> F,
    ) -> Vec<(F::Output, User<K>)> {
        let mut taken = Vec::new();
        for name in names.into_iter().collect::<BTreeSet<K>>() {
            let (lock, user) = self.join(name);
            taken.push((how(lock).await, user));
        }
        taken
    }
}

impl<K> Locks<K> {
    fn names(&self) -> MutexGuard<'_, HashMap<K, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for User<K> {
    fn drop(&mut self) {
        let mut names = self.locks.names();
        if let Some(entry) = names.get_mut(&self.name) {
            entry.users -= 1;
            if entry.users == 0 {
                names.remove(&self.name);
            }
        }
    }
}

/// Tuples are dropped from left to right: devices, then their sites, then the whole.
type InSites = (Vec<(OwnedRwLockReadGuard<()>, User<Site>)>, OwnedRwLockReadGuard<()>);
type OnDevices = (Vec<(OwnedRwLockWriteGuard<()>, User<Device>)>, InSites);

/// The order of the locks is: the whole, then sites, then devices. Keep to it in every function.
pub struct Fleet {
    devices: Devices,
    whole: Arc<RwLock<()>>,
    sites: Arc<Locks<Site>>,
    each: Arc<Locks<Device>>,
}

impl Fleet {
    pub fn new(devices: Devices) -> Self {
        Self { devices, whole: Arc::default(), sites: Locks::new(), each: Locks::new() }
    }

    pub async fn status(&self, device: Device) -> Result<u32, Busy> {
        let until = Instant::now() + LIMIT;
        let _sites = self.in_sites([device], until).await?;
        let _device = in_time(until, device, self.each.take([device], RwLock::read_owned)).await?;
        Ok(self.devices.version(device).await)
    }

    pub async fn configure(&self, device: Device, version: u32) -> Result<(), Busy> {
        let _held = self.on_devices([device]).await?;
        self.devices.install(device, version).await;
        Ok(())
    }

    /// Exchanges the versions of two devices, to the end, even if the caller goes away.
    pub async fn swap(&self, one: Device, other: Device) -> Result<JoinHandle<()>, Busy> {
        let (held, devices) = (self.on_devices([one, other]).await?, self.devices.clone());
        Ok(tokio::spawn(async move {
            let (first, second) = (devices.version(one).await, devices.version(other).await);
            devices.install(one, second).await;
            devices.install(other, first).await;
            drop(held);
        }))
    }

    /// Returns at once. The device stays locked until it is back.
    pub async fn reboot(&self, device: Device) -> Result<JoinHandle<()>, Busy> {
        let (held, devices) = (self.on_devices([device]).await?, self.devices.clone());
        Ok(tokio::spawn(async move {
            devices.reboot(device).await;
            drop(held);
        }))
    }

    pub async fn update_site(&self, site: Site, version: u32) -> Result<(), Busy> {
        let until = Instant::now() + LIMIT;
        let _whole = in_time(until, "the fleet", Arc::clone(&self.whole).read_owned()).await?;
        let _site = in_time(until, site, self.sites.take([site], RwLock::write_owned)).await?;
        for device in self.devices.of_site(site) {
            self.devices.install(device, version).await;
        }
        Ok(())
    }

    /// The versions of all devices at one time.
    pub async fn backup(&self) -> Result<Vec<u32>, Busy> {
        let _whole = in_time(Instant::now() + LIMIT, "the fleet", self.whole.write()).await?;
        let mut versions = Vec::new();
        for device in self.devices.all() {
            versions.push(self.devices.version(device).await);
        }
        Ok(versions)
    }

    pub fn names_in_use(&self) -> usize {
        self.sites.names().len() + self.each.names().len()
    }

    async fn in_sites<const N: usize>(&self, devices: [Device; N], until: Instant) -> Result<InSites, Busy> {
        let whole = in_time(until, "the fleet", Arc::clone(&self.whole).read_owned()).await?;
        let sites = devices.map(|device| device.site);
        Ok((in_time(until, sites, self.sites.take(sites, RwLock::read_owned)).await?, whole))
    }

    async fn on_devices<const N: usize>(&self, devices: [Device; N]) -> Result<OnDevices, Busy> {
        let until = Instant::now() + LIMIT;
        let sites = self.in_sites(devices, until).await?;
        Ok((in_time(until, devices, self.each.take(devices, RwLock::write_owned)).await?, sites))
    }
}

async fn in_time<T>(until: Instant, what: impl Debug, taken: impl Future<Output = T>) -> Result<T, Busy> {
    timeout_at(until, taken).await.map_err(|_| Busy(format!("gave up on {what:?} after {LIMIT:?}")))
}
