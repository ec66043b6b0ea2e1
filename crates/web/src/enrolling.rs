//! What whoever enrolls a device is answered, on either listener: a profile as a file, and pages to read.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
        REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};

/// The style sheet of every page.
pub(crate) const STYLE: &str = include_str!("../templates/enroll.css");

/// Nothing is allowed but the page's own style sheet, by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(pki::sha256(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// A profile as a file. It holds a one-time secret, so that nothing on the way may keep it.
pub(crate) fn profile(bytes: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, apple::content_type::PROFILE),
        (CONTENT_DISPOSITION, "attachment; filename=\"enroll.mobileconfig\""),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

/// A page with [`STYLE`]. Its address is a secret, so that it is neither kept nor told to other sites.
pub(crate) fn page(status: StatusCode, language: &'static str, html: String) -> Response {
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language));
    for (name, value) in
        [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_downloaded_as_apples_type_and_kept_nowhere() {
        let response = profile(b"profile".to_vec());
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/x-apple-aspen-config");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[CONTENT_DISPOSITION], "attachment; filename=\"enroll.mobileconfig\"");
    }

    #[test]
    fn a_page_is_kept_nowhere_and_tells_no_other_site_its_address() {
        let response = page(StatusCode::OK, "de", "<p>".into());
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(response.headers()[CONTENT_LANGUAGE], "de");
    }
}
