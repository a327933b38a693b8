//! A page that shows the locks of a service while it runs: what is held, who waits, and who is in the way.
//!
//! ```
//! use axum::Router;
//! use lockladder::{LockManager, ganeti::seed::Seed};
//! use std::sync::Arc;
//!
//! let manager: Arc<LockManager<Seed>> = Arc::new(LockManager::builder().build());
//! let locks = lockladder_web::router({
//!     let manager = Arc::clone(&manager);
//!     move || manager.locks()
//! });
//! let service: Router = Router::new().nest_service("/locks", locks);
//! ```
//!
//! Then open `/locks`. The page is one small file, loads nothing from elsewhere, and follows the locks once a second.
//!
//! | `GET` | |
//! |---|---|
//! | `/` | the page |
//! | `/table` | the table as text, for a terminal: `curl localhost:3000/locks/table?columns=$COLUMNS` |
//! | `/table.json` | the table as JSON |
//! | `/events` | what the page follows, as server-sent events. Their shape is for the page alone, and may change |
//!
//! # Who may see it
//!
//! **The page shows the names of locks and the labels of sessions. They are names of things in the service, such as
//! accounts and customers. The page has no authentication of its own: it belongs behind that of the service.** Nothing is
//! on by default: without [`router`] there is no page. All routes only read; any method but `GET` and `HEAD` is refused.
//!
//! Put the layer of the service around the router, not inside of it:
//!
//! ```
//! use axum::{Router, extract::Request, http::StatusCode, middleware::{self, Next}, response::Response};
//! # use lockladder::{LockManager, ganeti::seed::Seed};
//! # use std::sync::Arc;
//!
//! /// The service's own: a session cookie, a token, whatever its other pages for operators ask for.
//! async fn operators_only(request: Request, next: Next) -> Result<Response, StatusCode> {
//!     match request.headers().get("authorization") {
//!         Some(token) if is_operator(token.as_bytes()) => Ok(next.run(request).await),
//!         _ => Err(StatusCode::UNAUTHORIZED),
//!     }
//! }
//! # fn is_operator(_: &[u8]) -> bool { false }
//! # let manager: Arc<LockManager<Seed>> = Arc::new(LockManager::builder().build());
//! let locks = lockladder_web::router(move || manager.locks()).layer(middleware::from_fn(operators_only));
//! let service: Router = Router::new().nest_service("/locks", locks);
//! ```
//!
//! Or serve it on a port of its own that only the machine itself can reach, and come by an SSH tunnel.
//!
//! # Several managers and sets
//!
//! Give each a router: `.nest_service("/locks/jobs", …).nest_service("/locks/cache", …)`. A router for a set takes
//! `move || set.locks()`.
//!
//! # What it costs
//!
//! Nothing, as long as no page is open. While one is, the table is copied once a second, once for all pages; beyond 200
//! sessions the pages get only what has changed.
//!
//! A stream of events ends by itself after 20 seconds, and the page opens the next. So a service that shuts down
//! gracefully waits for an open page no longer than that, and a login that is withdrawn ends the page's stream.

mod changes;
mod events;
mod page;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use events::Feed;
use lockladder::LockTable;
use page::Page;
use serde::Deserialize;
use std::sync::Arc;

/// A router that shows what `source` returns: mostly `move || manager.locks()`.
///
/// Give it to `Router::nest_service` of the service, behind the service's own authentication; see the [crate](self) for
/// that, and for an example. (`nest` works as well, but then axum does not find the path with a slash at its end.)
///
/// `source` is called once for each request of a table, and once a second while a page is open.
pub fn router(source: impl Fn() -> LockTable + Send + Sync + 'static) -> Router {
    let shown = Shown { page: Page::new(), feed: Feed::new(Arc::new(source)) };
    Router::new()
        .route("/", get(page))
        .route("/table", get(text))
        .route("/table.json", get(json))
        .route("/events", get(events))
        .layer(map_response(guarded))
        .with_state(Arc::new(shown))
}

struct Shown {
    page: Page,
    feed: Feed,
}

type Source = Arc<dyn Fn() -> LockTable + Send + Sync>;

#[derive(Deserialize)]
struct Width {
    columns: Option<usize>,
}

async fn page(State(shown): State<Arc<Shown>>) -> Response {
    shown.page.response()
}

async fn text(State(shown): State<Arc<Shown>>, Query(width): Query<Width>) -> Response {
    /// Wider terminals there are none. A number from a stranger is not the size of an allocation.
    const WIDEST: usize = 1_000;
    let table = shown.feed.table();
    match width.columns {
        Some(columns) => format!("{table:0$}", columns.clamp(40, WIDEST)).into_response(),
        None => table.to_string().into_response(),
    }
}

async fn json(State(shown): State<Arc<Shown>>) -> Response {
    match serde_json::to_string(&shown.feed.table()) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn events(State(shown): State<Arc<Shown>>) -> Response {
    shown.feed.response()
}

/// What every answer says: keep no copy, guess no type, tell no other site of this address, and show it in no frame.
async fn guarded(mut response: Response) -> Response {
    const NOTHING_ELSE: &str = "default-src 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING_ELSE));
    response
}
