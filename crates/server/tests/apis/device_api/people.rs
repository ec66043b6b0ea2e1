//! People who log in to the Device API.

use domain::{Actor, Role, TenantId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::{Answer, Api, TestServer};

/// Someone with a password.
#[derive(Clone, Debug)]
pub struct Person {
    /// `user` or `admin`.
    pub kind: &'static str,
    pub email: String,
    pub password: String,
}

impl Person {
    /// A new user of a tenant.
    pub async fn user(server: &TestServer, tenant: TenantId) -> (UserId, Self) {
        let email = format!("user-{}@example.com", server.seed());
        let (id, password) = server.mdm().add_user(&Actor::local(tenant), &email).await.expect("a user");
        (id, Self { kind: "user", email, password })
    }

    /// A new administrator with these roles.
    pub async fn admin(server: &TestServer, roles: &[(TenantId, Role)]) -> Self {
        let email = format!("admin-{}@example.com", server.seed());
        let mut password = None;
        for (tenant, role) in roles {
            let added = server.mdm().add_admin(&email, *tenant, *role).await.expect("an administrator");
            password = added.1.or(password);
        }
        Self { kind: "admin", email, password: password.expect("a password") }
    }

    /// What they send to log in.
    pub fn login(&self) -> Value {
        json!({ "type": "basic", "usertype": self.kind, "username": self.email, "password": self.password })
    }

    /// The same person with another password.
    pub fn with_password(&self, password: &str) -> Self {
        Self { password: password.into(), ..self.clone() }
    }

    /// A token of theirs.
    pub async fn token(&self, api: &Api) -> String {
        let answer = anonymous(api, "user/login", &self.login()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["token"].as_str().expect("a token").to_owned()
    }
}

/// A call without an API key.
pub async fn anonymous(api: &Api, call: &str, body: &Value) -> Answer {
    api.send(api.request(Method::POST, &format!("/api/mdm/v2/{call}")).json(body)).await
}

/// A call with a token, and without an API key.
pub async fn by_token(api: &Api, token: &str, call: &str, body: Value) -> Answer {
    let mut body = body;
    body["token"] = token.into();
    anonymous(api, call, &body).await
}

/// `user/mdmprofile` as a browser opens it: the body stands in the query, every byte escaped.
pub fn profile_link(body: &Value) -> String {
    let escaped: String = body.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/api/mdm/v2/user/mdmprofile?json={escaped}")
}
