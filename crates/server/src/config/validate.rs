//! From settings as given to settings that make sense; every fault is told, not only the first.

mod addresses;
mod listeners;
mod logging;
mod times;
mod values;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::Settings;
use addresses::{address, database, url};
pub use listeners::Tls;
use listeners::{header, networks, tls};
pub use logging::LogFormat;
use logging::{log, log_format};
use times::kept;
use values::{flag, google_push, number};

/// Settings that make sense together.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// The key ring's file.
    pub key_ring: PathBuf,
    /// Where devices connect.
    pub device_listen: SocketAddr,
    /// Where people and other systems connect.
    pub api_listen: SocketAddr,
    /// What devices type, without a slash at its end.
    pub device_url: Option<String>,
    /// What people type, without a slash at its end.
    pub api_url: Option<String>,
    /// Whether `http://` on loopback may go into a profile.
    pub allow_http_loopback: bool,
    /// How the listeners speak TLS.
    pub tls: Tls,
    /// Networks of proxies whose word is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they pass a device's certificate.
    pub client_cert_header: Option<web::HeaderName>,
    /// Apple's push service.
    pub apns_url: String,
    /// A root that is trusted for it.
    pub apns_root: Option<PathBuf>,
    /// The Android Management API; `None` is Google's own.
    pub google_url: Option<String>,
    /// Where access tokens are given out; `None` is what the service account says.
    pub google_oauth_url: Option<String>,
    /// Pub/Sub; `None` is Google's own.
    pub google_pubsub_url: Option<String>,
    /// Google's keys for pushes; `None` is Google's own.
    pub google_certificates_url: Option<String>,
    /// Whether Google pushes notifications; else they are pulled.
    pub google_push: bool,
    /// Whether SCEP requests in single DES are read.
    pub scep_allow_des: bool,
    /// Whether directory users of Macs are managed.
    pub manage_directory_users: bool,
    /// How long commands and links are kept once they are over.
    pub history: Duration,
    /// How long events and finished purges are kept.
    pub audit: Duration,
    /// How long enrollments that ended are kept.
    pub archive: Duration,
    /// Whether metrics need no key.
    pub metrics_open: bool,
    /// How many connections each listener keeps open at most.
    pub max_connections: usize,
    /// What is logged.
    pub log: String,
    /// In which form.
    pub log_format: LogFormat,
    /// The file that says when both listeners are open.
    pub ready_file: Option<PathBuf>,
}

/// Everything that is wrong with the settings.
#[derive(Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are wrong:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

