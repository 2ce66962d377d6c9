//! `/metrics`, `/health/live` and `/health/ready`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

/// Who knows how the node is.
pub trait Source: Send + Sync + 'static {
    /// All metrics in Prometheus' text. May take milliseconds: asked on a thread for blocking work.
    fn metrics(&self) -> String;

    /// Why no client should be sent to this node now; empty if it is ready.
    fn not_ready(&self) -> Vec<String>;
}

const INDEX: &str =
    "ottla\n\n/metrics       Prometheus\n/health/live   the process runs\n/health/ready  clients may come\n";

/// The operator's pages.
pub fn router(source: Arc<dyn Source>) -> Router {
    Router::new()
        .route("/", get(|| async { INDEX }))
        .route("/metrics", get(metrics))
        .route(
            "/health/live",
            get(|| async { json_page(StatusCode::OK, &json!({"status": "alive"})) }),
        )
        .route("/health/ready", get(ready))
        .with_state(source)
}

async fn metrics(State(source): State<Arc<dyn Source>>) -> Response {
    let written = tokio::task::spawn_blocking(move || source.metrics()).await;
    let Ok(page) = written else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    typed("text/plain; version=0.0.4; charset=utf-8", StatusCode::OK, page)
}

async fn ready(State(source): State<Arc<dyn Source>>) -> Response {
    let reasons = source.not_ready();
    if reasons.is_empty() {
        return json_page(StatusCode::OK, &json!({"status": "ready"}));
    }
    let page = json!({"status": "not ready", "reasons": reasons});
    json_page(StatusCode::SERVICE_UNAVAILABLE, &page)
}

fn json_page(status: StatusCode, page: &serde_json::Value) -> Response {
    typed("application/json", status, format!("{page}\n"))
}

fn typed(kind: &'static str, status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, page).into_response()
}
