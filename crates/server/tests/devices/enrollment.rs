//! Enrollment links, the profiles behind them, and the pages of those that lead nowhere.

mod links;
mod pages;
mod profile;

use apple::{Dictionary, EnrollmentProfile, enrollment::UrlPolicy};
use reqwest::{Client, Response};
use testkit::server::TestServer;

/// What a browser gets.
pub async fn fetch(link: &str) -> Response {
    Client::builder().no_proxy().build().unwrap().get(link).send().await.unwrap()
}

/// The profile behind a link, as tools that read plain ones see it.
pub async fn plain_profile(link: &str) -> Vec<u8> {
    let response = fetch(&format!("{link}?signed=false")).await;
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

/// The same, read as a device reads it.
pub async fn profile(link: &str) -> EnrollmentProfile {
    EnrollmentProfile::parse(&plain_profile(link).await, UrlPolicy::LoopbackHttpToo).unwrap()
}

/// The keys of a property list.
pub fn keys(plist: &[u8]) -> Dictionary {
    apple::guard::parse(plist, apple::Limits::server_answer()).unwrap().into_dictionary().unwrap()
}

/// How often a link of one use could still be used: nought or once.
pub async fn is_open(link: &str) -> bool {
    fetch(link).await.status() == 200
}

/// What a tenant without a push certificate would send to its people.
pub async fn link_without_push_certificate(server: &TestServer) -> String {
    let bare = server.mdm().add_tenant("Bare").await.unwrap();
    let new =
        domain::NewLink { user: None, device: None, uses: 1, lifetime: std::time::Duration::from_hours(1) };
    server.mdm().add_link(&domain::Actor::local(bare.id), &new).await.unwrap()
}
