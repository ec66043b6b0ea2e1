//! A PostgreSQL of the benchmark's own, on a socket and no port, as durable as PostgreSQL is when nobody has changed it.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;

use super::processes::Watched;

/// Who runs the server where we are root, which it refuses to be.
type Servant = Option<(u32, u32)>;

/// A running cluster; stopped and removed when it is dropped.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    servant: Servant,
}

impl Cluster {
    /// Makes a cluster in a temporary folder and starts it.
    ///
    /// # Errors
    /// Where there is no PostgreSQL here, or it does not start.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        let servant = servant()?;
        // Not below TMPDIR: the path of a socket may have 107 bytes.
        let folder = tempfile::Builder::new().prefix("remuda-bench-postgres-").tempdir_in("/tmp")?;
        if let Some((uid, gid)) = servant {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let cluster = Self { folder, programs, servant };
        let data = cluster.data();
        let make = ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];
        cluster.run("initdb", &make)?;
        let settings = format!("-c listen_addresses= -c max_connections=200 -k {}", cluster.socket());
        let log = format!("{}/log", cluster.socket());
        cluster.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &settings, "-w", "start"])?;
        Ok(cluster)
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.socket())
    }

    /// The server with all of its processes.
    ///
    /// # Errors
    /// Where it does not run any more.
    pub fn watched(&self) -> Result<Watched> {
        let note = fs::read_to_string(format!("{}/postmaster.pid", self.data()))?;
        let pid = note.lines().next().context("postmaster.pid is empty")?.trim().parse()?;
        Ok(Watched { pid, with_children: true })
    }

    /// Runs one statement; what it answers, a line for each row.
    ///
    /// # Errors
    /// What the database says.
    pub fn execute(&self, statement: &str) -> Result<String> {
        let url = self.url();
        self.run("psql", &[&url, "--no-psqlrc", "--quiet", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement])
    }

    fn socket(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn data(&self) -> String {
        format!("{}/data", self.socket())
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null());
        if let Some((uid, gid)) = self.servant {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// What it prints goes to a file: a server that it leaves behind would keep a pipe open.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut said = tempfile::tempfile()?;
        let status = self
            .command(program, arguments)
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?)
            .status()
            .with_context(|| format!("{program} does not start"))?;
        std::io::Seek::rewind(&mut said)?;
        let said = std::io::read_to_string(said)?;
        if status.success() { Ok(said) } else { Err(anyhow!("{program} failed: {said}")) }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The folder goes anyway.
        let _ = self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
    }
}

/// Whether there is a PostgreSQL here that can be started.
pub fn is_installed() -> bool {
    programs().is_ok()
}

/// The folder of the server's programs, the newest version's.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    // 9 sorts behind 15 as text.
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let found = folders
        .into_iter()
        .find(|folder| ["initdb", "pg_ctl", "psql"].iter().all(|p| folder.join(p).exists()));
    found.context(
        "PostgreSQL's server programs (initdb, pg_ctl) are not here: install Debian's package `postgresql`",
    )
}

fn version(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

fn servant() -> Result<Servant> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let people = fs::read_to_string("/etc/passwd")?;
    let person = |wanted: &str| {
        let fields =
            people.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == wanted)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    match person("postgres").or_else(|| person("nobody")) {
        Some(person) => Ok(Some(person)),
        None => bail!("PostgreSQL refuses to be root, and there is nobody else here"),
    }
}
