//! What clients are told.
//!
//! | | status | the client should |
//! |---|---|---|
//! | the jobs are queued | 202, `Location` of a single one | look at them later |
//! | the input is wrong | 400, 413, 415 | send something else: nothing of it is queued |
//! | there is no such job or path | 404, 405 | send something else |
//! | the job has ended | 409 | look at it: it cannot be cancelled any more |
//! | too many jobs wait | 429, `Retry-After` | send the same again later: nothing of it is queued |
//! | the service stops | 503 | send the same to its successor |

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::board::NotTaken;
use super::job::{Job, Told};
use crate::task::BadJob;

/// When a client should try again, in seconds.
const RETRY_AFTER: u64 = 1;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Declined {
    #[error("{}", .0.reason)]
    BadInput(BadJob),
    #[error("expected a body of type application/json")]
    NotJson,
    #[error("the body is too large")]
    TooLarge,
    #[error("there is nothing at this path")]
    NoSuchPath,
    #[error("this path does not know this method")]
    NoSuchMethod,
    #[error("there is no job {0}, or it ended long ago")]
    NoSuchJob(usize),
    #[error("the job has ended")]
    HasEnded(Box<Told>),
    #[error("too many jobs wait: there is room for {room} more")]
    Full { room: usize },
    #[error("the service stops, and takes no more jobs")]
    Closed,
}

#[derive(Debug, Serialize)]
struct Refused {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    reason: String,
    /// The job that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<Box<Told>>,
}

impl From<BadJob> for Declined {
    fn from(bad: BadJob) -> Self {
        Self::BadInput(bad)
    }
}

impl From<NotTaken> for Declined {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Full { room } => Self::Full { room },
            NotTaken::Closed => Self::Closed,
        }
    }
}

impl Declined {
    pub(crate) fn has_ended(job: &Job) -> Self {
        Self::HasEnded(Box::new(job.told()))
    }

    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadInput(_) => (StatusCode::BAD_REQUEST, "bad input"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Self::NoSuchPath | Self::NoSuchJob(_) => (StatusCode::NOT_FOUND, "not found"),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Self::HasEnded(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Full { .. } => (StatusCode::TOO_MANY_REQUESTS, "too many jobs"),
            Self::Closed => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        }
    }
}

impl IntoResponse for Declined {
    fn into_response(self) -> Response {
        let (status, error) = self.status();
        let reason = self.to_string();
        let (field, job) = match self {
            Self::BadInput(bad) => (bad.field, None),
            Self::HasEnded(job) => (None, Some(job)),
            _ => (None, None),
        };
        let mut response = (status, Json(Refused { error, field, reason, job })).into_response();
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        response
    }
}
