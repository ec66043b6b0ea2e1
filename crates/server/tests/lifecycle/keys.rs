//! The keys that sign tokens: they rotate, and nobody has to log in again for it.

use std::{process::Command, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use testkit::{on_both, server::TestServer};

use super::{Program, Request};

/// By which key a token says that it is signed.
fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "HS256");
    header["kid"].as_str().unwrap().to_owned()
}

fn ids(server: &TestServer) -> Vec<String> {
    server.mdm().token_keys().into_iter().map(|key| key.id).collect()
}

async fn minutes_pass(server: &TestServer, minutes: u64) {
    server.clock().advance(Duration::from_mins(minutes));
    server.mdm().tend_token_keys().await.unwrap();
}

async fn logged_in_again(server: &TestServer, program: &Program) -> Program {
    let token = program.login(&server.api()).await.body["token"].as_str().unwrap().to_owned();
    Program { id: program.id, secret: program.secret.clone(), customer: program.customer.clone(), token }
}

on_both!(a_token_outlives_the_rotation_of_its_key);

async fn a_token_outlives_the_rotation_of_its_key(server: TestServer) {
    let program = Program::new(&server).await;
    let old = kid(&program.token);
    assert_eq!(ids(&server), std::slice::from_ref(&old));
    server.mdm().rotate_token_keys().await.unwrap();
    let again = server.mdm().rotate_token_keys().await;
    assert!(matches!(again, Err(domain::Error::Conflict(_))), "one at a time");
    assert_eq!(kid(&logged_in_again(&server, &program).await.token), old, "the new one does not sign yet");

    minutes_pass(&server, 5).await;
    let later = logged_in_again(&server, &program).await;
    let new = kid(&later.token);
    assert_eq!(ids(&server), [old, new.clone()]);
    minutes_pass(&server, 9).await;
    for program in [&program, &later] {
        assert_eq!(program.ask(&server.api(), Request::Purge).await, None, "both keys are good");
    }
    minutes_pass(&server, 5).await;
    assert_eq!(program.purge(&server.api()).await.status, 403, "its fifteen minutes are over");
    assert_eq!(later.ask(&server.api(), Request::Purge).await, None);
    minutes_pass(&server, 6).await;
    assert_eq!(ids(&server), [new], "no token of the old key is good any more, on the slowest node either");
}

on_both!(a_key_signs_for_thirty_days);

async fn a_key_signs_for_thirty_days(mut server: TestServer) {
    let first = ids(&server);
    minutes_pass(&server, 30 * 24 * 60 - 1).await;
    assert_eq!(ids(&server), first);
    minutes_pass(&server, 1).await;
    let both = ids(&server);
    assert_eq!((both.len(), &both[..1]), (2, &first[..]));
    server.restart().await;
    assert_eq!(ids(&server), both, "it is stored");
    minutes_pass(&server, 25).await;
    assert_eq!(ids(&server), both[1..]);
}

#[tokio::test]
async fn the_command_line_rotates_beside_a_running_server() {
    let server = TestServer::start().await;
    let remuda = |arguments: &[&str]| -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remuda"));
        let told =
            command.args(arguments).arg("--json").arg("--data").arg(server.folder().join("data")).output();
        let told = told.unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        serde_json::from_slice(&told.stdout).unwrap()
    };
    let before = ids(&server);
    assert_eq!(remuda(&["token-key", "list"])["keys"][0]["id"], before[0]);
    let rotated = remuda(&["token-key", "rotate"]);
    let signs: Vec<_> = rotated["keys"].as_array().unwrap().iter().map(|key| key["signs"].clone()).collect();
    assert_eq!(signs, [Value::Bool(true), Value::Bool(false)]);
    minutes_pass(&server, 5).await;
    let program = Program::new(&server).await;
    assert_eq!(kid(&program.token), rotated["keys"][1]["id"]);
    let shown = rotated.to_string();
    assert!(!shown.contains("secret"), "{shown}");
}
