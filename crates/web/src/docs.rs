//! `/docs/`: the OpenAPI documents of every face, to be browsed and tried without internet.
//!
//! One page of ours around Swagger UI, whose files are built in (`build.rs`). Everything comes from this server, and
//! the policy that goes with each file lets the browser load nothing else, run no script that stands in a page, and
//! show the page inside no other.

use askama::Template;
use axum::{
    Router,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
};
use serde_json::Value;

use crate::openapi::openapi_documents;

/// The icons in Swagger UI's style sheet are `data:` URLs; a call that is tried goes to this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, content type and content of everything that the page loads or links to, beside the documents.
const FILES: [(&str, &str, &[u8]); 5] = [
    ("docs.css", STYLE, include_bytes!("../templates/docs.css")),
    ("docs.js", JAVASCRIPT, include_bytes!("../templates/docs.js")),
    ("swagger-ui.css", STYLE, include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui/swagger-ui.css"))),
    (
        "swagger-ui-bundle.js",
        JAVASCRIPT,
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui/swagger-ui-bundle.js")),
    ),
    ("LICENSE", "text/plain; charset=utf-8", include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui/LICENSE"))),
];

#[derive(Template)]
#[template(path = "docs.html")]
struct Page {
    faces: Vec<Face>,
}

/// A face as the list of the page shows it.
struct Face {
    name: &'static str,
    title: String,
}

/// `/docs/` and what its page loads; `/docs` leads there.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = Page { faces: faces() }.render().ok();
    let router = Router::new()
        // Relative, so that it holds behind a proxy that serves this below a path of its own.
        .route("/docs", get(async || Redirect::permanent("docs/")))
        .route("/docs/", get(async move || page.map(guarded).ok_or(StatusCode::INTERNAL_SERVER_ERROR)));
    FILES.into_iter().fold(router, |router, (name, content_type, content)| {
        router.route(&format!("/docs/{name}"), get(async move || file(content_type, content)))
    })
}

/// Every face that has a document, under the title that stands in it.
fn faces() -> Vec<Face> {
    let face = |(name, document): (&'static str, String)| {
        let title = serde_json::from_str::<Value>(&document).ok();
        let title = title.and_then(|document| Some(document["info"]["title"].as_str()?.to_owned()));
        Face { name, title: title.unwrap_or_else(|| name.to_owned()) }
    };
    openapi_documents().into_iter().map(face).collect()
}

fn guarded(page: String) -> Response {
    with_policy(([(CACHE_CONTROL, "no-cache")], Html(page)).into_response())
}

fn file(content_type: &'static str, content: &'static [u8]) -> Response {
    with_policy(([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "max-age=3600")], content).into_response())
}

fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use http::header::LOCATION;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn answer(path: &str) -> (http::response::Parts, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let (parts, body) = router::<()>().oneshot(request).await.unwrap().into_parts();
        (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_face_stands_in_the_list_under_its_title() {
        let (_, page) = answer("/docs/").await;
        for (face, document) in openapi_documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            let title = document["info"]["title"].as_str().unwrap();
            let option = format!(r#"<option value="../openapi/{face}.json">{title}</option>"#);
            assert!(page.contains(&option), "{option}\n{page}");
        }
    }

    #[tokio::test]
    async fn whatever_is_served_lets_the_browser_load_nothing_from_elsewhere() {
        for (name, ..) in FILES.into_iter().chain([("", "", &b""[..])]) {
            let (parts, _) = answer(&format!("/docs/{name}")).await;
            assert_eq!(parts.status, StatusCode::OK, "{name}");
            let policy = parts.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none';"), "{name}: {policy}");
            for source in policy.split([';', ' ']).filter(|word| word.contains([':', '\'', '*', '.'])) {
                assert!(["'none'", "'self'", "data:"].contains(&source), "{name}: {source}");
            }
        }
    }

    #[tokio::test]
    async fn the_page_has_neither_scripts_nor_styles_of_its_own() {
        let (_, page) = answer("/docs/").await;
        for piece in page.split("<script").skip(1) {
            assert!(piece.starts_with(" src=\"") && piece.contains("\"></script>"), "{piece}");
        }
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" on"), "{page}");
    }

    #[tokio::test]
    async fn without_the_slash_one_is_led_to_the_page() {
        let (parts, _) = answer("/docs").await;
        assert_eq!(
            (parts.status, parts.headers[LOCATION].to_str().unwrap()),
            (StatusCode::PERMANENT_REDIRECT, "docs/")
        );
    }
}
