//! A server of the benchmark's own: a folder, the program's own commands to furnish it, and the process.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use simulator::{
    apns::{PretendApns, push_certificate},
    load::Proof,
};
use tempfile::TempDir;

use super::{postgres::Cluster, processes::Watched};

/// The topic of the pretend push certificate.
pub const TOPIC: &str = "com.apple.mgmt.External.remuda-bench";

/// How long a server may take to start: with a large database, the first time, after other work.
const START: Duration = Duration::from_mins(2);

/// Where the data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Database {
    /// A file in the data folder.
    Sqlite,
    /// A cluster of the benchmark's own.
    Postgres,
}

/// A folder, a database, and what `init` and its like have printed.
pub struct Installation {
    /// An API key of the tenant's owner.
    pub api_key: String,
    /// Enrolls a million devices.
    pub link: String,
    tenant: String,
    cluster: Option<Cluster>,
    folder: TempDir,
    settings: Vec<String>,
}

/// A process of this program; killed when it is dropped.
pub struct Process {
    child: Child,
}

/// A server that runs.
pub struct Serving {
    process: Process,
    /// Where devices connect.
    pub devices: SocketAddr,
    /// Where other systems connect.
    pub api: SocketAddr,
}

impl Database {
    /// As it is called in what is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl Installation {
    /// Makes the folder and the database with a tenant, a push certificate and a link.
    ///
    /// # Errors
    /// What cannot be made.
    pub fn make(database: Database, proof: Proof, apns: &PretendApns) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("remuda-bench-").tempdir()?;
        let cluster = (database == Database::Postgres).then(Cluster::start).transpose()?;
        let mut made = Self {
            settings: settings(&folder, proof, apns, cluster.as_ref())?,
            api_key: String::new(),
            link: String::new(),
            tenant: String::new(),
            cluster,
            folder,
        };
        made.furnish()?;
        Ok(made)
    }

    /// Starts the server and waits until both listeners are open.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn serve(&self) -> Result<Serving> {
        let ready = self.file("ready.json");
        let _ = fs::remove_file(&ready);
        let mut command = program(&["serve"])?;
        command.args(&self.settings).arg(format!("--ready-file={}", ready.display()));
        let mut process = Process::start(command, &self.file("server.log"))?;
        let told = process.told(&ready).await?;
        let address = |name: &str| {
            let url = told[name].as_str().unwrap_or_default();
            url.rsplit('/')
                .next()
                .unwrap_or_default()
                .parse::<SocketAddr>()
                .context("an address of the server's")
        };
        Ok(Serving { process, devices: address("device_url")?, api: address("api_url")? })
    }

    /// Starts what the server is compared with.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn serve_floor(&self) -> Result<(Process, SocketAddr)> {
        let ready = self.file("floor.json");
        let mut command = program(&["simulate", "--floor"])?;
        command.args(&self.settings).arg(format!("--ready-file={}", ready.display()));
        let mut process = Process::start(command, &self.file("floor.log"))?;
        let told = process.told(&ready).await?;
        let address = told["address"].as_str().unwrap_or_default().parse().context("the floor's address")?;
        Ok((process, address))
    }

    /// The database's processes, where it has some of its own.
    ///
    /// # Errors
    /// Where they do not run any more.
    pub fn database(&self) -> Result<Option<Watched>> {
        self.cluster.as_ref().map(Cluster::watched).transpose()
    }

    /// The PostgreSQL beneath, if there is one.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// The tenant's id.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn furnish(&mut self) -> Result<()> {
        let made = self.run(&["init", "--name", "Bench"])?;
        (self.tenant, self.api_key) = (text(&made, "tenant")?, text(&made, "api_key")?);
        let pretend = push_certificate(TOPIC)?;
        let key = pki::PrivateKey::from_pkcs8(pretend.key.secret_der())?.to_pem()?;
        let files = (self.file("push.pem"), self.file("push-key.pem"));
        fs::write(&files.0, pki::Certificate::from_der(&pretend.certificate)?.to_pem())?;
        fs::write(&files.1, key.as_bytes())?;
        let (certificate, key) = (files.0.to_string_lossy(), files.1.to_string_lossy());
        let tenant = self.tenant.clone();
        self.run(&["push-certificate", "import", &certificate, "--key", &key, "--tenant", &tenant])?;
        Ok(())
    }

    /// Makes the link, which names the address of the server that runs.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn make_link(&mut self, serving: &Serving) -> Result<()> {
        let device_url = format!("--device-url={}", self.device_url(serving));
        let link =
            ["enrollment", "add", "--uses", "1000000", "--ttl", "7d", "--tenant", &self.tenant, &device_url];
        self.link = text(&self.run(&link)?, "url")?;
        Ok(())
    }

    fn device_url(&self, serving: &Serving) -> String {
        let scheme =
            if self.settings.iter().any(|setting| setting == "--tls=off") { "http" } else { "https" };
        format!("{scheme}://{}", serving.devices)
    }

    /// Runs one of the program's commands to its end; what it prints.
    fn run(&self, command: &[&str]) -> Result<Value> {
        let done = program(command)?.args(&self.settings).arg("--json").output()?;
        if !done.status.success() {
            bail!("remuda {}: {}", command.join(" "), String::from_utf8_lossy(&done.stderr));
        }
        Ok(serde_json::from_slice(&done.stdout)?)
    }
}

