//! Where APNs is.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use rustls_pki_types::ServerName;

use super::BadSettings;

/// A host with a port that speaks TLS.
pub(super) struct Endpoint {
    authority: Authority,
    server_name: ServerName<'static>,
}

impl Endpoint {
    /// Reads `https://HOST[:PORT]`, a slash at the end allowed.
    pub(super) fn parse(url: &str) -> Result<Self, BadSettings> {
        Self::read(url).ok_or_else(|| BadSettings::Url(url.to_owned()))
    }

    fn read(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let bare = uri.path_and_query().is_none_or(|path| path == "/");
        let authority = uri.authority()?.clone();
        if uri.scheme() != Some(&Scheme::HTTPS) || !bare || authority.as_str().contains('@') {
            return None;
        }
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let server_name = ServerName::try_from(name.to_owned()).ok()?;
        Some(Self { authority, server_name })
    }

    /// The name that the server's certificate must carry.
    pub(super) fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// The full address of `path`, as HTTP/2 wants it; `None` if it is too long for one.
    pub(super) fn address(&self, path: String) -> Option<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// The address to connect to.
    pub(super) fn base(&self) -> Uri {
        self.address("/".to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_or_without_a_port_is_an_endpoint() {
        for url in ["https://api.push.apple.com", "https://127.0.0.1:2197/", "https://[::1]:8443"] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.base().to_string().trim_end_matches('/'), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn the_name_to_check_has_neither_port_nor_brackets() {
        let name = |url| Endpoint::parse(url).unwrap().server_name();
        assert_eq!(name("https://[::1]:8443"), ServerName::try_from("::1").unwrap());
        assert_eq!(name("https://localhost:1"), ServerName::try_from("localhost").unwrap());
    }

    #[test]
    fn anything_but_an_https_host_is_refused() {
        for url in [
            "",
            "api.push.apple.com",
            "http://api.push.apple.com",
            "https://a/b",
            "https://a/?q",
            "https://",
            "https://user:secret@host",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
