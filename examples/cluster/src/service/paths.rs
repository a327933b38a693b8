//! The paths of the service.
//!
//! | request | answer |
//! |---|---|
//! | `POST /jobs` | the jobs, queued |
//! | `GET /jobs` | all jobs that are remembered |
//! | `GET /jobs/{id}` | one job |
//! | `DELETE /jobs/{id}` | the job, once it has ended and its locks are free |
//!
//! A job is `queued` until a worker takes it. Then it is `waiting` while a request of it is in a queue, `working` once it
//! has its locks, and `running` in between. In the end it is `done`, `failed` or `cancelled`.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::answer::Declined;
use super::board::{Board, Cancelling};
use super::body::{BODY_LIMIT, Posted};
use super::job::{Job, Told};
use crate::opcodes::Ladder;
use crate::task::BadJob;

/// All paths. What is to be seen of the locks of `ladder` is mounted here.
pub(crate) fn router(board: &Arc<Board>, ladder: &Ladder) -> Router {
    jobs(Arc::clone(board))
        .merge(locks(ladder))
        .fallback(|| async { Declined::NoSuchPath })
        .method_not_allowed_fallback(|| async { Declined::NoSuchMethod })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

fn jobs(board: Arc<Board>) -> Router {
    Router::new().route("/jobs", get(list).post(post)).route("/jobs/{id}", get(look).delete(cancel)).with_state(board)
}

/// The place for what shows the locks, at `/locks`: `Router::new().nest("/locks", …)`.
fn locks(_ladder: &Ladder) -> Router {
    Router::new()
}

/// Several jobs.
#[derive(Debug, Serialize)]
struct Jobs {
    jobs: Vec<Told>,
}

impl Jobs {
    fn of(jobs: &[Arc<Job>]) -> Self {
        Self { jobs: jobs.iter().map(|job| job.told()).collect() }
    }
}

async fn post(State(board): State<Arc<Board>>, posted: Posted) -> Result<Response, Declined> {
    Ok(match posted {
        Posted::One(task) => {
            let jobs = board.post(vec![task])?;
            let [job] = jobs.as_slice() else { unreachable!("one task is one job") };
            let place = format!("/jobs/{}", job.number);
            (StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(job.told())).into_response()
        }
        Posted::Several(tasks) => (StatusCode::ACCEPTED, Json(Jobs::of(&board.post(tasks)?))).into_response(),
    })
}

async fn list(State(board): State<Arc<Board>>) -> Json<Jobs> {
    Json(Jobs::of(&board.jobs()))
}

async fn look(State(board): State<Arc<Board>>, Id(id): Id) -> Result<Json<Told>, Declined> {
    board.job(id).map(|job| Json(job.told())).ok_or(Declined::NoSuchJob(id))
}

async fn cancel(State(board): State<Arc<Board>>, Id(id): Id) -> Result<Json<Told>, Declined> {
    match board.cancel(id).await.ok_or(Declined::NoSuchJob(id))? {
        Cancelling::Cancelled(job) => Ok(Json(job.told())),
        Cancelling::HasEnded(job) => Err(Declined::has_ended(&job)),
    }
}

/// The number of a job in a path.
struct Id(usize);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Declined;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Declined> {
        let number = Path::<usize>::from_request_parts(parts, state).await;
        number.map(|Path(id)| Self(id)).map_err(|_| BadJob::at("id", "expected the number of a job").into())
    }
}
