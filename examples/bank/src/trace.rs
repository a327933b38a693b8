//! A span for each request, with a number that the client is told, too.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, Span, error, info, info_span};

/// The header with the number of a request, unique within one run of the service.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// Puts everything that a request does into a span, and logs how it ended.
pub async fn request(request: Request, next: Next) -> Response {
    let id = REQUESTS.fetch_add(1, Relaxed);
    let span = info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut ending = Ending { span: span.clone(), begun: Instant::now(), response: None };
    let mut response = next.run(request).instrument(span).await;
    ending.response = Some(response.status().as_u16());
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from(id));
    response
}

/// Logs the end of a request when it is dropped: a client that goes away ends it as well.
#[derive(Debug)]
struct Ending {
    span: Span,
    begun: Instant,
    response: Option<u16>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let _inside = self.span.enter();
        if let Some(status) = self.response {
            info!(status, ?took, "answered");
        } else if std::thread::panicking() {
            error!(?took, "panicked");
        } else {
            info!(?took, "the client went away");
        }
    }
}
