//! Whoever calls a test server's APIs.

use std::time::Duration;

use domain::{ApplicationId, Role, TenantId};

use super::TestServer;

impl TestServer {
    /// An API key of a new administrator who has this role in the test's tenant, and no other.
    pub async fn key_of(&self, role: Role) -> String {
        self.key_of_roles(&[(self.tenant, role)]).await
    }

    /// An API key of a new administrator who has these roles.
    pub async fn key_of_roles(&self, roles: &[(TenantId, Role)]) -> String {
        let email = format!("admin-{}@example.com", self.seed());
        for (tenant, role) in roles {
            self.mdm().add_admin(&email, *tenant, *role).await.expect("an administrator");
        }
        self.mdm().add_api_key(&email).await.expect("an API key").1
    }

    /// An API key of the tenant's owner that was taken back.
    pub async fn revoked_key(&self) -> String {
        let (id, key) = self.mdm().add_api_key("owner@example.com").await.expect("an API key");
        self.mdm().revoke_api_key(id).await.expect("the key is revoked");
        key
    }

    /// A new application of the test's tenant, and its secret.
    pub async fn application(&self) -> (ApplicationId, String) {
        self.application_of(self.tenant).await
    }

    /// A new application of a tenant, and its secret.
    pub async fn application_of(&self, tenant: TenantId) -> (ApplicationId, String) {
        self.mdm().add_application(tenant, "Test").await.expect("an application")
    }

    /// A token of the lifecycle API, by its login. A second passes, so that no rate limit is near.
    pub async fn token_of(&self, (application, secret): &(ApplicationId, String)) -> String {
        self.clock.advance(Duration::from_secs(1));
        let answer = self.api().login(&application.to_string(), secret).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["token"].as_str().expect("a token").to_owned()
    }
}
