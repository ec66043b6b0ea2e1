//! Whether this node can serve: `/readyz`.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use domain::Mdm;
use http::StatusCode;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /readyz`: 200 where the database answers, else 503. Why it does not is for the log alone.
pub(crate) async fn ready(State(mdm): State<Arc<Mdm>>) -> (StatusCode, &'static str) {
    match tokio::time::timeout(PATIENCE, mdm.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(error = error.chain(), "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
        Err(_) => {
            tracing::warn!(after = ?PATIENCE, "not ready: the database takes too long to answer");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }
}
