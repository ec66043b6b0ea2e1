//! Runs blocks with the program that was just built, in a folder that goes afterwards.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::pages::Block;

/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// An empty folder, with `remuda` on the path.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_remuda"), folder.path().join("bin/remuda")).unwrap();
        Self(folder)
    }

    /// Runs a block to its end, which must be a good one.
    pub fn run(&self, block: &Block, variables: &[(&str, &str)]) {
        let done = self.shell(&block.text).envs(variables.iter().copied()).output().unwrap();
        let (said, complained) =
            (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{}: {}\n{said}\n{complained}", block.place, done.status);
    }

    /// Runs a command until it prints `text`, and tells it to stop, which it must do well.
    pub fn run_until(&self, block: &Block, text: &str) {
        let mut child = self.shell(&format!("exec {}", block.text)).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_there = lines.any(|line| line.unwrap().contains(text));
        terminate(&mut child);
        lines.for_each(drop);
        let status = child.wait().unwrap();
        assert!(is_there, "{}: it ended without {text}", block.place);
        assert!(status.success(), "{}: {status} after it was told to stop", block.place);
    }

    fn shell(&self, text: &str) -> Command {
        let text = text.replace("cargo run --release --", "remuda").replace("cargo run --", "remuda");
        let mut shell = Command::new("sh");
        shell.args(["-euc", &text]).current_dir(self.0.path());
        shell.env_clear().env("HOME", self.0.path());
        shell.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.0.path().join("bin").display()));
        shell.env("REMUDA_DEVICE_LISTEN", "127.0.0.1:0").env("REMUDA_API_LISTEN", "127.0.0.1:0");
        shell
    }
}

/// A server with a tenant, by its own TLS certificate, until it is dropped.
pub struct Server {
    folder: Folder,
    child: Child,
    variables: Vec<(&'static str, String)>,
}

impl Server {
    pub fn start() -> Self {
        let folder = Folder::new();
        let made = folder.shell("remuda init --json").output().unwrap();
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        let serve = "exec remuda serve --ready-file ready --log error";
        let child = folder.shell(serve).stdout(Stdio::null()).spawn().unwrap();
        let urls = ready(&folder.0.path().join("ready"));
        let variables = vec![
            ("API", text(&urls["api_url"])),
            ("DEVICES", text(&urls["device_url"])),
            ("API_KEY", text(&made["api_key"])),
            ("TENANT", text(&made["tenant"])),
        ];
        Self { folder, child, variables }
    }

    pub fn run(&self, block: &Block) {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.folder.run(block, &variables);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        terminate(&mut self.child);
        let _ = self.child.wait();
    }
}

/// What the server says once it is ready.
fn ready(file: &Path) -> serde_json::Value {
    let waited = Duration::from_millis(50);
    for _ in 0..PATIENCE.as_millis() / waited.as_millis() {
        if let Ok(text) = fs::read_to_string(file) {
            return serde_json::from_str(&text).unwrap();
        }
        thread::sleep(waited);
    }
    panic!("the server is not ready after {PATIENCE:?}");
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn terminate(child: &mut Child) {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(told.is_ok_and(|status| status.success()), "a program ended before it was told to");
}
