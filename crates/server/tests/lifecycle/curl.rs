//! The published `curl` lines, run against `remuda demo`.

use std::{path::Path, process::Command};

#[test]
fn the_published_curl_lines_work_as_published() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/check-lifecycle-curl");
    let done = Command::new(script).env("REMUDA", env!("CARGO_BIN_EXE_remuda")).output().expect("it runs");
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