impl Config {
    /// Checks `settings` and fills in the defaults.
    ///
    /// # Errors
    /// [`Faults`] with all of them, before anything is opened.
    pub fn new(settings: Settings) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let data = settings.data.clone().unwrap_or_else(|| PathBuf::from("remuda-data"));
        let config = Self {
            database: database(&settings, &data, &mut faults),
            key_ring: settings.key_ring.clone().unwrap_or_else(|| data.join("key-ring.json")),
            device_listen: address(
                "--device-listen",
                settings.device_listen.as_deref(),
                "0.0.0.0:8443",
                &mut faults,
            ),
            api_listen: address(
                "--api-listen",
                settings.api_listen.as_deref(),
                "127.0.0.1:8444",
                &mut faults,
            ),
            device_url: url("--device-url", settings.device_url.as_deref(), &mut faults),
            api_url: url("--api-url", settings.api_url.as_deref(), &mut faults),
            allow_http_loopback: flag(
                "--allow-http-loopback",
                settings.allow_http_loopback.as_ref(),
                &mut faults,
            ),
            tls: tls(&settings, &mut faults),
            trusted_proxies: networks(&settings.trusted_proxy, &mut faults),
            client_cert_header: header(settings.client_cert_header.as_deref(), &mut faults),
            apns_url: url("--apns-url", settings.apns_url.as_deref(), &mut faults)
                .unwrap_or_else(|| "https://api.push.apple.com".into()),
            apns_root: settings.apns_root,
            google_url: url("--google-url", settings.google_url.as_deref(), &mut faults),
            google_oauth_url: url("--google-oauth-url", settings.google_oauth_url.as_deref(), &mut faults),
            google_pubsub_url: url("--google-pubsub-url", settings.google_pubsub_url.as_deref(), &mut faults),
            google_certificates_url: url(
                "--google-certificates-url",
                settings.google_certificates_url.as_deref(),
                &mut faults,
            ),
            google_push: google_push(settings.google_notifications.as_deref(), &mut faults),
            scep_allow_des: flag("--scep-allow-des", settings.scep_allow_des.as_ref(), &mut faults),
            manage_directory_users: flag(
                "--manage-directory-users",
                settings.manage_directory_users.as_ref(),
                &mut faults,
            ),
            history: kept("--history", settings.history.as_deref(), 30, &mut faults),
            audit: kept("--audit", settings.audit.as_deref(), 400, &mut faults),
            archive: kept("--archive", settings.archive.as_deref(), 400, &mut faults),
            metrics_open: flag("--metrics-open", settings.metrics_open.as_ref(), &mut faults),
            max_connections: number("--max-connections", settings.max_connections, 10_000, &mut faults),
            log: log(settings.log, &mut faults),
            log_format: log_format(settings.log_format.as_deref(), &mut faults),
            ready_file: settings.ready_file,
            data,
        };
        config.check_together(&mut faults);
        if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
    }

    fn check_together(&self, faults: &mut Vec<String>) {
        if self.tls == Tls::Off && self.trusted_proxies.is_empty() {
            let listeners = [("--device-listen", self.device_listen), ("--api-listen", self.api_listen)];
            for (flag, address) in listeners.iter().filter(|(_, address)| !address.ip().is_loopback()) {
                faults.push(format!(
                    "--tls off: {flag} {address} is not loopback, and there is no --trusted-proxy"
                ));
            }
        }
        if self.client_cert_header.is_some() && self.trusted_proxies.is_empty() {
            faults.push(
                "--client-cert-header: needs a --trusted-proxy, since anybody else could send it".into(),
            );
        }
        if !self.apns_url.starts_with("https://") {
            faults.push("--apns-url: an https:// address".into());
        }
        if self.google_push && self.device_url.is_none() && !self.allow_http_loopback {
            faults.push("--google-notifications push: needs --device-url, to which Google posts them".into());
        }
        let fit = |url: &str| {
            url.starts_with("https://") || (self.allow_http_loopback && domain::is_http_loopback(url))
        };
        if let Some(url) = self.device_url.as_deref().filter(|url| !fit(url)) {
            faults
                .push(format!("--device-url {url}: an https:// address, since devices accept nothing else"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_at_all_is_a_sound_configuration() {
        let config = Config::new(Settings::default()).unwrap();
        assert_eq!(config.database, "sqlite:remuda-data/remuda.db");
        assert_eq!(config.tls, Tls::SelfSigned);
        assert_eq!(config.device_listen.to_string(), "0.0.0.0:8443");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let settings = Settings {
            database: Some("mysql://".into()),
            device_listen: Some("8443".into()),
            tls: Some("on".into()),
            trusted_proxy: vec!["ten".into()],
            log_format: Some("xml".into()),
            ..Settings::default()
        };
        assert_eq!(Config::new(settings).unwrap_err().0.len(), 5);
    }

    #[test]
    fn plain_http_is_for_loopback_or_a_proxy() {
        let off = |proxy: Option<&str>| Settings {
            tls: Some("off".into()),
            trusted_proxy: proxy.map(str::to_owned).into_iter().collect(),
            ..Settings::default()
        };
        assert!(Config::new(off(None)).is_err());
        assert!(Config::new(off(Some("10.0.0.0/8"))).is_ok());
        let loopback = Settings { device_listen: Some("127.0.0.1:0".into()), ..off(None) };
        assert!(Config::new(loopback).is_ok());
    }

    #[test]
    fn a_certificate_header_needs_a_proxy_that_is_trusted() {
        let settings = Settings { client_cert_header: Some("Client-Cert".into()), ..Settings::default() };
        assert!(Config::new(settings).is_err());
    }

    #[test]
    fn pushes_of_google_need_an_address() {
        let pushed = |way: &str, device_url: Option<&str>| {
            let settings = Settings {
                google_notifications: Some(way.into()),
                device_url: device_url.map(str::to_owned),
                ..Settings::default()
            };
            Config::new(settings).map(|config| config.google_push)
        };
        assert_eq!(pushed("pull", None), Ok(false));
        assert_eq!(pushed("push", Some("https://mdm.example.com")), Ok(true));
        assert!(pushed("push", None).unwrap_err().0[0].contains("--device-url"));
        assert!(pushed("both", Some("https://mdm.example.com")).is_err());
    }

    #[test]
    fn a_flag_beats_the_file() {
        let flags = Settings { log: Some("debug".into()), ..Settings::default() };
        let file: Settings =
            toml::from_str("log = \"warn\"\nlog-format = \"json\"\ntrusted-proxy = [\"10.1.0.0/16\"]")
                .unwrap();
        let config = Config::new(flags.or(file)).unwrap();
        assert_eq!((config.log.as_str(), config.log_format), ("debug", LogFormat::Json));
        assert_eq!(config.trusted_proxies.len(), 1);
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused() {
        assert!(toml::from_str::<Settings>("device-lisen = \"x\"").is_err());
    }
}
