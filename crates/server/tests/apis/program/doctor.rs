//! `remuda doctor`: what is wrong or will expire, and what to do about it.

use serde_json::Value;
use testkit::patience::within;
use tokio::process::Command;

use super::{Program, keys, text};

/// The problems that it finds; its exit code says whether there are any.
async fn problems(program: &Program, arguments: &[&str]) -> Vec<String> {
    let ran = program.run(&[&["doctor", "--json"], arguments].concat()).await;
    let found: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let findings = found["findings"].as_array().expect("a list");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(i32::from(!findings.is_empty())), ""));
    for finding in findings {
        assert_eq!(keys(finding), ["advice", "problem"]);
        assert!(!text(finding, "advice").is_empty());
    }
    findings.iter().map(|finding| text(finding, "problem").to_owned()).collect()
}

/// Imports a push certificate that is good for so many days.
async fn import(program: &Program, tenant: &str, days: &str) {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        days,
    ]);
    openssl.args([
        "-subj",
        "/UID=com.apple.mgmt.External.doctor/CN=APSP",
        "-keyout",
        "push.key",
        "-out",
        "push.pem",
    ]);
    let made = within("openssl ends", openssl.current_dir(program.folder()).output()).await.expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    program.json(&["push-certificate", "import", "push.pem", "--key", "push.key", "--tenant", tenant]).await;
}

#[tokio::test]
async fn every_step_of_an_installation_is_asked_for_until_it_is_done() {
    let program = Program::new();
    let found = problems(&program, &[]).await;
    assert_eq!(found, ["there is no tenant", "no enrollment links can be made"]);
    let made = program.json(&["init", "--name", "Acme"]).await;
    let tenant = text(&made, "tenant");
    let url = ["--device-url", "https://mdm.example.com"];
    assert_eq!(
        problems(&program, &url).await,
        ["the tenant Acme has no push certificate, so its devices cannot enroll"]
    );
    import(&program, tenant, "365").await;
    assert!(problems(&program, &url).await.is_empty());
    let well = program.run(&[&["doctor"], &url[..]].concat()).await;
    assert_eq!((well.code, well.stdout.as_str()), (Some(0), "all is well\n"));
}

#[tokio::test]
async fn a_push_certificate_that_ends_soon_is_to_be_renewed_for_the_same_topic() {
    let program = Program::new();
    let made = program.json(&["init", "--name", "Acme"]).await;
    import(&program, text(&made, "tenant"), "30").await;
    let url = ["--device-url", "https://mdm.example.com"];
    let found = problems(&program, &url).await;
    assert!(
        found.len() == 1 && found[0].contains("the push certificate of the tenant Acme expires on"),
        "{found:?}"
    );
    let told = program.run(&[&["doctor"], &url[..]].concat()).await;
    assert!(told.stdout.contains("com.apple.mgmt.External.doctor"), "{}", told.stdout);
    import(&program, text(&made, "tenant"), "300").await;
    assert!(problems(&program, &url).await.is_empty());
}

#[tokio::test]
async fn what_the_doctor_finds_is_said_at_start_too() {
    let program = Program::new();
    program.json(&["init", "--name", "Acme"]).await;
    let (mut serving, _) = program.serve(&[]).await;
    serving.signal("TERM").await;
    serving.ended().await;
    assert!(serving.log().contains("the tenant Acme has no push certificate"), "{}", serving.log());
}

#[tokio::test]
async fn an_address_that_devices_cannot_use_is_found() {
    let program = Program::new();
    program.json(&["init"]).await;
    program.fails(&["doctor", "--device-url", "http://mdm.example.com"], 1, "--device-url").await;
    let loopback = ["--device-url", "http://127.0.0.1:8080", "--allow-http-loopback"];
    assert_eq!(problems(&program, &loopback).await.len(), 1, "the missing push certificate");
    let arguments =
        [&["doctor"], &["--device-url", "http://mdm.example.com", "--allow-http-loopback"][..]].concat();
    program.fails(&arguments, 1, "--device-url").await;
}
