//! Every setting, once: its flag, its variable and its key have the same name.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::Given;

macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident: $type:ty,)*) => {
        /// The settings as they were given, nothing filled in.
        #[derive(Args, Clone, Debug, Default, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct Settings {
            $($(#[$meta])* pub $name: $type,)*
        }

        impl Settings {
            /// These settings, and where one is missing that of `other`.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }
        }
    };
}

/// Gives way to another where it is not set.
trait Or {
    fn or(self, other: Self) -> Self;
}

impl<T> Or for Vec<T> {
    fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }
}

settings! {
    /// Folder of the SQLite database, the key ring and everything else that is kept; made with mode 0700
    /// [default: ./remuda-data]
    #[arg(long, env = "REMUDA_DATA", value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// postgres://… for several servers side by side [default: SQLite in the data folder]
    #[arg(long, env = "REMUDA_DATABASE", value_name = "URL", global = true, hide_env_values = true)]
    database: Option<String>,
    /// File of the key ring that opens the database's secrets; the same on every node
    /// [default: key-ring.json in the data folder]
    #[arg(long, env = "REMUDA_KEY_RING", value_name = "FILE", global = true)]
    key_ring: Option<PathBuf>,
    /// Where devices connect: MDM, SCEP, enrollment [default: 0.0.0.0:8443]
    #[arg(long, env = "REMUDA_DEVICE_LISTEN", value_name = "ADDR", global = true)]
    device_listen: Option<String>,
    /// Where people and other systems connect [default: 127.0.0.1:8444]
    #[arg(long, env = "REMUDA_API_LISTEN", value_name = "ADDR", global = true)]
    api_listen: Option<String>,
    /// What devices type: an https:// address that must never change
    #[arg(long, env = "REMUDA_DEVICE_URL", value_name = "URL", global = true)]
    device_url: Option<String>,
    /// What people type [default: that of the listener]
    #[arg(long, env = "REMUDA_API_URL", value_name = "URL", global = true)]
    api_url: Option<String>,
    /// Lets --device-url be http:// on loopback, for demos and tests [default: false]
    #[arg(long, env = "REMUDA_ALLOW_HTTP_LOOPBACK", value_name = "BOOL", global = true, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    allow_http_loopback: Option<Given<bool>>,
    /// self-signed, files, or off (only on loopback or behind a trusted proxy) [default: self-signed]
    #[arg(long, env = "REMUDA_TLS", value_name = "MODE", global = true)]
    tls: Option<String>,
    /// The server's certificate and its chain, PEM, with --tls files; read again when it changes
    #[arg(long, env = "REMUDA_TLS_CERT", value_name = "FILE", global = true)]
    tls_cert: Option<PathBuf>,
    /// The server's private key, PEM, with --tls files
    #[arg(long, env = "REMUDA_TLS_KEY", value_name = "FILE", global = true)]
    tls_key: Option<PathBuf>,
    /// Network of a proxy whose word is believed: forwarded address and client certificate; may be repeated
    #[arg(long, env = "REMUDA_TRUSTED_PROXY", value_name = "CIDR", global = true, value_delimiter = ',')]
    trusted_proxy: Vec<String>,
    /// Header in which a trusted proxy passes the device's certificate: RFC 9440 Client-Cert, or URL-escaped PEM
    #[arg(long, env = "REMUDA_CLIENT_CERT_HEADER", value_name = "NAME", global = true)]
    client_cert_header: Option<String>,
    /// Apple's push service, or another one for tests [default: https://api.push.apple.com]
    #[arg(long, env = "REMUDA_APNS_URL", value_name = "URL", global = true)]
    apns_url: Option<String>,
    /// A root that is trusted for --apns-url beside the usual ones, PEM; for tests
    #[arg(long, env = "REMUDA_APNS_ROOT", value_name = "FILE", global = true)]
    apns_root: Option<PathBuf>,
    /// Google's Android Management API, or a pretend one [default: https://androidmanagement.googleapis.com]
    #[arg(long, env = "REMUDA_GOOGLE_URL", value_name = "URL", global = true)]
    google_url: Option<String>,
    /// Where Google gives access tokens out [default: what the service account's file says]
    #[arg(long, env = "REMUDA_GOOGLE_OAUTH_URL", value_name = "URL", global = true)]
    google_oauth_url: Option<String>,
    /// Google's Pub/Sub, or a pretend one [default: https://pubsub.googleapis.com]
    #[arg(long, env = "REMUDA_GOOGLE_PUBSUB_URL", value_name = "URL", global = true)]
    google_pubsub_url: Option<String>,
    /// Google's keys, by which the pushes of its Pub/Sub are signed, or a pretend Google's [default: https://www.googleapis.com/oauth2/v3/certs]
    #[arg(long, env = "REMUDA_GOOGLE_CERTIFICATES_URL", value_name = "URL", global = true)]
    google_certificates_url: Option<String>,
    /// How notifications of Android devices come: pull (asked for by the server), or push (posted by Google to
    /// --device-url) [default: pull]
    #[arg(long, env = "REMUDA_GOOGLE_NOTIFICATIONS", value_name = "WAY", global = true)]
    google_notifications: Option<String>,
    /// Reads SCEP requests in single DES too, for very old clients [default: false]
    #[arg(long, env = "REMUDA_SCEP_ALLOW_DES", value_name = "BOOL", global = true, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    scep_allow_des: Option<Given<bool>>,
    /// Manages directory users of Macs too, without a password; else UserAuthenticate is answered 410 [default: false]
    #[arg(long, env = "REMUDA_MANAGE_DIRECTORY_USERS", value_name = "BOOL", global = true, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    manage_directory_users: Option<Given<bool>>,
    /// How long commands with their results, the events of those, and enrollment links are kept once they are over, such
    /// as 30d; a day at least [default: 30d]
    #[arg(long, env = "REMUDA_HISTORY", value_name = "TIME", global = true)]
    history: Option<String>,
    /// How long all other events, and finished purges, are kept; a day at least [default: 400d]
    #[arg(long, env = "REMUDA_AUDIT", value_name = "TIME", global = true)]
    audit: Option<String>,
    /// How long an enrollment that ended is kept, with its secrets in escrow, where its device has enrolled again; a day
    /// at least [default: 400d]
    #[arg(long, env = "REMUDA_ARCHIVE", value_name = "TIME", global = true)]
    archive: Option<String>,
    /// Shows /metrics without an API key [default: false]
    #[arg(long, env = "REMUDA_METRICS_OPEN", value_name = "BOOL", global = true, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    metrics_open: Option<Given<bool>>,
    /// How many connections each listener keeps open at most [default: 10000]
    #[arg(long, env = "REMUDA_MAX_CONNECTIONS", value_name = "N", global = true)]
    max_connections: Option<Given<usize>>,
    /// What is logged: error, warn, info, debug, trace, or a filter for each module [default: info]
    #[arg(long, env = "REMUDA_LOG", value_name = "FILTER", global = true)]
    log: Option<String>,
    /// text or json [default: text]
    #[arg(long, env = "REMUDA_LOG_FORMAT", value_name = "FORMAT", global = true)]
    log_format: Option<String>,
    /// File that gets {"device_url","api_url","pid"} once both listeners are open
    #[arg(long, env = "REMUDA_READY_FILE", value_name = "FILE", global = true)]
    ready_file: Option<PathBuf>,
}
