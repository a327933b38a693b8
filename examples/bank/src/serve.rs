//! Serves until told to stop, and then drains: answers what has been asked, and ends what has been begun.

use std::future::Future;
use std::io;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use tokio::net::TcpListener;

use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::trace;

/// The largest body that is read, in bytes. No order is nearly as long.
pub const BODY_LIMIT: usize = 4096;

/// Serves these paths. Once `stop` resolves, no connection is accepted; it returns when the open requests are answered
/// and the work that they began has ended.
///
/// # Errors
///
/// None at present: axum retries what fails.
pub async fn serve(
    listener: TcpListener,
    paths: Router,
    desk: Desk,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, service(paths)).with_graceful_shutdown(stop).await?;
    desk.drained().await;
    Ok(())
}

/// What holds for all paths: the limit of bodies, the span of a request, and errors in JSON.
fn service(paths: Router) -> Router {
    paths
        .fallback(|| async { Refusal::NoSuchPath })
        .method_not_allowed_fallback(|| async { Refusal::NoSuchMethod })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(trace::request))
}
