//! The few settings that change what the domain decides.

use std::time::Duration;

use crate::{Error, Result};

/// Settings of the domain; the program fills them in once, at start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What devices type, without a slash at its end; `ServerURL` can never change for an enrolled device.
    pub device_url: Option<String>,
    /// Whether `http://` on loopback will do, for demos and tests.
    pub allow_http_loopback: bool,
    /// Whether SCEP requests in single DES are read.
    pub scep_allow_des: bool,
    /// Whether directory users of Macs are managed; else their `UserAuthenticate` is answered 410.
    pub manage_directory_users: bool,
    /// Whether Google pushes notifications of Android devices to `device_url`; else they are pulled.
    pub android_push: bool,
    /// How long an identity certificate is good.
    pub identity_lifetime: Duration,
    /// How long before its end an identity is renewed.
    pub renew_before: Duration,
    /// How long commands with their results, the events of those, and enrollment links are kept once they are over; a day
    /// at least.
    pub history: Duration,
    /// How long all other events, and finished purges, are kept; a day at least.
    pub audit: Duration,
    /// How long what an enrollment leaves behind is kept once it is over, secrets in escrow above all; a day at least.
    pub archive: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            device_url: None,
            allow_http_loopback: false,
            scep_allow_des: false,
            manage_directory_users: false,
            android_push: false,
            identity_lifetime: Duration::from_hours(365 * 24),
            renew_before: Duration::from_hours(60 * 24),
            history: Duration::from_hours(30 * 24),
            audit: Duration::from_hours(400 * 24),
            archive: Duration::from_hours(400 * 24),
        }
    }
}

impl Settings {
    /// The URL under which devices reach us for ever.
    ///
    /// # Errors
    /// [`Error::Conflict`] with what to do, until there is one that may go into a profile.
    pub fn enrollment_base(&self) -> Result<&str> {
        let url = self.device_url.as_deref().ok_or_else(|| {
            Error::Conflict(
                "set --device-url to the https:// address under which devices will reach this server for ever".into(),
            )
        })?;
        let fit = url.starts_with("https://") || (self.allow_http_loopback && is_http_loopback(url));
        if fit {
            Ok(url)
        } else {
            Err(Error::Conflict(format!("--device-url {url} is not an https:// address")))
        }
    }
}

/// Whether `url` is plain HTTP to this very machine.
pub fn is_http_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_a_permitted_loopback_goes_into_a_profile() {
        let settings = |url: &str, allow_http_loopback| Settings {
            device_url: Some(url.into()),
            allow_http_loopback,
            ..Settings::default()
        };
        assert!(settings("https://mdm.example.com", false).enrollment_base().is_ok());
        assert!(settings("http://127.0.0.1:80", true).enrollment_base().is_ok());
        assert!(settings("http://127.0.0.1:80", false).enrollment_base().is_err());
        assert!(settings("http://127.0.0.1.example.com", true).enrollment_base().is_err());
        assert!(settings("http://127.0.0.1@example.com:80", true).enrollment_base().is_err());
        assert!(Settings::default().enrollment_base().is_err());
    }
}
