//! The pages of links that do not enroll: they say why, and what to do.

use std::time::Duration;

use domain::NewLink;
use reqwest::Client;
use simulator::apple_device::{AppleDevice, DeviceModel};
use testkit::{on_both, server::TestServer};

use super::{fetch, link_without_push_certificate};

#[tokio::test]
async fn an_unknown_link_has_a_page_that_says_so() {
    let server = TestServer::start().await;
    let secret = "a-token-that-nobody-made";
    let link = format!("{}/enroll/{secret}", server.device_url());
    let page = page(&link, 404).await;
    assert!(page.contains("This enrollment link does not exist"), "{page}");
    assert!(!page.contains(secret), "a token is a secret, even a wrong one");
}

on_both!(an_expired_link_has_a_page_that_says_so);
async fn an_expired_link_has_a_page_that_says_so(server: TestServer) {
    let new = NewLink { user: None, device: None, uses: 1, lifetime: Duration::from_hours(7 * 24) };
    let link = server.mdm().add_link(&server.owner(), &new).await.unwrap();
    server.clock().advance(Duration::from_hours(7 * 24) - Duration::from_mins(1));
    assert_eq!(fetch(&link).await.status(), 200);
    server.clock().advance(Duration::from_mins(1));
    assert!(page(&link, 410).await.contains("This enrollment link has expired"));
}

on_both!(a_link_that_is_used_up_has_a_page_that_says_so);
async fn a_link_that_is_used_up_has_a_page_that_says_so(server: TestServer) {
    let link = server.link().await;
    AppleDevice::enroll(server.options(link.clone(), DeviceModel::iphone(1))).await.unwrap();
    assert!(page(&link, 410).await.contains("This enrollment link is used up"));
}

on_both!(without_a_push_certificate_there_is_a_page_that_says_what_to_do);
async fn without_a_push_certificate_there_is_a_page_that_says_what_to_do(server: TestServer) {
    let page = page(&link_without_push_certificate(&server).await, 503).await;
    assert!(page.contains("This server cannot enroll devices yet"), "{page}");
    assert!(page.contains("remuda push-certificate request"), "{page}");
}

#[tokio::test]
async fn pages_speak_the_readers_language() {
    let server = TestServer::start().await;
    let link = format!("{}/enroll/none", server.device_url());
    let client = Client::builder().no_proxy().build().unwrap();
    let page = client.get(&link).header("accept-language", "fr, de-AT;q=0.9, en;q=0.1").send().await.unwrap();
    assert_eq!(page.headers()["content-language"], "de");
    assert!(page.text().await.unwrap().contains("Diesen Registrierungslink gibt es nicht"));
}

#[tokio::test]
async fn a_plain_profile_needs_a_good_link_too() {
    let server = TestServer::start().await;
    let link = format!("{}/enroll/none?signed=false", server.device_url());
    assert_eq!(fetch(&link).await.status(), 404);
}

/// The page behind a link, which has this status, is kept by nobody and runs nothing.
async fn page(link: &str, status: u16) -> String {
    let response = fetch(link).await;
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    response.text().await.unwrap().replace("&#39;", "'")
}
