//! An installation, made with the program's own commands as its owner makes it.

use std::{
    fmt, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use rand::{Rng, rngs::StdRng};
use serde_json::Value;
use simulator::{
    apns::{PretendApns, push_certificate},
    apple_device::Credential,
};
use store::StoreSettings;
use testkit::postgres::{Cluster, Durability};

/// The topic of its push certificate.
pub const TOPIC: &str = "com.apple.mgmt.External.remuda-crash";

/// Whose devices are enrolled: only devices of the same user may take their records over again.
const OWNER: &str = "herd@example.com";

/// Below the ports that the kernel gives away by itself: none of those must take ours while the server is
/// down.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The file that a server writes once it listens.
pub const READY: &str = "ready.json";

/// Where the data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file in the data folder.
    Sqlite,
    /// A cluster of our own, as durable as in production.
    Postgresql,
}

/// Where a server listens, on loopback.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// To devices.
    pub device_port: u16,
    /// To people and other systems.
    pub api_port: u16,
}

/// What is one server's own: its files, and its settings.
#[derive(Clone)]
pub struct Node {
    /// Where it listens.
    pub place: Place,
    folder: PathBuf,
    settings: Vec<String>,
}

/// Where everybody reaches an installation.
pub struct Addresses {
    /// Devices.
    pub device_url: String,
    /// People and other systems.
    pub api_url: String,
}

/// A folder, the settings, and what `init` and its like have printed.
pub struct Installation {
    /// Its servers.
    pub nodes: Vec<Node>,
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
    /// What is the same for all of its servers and commands.
    shared: Vec<String>,
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

impl Place {
    /// Free ports.
    pub fn any(dice: &mut StdRng) -> Self {
        Self { device_port: free_port(dice), api_port: free_port(dice) }
    }

    /// How it is reached.
    pub fn addresses(self) -> Addresses {
        Addresses {
            device_url: format!("http://127.0.0.1:{}", self.device_port),
            api_url: format!("http://127.0.0.1:{}", self.api_port),
        }
    }
}

impl Node {
    /// `remuda serve` here.
    pub fn serve(&self) -> Command {
        program(&["serve"], &self.settings)
    }

    /// A file of its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Installation {
    /// Makes tenant, key, application, user, push certificate and link for one server.
    pub fn make(database: Database, apns: &PretendApns, dice: &mut StdRng) -> Self {
        let cluster = (database == Database::Postgresql).then(|| Cluster::start(Durability::On));
        let place = Place::any(dice);
        let mut installation = Self::empty(cluster, apns, place.addresses());
        let database = installation.cluster.as_ref().map(|cluster| cluster.url().to_owned());
        let (folder, data) = (installation.folder.clone(), installation.file("data"));
        let node = installation.node(place, folder, &data, database.as_deref());
        installation.nodes.push(node);
        installation.furnish();
        installation
    }

    /// The same for several servers on `cluster`, each with its own way there.
    pub fn of_nodes(
        cluster: Cluster,
        apns: &PretendApns,
        addresses: Addresses,
        nodes: impl IntoIterator<Item = (Place, String)>,
    ) -> Self {
        let mut installation = Self::empty(Some(cluster), apns, addresses);
        installation.furnish();
        for (number, (place, database)) in nodes.into_iter().enumerate() {
            let folder = installation.file(&format!("node-{number}"));
            fs::create_dir(&folder).expect("a folder in the temporary folder");
            let node = installation.node(place, folder.clone(), &folder.join("data"), Some(&database));
            installation.nodes.push(node);
        }
        installation
    }

    /// Runs a command to its end; what it prints as JSON.
    pub fn run(&self, command: &[&str]) -> Value {
        let mut settings = self.shared.clone();
        settings.extend(own(&self.file("data"), self.cluster.as_ref().map(Cluster::url)));
        // It does not listen; without TLS it may not even mean to, elsewhere.
        settings.push("--device-listen=127.0.0.1:0".into());
        let done = program(command, &settings).arg("--json").output().expect("the program starts");
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

    /// What the database knows of whoever has this certificate, for whoever has to find out why.
    pub async fn known_of(&self, credential: &Credential) -> String {
        let Ok(database) = store::open(&StoreSettings::new(self.database())).await else {
            return "the database cannot be opened".into();
        };
        let known = database.directory.identity(&credential.certificate.fingerprint()).await;
        format!("the database knows {known:?}")
    }

    /// Removes its folder, which stays otherwise, for whoever has to find out why.
    pub fn remove(&self) {
        fs::remove_dir_all(&self.folder).expect("a folder that can be removed");
    }

    fn empty(cluster: Option<Cluster>, apns: &PretendApns, addresses: Addresses) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let Addresses { device_url, api_url } = addresses;
        Self {
            nodes: Vec::new(),
            api_url,
            tenant: String::new(),
            api_key: String::new(),
            application: Default::default(),
            link: String::new(),
            shared: shared(&folder, apns, &device_url),
            folder,
            cluster,
        }
    }

    fn node(&self, place: Place, folder: PathBuf, data: &Path, database: Option<&str>) -> Node {
        let mut settings = self.shared.clone();
        settings.extend(own(data, database));
        settings.extend([
            format!("--key-ring={}", self.file("data/key-ring.json").display()),
            format!("--device-listen=127.0.0.1:{}", place.device_port),
            format!("--api-listen=127.0.0.1:{}", place.api_port),
            format!("--ready-file={}", folder.join(READY).display()),
        ]);
        Node { place, folder, settings }
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

/// The program, about to do `command`, with nothing from this test's environment.
fn program(command: &[&str], settings: &[String]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_remuda"));
    program.env_clear().args(command).args(settings);
    program
}

fn shared(folder: &Path, apns: &PretendApns, device_url: &str) -> Vec<String> {
    let root = folder.join("apns-root.pem");
    let certificate =
        pki::Certificate::from_der(&apns.root_certificate_der()).expect("the pretend APNs has a root");
    fs::write(&root, certificate.to_pem()).expect("a file in the temporary folder");
    let mut settings = vec![
        format!("--device-url={device_url}"),
        format!("--apns-url={}", apns.url()),
        format!("--apns-root={}", root.display()),
    ];
    settings.extend(["--tls=off", "--allow-http-loopback=true", "--metrics-open=true"].map(str::to_owned));
    settings
}

fn own(data: &Path, database: Option<&str>) -> Vec<String> {
    let mut settings = vec![format!("--data={}", data.display())];
    settings.extend(database.map(|url| format!("--database={url}")));
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
