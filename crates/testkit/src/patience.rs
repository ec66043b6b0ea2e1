//! Waiting that ends: with what was waited for, or with a sentence.

use std::time::Duration;

/// How long anything may take on a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for something.
///
/// # Panics
/// With a sentence, if it does not come in two minutes.
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, wait).await;
    done.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain until {what}"))
}
