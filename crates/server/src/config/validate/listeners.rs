//! How connections come in: by TLS or not, and past whom.

use std::path::PathBuf;

use ipnet::IpNet;

use crate::config::Settings;

/// How the listeners speak TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// By certificates of a CA of our own.
    SelfSigned,
    /// By certificates that somebody else renews.
    Files {
        /// Certificate and chain, PEM.
        certificate: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
    /// Not at all.
    Off,
}

pub(super) fn tls(settings: &Settings, faults: &mut Vec<String>) -> Tls {
    match (settings.tls.as_deref(), &settings.tls_cert, &settings.tls_key) {
        (None | Some("self-signed"), None, None) => Tls::SelfSigned,
        (Some("off"), None, None) => Tls::Off,
        (Some("files"), Some(certificate), Some(key)) => {
            Tls::Files { certificate: certificate.clone(), key: key.clone() }
        }
        (Some("files"), _, _) => {
            faults.push("--tls files: needs --tls-cert and --tls-key".into());
            Tls::Off
        }
        (None | Some("self-signed" | "off"), _, _) => {
            faults.push("--tls-cert and --tls-key: only with --tls files".into());
            Tls::Off
        }
        (Some(other), _, _) => {
            faults.push(format!("--tls {other}: self-signed, files or off"));
            Tls::SelfSigned
        }
    }
}

pub(super) fn networks(given: &[String], faults: &mut Vec<String>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in given {
        match text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => faults.push(format!("--trusted-proxy {text}: a network such as 10.0.0.0/8")),
        }
    }
    networks
}

pub(super) fn header(given: Option<&str>, faults: &mut Vec<String>) -> Option<web::HeaderName> {
    let name = given?;
    let header = web::HeaderName::try_from(name);
    if header.is_err() {
        faults.push(format!("--client-cert-header {name}: the name of a header"));
    }
    header.ok()
}
