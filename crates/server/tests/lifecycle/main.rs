//! The Device Lifecycle API where time, crowds and several nodes come in: limits, signing keys, and purges at work. What
//! a single call answers is tested in `apis/lifecycle_api`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

use domain::ApplicationId;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use testkit::server::{Answer, Api, TestServer};

mod answers;
mod curl;
mod keys;
mod limits;
mod nodes;
mod purges;
mod throttle;

/// Where a blocked request is told how long to wait.
const WAIT: &str = "x-rate-limit-retry-after-milliseconds";

/// An application that has logged in, by a test's server.
struct Program {
    id: ApplicationId,
    secret: String,
    customer: String,
    token: String,
}

impl Program {
    /// A new one; five seconds have passed since its login, so that no limit is near.
    async fn new(server: &TestServer) -> Self {
        let application = server.application().await;
        let token = server.token_of(&application).await;
        server.clock().advance(std::time::Duration::from_secs(5));
        let (id, secret) = application;
        Self { id, secret, customer: server.tenant().to_string(), token }
    }

    /// A login, or a purge of nobody's device.
    fn request(&self, api: &Api, request: Request) -> RequestBuilder {
        match request {
            Request::Login => api.request(Method::POST, "/v1/login").basic_auth(self.id, Some(&self.secret)),
            Request::Purge => self.purge_request(api).json(&json!({ "guids": ["nobody's"] })),
        }
    }

    async fn login(&self, api: &Api) -> Answer {
        api.send(self.request(api, Request::Login)).await
    }

    async fn purge(&self, api: &Api) -> Answer {
        api.send(self.request(api, Request::Purge)).await
    }

    /// How long one of the two requests that are limited has to wait, milliseconds; `None` for one that passed.
    async fn ask(&self, api: &Api, request: Request) -> Option<u64> {
        match request {
            Request::Login => wait(&self.login(api).await, 200),
            Request::Purge => wait(&self.purge(api).await, 202),
        }
    }

    fn path(&self) -> String {
        format!("/device-lifecycle/v1/{}/devices/purge/async/external", self.customer)
    }

    /// A purge to be filled in.
    fn purge_request(&self, api: &Api) -> RequestBuilder {
        api.request(Method::POST, &self.path()).bearer_auth(&self.token)
    }
}

/// What is limited, each kind for itself.
#[derive(Clone, Copy, Debug)]
enum Request {
    Login,
    Purge,
}

/// How long a blocked request has to wait, milliseconds; `None` for one that was answered with `status`. The published
/// form of a blocked answer is checked.
#[track_caller]
fn wait(answer: &Answer, status: u16) -> Option<u64> {
    if answer.status == status {
        assert!(!answer.headers.contains_key(WAIT));
        return None;
    }
    assert_eq!((answer.status, answer.text.as_str()), (429, ""));
    assert_eq!(answer.headers["content-length"], "0");
    assert!(!answer.headers.contains_key("content-type"));
    Some(answer.headers[WAIT].to_str().unwrap().parse().unwrap())
}
