//! The program `remuda`, started as operators start it: in a folder of its own, with no environment but what a test gives.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::{patience::within, server::TestServer};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

mod accounts;
mod android;
mod bench;
mod certificates;
mod commands;
mod demo;
mod devices;
mod doctor;
mod help;
mod init;
mod key_ring;
mod moving;
mod postgres;
mod push_certificates;
mod qr;
mod reveal;
mod secrets;
mod serving;
mod settings;
mod simulate;
mod stopping;
mod tls;

/// Where the program runs, and with which settings.
struct Program {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run of the program left.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A program that goes on running; killed when it is dropped.
struct Serving {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    log: PathBuf,
}

impl Program {
    /// In an empty folder, which its data folder is to be made in.
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), environment: Vec::new() }
    }

    /// With the data of a test server, beside which it runs.
    fn beside(server: &TestServer) -> Self {
        let data = server.folder().join("data");
        Self::new().with("REMUDA_DATA", &data.to_string_lossy())
    }

    /// With this variable in its environment.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder in which it runs.
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, content).expect("a file in a temporary folder");
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remuda"));
        command
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end.
    async fn run(&self, arguments: &[&str]) -> Ran {
        let output = within(&format!("remuda {arguments:?} ends"), self.command(arguments).output()).await;
        let output = output.expect("the program starts");
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Runs it with `--json`; what it printed, which must be one object, and nothing else anywhere.
    async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}: {}", ran.stdout);
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        assert!(value.is_object() && ran.stdout.lines().count() == 1, "{}", ran.stdout);
        value
    }

    /// Runs it, and makes sure that it fails: with this code, and with this sentence on standard error only.
    async fn fails(&self, arguments: &[&str], code: i32, sentence: &str) {
        let ran = self.run(arguments).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(sentence), "{arguments:?} said {:?} and not {sentence:?}", ran.stderr);
    }

    /// Starts it and leaves it running.
    fn start(&self, arguments: &[&str]) -> Serving {
        let log = self.folder().join("log");
        let file = std::fs::File::create(&log).expect("a file in a temporary folder");
        let mut child =
            self.command(arguments).stdout(Stdio::piped()).stderr(file).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        Serving { child, lines: Some(lines), log }
    }

    /// Starts `remuda serve` on free ports of loopback, without TLS unless the arguments say otherwise, and waits until it
    /// is ready.
    async fn serve(&self, arguments: &[&str]) -> (Serving, Ready) {
        let mut all = vec!["serve", "--device-listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"];
        if !arguments.contains(&"--tls") {
            all.extend(["--tls", "off", "--allow-http-loopback"]);
        }
        all.extend(arguments);
        let mut serving = self.start(&all);
        let ready = serving.ready().await;
        (serving, ready)
    }
}

/// Where a server is reached.
struct Ready {
    device: String,
    api: String,
}

impl Serving {
    /// The next line of standard output; `None` at its end.
    async fn line(&mut self) -> Option<String> {
        let lines = self.lines.as_mut().expect("standard output is open");
        within("the program prints something, or ends", lines.next_line()).await.expect("text")
    }

    /// Reads standard output no longer.
    fn close_output(&mut self) {
        self.lines = None;
    }

    /// Reads standard output up to the first line for which this holds; all lines, that one last.
    async fn lines_until(&mut self, is_last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            let last = is_last(&line);
            lines.push(line);
            if last {
                return lines;
            }
        }
        panic!("the program ended after {lines:#?}\nlog:\n{}", self.log())
    }

    /// Waits for the line that says that it is ready.
    async fn ready(&mut self) -> Ready {
        let lines = self.lines_until(|line| line.starts_with("ready ")).await;
        let line = lines.last().expect("that line");
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["ready", device, api] => Ready {
                device: device.strip_prefix("device=").expect("device=URL").to_owned(),
                api: api.strip_prefix("api=").expect("api=URL").to_owned(),
            },
            _ => panic!("not `ready device=URL api=URL`: {line}"),
        }
    }

    /// What it wrote to standard error so far.
    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends it a signal by its name, such as `TERM`.
    async fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().await;
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end.
    async fn ended(&mut self) -> ExitStatus {
        within("the program ends", self.child.wait()).await.expect("its status")
    }
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}