impl Serving {
    /// The server's process.
    pub fn watched(&self) -> Watched {
        self.process.watched()
    }

    /// Ends it, as a crash would.
    pub fn end(&mut self) {
        self.process.end();
    }
}

impl Process {
    fn start(mut command: Command, log: &std::path::Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        Ok(Self { child })
    }

    /// The process and nothing that it starts: it starts nothing.
    pub fn watched(&self) -> Watched {
        Watched { pid: self.child.id(), with_children: false }
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it writes into its file once it is ready.
    async fn told(&mut self, ready: &std::path::Path) -> Result<Value> {
        let deadline = tokio::time::Instant::now() + START;
        loop {
            if let Some(told) = fs::read(ready).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                return Ok(told);
            }
            if let Some(status) = self.child.try_wait()? {
                let log = ready.with_file_name("server.log");
                let log = fs::read_to_string(log).unwrap_or_default();
                return Err(anyhow!("the server ended while it started: {status}\n{log}"));
            }
            if tokio::time::Instant::now() > deadline {
                bail!("the server does not start");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// This program, about to do `command`, with nothing from the environment.
fn program(command: &[&str]) -> Result<Command> {
    let mut program = Command::new(std::env::current_exe()?);
    program.env_clear().args(command);
    Ok(program)
}

fn settings(
    folder: &TempDir,
    proof: Proof,
    apns: &PretendApns,
    cluster: Option<&Cluster>,
) -> Result<Vec<String>> {
    let root = folder.path().join("apns-root.pem");
    fs::write(&root, pki::Certificate::from_der(&apns.root_certificate_der())?.to_pem())?;
    let mut settings = vec![
        format!("--data={}", folder.path().join("data").display()),
        "--device-listen=127.0.0.1:0".to_owned(),
        "--api-listen=127.0.0.1:0".to_owned(),
        "--metrics-open=true".to_owned(),
        "--log=warn".to_owned(),
        format!("--apns-url={}", apns.url()),
        format!("--apns-root={}", root.display()),
        "--allow-http-loopback=true".to_owned(),
    ];
    settings.extend(cluster.map(|cluster| format!("--database={}", cluster.url())));
    match proof {
        Proof::Tls => settings.push("--tls=self-signed".to_owned()),
        Proof::Signature => settings.push("--tls=off".to_owned()),
        Proof::Header => settings.extend(
            ["--tls=off", "--trusted-proxy=127.0.0.1/32", "--client-cert-header=Client-Cert"]
                .map(str::to_owned),
        ),
    }
    Ok(settings)
}

fn text(value: &Value, field: &str) -> Result<String> {
    Ok(value[field].as_str().with_context(|| format!("there is no {field}"))?.to_owned())
}
