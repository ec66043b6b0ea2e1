//! Who is at the other end of a connection, and whose word is believed about it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, request::Parts};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection; set by the accept loop in each request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The certificate in DER whose key the other end has proven to hold in the TLS handshake; set by the accept
/// loop in each request's extensions. Issuer and dates are not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(pub Vec<u8>);

/// The proxies whose word is believed about the address and the certificate of those behind them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxyTrust {
    networks: Vec<IpNet>,
}

/// From where a request came: an address behind a proxy is the proxy's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin(Option<IpAddr>);

impl ProxyTrust {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self { networks }
    }

    /// Whether the connection itself is a trusted proxy's. Without a known peer it is not.
    pub(crate) fn is_proxy(&self, parts: &Parts) -> bool {
        peer(parts).is_some_and(|address| self.contains(address))
    }

    /// The peer, or behind trusted proxies the nearest address that is not one of them.
    pub(crate) fn origin(&self, parts: &Parts) -> Origin {
        let Some(peer) = peer(parts) else { return Origin(None) };
        let nearest = if self.contains(peer) { self.nearest_stranger(peer, &parts.headers) } else { peer };
        Origin(Some(nearest))
    }

    /// `X-Forwarded-For` grows to the right, so that only its right end, written by proxies that we trust, is
    /// believed.
    fn nearest_stranger(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut believed = peer;
        for value in headers.get_all(FORWARDED_FOR).iter().rev() {
            for entry in value.to_str().unwrap_or_default().rsplit(',') {
                let Some(address) = address(entry.trim()) else { return believed };
                believed = address;
                if !self.contains(address) {
                    return believed;
                }
            }
        }
        believed
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

impl Origin {
    /// What one customer of a network has to himself: an address of IPv4, a /64 of IPv6 (RFC 6177).
    pub(crate) fn network(self) -> Self {
        Self(self.0.map(|address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        }))
    }
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        Self(Some(address))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(formatter),
            None => formatter.write_str("unknown"),
        }
    }
}

/// A dual-stack socket shows IPv4 peers as `::ffff:192.0.2.1`; settings name them as people do.
fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<PeerAddress>().map(|PeerAddress(address)| address.ip().to_canonical())
}

/// An entry of `X-Forwarded-For`; some proxies add the port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()));
    Some(address.ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use proptest::prelude::*;

    fn trust() -> ProxyTrust {
        ProxyTrust::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
    }

    fn request(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header(FORWARDED_FOR, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(PeerAddress(peer.parse().unwrap()));
        parts
    }

    #[test]
    fn the_nearest_address_that_is_no_proxy_is_the_origin() {
        for (peer, forwarded, origin) in [
            ("192.0.2.1:1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1:1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1:1", &["203.0.113.9", "198.51.100.7,10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1:1", &["198.51.100.7:5000"], "198.51.100.7"),
            ("[fd00::1]:1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("[fd00::1]:1", &["[2001:db8::1]"], "2001:db8::1"),
            ("[::ffff:10.0.0.1]:1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:1", &["198.51.100.7, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1:1", &[""], "10.0.0.1"),
            ("10.0.0.1:1", &[], "10.0.0.1"),
        ] {
            assert_eq!(trust().origin(&request(peer, forwarded)).to_string(), origin, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn only_a_known_peer_of_the_listed_networks_is_a_proxy() {
        assert!(trust().is_proxy(&request("10.1.2.3:1", &[])));
        assert!(trust().is_proxy(&request("[::ffff:10.1.2.3]:1", &[])));
        assert!(!trust().is_proxy(&request("192.0.2.1:1", &["10.1.2.3"])));
        assert!(!ProxyTrust::default().is_proxy(&request("127.0.0.1:1", &[])));
        let (nobody, ()) = Request::new(()).into_parts();
        assert!(!trust().is_proxy(&nobody));
        assert_eq!(trust().origin(&nobody).to_string(), "unknown");
    }

    proptest! {
        #[test]
        fn a_stranger_cannot_choose_its_address(value in "[ -~]{0,60}") {
            prop_assert_eq!(trust().origin(&request("192.0.2.1:1", &[&value])).to_string(), "192.0.2.1");
        }

        #[test]
        fn what_stands_left_of_a_stranger_is_never_believed(lies in "[0-9., ]{0,40}") {
            let forwarded = format!("{lies},198.51.100.7, 10.0.0.9");
            let origin = trust().origin(&request("10.0.0.1:1", &[&forwarded]));
            prop_assert_eq!(origin.to_string(), "198.51.100.7");
        }

        #[test]
        fn any_text_is_an_address_or_none(entry in ".{0,60}") {
            let _ = address(&entry);
        }
    }
}
