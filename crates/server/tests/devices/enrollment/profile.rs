//! What stands in an enrollment profile.

use std::collections::BTreeMap;

use apple::facts::Os;
use apple::validate::{self, Target, TargetChannel};
use apple::{Dictionary, Value};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use pki::{Certificate, Verdict, cms};
use testkit::{
    on_both,
    server::{Options, TOPIC, TestServer},
};

use super::{fetch, keys, plain_profile, profile};

on_both!(a_profile_is_signed_and_has_every_key_that_apple_requires);
async fn a_profile_is_signed_and_has_every_key_that_apple_requires(server: TestServer) {
    let response = fetch(&server.link().await).await;
    assert_eq!(response.status(), 200);
    // 68
    assert_eq!(response.headers()["content-type"], "application/x-apple-aspen-config");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let signed = cms::verify_attached(&response.bytes().await.unwrap()).unwrap();

    let profile = keys(&signed.content);
    assert_eq!(text(&profile, "PayloadType"), "Configuration");
    assert_eq!(profile["PayloadVersion"].as_signed_integer(), Some(1));
    assert_eq!(text(&profile, "PayloadScope"), "System");
    assert!(text(&profile, "PayloadIdentifier").ends_with(&server.tenant().to_string()));
    assert_eq!(text(&profile, "PayloadDisplayName"), "Test device management");
    assert_eq!(text(&profile, "PayloadOrganization"), "Test");
    assert!(!profile.contains_key("PayloadRemovalDisallowed"), "the user may always leave");
    let kinds: Vec<_> = payloads(&profile).keys().copied().collect();
    assert_eq!(kinds, ["com.apple.mdm", "com.apple.security.scep"], "and no root, without TLS of our own");
}

#[tokio::test]
async fn the_mdm_payload_says_where_the_server_is_and_what_it_can_do() {
    let server = TestServer::start().await;
    let profile = keys(&plain_profile(&server.link().await).await);
    let payloads = payloads(&profile);
    let (mdm, scep) = (payloads["com.apple.mdm"], payloads["com.apple.security.scep"]);
    let url = server.device_url();
    assert_eq!(text(mdm, "IdentityCertificateUUID"), text(scep, "PayloadUUID"));
    assert_eq!(text(mdm, "ServerURL"), format!("{url}/mdm"));
    assert_eq!(text(mdm, "CheckInURL"), format!("{url}/checkin"));
    assert_eq!(text(mdm, "Topic"), TOPIC);
    assert_eq!(mdm["SignMessage"].as_boolean(), Some(true));
    assert_eq!(mdm["CheckOutWhenRemoved"].as_boolean(), Some(true));
    assert_eq!(mdm["AccessRights"].as_signed_integer(), Some(8191));
    let capabilities: Vec<_> =
        mdm["ServerCapabilities"].as_array().unwrap().iter().filter_map(Value::as_string).collect();
    assert_eq!(
        capabilities,
        ["com.apple.mdm.per-user-connections", "com.apple.mdm.bootstraptoken", "com.apple.mdm.token"]
    );
    every_payload_has_its_head(&profile);
}

/// As a command would bring it, signed, which is how it is renewed.
#[tokio::test]
async fn every_os_takes_the_profile_by_apples_facts() {
    let server = TestServer::start().await;
    let signed = fetch(&server.link().await).await.bytes().await.unwrap();
    let install = Dictionary::from_iter([
        ("RequestType", Value::from("InstallProfile")),
        ("Payload", Value::Data(signed.to_vec())),
    ]);
    for os in Os::ALL {
        for version in ["15.0", "18.2", "26.0", "27.0"] {
            let target = Target {
                supervised: Some(true),
                user_enrollment: Some(false),
                channel: Some(TargetChannel::Device),
                ..Target::of(os, version.parse().unwrap())
            };
            let verdict = validate::command(&install, &target, validate::Options::default());
            assert_eq!(verdict.faults, [], "{os} {version}");
        }
    }
}

