//! One call: with a token, within the pace, its answer sorted.

use http::Method;
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Google;
use super::error::Error;
use super::pace::Pace;
use super::transport::Reply;

/// Whom to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Management,
    Pubsub,
}

/// What to say.
pub(super) struct Call {
    service: Service,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Call {
    /// A call of the Android Management API; `path` follows `/v1/` and is made of checked names only.
    pub(super) fn management(method: Method, path: impl Into<String>) -> Self {
        Self { service: Service::Management, method, path: path.into(), query: Vec::new(), body: None }
    }

    /// A call of Pub/Sub, likewise.
    pub(super) fn pubsub(method: Method, path: impl Into<String>) -> Self {
        Self { service: Service::Pubsub, ..Self::management(method, path) }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn maybe(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Fails only for what cannot be JSON, which none of our types is.
    pub(super) fn body(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_vec(body).map_err(|error| Error::Refused {
            status: 400,
            word: "INVALID_ARGUMENT".to_owned(),
            why: error.to_string(),
        })?;
        self.body = Some(json);
        Ok(self)
    }

    /// The whole address below `base`, which may have a path of its own.
    fn address(&self, base: &Url) -> Url {
        let mut url = base.clone();
        let prefix = base.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/v1/{}", self.path));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

impl Google {
    /// Makes the call and reads its answer; `what` names the answer in a failure.
    pub(super) async fn ask<T: DeserializeOwned>(&self, what: &'static str, call: Call) -> Result<T, Error> {
        let reply = self.call(call).await?;
        Ok(::android::decode(what, &reply.body)?)
    }

    /// Makes the call; what it answers does not matter.
    pub(super) async fn tell(&self, call: Call) -> Result<(), Error> {
        self.call(call).await.map(drop)
    }

    /// Makes the call, and waits for a limited time; only a pull may wait for as long as Google lets it.
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        if call.service == Service::Pubsub {
            return self.attempt(call).await;
        }
        tokio::time::timeout(self.call_timeout, self.attempt(call)).await.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", self.call_timeout.as_secs());
            Err(Error::TryLater { after: None, maybe_done: true, why })
        })
    }

    /// A refused token is replaced once: it may have been revoked, or our clock may have been set back.
    async fn attempt(&self, call: Call) -> Result<Reply, Error> {
        let (pace, base) = match call.service {
            Service::Management => (&self.management, &self.endpoints.management),
            Service::Pubsub => (&self.pubsub, &self.endpoints.pubsub),
        };
        pace.check(self.now())?;
        let url = call.address(base);
        let token = self.tokens.token(&self.transport, self.now()).await?;
        let mut reply = self.send(&call, url.clone(), &token, pace).await?;
        if reply.status == 401 {
            self.tokens.discard(&token).await;
            let token = self.tokens.token(&self.transport, self.now()).await?;
            reply = self.send(&call, url, &token, pace).await?;
        }
        if reply.status.is_success() {
            pace.succeeded();
            return Ok(reply);
        }
        let error = Error::of(&reply, self.now());
        if matches!(error, Error::Quota { .. }) || reply.status == 503 {
            pace.failed(error.retry_after(), self.now());
        }
        Err(error)
    }

    async fn send(&self, call: &Call, url: Url, token: &str, pace: &Pace) -> Result<Reply, Error> {
        let mut request = self.transport.client().request(call.method.clone(), url).bearer_auth(token);
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        } else if call.method == Method::POST {
            request = request.header("content-length", "0");
        }
        let reply = self.transport.exchange(request).await;
        reply.inspect_err(|error| {
            if error.is_passing() {
                pace.failed(None, self.now());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_path_of_its_base_and_escapes_its_query() {
        let call = Call::management(Method::GET, "enterprises/E/devices").query("pageToken", "a&b=c");
        let at = |base: &str| call.address(&Url::parse(base).unwrap()).to_string();
        assert_eq!(at("https://a"), "https://a/v1/enterprises/E/devices?pageToken=a%26b%3Dc");
        assert_eq!(
            at("http://127.0.0.1:1/x/"),
            "http://127.0.0.1:1/x/v1/enterprises/E/devices?pageToken=a%26b%3Dc"
        );
    }
}
