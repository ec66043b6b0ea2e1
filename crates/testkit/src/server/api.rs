//! The published APIs, as a client of theirs calls them.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

/// A client with an API key.
pub struct Api {
    base: String,
    key: String,
    client: Client,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as JSON; null where it is empty or none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Api {
    /// The APIs below `base`, with `key`.
    pub fn new(base: &str, key: &str) -> Self {
        Self { base: base.to_owned(), key: key.to_owned(), client: Client::new() }
    }

    /// The same with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self::new(&self.base, key)
    }

    /// A call of the Device API, such as `device("info", json!({"clientid": …}))`.
    pub async fn device(&self, call: &str, body: Value) -> Answer {
        self.call(&format!("device/{call}"), body).await
    }

    /// Any call of the Device API, such as `call("app/list", json!({"clientid": …}))`.
    pub async fn call(&self, call: &str, body: Value) -> Answer {
        let path = format!("/api/mdm/v2/{call}");
        let key = format!("Api-Key {}", self.key);
        self.send(self.request(Method::POST, &path).header("authorization", key).json(&body)).await
    }

    /// What `device/info` says of a device.
    pub async fn info(&self, client_id: &str) -> Value {
        let answer = self.device("info", json!({ "clientid": client_id })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["deviceinfo"].clone()
    }

    /// A token of the lifecycle API.
    pub async fn login(&self, application: &str, secret: &str) -> Answer {
        let credentials = STANDARD.encode(format!("{application}:{secret}"));
        let request =
            self.request(Method::POST, "/v1/login").header("authorization", format!("Basic {credentials}"));
        self.send(request).await
    }

    /// A purge by the lifecycle API.
    pub async fn purge(&self, token: &str, customer: &str, body: Value) -> Answer {
        let path = format!("/device-lifecycle/v1/{customer}/devices/purge/async/external");
        let request = self.request(Method::POST, &path).header("authorization", format!("Bearer {token}"));
        self.send(request.json(&body)).await
    }

    /// A call of the admin API, such as `admin(Method::GET, "commands?state=done", None)`.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, &format!("/api/admin/v1/{path}")).bearer_auth(&self.key);
        self.send(body.iter().fold(request, RequestBuilder::json)).await
    }

    /// Any request, to be filled in and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, body, text }
    }
}
