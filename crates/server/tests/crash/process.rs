//! The server as a process: started, waited for, killed.

use std::{
    fs::{self, OpenOptions},
    os::unix::process::ExitStatusExt,
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::installation::{Node, READY};

/// The file in which the server's log goes on.
pub const LOG: &str = "server.log";

/// A server that was started.
pub struct Process {
    child: Child,
    node: Node,
}

impl Process {
    /// Starts `remuda serve`.
    pub fn start(node: &Node) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(node.file(LOG)).expect("a log");
        let mut program = Command::from(node.serve());
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        Self { child: program.spawn().expect("the server starts"), node: node.clone() }
    }

    /// Waits until both listeners are open.
    pub async fn ready(&mut self) {
        while !self.is_ready() {
            self.must_run();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills it with SIGKILL.
    ///
    /// # Panics
    /// If it has ended before, for that is never to happen.
    pub async fn kill(mut self) {
        self.child.start_kill().expect("there is a process to kill");
        let ended = self.child.wait().await.expect("the process ends");
        assert_eq!(ended.signal(), Some(9), "the server ended by itself: {ended}");
    }

    /// The file of an earlier process may still be there.
    fn is_ready(&self) -> bool {
        let told = fs::read(self.node.file(READY)).unwrap_or_default();
        let told: Value = serde_json::from_slice(&told).unwrap_or_default();
        told["pid"].as_u64() == self.child.id().map(u64::from)
    }

    fn must_run(&mut self) {
        if let Some(status) = self.child.try_wait().expect("the process can be looked at") {
            let log = fs::read_to_string(self.node.file(LOG)).unwrap_or_default();
            let end: Vec<_> = log.lines().rev().take(20).collect();
            panic!(
                "the server does not start: {status}\n{}",
                end.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
    }
}
