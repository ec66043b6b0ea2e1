//! Addresses: where we listen, what devices and people type, and where the database and other services are.

use std::{net::SocketAddr, path::Path};

use crate::config::Settings;

pub(super) fn database(settings: &Settings, data: &Path, faults: &mut Vec<String>) -> String {
    match settings.database.as_deref() {
        None => format!("sqlite:{}", data.join("remuda.db").display()),
        Some(url)
            if ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) =>
        {
            url.to_owned()
        }
        Some(_) => {
            faults.push("--database: a URL that begins with postgres:// or sqlite:".into());
            String::new()
        }
    }
}

pub(super) fn address(
    flag: &str,
    given: Option<&str>,
    default: &str,
    faults: &mut Vec<String>,
) -> SocketAddr {
    let text = given.unwrap_or(default);
    text.parse().unwrap_or_else(|_| {
        faults.push(format!("{flag} {text}: an address and a port, such as {default}"));
        SocketAddr::from(([127, 0, 0, 1], 0))
    })
}

pub(super) fn url(flag: &str, given: Option<&str>, faults: &mut Vec<String>) -> Option<String> {
    let url = given?.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['?', '#', ' ', '@'])) {
        faults.push(format!("{flag} {url}: an address such as https://mdm.example.com"));
    }
    Some(url.to_owned())
}
