//! Whether the process answers at all.

/// `GET /healthz`: it does. Nothing is asked of the database, so that a load balancer does not take a node
/// away for a fault that all of them share.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}
