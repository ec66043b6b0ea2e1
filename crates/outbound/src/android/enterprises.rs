//! Signing up, enterprises, and tokens for Google's pages.

use ::android::{
    Enterprise, EnterpriseName, EnterprisePatch, Page, SignupUrl, SignupUrlName, WebToken, WebTokenRequest,
};
use http::Method;
use serde::Deserialize;

use super::Google;
use super::call::Call;
use super::error::Error;

/// How an administrator is asked to sign up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignupRequest<'a> {
    /// Where Google sends the administrator back to, with `enterpriseToken` in the query; `https`.
    pub callback_url: &'a str,
    /// The administrator's address, to be filled in.
    pub admin_email: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Enterprises {
    enterprises: Vec<Enterprise>,
    next_page_token: Option<String>,
}

impl Google {
    /// Asks for an address at which an administrator signs up (`signupUrls.create`).
    pub async fn create_signup_url(&self, request: &SignupRequest<'_>) -> Result<SignupUrl, Error> {
        let call = Call::management(Method::POST, "signupUrls")
            .query("projectId", self.project_id())
            .query("callbackUrl", request.callback_url)
            .maybe("adminEmail", request.admin_email);
        self.ask("a sign-up URL", call).await
    }

    /// Makes the enterprise of an administrator who came back with a token (`enterprises.create`).
    pub async fn create_enterprise(
        &self,
        signup_url: &SignupUrlName,
        enterprise_token: &str,
        enterprise: &EnterprisePatch,
    ) -> Result<Enterprise, Error> {
        let call = Call::management(Method::POST, "enterprises")
            .query("projectId", self.project_id())
            .query("signupUrlName", signup_url.as_str())
            .query("enterpriseToken", enterprise_token)
            .body(enterprise)?;
        self.ask("an enterprise", call).await
    }

    /// `enterprises.get`.
    pub async fn enterprise(&self, name: &EnterpriseName) -> Result<Enterprise, Error> {
        self.ask("an enterprise", Call::management(Method::GET, name.as_str())).await
    }

    /// `enterprises.patch`, of the fields that `patch` has.
    pub async fn patch_enterprise(
        &self,
        name: &EnterpriseName,
        patch: &EnterprisePatch,
    ) -> Result<Enterprise, Error> {
        let call = Call::management(Method::PATCH, name.as_str())
            .query("updateMask", patch.update_mask())
            .body(patch)?;
        self.ask("an enterprise", call).await
    }

    /// The enterprises of the project, a page (`enterprises.list`).
    pub async fn enterprises(&self, page: Option<&str>) -> Result<Page<Enterprise>, Error> {
        let call = Call::management(Method::GET, "enterprises")
            .query("projectId", self.project_id())
            .query("view", "BASIC")
            .maybe("pageToken", page);
        let list: Enterprises = self.ask("a list of enterprises", call).await?;
        Ok(Page::new(list.enterprises, list.next_page_token))
    }

    /// `webTokens.create`.
    pub async fn create_web_token(
        &self,
        enterprise: &EnterpriseName,
        request: &WebTokenRequest,
    ) -> Result<WebToken, Error> {
        let call = Call::management(Method::POST, format!("{enterprise}/webTokens")).body(request)?;
        self.ask("a web token", call).await
    }
}
