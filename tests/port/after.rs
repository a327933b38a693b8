//! The fleet on lockladder's locks.

use crate::fleet::{Busy, Device, Devices, LIMIT, Site};
use lockladder::{LockManager, Session, SessionError, held, hierarchy};
use tokio::task::JoinHandle;
use tokio::time::Instant;

hierarchy! {
    /// The order of the locks.
    struct Order {
        root Whole,
        open level OneSite: Site,
        open level OneDevice: Device,
    }
}

type InSites = Session<Order, held![shared Whole, shared OneSite]>;
type OnDevices = Session<Order, held![shared Whole, shared OneSite, exclusive OneDevice]>;

pub struct Fleet {
    devices: Devices,
    locks: LockManager<Order>,
}

impl Fleet {
    pub fn new(devices: Devices) -> Self {
        Self { devices, locks: LockManager::builder().build() }
    }

    pub async fn status(&self, device: Device) -> Result<u32, Busy> {
        let until = Instant::now() + LIMIT;
        let job = self.in_sites("status", [device], until).await?;
        let _job = job.shared::<OneDevice>([device]).deadline(until).await?;
        Ok(self.devices.version(device).await)
    }

    pub async fn configure(&self, device: Device, version: u32) -> Result<(), Busy> {
        let _job = self.on_devices("configure", [device]).await?;
        self.devices.install(device, version).await;
        Ok(())
    }

    /// Exchanges the versions of two devices, to the end, even if the caller goes away.
    pub async fn swap(&self, one: Device, other: Device) -> Result<JoinHandle<()>, Busy> {
        let (job, devices) = (self.on_devices("swap", [one, other]).await?, self.devices.clone());
        Ok(tokio::spawn(async move {
            let (first, second) = (devices.version(one).await, devices.version(other).await);
            devices.install(one, second).await;
            devices.install(other, first).await;
            drop(job);
        }))
    }

    /// Returns at once. The device stays locked until it is back.
    pub async fn reboot(&self, device: Device) -> Result<JoinHandle<()>, Busy> {
        let (job, devices) = (self.on_devices("reboot", [device]).await?, self.devices.clone());
        Ok(tokio::spawn(async move {
            devices.reboot(device).await;
            drop(job);
        }))
    }

    pub async fn update_site(&self, site: Site, version: u32) -> Result<(), Busy> {
        let until = Instant::now() + LIMIT;
        let job = self.locks.shared("update_site").deadline(until).await?;
        let _job = job.exclusive::<OneSite>(site).deadline(until).await?;
        for device in self.devices.of_site(site) {
            self.devices.install(device, version).await;
        }
        Ok(())
    }

    /// The versions of all devices at one time.
    pub async fn backup(&self) -> Result<Vec<u32>, Busy> {
        let _job = self.locks.exclusive("backup").timeout(LIMIT).await?;
        let mut versions = Vec::new();
        for device in self.devices.all() {
            versions.push(self.devices.version(device).await);
        }
        Ok(versions)
    }

    pub fn names_in_use(&self) -> usize {
        self.locks.names::<OneSite>().len() + self.locks.names::<OneDevice>().len()
    }

    async fn in_sites<const N: usize>(
        &self,
        label: &'static str,
        devices: [Device; N],
        until: Instant,
    ) -> Result<InSites, SessionError> {
        let job = self.locks.shared(label).deadline(until).await?;
        job.shared::<OneSite>(devices.map(|device| device.site)).deadline(until).await
    }

    async fn on_devices<const N: usize>(
        &self,
        label: &'static str,
        devices: [Device; N],
    ) -> Result<OnDevices, SessionError> {
        let until = Instant::now() + LIMIT;
        let job = self.in_sites(label, devices, until).await?;
        job.exclusive::<OneDevice>(devices).deadline(until).await
    }
}

impl From<SessionError> for Busy {
    fn from(error: SessionError) -> Self {
        Self(error.to_string())
    }
}
