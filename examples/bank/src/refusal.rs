//! Why a request came to nothing, and what the client is told.
//!
//! | | status | the client should |
//! |---|---|---|
//! | the input is wrong | 400, 413, 415 | send something else |
//! | there is no such thing | 404 | send something else |
//! | it cannot be done now | 409 | look at the account first |
//! | the locks were not free in time | 503, `Retry-After` | send the same again later |
//! | the service is wrong | 500 | tell its owner, who finds the error in the log |

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lockladder::{ErrorKind, SessionError};
use serde::Serialize;

use crate::input::BadInput;
use crate::store::StoreError;

/// When a client should try again: by then the requests that it waited for have ended or given up, or nearly so.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The input is wrong.
    #[error("{}", .0.reason)]
    BadInput(BadInput),
    /// The body has another media type.
    #[error("expected a body of type application/json")]
    NotJson,
    /// The body is too large.
    #[error("the body is too large")]
    TooLarge,
    /// There is no such path.
    #[error("there is nothing at this path")]
    NoSuchPath,
    /// The path does not know the method.
    #[error("this path does not know this method")]
    NoSuchMethod,
    /// The store has refused, for a reason that concerns the client.
    #[error(transparent)]
    Store(StoreError),
    /// The locks were not free in time.
    #[error("what this request works on is in use: try again later")]
    Busy,
    /// The service or its store is wrong.
    #[error("the service failed; the request id finds the reason in its log")]
    Failed,
}

/// What the client is told.
#[derive(Debug, Serialize)]
struct Told {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    reason: String,
}

/// The reason goes into the log. The client learns no more than it has to: the names in the error are those of requests
/// of others.
impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        match error.kind() {
            ErrorKind::Busy => {
                tracing::info!(%error, "busy");
                Self::Busy
            }
            // Every name of an open level exists, so none is refused. With other levels, that would be a 404 or a 409.
            ErrorKind::Refused | ErrorKind::Bug => Self::failed(&error),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Broken(reason) => Self::failed(reason),
            _ => Self::Store(error),
        }
    }
}

impl From<BadInput> for Refusal {
    fn from(error: BadInput) -> Self {
        Self::BadInput(error)
    }
}

impl Refusal {
    /// Something is wrong that is not the client's fault.
    pub fn failed(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "failed");
        Self::Failed
    }

    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadInput(_) => (StatusCode::BAD_REQUEST, "bad input"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "not found"),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Self::Store(StoreError::NoAccount(_) | StoreError::NoTenant(_) | StoreError::NoStatement(_)) => {
                (StatusCode::NOT_FOUND, "not found")
            }
            Self::Store(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = self.status();
        let reason = self.to_string();
        let field = match self {
            Self::BadInput(input) => input.field,
            _ => None,
        };
        let mut response = (status, Json(Told { error, field, reason })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
        }
        response
    }
}
