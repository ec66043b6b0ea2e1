//! How Google says no: a status, a word and a sentence.

use serde_json::{Value, json};

/// An error of Google's APIs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) retry_after: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, word: &str, message: impl Into<String>) -> Self {
        let body = json!({"error": {"code": status, "message": message.into(), "status": word}});
        Self { status, body, retry_after: None }
    }

    /// What a test has ordered.
    pub(super) fn ordered(status: u16, word: &str, retry_after: Option<&str>) -> Self {
        Self { retry_after: retry_after.map(str::to_owned), ..Self::new(status, word, "as ordered") }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(super) fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(401, "UNAUTHENTICATED", message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "PERMISSION_DENIED", message)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "NOT_FOUND", format!("{what} was not found"))
    }

    pub(super) fn conflict(word: &str, message: impl Into<String>) -> Self {
        Self::new(409, word, message)
    }

    pub(super) fn away() -> Self {
        Self::new(503, "UNAVAILABLE", "The service is currently unavailable.")
    }

    /// Of OAuth, which has a shape of its own (RFC 6749, 5.2).
    pub(super) fn oauth(error: &str, description: &str) -> Self {
        let body = json!({"error": error, "error_description": description});
        Self { status: 400, body, retry_after: None }
    }
}
