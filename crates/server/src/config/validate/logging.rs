//! What is logged, and in which form.

use tracing_subscriber::EnvFilter;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

pub(super) fn log(given: Option<String>, faults: &mut Vec<String>) -> String {
    let filter = given.unwrap_or_else(|| "info".into());
    if let Err(error) = EnvFilter::try_new(&filter) {
        faults.push(format!("--log {filter}: {error}"));
    }
    filter
}

pub(super) fn log_format(given: Option<&str>, faults: &mut Vec<String>) -> LogFormat {
    match given {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => {
            faults.push(format!("--log-format {other}: text or json"));
            LogFormat::Text
        }
    }
}
