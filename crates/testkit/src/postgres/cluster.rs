//! A cluster of our own: made, started, stopped, removed.

use std::{
    fmt::Display,
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;

use super::programs::{self, Person};

/// Stops a cluster and removes its folder, `$0`, once its file `used` is older than ten minutes.
const STOP_WHEN_IDLE: &str = r#"(
    while [ -n "$(find "$0/used" -mmin -10)" ]; do sleep 20; done
    "$1/pg_ctl" -D "$0/data" -m immediate stop
    rm -rf "$0"
) &"#;

/// Whether what is committed survives a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production.
    On,
    /// Faster, for tests that crash nothing but our own program.
    Off,
}

/// A running cluster; stopped and removed when it is dropped.
pub struct Cluster {
    folder: Option<TempDir>,
    programs: PathBuf,
    servant: Option<Person>,
    durability: Durability,
    url: String,
}

impl Cluster {
    /// Makes a cluster in a temporary folder and starts it, on a socket in that folder and no port.
    ///
    /// # Panics
    /// With a sentence that says why, if there is no PostgreSQL here or it does not start.
    pub fn start(durability: Durability) -> Self {
        let programs = programs::folder();
        let servant = programs::servant();
        let folder =
            must(tempfile::Builder::new().prefix("remuda-postgres-").tempdir(), "no temporary folder");
        if let Some(Person { uid, gid }) = servant {
            must(chown(folder.path(), Some(uid), Some(gid)), "the cluster's folder cannot be given away");
        }
        must(fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)), "no private folder");
        let path = folder.path().to_path_buf();
        let url = format!("postgres://postgres@localhost/postgres?host={}", path.display());
        let cluster = Self { folder: Some(folder), programs, servant, durability, url };
        cluster.make(&path);
        cluster.run(&path);
        cluster
    }

    /// The URL of its database `postgres`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it at once, as a crash would: connections break off.
    pub fn stop(&self) {
        if let Some(folder) = &self.folder {
            let data = folder.path().join("data");
            let arguments = ["-D", &*data.to_string_lossy(), "-m", "immediate", "-w", "stop"];
            programs::run(&self.programs.join("pg_ctl"), &arguments, self.servant);
        }
    }

    /// Starts it again after [`Cluster::stop`], with what it holds.
    pub fn start_again(&self) {
        if let Some(folder) = &self.folder {
            self.run(folder.path());
        }
    }

    /// Leaves the cluster running when this process ends; it stops by itself once nobody has used it for ten minutes.
    pub(super) fn leave_running(mut self) -> String {
        if let Some(folder) = self.folder.take() {
            let path = folder.keep();
            mark_used(&self.url);
            let (path, programs) = (path.to_string_lossy(), self.programs.to_string_lossy());
            let mut watch = programs::command(
                Path::new("/bin/sh"),
                &["-c", STOP_WHEN_IDLE, &path, &programs],
                self.servant,
            );
            watch.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            must(watch.status(), "the watch over the cluster does not start");
        }
        self.url.clone()
    }

    fn make(&self, folder: &Path) {
        let data = folder.join("data");
        let arguments =
            ["-D", &data.to_string_lossy(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"];
        programs::run(
            &self.programs.join("initdb"),
            &[&arguments[..], &["--no-sync"]].concat(),
            self.servant,
        );
    }

    fn run(&self, folder: &Path) {
        let mut settings = format!("-c listen_addresses= -c max_connections=200 -k {}", folder.display());
        if self.durability == Durability::Off {
            settings.push_str(" -c fsync=off -c full_page_writes=off");
        }
        let (data, log) = (folder.join("data"), folder.join("log"));
        let (data, log) = (data.to_string_lossy(), log.to_string_lossy());
        let arguments = ["-D", &*data, "-l", &*log, "-o", &settings, "-w", "start"];
        let started = programs::command(&self.programs.join("pg_ctl"), &arguments, self.servant)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let started = started.is_ok_and(|status| status.success());
        assert!(started, "PostgreSQL does not start: {}", fs::read_to_string(&*log).unwrap_or_default());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(folder) = &self.folder else { return };
        let data = folder.path().join("data");
        let arguments = ["-D", &*data.to_string_lossy(), "-m", "immediate", "stop"];
        // The folder goes anyway.
        let _ = programs::command(&self.programs.join("pg_ctl"), &arguments, self.servant).output();
    }
}

/// Says that someone uses the cluster, so that it goes on running.
pub(super) fn mark_used(url: &str) {
    if let Some((_, folder)) = url.split_once("host=") {
        // A cluster that stops too early is started again.
        let _ = fs::write(Path::new(folder).join("used"), "");
    }
}

/// The value, or the end of the test with a sentence that says why.
pub(super) fn must<T, E: Display>(value: Result<T, E>, otherwise: &str) -> T {
    value.unwrap_or_else(|error| panic!("{otherwise}: {error}"))
}
