//! The body of `POST /jobs`: one job, or an array of jobs. A bad one is refused with its field and the reason.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::answer::Declined;
use crate::task::{BadJob, Task, parse};

/// The largest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// The jobs of one request.
#[derive(Debug)]
pub(crate) enum Posted {
    One(Task),
    Several(Vec<Task>),
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Declined;

    async fn from_request(request: Request, state: &S) -> Result<Self, Declined> {
        if !is_json(request.headers()) {
            return Err(Declined::NotJson);
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|error| unread(&error))?;
        let value = parse(&bytes).map_err(|error| BadJob::whole(error.to_string()))?;
        Ok(match value {
            Value::Array(jobs) => Self::Several(several(jobs)?),
            job => Self::One(Task::from_json(job)?),
        })
    }
}

/// Each job of an array. A field is told with the place of its job: `[1].instance`.
fn several(jobs: Vec<Value>) -> Result<Vec<Task>, BadJob> {
    let task = |(place, job)| {
        Task::from_json(job).map_err(|BadJob { field, reason }| {
            let dot = if field.is_some() { "." } else { "" };
            BadJob::at(&format!("[{place}]{dot}{}", field.unwrap_or_default()), reason)
        })
    };
    jobs.into_iter().enumerate().map(task).collect()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Parameters such as `; charset=utf-8` may follow.
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn unread(error: &BytesRejection) -> Declined {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Declined::TooLarge
    } else {
        Declined::BadInput(BadJob::whole("the body could not be read to its end"))
    }
}
