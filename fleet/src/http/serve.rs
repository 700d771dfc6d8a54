//! The routes, of a worker's metrics and of the dashboard.

use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Router, middleware};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::metrics;
use super::process::ProcessMetrics;
use crate::queue::model::{AttemptView, FleetView, TreeView};
use crate::queue::{Queue, QueueError};

/// How many batches the page lists.
const BATCHES: u32 = 30;
/// How long a request waits for the database.
const RETRY_TIME: Duration = Duration::from_secs(8);

/// Nothing but the page's own files, and no page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page's files: path, media type, content.
const FILES: [(&str, &str, &str); 6] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("page/index.html"),
    ),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("page/page.css"),
    ),
    (
        "/page.js",
        "text/javascript; charset=utf-8",
        include_str!("page/page.js"),
    ),
    (
        "/tree.js",
        "text/javascript; charset=utf-8",
        include_str!("page/tree.js"),
    ),
    (
        "/dom.js",
        "text/javascript; charset=utf-8",
        include_str!("page/dom.js"),
    ),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// Why a process is not ready, in words for the operator.
pub type NotReady = Box<dyn Error + Send + Sync>;

/// Asks whether all that the process needs besides the database is there.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), NotReady>> + Send + Sync>;

/// What the routes tell of.
#[derive(Clone)]
pub struct Site {
    /// The fleet's queue.
    pub queue: Queue,
    /// The process's own measurements.
    pub process: ProcessMetrics,
    /// Asked by `/readyz`, after the database, which must take writes.
    pub ready: Check,
}

/// `/metrics`, `/healthz` and `/readyz`.
pub fn metrics_router(site: Site) -> Router {
    with_headers(process_routes().with_state(site))
}

/// Returns the same, the page, and what it asks for: `/api/fleet`, `/api/batch/ID` and
/// `/api/job/BATCH/ID`.
pub fn dashboard_router(site: Site) -> Router {
    let mut router = process_routes()
        .route("/api/fleet", get(fleet))
        .route("/api/batch/{id}", get(batch))
        .route("/api/job/{batch}/{id}", get(job));
    for (path, media_type, content) in FILES {
        let answer = ([(header::CONTENT_TYPE, media_type)], content);
        router = router.route(path, get(async move || answer));
    }
    with_headers(router.with_state(site))
}

/// Answers until `stop` completes.
///
/// # Errors
/// Those of the listening socket.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}

fn process_routes() -> Router<Site> {
    Router::new()
        .route("/metrics", get(prometheus))
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
}

fn with_headers(router: Router) -> Router {
    router
        .fallback(async || refusal(StatusCode::NOT_FOUND, "there is nothing here"))
        .layer(middleware::map_response(add_headers))
}

async fn add_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn prometheus(State(site): State<Site>) -> Response {
    let fleet = retrying(&site.queue, site.queue.fleet_view(0)).await;
    match metrics::render(fleet.as_ref().ok(), &site.process) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn ready(State(site): State<Site>) -> Response {
    if let Err(away) = retrying(&site.queue, site.queue.ping()).await {
        return away;
    }
    match timeout(RETRY_TIME, (site.ready)()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(reason)) => refusal(StatusCode::SERVICE_UNAVAILABLE, &reason.to_string()),
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, "no answer in time"),
    }
}

async fn fleet(State(site): State<Site>) -> Result<Json<FleetView>, Response> {
    let fleet = retrying(&site.queue, site.queue.fleet_view(BATCHES)).await;
    fleet.map(Json)
}

async fn batch(
    State(site): State<Site>,
    Path(id): Path<String>,
) -> Result<Json<TreeView>, Response> {
    match retrying(&site.queue, site.queue.tree_view(&id)).await? {
        Some(tree) => Ok(Json(tree)),
        None => Err(refusal(
            StatusCode::NOT_FOUND,
            "there is no batch of this id",
        )),
    }
}

async fn job(
    State(site): State<Site>,
    Path((batch, id)): Path<(String, String)>,
) -> Result<Json<Vec<AttemptView>>, Response> {
    let attempts = retrying(&site.queue, site.queue.attempts(&batch, &id)).await;
    attempts.map(Json)
}

/// What the database answers; if it does not, or not in time, an answer that says so.
async fn retrying<T>(
    queue: &Queue,
    asked: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, Response> {
    let error = match timeout(RETRY_TIME, asked).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the database does not answer in time".to_owned(),
    };
    // Perhaps it is the connection's fault, and the next question gets another one.
    queue.renew();
    Err(refusal(StatusCode::SERVICE_UNAVAILABLE, &error))
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
