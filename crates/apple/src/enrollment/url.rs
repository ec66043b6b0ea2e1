//! Which URLs a device follows.

use std::net::{Ipv4Addr, Ipv6Addr};

const MAX_URL: usize = 2048;

/// Which URLs a profile may hold for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlPolicy {
    /// As real devices: `https://` only.
    HttpsOnly,
    /// Also `http://` to this very machine, for tests and demonstrations.
    LoopbackHttpToo,
}

impl UrlPolicy {
    pub(crate) fn allows(self, url: &str) -> bool {
        let plain = url.len() <= MAX_URL && url.chars().all(|c| c.is_ascii_graphic());
        let host_after = |scheme| url.strip_prefix(scheme).and_then(host);
        let secure = host_after("https://").is_some();
        let loopback = self == UrlPolicy::LoopbackHttpToo && host_after("http://").is_some_and(is_loopback);
        plain && (secure || loopback)
    }
}

/// Whether a SCEP request may go there. Its messages protect themselves, and the fingerprint tells the right
/// CA, so that devices take `http://` too.
pub(super) fn is_for_scep(url: &str) -> bool {
    UrlPolicy::HttpsOnly.allows(url)
        || url
            .strip_prefix("http://")
            .is_some_and(|rest| UrlPolicy::HttpsOnly.allows(&format!("https://{rest}")))
}

fn host(after_scheme: &str) -> Option<&str> {
    let authority = after_scheme.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = port.strip_prefix(':').map_or(port.is_empty(), |port| port.parse::<u16>().is_ok());
    (port && !host.is_empty() && !host.contains('@')).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_follows_https_only() {
        for url in [
            "https://mdm.example.com",
            "https://mdm.example.com:8443/a?b#c",
            "https://[::1]:1/",
            "https://10.0.0.1/mdm",
        ] {
            assert!(UrlPolicy::HttpsOnly.allows(url), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "https://",
            "https:///mdm",
            "https://:443/",
            "https://a:b/",
            "https://a b/",
            "https://u@h/",
            "ftp://h/",
            "",
            "https://[::1",
            "HTTPS//x",
            "https://ä.example/",
            "https://h/\n",
        ] {
            assert!(!UrlPolicy::HttpsOnly.allows(url), "{url}");
        }
        assert!(!UrlPolicy::HttpsOnly.allows(&format!("https://h/{}", "a".repeat(MAX_URL))));
    }

    #[test]
    fn plain_http_goes_no_further_than_this_machine() {
        for url in [
            "http://localhost:80/",
            "http://127.0.0.1:8080/mdm",
            "http://127.9.9.9/",
            "http://[::1]:8080/",
            "https://h/",
        ] {
            assert!(UrlPolicy::LoopbackHttpToo.allows(url), "{url}");
        }
        for url in [
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://127.0.0.1@evil.example/",
            "http://localhost@evil/",
            "http://127.0.0.1.evil.example/",
            "http://[::2]/",
            "http://evil.example/?http://localhost/",
        ] {
            assert!(!UrlPolicy::LoopbackHttpToo.allows(url), "{url}");
        }
    }

    #[test]
    fn scep_may_go_over_plain_http() {
        assert!(is_for_scep("http://ca.example.com/scep") && is_for_scep("https://ca.example.com/scep"));
        assert!(!is_for_scep("http:///scep") && !is_for_scep("ldap://ca.example.com"));
    }
}
