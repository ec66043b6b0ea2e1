//! An installation, made with the program's own commands as its owner makes it.

use std::{
    fmt, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use rand::{Rng, rngs::StdRng};
use serde_json::Value;
use simulator::apns::{PretendApns, push_certificate};
use testkit::postgres::{Cluster, Durability};

/// The topic of its push certificate.
pub const TOPIC: &str = "com.apple.mgmt.External.remuda-crash";

/// Whose devices are enrolled: only devices of the same user may take their records over again.
const OWNER: &str = "herd@example.com";

/// Below the ports that the kernel gives away by itself: none of those must take ours while the server is
/// down.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Where the data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file in the data folder.
    Sqlite,
    /// A cluster of our own, as durable as in production.
    Postgresql,
}

/// A folder, the settings, and what `init` and its like have printed.
pub struct Installation {
    /// Where other systems reach it.
    pub api_url: String,
    /// The tenant's id, which is the customer's as well.
    pub tenant: String,
    /// A key of the tenant's owner.
    pub api_key: String,
    /// Id and secret of an application.
    pub application: (String, String),
    /// Enrolls any number of devices of one user.
    pub link: String,
    settings: Vec<String>,
    folder: PathBuf,
    cluster: Option<Cluster>,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgresql => "PostgreSQL",
        })
    }
}

impl Installation {
    /// Makes tenant, key, application, user, push certificate and link.
    pub fn make(database: Database, apns: &PretendApns, dice: &mut StdRng) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let cluster = (database == Database::Postgresql).then(|| Cluster::start(Durability::On));
        let (device_port, api_port) = (free_port(dice), free_port(dice));
        let mut installation = Self {
            api_url: format!("http://127.0.0.1:{api_port}"),
            tenant: String::new(),
            api_key: String::new(),
            application: Default::default(),
            link: String::new(),
            settings: settings(&folder, apns, cluster.as_ref(), device_port, api_port),
            folder,
            cluster,
        };
        installation.furnish();
        installation
    }

    /// The program, about to do `command` here, with nothing from this test's environment.
    pub fn program(&self, command: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_remuda"));
        program.env_clear().args(command).args(&self.settings);
        program
    }

    /// Runs a command to its end; what it prints as JSON.
    pub fn run(&self, command: &[&str]) -> Value {
        let done = self.program(command).arg("--json").output().expect("the program starts");
        let (said, complained) =
            (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "remuda {}: {complained}", command.join(" "));
        serde_json::from_str(&said)
            .unwrap_or_else(|error| panic!("remuda {}: {error}: {said}", command.join(" ")))
    }

    /// A file of its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The database, as the program opens it.
    pub fn database(&self) -> String {
        let file = || format!("sqlite:{}", self.file("data/remuda.db").display());
        self.cluster.as_ref().map_or_else(file, |cluster| cluster.url().to_owned())
    }

    /// Removes its folder, which stays otherwise, for whoever has to find out why.
    pub fn remove(&self) {
        fs::remove_dir_all(&self.folder).expect("a folder that can be removed");
    }

    fn furnish(&mut self) {
        let made = self.run(&["init", "--name", "Crash"]);
        (self.tenant, self.api_key) = (text(&made, "tenant"), text(&made, "api_key"));
        let tenant = self.tenant.clone();
        let made = self.run(&["application", "add", "--name", "Operator", "--tenant", &tenant]);
        self.application = (text(&made, "id"), text(&made, "secret"));
        self.run(&["user", "add", OWNER, "--tenant", &tenant]);
        let (certificate, key) = self.push_certificate();
        let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
        self.run(&["push-certificate", "import", &certificate, "--key", &key, "--tenant", &tenant]);
        let link =
            ["enrollment", "add", "--user", OWNER, "--uses", "1000000", "--ttl", "2d", "--tenant", &tenant];
        self.link = text(&self.run(&link), "url");
    }

    fn push_certificate(&self) -> (PathBuf, PathBuf) {
        let pretend = push_certificate(TOPIC).expect("a pretend push certificate");
        let certificate = pki::Certificate::from_der(&pretend.certificate).expect("a certificate");
        let key = pki::PrivateKey::from_pkcs8(pretend.key.secret_der()).expect("a key");
        let files = (self.file("push.pem"), self.file("push-key.pem"));
        fs::write(&files.0, certificate.to_pem()).expect("a file in the temporary folder");
        fs::write(&files.1, key.to_pem().expect("a key that can be written").as_bytes()).expect("another");
        files
    }
}

fn settings(
    folder: &Path,
    apns: &PretendApns,
    cluster: Option<&Cluster>,
    device_port: u16,
    api_port: u16,
) -> Vec<String> {
    let root = folder.join("apns-root.pem");
    let certificate =
        pki::Certificate::from_der(&apns.root_certificate_der()).expect("the pretend APNs has a root");
    fs::write(&root, certificate.to_pem()).expect("a file in the temporary folder");
    let mut settings = vec![
        format!("--data={}", folder.join("data").display()),
        format!("--device-listen=127.0.0.1:{device_port}"),
        format!("--api-listen=127.0.0.1:{api_port}"),
        format!("--device-url=http://127.0.0.1:{device_port}"),
        format!("--apns-url={}", apns.url()),
        format!("--apns-root={}", root.display()),
        format!("--ready-file={}", folder.join("ready.json").display()),
    ];
    settings.extend(["--tls=off", "--allow-http-loopback=true", "--metrics-open=true"].map(str::to_owned));
    settings.extend(cluster.map(|cluster| format!("--database={}", cluster.url())));
    settings
}

fn free_port(dice: &mut StdRng) -> u16 {
    loop {
        let port = dice.random_range(PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    let text = value[field].as_str();
    text.unwrap_or_else(|| panic!("there is no {field} in {value}")).to_owned()
}
