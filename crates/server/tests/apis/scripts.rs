//! The scripts of the repository: each can be run, and none has a slip that the shell itself finds.

use std::{os::unix::fs::PermissionsExt, path::Path};

use tokio::process::Command;

#[tokio::test]
async fn every_script_can_be_run_and_is_sound_bash() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut looked_at = 0;
    for folder in ["scripts", ".ci"] {
        for entry in std::fs::read_dir(root.join(folder)).expect(folder) {
            let path = entry.unwrap().path();
            let name = path.display();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("#!/usr/bin/env bash\n"), "{name} does not say that it is for bash");
            assert!(path.metadata().unwrap().permissions().mode() & 0o111 == 0o111, "{name} cannot be run");
            let read = Command::new("bash").arg("-n").arg(&path).output().await.expect("bash");
            assert!(read.status.success(), "{name}: {}", String::from_utf8_lossy(&read.stderr));
            looked_at += 1;
        }
    }
    assert!(looked_at > 2);
}
