//! What both versions have in common: the words of the service, and the network to the devices.

use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder_test_support::rooms::Room;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use thiserror::Error;
use tokio::task::yield_now;
use tokio::time::{Duration, sleep};

/// How long a call may wait for all its locks together.
pub const LIMIT: Duration = Duration::from_secs(1);

/// How long a device takes to come back from a reboot.
pub const REBOOT: Duration = Duration::from_secs(30);

pub type Site = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device {
    pub site: Site,
    pub number: u32,
}

/// The caller may try again later (HTTP 503).
#[derive(Debug, Error)]
#[error("busy: {0}")]
pub struct Busy(pub String);

/// The network to the devices. Each call checks that it does not meet another one that it excludes.
#[derive(Clone, Debug)]
pub struct Devices(Arc<BTreeMap<Device, (Room, AtomicU32)>>);

/// A call that a device is busy with.
struct Call<'d> {
    room: &'d Room,
    mode: LockMode,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.room.leave(self.mode, "a device");
        }
    }
}

impl Devices {
    /// Devices with the versions 0, 1, 2 and so on.
    pub fn new(devices: impl IntoIterator<Item = Device>) -> Self {
        let devices = devices.into_iter().zip(0..);
        Self(Arc::new(devices.map(|(device, version)| (device, (Room::default(), version.into()))).collect()))
    }

    pub fn of_site(&self, site: Site) -> Vec<Device> {
        self.0.keys().filter(|device| device.site == site).copied().collect()
    }

    pub fn all(&self) -> Vec<Device> {
        self.0.keys().copied().collect()
    }

    pub async fn version(&self, device: Device) -> u32 {
        let (room, version) = &self.0[&device];
        let _call = self.call(room, Shared).await;
        version.load(SeqCst)
    }

    pub async fn install(&self, device: Device, new: u32) {
        let (room, version) = &self.0[&device];
        let _call = self.call(room, Exclusive).await;
        version.store(new, SeqCst);
    }

    pub async fn reboot(&self, device: Device) {
        let _call = self.call(&self.0[&device].0, Exclusive).await;
        sleep(REBOOT).await;
    }

    async fn call<'d>(&self, room: &'d Room, mode: LockMode) -> Call<'d> {
        room.enter(mode, "a device");
        let call = Call { room, mode };
        yield_now().await;
        call
    }
}
