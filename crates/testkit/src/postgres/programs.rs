//! PostgreSQL's own programs, and who may run them.

use std::{
    env, fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::cluster::must;

/// What to say where there is no PostgreSQL.
const MISSING: &str = "PostgreSQL's server programs (initdb, pg_ctl) are not here: install Debian's package `postgresql`, \
                       or run scripts/test, which does";

/// Someone other than root; the server refuses to be root.
#[derive(Clone, Copy)]
pub(super) struct Person {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The folder of the server's programs, the newest version's.
pub(super) fn folder() -> PathBuf {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    // 9 sorts behind 15 as text.
    folders.sort_by_key(|folder| version(folder));
    folders.reverse();
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .unwrap_or_else(|| panic!("{MISSING}"))
}

fn version(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

/// Who runs the server where we are root: `postgres`, or else `nobody`; `None` where we are not.
pub(super) fn servant() -> Option<Person> {
    let we = fs::metadata("/proc/self").map(|data| data.uid());
    if !we.is_ok_and(|uid| uid == 0) {
        return None;
    }
    let people = must(fs::read_to_string("/etc/passwd"), "/etc/passwd cannot be read");
    let person = |wanted: &str| {
        let fields: Vec<&str> =
            people.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == wanted)?;
        Some(Person { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
    };
    Some(
        person("postgres")
            .or_else(|| person("nobody"))
            .unwrap_or_else(|| panic!("there is no user but root")),
    )
}

/// Runs a program to its end; panics with what it said if it fails.
pub(super) fn run(program: &Path, arguments: &[&str], person: Option<Person>) {
    let done = command(program, arguments, person).output();
    let done = done.unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
    assert!(
        done.status.success(),
        "{} failed: {}{}",
        program.display(),
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

/// A program that takes nothing from the test and leaves nothing to it.
pub(super) fn command(program: &Path, arguments: &[&str], person: Option<Person>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).current_dir("/");
    if let Some(Person { uid, gid }) = person {
        command.uid(uid).gid(gid);
    }
    command
}

/// Runs statements, each in a transaction of its own; what they answer.
pub(super) fn sql(url: &str, statements: &[&str]) -> String {
    try_sql(url, statements).unwrap_or_else(|error| panic!("{statements:?} failed: {error}"))
}

/// The same, where it may fail.
pub(super) fn try_sql(url: &str, statements: &[&str]) -> Result<String, String> {
    let mut psql = command(
        &folder().join("psql"),
        &[url, "--no-psqlrc", "--quiet", "-At", "-v", "ON_ERROR_STOP=1"],
        None,
    );
    for statement in statements {
        psql.args(["-c", statement]);
    }
    let done = psql.output().map_err(|error| format!("psql does not start: {error}"))?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
