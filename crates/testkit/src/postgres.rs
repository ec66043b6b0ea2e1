//! A private PostgreSQL for tests: one cluster for a run, a database for each test.
//!
//! `scripts/test` starts the cluster of a run and names it in `REMUDA_TEST_POSTGRES`. Without that, the first test that
//! needs one starts it; it serves later runs too, and stops by itself once nobody has used it for ten minutes.

mod cluster;
mod programs;

use std::{
    env,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::UNIX_EPOCH,
};

pub use cluster::{Cluster, Durability};

use cluster::must;
use store::StoreSettings;

/// The environment variable that names a running cluster, by the URL of any of its databases.
pub const VARIABLE: &str = "REMUDA_TEST_POSTGRES";

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own, gone when it is dropped.
pub struct TestDatabase {
    url: String,
    name: String,
    cluster_url: String,
}

impl TestDatabase {
    /// A database with our schema, copied from a template that is made once for each build of the tests.
    pub async fn new() -> Self {
        let cluster_url = shared_cluster();
        let template = template(&cluster_url).await;
        Self::copied_from(cluster_url, &template)
    }

    /// One without a schema.
    pub fn empty() -> Self {
        Self::copied_from(shared_cluster(), "template1")
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement; what it answers, a line for each row.
    ///
    /// # Panics
    /// With what the database says, if the statement fails.
    pub fn execute(&self, statement: &str) -> String {
        programs::sql(&self.url, &[statement])
    }

    fn copied_from(cluster_url: String, template: &str) -> Self {
        let name = format!("test_{}_{}", process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        // One that an earlier process of this number left behind is of no use.
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        programs::sql(&cluster_url, &[&drop, &format!("CREATE DATABASE {name} TEMPLATE {template}")]);
        Self { url: url_of(&cluster_url, &name), name, cluster_url }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Not worth failing a test for: the cluster goes with the run.
        let _ = programs::try_sql(
            &self.cluster_url,
            &[&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)],
        );
    }
}

/// The URL of another database of the same cluster.
fn url_of(cluster_url: &str, database: &str) -> String {
    let (server, options) = cluster_url.split_once('?').unwrap_or((cluster_url, ""));
    let server = server.rsplit_once('/').map_or(server, |(server, _)| server);
    format!("{server}/{database}?{options}")
}

/// The URL of the cluster of this run.
fn shared_cluster() -> String {
    if let Some(url) = env::var_os(VARIABLE) {
        return url.into_string().unwrap_or_else(|_| panic!("{VARIABLE} is not a URL"));
    }
    let folder = scratch();
    let _lock = locked("test-postgres.lock");
    let note = folder.join("test-postgres.url");
    if let Ok(url) = fs::read_to_string(&note)
        && programs::try_sql(&url, &["SELECT 1"]).is_ok()
    {
        cluster::mark_used(&url);
        return url;
    }
    let url = Cluster::start(Durability::Off).leave_running();
    must(fs::write(&note, &url), "the cluster's URL cannot be written down");
    url
}

/// The name of a migrated database that is only copied; made by the first test that asks.
async fn template(cluster_url: &str) -> String {
    let name = format!("template_{:016x}", build());
    let _lock = locked("test-postgres-template.lock");
    let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    if programs::sql(cluster_url, &[&exists]).trim() == "1" {
        return name;
    }
    // Under another name until it is complete.
    let raw = format!("raw_{name}");
    programs::sql(
        cluster_url,
        &[&format!("DROP DATABASE IF EXISTS {raw} WITH (FORCE)"), &format!("CREATE DATABASE {raw}")],
    );
    let opened = must(store::open(&StoreSettings::new(url_of(cluster_url, &raw))).await, "the template");
    must(opened.close().await, "the template does not close");
    programs::sql(
        cluster_url,
        &[
            &format!("ALTER DATABASE {raw} WITH ALLOW_CONNECTIONS false"),
            &format!("ALTER DATABASE {raw} RENAME TO {name}"),
        ],
    );
    name
}

/// Which build of which tests this is: another build may have other migrations.
fn build() -> u64 {
    let program = must(env::current_exe(), "the tests do not know where they stand");
    let modified = must(program.metadata().and_then(|data| data.modified()), "the tests cannot be looked at");
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().hash(&mut hasher);
    hasher.finish()
}

/// The folder of the build: `target/debug`.
fn scratch() -> PathBuf {
    let program = must(env::current_exe(), "the tests do not know where they stand");
    program
        .ancestors()
        .nth(2)
        .unwrap_or_else(|| panic!("{} is in no build folder", program.display()))
        .to_path_buf()
}

/// Holds a lock among all test processes of this build folder until it is dropped.
fn locked(name: &str) -> File {
    let path = scratch().join(name);
    let file = must(File::create(&path), "a lock file cannot be made");
    must(file.lock(), "a lock file cannot be locked");
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_a_cluster_keeps_its_options() {
        assert_eq!(
            url_of("postgres://p@localhost/postgres?host=/tmp/x", "a"),
            "postgres://p@localhost/a?host=/tmp/x"
        );
        assert_eq!(url_of("postgres://p@host:5/postgres", "a"), "postgres://p@host:5/a?");
    }
}
