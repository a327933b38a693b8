//! A bank with locks, a jam made on purpose, and a server on a port of its own.

use axum::Router;
use lockladder::{LockManager, LockTable, Session, held, hierarchy};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;

hierarchy! {
    /// The lock order of a bank.
    pub struct Bank {
        root Ledger,
        open level Tenant: String,
        open level Account: String,
    }
}

pub(crate) type Locks = Arc<LockManager<Bank>>;

pub(crate) fn locks() -> Locks {
    Arc::new(LockManager::builder().build())
}

/// Somebody holds a tenant and does not let go; others wait behind it, in their order.
pub(crate) struct Jam {
    pub(crate) holder: Session<Bank, held![shared Ledger, exclusive Tenant]>,
    pub(crate) waiting: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

pub(crate) async fn jam(locks: &Locks, tenant: &str, holder: &str, waiting: &[&str]) -> Jam {
    let holder = locks.shared(holder.to_owned()).await.unwrap().exclusive::<Tenant>(tenant).await.unwrap();
    let mut jam = Jam { holder, waiting: Vec::new() };
    for label in waiting {
        let (locks, label, tenant) = (Arc::clone(locks), (*label).to_owned(), tenant.to_owned());
        let mut request: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let session = locks.shared(label).await.unwrap().shared::<Tenant>(tenant.as_str()).await.unwrap();
            drop(session);
        });
        // Without a budget, which would be used up by the first hundred.
        assert!(futures::poll!(unconstrained(request.as_mut())).is_pending());
        jam.waiting.push(request);
    }
    jam
}

/// A server of the page below `/locks`, in a runtime of its own: it ends with all its connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<AtomicUsize>,
    runtime: Option<Runtime>,
}

impl Server {
    pub(crate) async fn of(locks: &Locks) -> Self {
        let locks = Arc::clone(locks);
        Self::at("127.0.0.1:0", move || locks.locks()).await
    }

    pub(crate) async fn at(address: &str, source: impl Fn() -> LockTable + Send + Sync + 'static) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let page = lockladder_web::router(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            source()
        });
        Self::serve(address, Router::new().nest_service("/locks", page), asked).await
    }

    pub(crate) async fn serve(address: &str, service: Router, asked: Arc<AtomicUsize>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = address.to_owned();
        let listener = runtime.spawn(async move { TcpListener::bind(address).await.unwrap() }).await.unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, asked, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/locks{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
