//! Places that there are not, and methods that they do not have.

use reqwest::{Client, Method, redirect::Policy};

use super::{Besieged, raw_http::Raw};

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let besieged = Besieged::new().await;
    for path in [
        "/",
        "/nothing",
        "/mdm/",
        "//mdm",
        "/MDM",
        "/mdm/checkin",
        "/checkin/x",
        "/scep/ca",
        "/enroll",
        "/enroll/a/b",
        "/.env",
        "/%2e%2e/etc/passwd",
        "/enroll/../mdm/x",
    ] {
        assert_eq!(status(&besieged, "GET", path).await, 404, "{path}");
        assert_eq!(status(&besieged, "PUT", path).await, 404, "{path}");
    }
    besieged.still_stands().await;
}

/// The listeners share no route: one faces the internet.
#[tokio::test]
async fn nothing_of_the_api_is_on_the_device_listener_and_the_other_way_round() {
    let besieged = Besieged::new().await;
    for path in ["/api/mdm/v2/device/list", "/v1/login", "/metrics", "/console", "/readyz", "/docs"] {
        for method in ["GET", "POST"] {
            assert_eq!(status(&besieged, method, path).await, 404, "{path}");
        }
    }
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    for path in ["/mdm", "/checkin", "/scep?operation=GetCACaps", "/enroll/x"] {
        for method in [Method::GET, Method::PUT, Method::POST] {
            let url = format!("{}{path}", besieged.server.api_url());
            assert_eq!(client.request(method, url).send().await.unwrap().status(), 404, "{path}");
        }
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let besieged = Besieged::new().await;
    for (path, methods) in [
        ("/mdm", &["GET", "POST", "DELETE", "TRACE", "FOO"][..]),
        ("/checkin", &["GET", "POST"]),
        ("/scep?operation=GetCACaps", &["PUT", "DELETE"]),
        ("/enroll/x", &["POST", "PUT", "DELETE"]),
        ("/healthz", &["POST"]),
    ] {
        for method in methods {
            assert_eq!(status(&besieged, method, path).await, 405, "{method} {path}");
        }
    }
    besieged.still_stands().await;
}

/// A link is a page for people, whatever stands in it.
#[tokio::test]
async fn links_of_garbage_are_unknown_links() {
    let besieged = Besieged::new().await;
    let long = "A".repeat(10_000);
    for token in
        ["%ff%fe", "%00", "%", "%zz", "..%2f..%2fmdm", "%3Cscript%3E", "'%20OR%201=1", "\u{fc}", &long]
    {
        assert_eq!(status(&besieged, "GET", &format!("/enroll/{token}")).await, 404, "{token:.20}");
    }
    for query in ["?signed=%ff", "?signed", "?&&&=", "?signed=false&signed=true"] {
        assert_eq!(status(&besieged, "GET", &format!("/enroll/x{query}")).await, 404, "{query}");
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn queries_of_garbage_are_bad_requests() {
    let besieged = Besieged::new().await;
    for query in
        ["%", "operation=%", "operation=%ff", "&&&===", "operation=PKIOperation&message=%%%", "message=x"]
    {
        assert_eq!(status(&besieged, "GET", &format!("/scep?{query}")).await, 400, "{query}");
        assert_eq!(status(&besieged, "POST", &format!("/scep?{query}")).await, 400, "{query}");
    }
    besieged.still_stands().await;
}

/// As it stands, without a client that would tidy it up.
async fn status(besieged: &Besieged, method: &str, path: &str) -> u16 {
    let mut raw = Raw::head(&besieged.server, &format!("{method} {path}"), &["Content-Length: 0"]).await;
    raw.status().await.unwrap_or_else(|| panic!("no answer to {method} {path:.60}"))
}
