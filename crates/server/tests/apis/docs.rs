//! `/docs/`: the OpenAPI documents, browsable with nothing but this server.

use reqwest::Method;
use serde_json::Value;
use testkit::server::{Answer, TestServer};

/// How an address on a page begins that leads to another server.
const ELSEWHERE: [&str; 4] = ["http:", "https:", "//", "ws"];

async fn fetched(server: &TestServer, path: &str) -> Answer {
    let api = server.api();
    let answer = api.send(api.request(Method::GET, path)).await;
    assert_eq!(answer.status, 200, "{path}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
    answer
}

/// What stands behind `before` and in front of `after`, each time.
fn between<'t>(text: &'t str, before: &str, after: char) -> Vec<&'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(found, _)| found).collect()
}

/// Everything that a page names, as it names it.
fn named(page: &str) -> Vec<&str> {
    ["src=\"", "href=\"", "value=\""]
        .into_iter()
        .flat_map(|attribute| between(page, attribute, '"'))
        .collect()
}

/// What a style sheet loads.
fn loaded(style: &str) -> Vec<&str> {
    let addresses = between(style, "url(", ')').into_iter().map(|it| it.trim_matches(['"', '\'', ' ']));
    addresses.chain(between(style, "@import", ';')).filter(|it| !it.starts_with("data:")).collect()
}

#[tokio::test]
async fn the_page_and_all_that_it_names_come_from_this_server() {
    let server = TestServer::start().await;
    let page = fetched(&server, "/docs").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let (mut styles, mut scripts, mut documents) = (0, 0, 0);
    for name in named(&page.text).into_iter().filter(|name| !["#", "data:,"].contains(name)) {
        assert!(!ELSEWHERE.iter().any(|start| name.starts_with(start)), "{name} is elsewhere");
        let asset = fetched(&server, &format!("/docs/{name}")).await;
        assert!(!asset.text.is_empty(), "{name}");
        match asset.headers["content-type"].to_str().unwrap() {
            "text/css; charset=utf-8" => {
                assert_eq!(loaded(&asset.text), [""; 0], "{name}");
                styles += 1;
            }
            "text/javascript; charset=utf-8" => scripts += 1,
            "application/json" => {
                let Value::Object(paths) = &asset.body["paths"] else { panic!("{name} is no document") };
                assert!(!paths.is_empty(), "{name}");
                assert_eq!(asset.body.get("servers"), None, "{name}: calls go to where the document is from");
                documents += 1;
            }
            other => assert_eq!((name, other), ("LICENSE", "text/plain; charset=utf-8")),
        }
    }
    // Each document stands in the list, and once more for who has no JavaScript.
    assert_eq!((styles, scripts, documents), (2, 2, 2 * web::openapi_documents().len()));
}

/// So that even the scripts, whose texts name other servers, get nothing from them.
#[tokio::test]
async fn the_browser_is_told_to_load_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let page = fetched(&server, "/docs/").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let directives: Vec<_> = policy.split("; ").collect();
    assert_eq!(
        directives,
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'"
        ]
    );
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}