#[tokio::test]
async fn the_scep_payload_tells_the_ca_by_its_fingerprint() {
    let server = TestServer::start().await;
    let profile = keys(&plain_profile(&server.link().await).await);
    let scep = payloads(&profile)["com.apple.security.scep"]["PayloadContent"].as_dictionary().unwrap();
    assert_eq!(text(scep, "URL"), format!("{}/scep", server.device_url()));
    assert!(!text(scep, "Name").is_empty());
    assert_eq!(text(scep, "Challenge").len(), 140);
    assert_eq!(scep["Keysize"].as_signed_integer(), Some(2048));
    assert_eq!(scep["Key Usage"].as_signed_integer(), Some(5));
    assert_eq!(text(scep, "Key Type"), "RSA");
    let ca = server.mdm().device_ca_certificate();
    assert_eq!(scep["CAFingerprint"].as_data(), Some(digest(&SHA1_FOR_LEGACY_USE_ONLY, ca).as_ref()));
}

#[tokio::test]
async fn the_plain_profile_is_the_same_without_its_signature() {
    let server = TestServer::start().await;
    let link = server.link().await;
    let response = fetch(&format!("{link}?signed=false")).await;
    assert_eq!(response.headers()["content-type"], "application/x-apple-aspen-config");
    let plain = response.bytes().await.unwrap();
    assert!(plain.starts_with(b"<?xml"));
    let signed = fetch(&link).await.bytes().await.unwrap();
    let signed = keys(&cms::verify_attached(&signed).unwrap().content);
    assert_eq!(signed.keys().collect::<Vec<_>>(), keys(&plain).keys().collect::<Vec<_>>());
}

#[tokio::test]
async fn every_fetch_begins_an_enrollment_of_its_own() {
    let server = TestServer::start().await;
    let link = server.link().await;
    let (one, other) = (profile(&link).await, profile(&link).await);
    assert_ne!(one.scep.challenge, other.scep.challenge);
    assert_ne!(one.uuids, other.uuids);
    assert_eq!(one.identifier, other.identifier);
}

#[tokio::test]
async fn a_self_signed_server_hands_its_root_out() {
    let server = TestServer::with(Options { tls: true, ..Options::default() }).await;
    let root = server.mdm().tls_ca().certificate();
    let client = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(reqwest::Certificate::from_der(root.der()).unwrap());
    let response = client.build().unwrap().get(server.link().await).send().await.unwrap();
    let signed = cms::verify_attached(&response.bytes().await.unwrap()).unwrap();
    let profile = keys(&signed.content);
    let payload = payloads(&profile)["com.apple.security.root"];
    assert_eq!(payload["PayloadContent"].as_data(), Some(root.der()));
    let content = Certificate::from_der(payload["PayloadContent"].as_data().unwrap()).unwrap();
    let now = server.clock().as_closure()();
    let verdict = pki::judge(&signed.signer, &[content], now, std::time::Duration::ZERO);
    assert!(matches!(verdict, Verdict::Trusted { .. }), "{verdict:?}");
    let order: Vec<_> = profile["PayloadContent"].as_array().unwrap().iter().map(kind).collect();
    assert_eq!(order, ["com.apple.security.root", "com.apple.security.scep", "com.apple.mdm"]);
}

fn every_payload_has_its_head(profile: &Dictionary) {
    let payloads: Vec<_> = payloads(profile).into_values().chain([profile]).collect();
    for key in ["PayloadIdentifier", "PayloadUUID"] {
        let distinct: std::collections::HashSet<_> =
            payloads.iter().map(|payload| text(payload, key)).collect();
        assert_eq!(distinct.len(), payloads.len(), "{key}");
    }
    assert!(payloads.iter().all(|payload| payload["PayloadVersion"].as_signed_integer() == Some(1)));
}

/// The payloads of a profile by their types.
fn payloads(profile: &Dictionary) -> BTreeMap<&str, &Dictionary> {
    let content = profile["PayloadContent"].as_array().unwrap();
    content.iter().map(|payload| (kind(payload), payload.as_dictionary().unwrap())).collect()
}

fn kind(payload: &Value) -> &str {
    text(payload.as_dictionary().unwrap(), "PayloadType")
}

fn text<'a>(keys: &'a Dictionary, key: &str) -> &'a str {
    keys[key].as_string().unwrap()
}
