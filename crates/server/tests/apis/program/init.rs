//! `remuda init`, and what it leaves on the disk.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use testkit::patience::within;
use tokio::process::Command;

use super::{Program, keys, text};

#[tokio::test]
async fn the_first_tenant_administrator_and_key_are_made_once() {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    assert_eq!(keys(&made), ["admin", "api_key", "password", "tenant"]);
    assert!(text(&made, "password").len() >= 16 && text(&made, "api_key").len() >= 32, "{made}");

    program.fails(&["init"], 1, "there is a tenant already").await;
    program.fails(&["init", "--json"], 1, "remuda tenant add").await;
    let tenants = program.json(&["tenant", "list"]).await;
    assert_eq!(tenants, json!({ "tenants": [{ "id": made["tenant"], "name": "Default" }] }));
}

#[tokio::test]
async fn names_may_be_chosen_and_bad_ones_make_nothing() {
    let program = Program::new();
    program.fails(&["init", "--email", "nobody"], 1, "e-mail").await;
    assert_eq!(program.json(&["tenant", "list"]).await, json!({ "tenants": [] }), "half of it is not done");
    let made = program.json(&["init", "--name", "Acme", "--email", "Jane@Acme.example"]).await;
    assert_eq!(made["admin"], "jane@acme.example");
    assert_eq!(program.json(&["tenant", "list"]).await["tenants"][0]["name"], "Acme");
}

#[tokio::test]
async fn people_read_the_same_without_json() {
    let ran = Program::new().run(&["init"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for word in ["tenant", "admin", "password", "API key", "shown this once"] {
        assert!(ran.stdout.contains(word), "{}", ran.stdout);
    }
}

/// Even where everything that is made is open to everybody.
#[tokio::test]
async fn what_is_kept_is_for_its_owner_only() {
    let program = Program::new();
    let remuda = env!("CARGO_BIN_EXE_remuda");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "umask 000 && exec \"$0\" init --data deep/data", remuda])
        .current_dir(program.folder());
    let made = within("init ends", shell.env_clear().output()).await.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let mode = |path: &str| {
        let data = std::fs::metadata(program.folder().join(path)).expect(path);
        data.permissions().mode() & 0o777
    };
    assert_eq!(mode("deep/data"), 0o700);
    assert_eq!(mode("deep/data/key-ring.json"), 0o600);
    assert_eq!(mode("deep/data/remuda.db"), 0o600);
}

#[tokio::test]
async fn a_database_without_its_key_ring_is_not_opened() {
    let program = Program::new();
    program.json(&["init"]).await;
    let ring = program.folder().join("remuda-data/key-ring.json");
    std::fs::rename(&ring, program.folder().join("away")).unwrap();
    program.fails(&["tenant", "list"], 1, "key-ring.json is missing").await;
    assert!(!ring.exists(), "no new one is made, which could open nothing");
    let named = program.folder().join("away");
    let tenants = program.json(&["tenant", "list", "--key-ring", named.to_str().unwrap()]).await;
    assert_eq!(tenants["tenants"].as_array().unwrap().len(), 1);
}

/// Keys are told once: where they cannot be, that is a failure, and not a panic.
#[tokio::test]
async fn what_cannot_be_printed_is_a_failure() {
    let program = Program::new();
    for arguments in [&["init"][..], &["tenant", "list", "--json"]] {
        let mut command = program.command(arguments);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let ran = within("the program ends", child.wait_with_output()).await.unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1));
        assert!(told.starts_with("remuda: standard output: ") && told.lines().count() == 1, "{told}");
    }
}
