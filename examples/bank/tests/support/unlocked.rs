//! The transfers without any lock: what the store does when nothing keeps requests apart.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bank::input::Body;
use bank::orders::Transfer;
use bank::refusal::Refusal;
use bank::store::{Receipt, Store};

pub(crate) fn router(store: Arc<dyn Store>) -> Router {
    Router::new().route("/transfer", post(transfer)).with_state(store)
}

async fn transfer(State(store): State<Arc<dyn Store>>, Body(order): Body<Transfer>) -> Result<Json<Receipt>, Refusal> {
    Ok(Json(store.transfer(order).await?))
}
