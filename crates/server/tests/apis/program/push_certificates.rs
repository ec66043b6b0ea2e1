//! `remuda push-certificate`: asked for, taken, shown; never for another topic than the enrolled devices'.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::TenantId;
use pki::{PrivateKey, push_certificate};
use serde_json::{Value, json};
use simulator::apns::push_certificate as pretend;
use testkit::{
    patience::within,
    server::{TOPIC, TestServer},
};
use tokio::process::Command;

use super::{Program, keys, text};

const TOPICS: [&str; 2] = ["com.apple.mgmt.External.one", "com.apple.mgmt.External.two"];

/// Writes a push certificate for `topic` and its key.
fn write(program: &Program, topic: &str) {
    let pretend = pretend(topic).unwrap();
    let certificate = pki::Certificate::from_der(&pretend.certificate).unwrap();
    let key = PrivateKey::from_pkcs8(pretend.key.secret_der()).unwrap();
    program.write("push.pem", certificate.to_pem());
    program.write("push.key", key.to_pem().unwrap().as_bytes());
}

async fn openssl(program: &Program, arguments: &[&str]) -> Vec<u8> {
    let mut openssl = Command::new("openssl");
    openssl.args(arguments).current_dir(program.folder());
    let output = within("openssl ends", openssl.output()).await.expect("openssl");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

async fn installed() -> (Program, String) {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    (program, text(&made, "tenant").to_owned())
}

#[tokio::test]
async fn without_one_there_is_nothing_to_show() {
    let (program, tenant) = installed().await;
    program.fails(&["push-certificate", "show", "--tenant", &tenant], 1, "no such push certificate").await;
    let nobodys = "4744defa-1042-4a85-9fff-763ae00c7584";
    program.fails(&["push-certificate", "show", "--tenant", nobodys], 1, "no such tenant").await;
}

#[tokio::test]
async fn a_certificate_with_its_key_is_imported_and_shown() {
    let (program, tenant) = installed().await;
    write(&program, TOPICS[0]);
    let import = ["push-certificate", "import", "push.pem", "--key", "push.key", "--tenant", &tenant];
    let imported = program.json(&import).await;
    assert_eq!((keys(&imported), text(&imported, "topic")), (vec!["expires", "topic"], TOPICS[0]));
    assert!(text(&imported, "expires").starts_with("4096-01-01T"), "{imported}");
    let shown = program.json(&["push-certificate", "show", "--tenant", &tenant]).await;
    assert_eq!(shown, imported);
}

#[tokio::test]
async fn what_is_no_push_certificate_or_has_another_key_is_refused() {
    let (program, tenant) = installed().await;
    let fails = async |file: &str, sentence: &str| {
        let arguments = ["push-certificate", "import", file, "--key", "push.key", "--tenant", &tenant];
        program.fails(&arguments, 1, sentence).await;
    };
    write(&program, "com.example.app");
    fails("push.pem", "com.apple.mgmt.").await;
    write(&program, TOPICS[0]);
    std::fs::rename(program.folder().join("push.pem"), program.folder().join("other.pem")).unwrap();
    write(&program, TOPICS[0]);
    fails("other.pem", "key is not that of the push certificate").await;
    fails("nowhere.pem", "nowhere.pem").await;
    program.write("text.pem", "no certificate");
    fails("text.pem", "certificate: ").await;
    let keyless = ["push-certificate", "import", "push.pem", "--tenant", &tenant];
    program.fails(&keyless, 1, "remuda push-certificate request").await;
    program.fails(&["push-certificate", "show", "--tenant", &tenant], 1, "no such push certificate").await;
}

/// Signs the request as Apple's portal would, for the key that it has.
async fn signed_by_a_pretend_apple(program: &Program, csr: &str) {
    let key = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "apple.key"];
    openssl(program, &key).await;
    openssl(
        program,
        &["req", "-x509", "-key", "apple.key", "-subj", "/CN=Pretend Apple", "-out", "apple.pem"],
    )
    .await;
    let subject = format!("/UID={}/CN=APSP:x", TOPICS[0]);
    let sign = [
        "x509",
        "-req",
        "-in",
        csr,
        "-CA",
        "apple.pem",
        "-CAkey",
        "apple.key",
        "-subj",
        &subject,
        "-out",
        "signed.pem",
    ];
    openssl(program, &sign).await;
}

#[tokio::test]
async fn a_request_keeps_its_key_here_so_that_the_import_needs_none() {
    let (program, tenant) = installed().await;
    let request =
        ["push-certificate", "request", "--tenant", &tenant, "--email", "it@example.com", "--country", "DE"];
    let made = program.json(&[&request[..], &["--out", "request.csr"]].concat()).await;
    assert_eq!(made, json!({ "file": "request.csr" }));
    let shown = openssl(&program, &["req", "-in", "request.csr", "-noout", "-text", "-verify"]).await;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("it@example.com") && shown.contains("2048 bit"), "{shown}");
    signed_by_a_pretend_apple(&program, "request.csr").await;
    let import = ["push-certificate", "import", "signed.pem", "--tenant", &tenant];
    assert_eq!(text(&program.json(&import).await, "topic"), TOPICS[0]);

    program.json(&[&request[..], &["--out", "second.csr"]].concat()).await;
    program.fails(&import, 1, "key is not that of the push certificate").await;
}

/// The file for Apple's portal, checked as the portal does: the vendor's signature over the request.
#[tokio::test]
async fn a_vendor_signs_the_file_for_apples_portal() {
    let (program, tenant) = installed().await;
    openssl(&program, &["genpkey", "-algorithm", "RSA", "-out", "vendor.key"]).await;
    openssl(&program, &["req", "-x509", "-key", "vendor.key", "-subj", "/CN=Vendor", "-out", "vendor.pem"])
        .await;
    let request = ["push-certificate", "request", "--tenant", &tenant, "--vendor-cert", "vendor.pem"];
    program.fails(&request, 2, "--vendor-key").await;
    let ran = program.run(&[&request[..], &["--vendor-key", "vendor.key"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("push-request.txt: upload it at https://identity.apple.com"),
        "{}",
        ran.stdout
    );

    let file = std::fs::read_to_string(program.folder().join("push-request.txt")).unwrap();
    let plist = STANDARD.decode(file.replace(['\r', '\n'], "")).unwrap();
    let plist = apple::guard::parse(&plist, apple::Limits::server_answer()).unwrap();
    let entries = plist.as_dictionary().unwrap();
    let entry = |key: &str| entries.get(key).and_then(|value| value.as_string()).expect(key).to_owned();
    assert_eq!(entries.len(), 3);
    assert!(entry("PushCertCertificateChain").contains("BEGIN CERTIFICATE"));
    program.write("request.der", STANDARD.decode(entry("PushCertRequestCSR")).unwrap());
    program.write("signature", STANDARD.decode(entry("PushCertSignature")).unwrap());
    openssl(&program, &["x509", "-in", "vendor.pem", "-pubkey", "-noout", "-out", "vendor.pub"]).await;
    openssl(&program, &["req", "-inform", "DER", "-in", "request.der", "-noout", "-verify"]).await;
    let verify = ["dgst", "-sha256", "-verify", "vendor.pub", "-signature", "signature", "request.der"];
    openssl(&program, &verify).await;
}

#[tokio::test]
async fn while_devices_are_enrolled_the_topic_cannot_change() {
    let server = TestServer::start().await;
    let program = Program::beside(&server);
    let tenant = server.tenant().to_string();
    let import = async |topic: &str| -> Result<Value, String> {
        write(&program, topic);
        let arguments =
            ["push-certificate", "import", "push.pem", "--key", "push.key", "--tenant", &tenant, "--json"];
        let ran = program.run(&arguments).await;
        if ran.code == Some(0) { Ok(serde_json::from_str(&ran.stdout).unwrap()) } else { Err(ran.stderr) }
    };
    assert!(import(TOPICS[0]).await.is_ok(), "nobody is enrolled");
    import(TOPIC).await.unwrap();
    let mut phone = server.enrolled_iphone().await;
    let refused = import(TOPICS[0]).await.unwrap_err();
    assert!(refused.contains(TOPIC) && refused.contains("renew"), "{refused}");
    assert_eq!(text(&import(TOPIC).await.unwrap(), "topic"), TOPIC, "a renewed one for the same topic");
    phone.connect().await.unwrap();
    phone.check_out().await.unwrap();
    assert!(import(TOPICS[0]).await.is_ok(), "the last one has left");
    assert!(push_certificate::topic_of(&shown(&server, server.tenant()).await).unwrap() == TOPICS[0]);
}

async fn shown(server: &TestServer, tenant: TenantId) -> pki::Certificate {
    let certificate = server.mdm().push_certificate(&domain::Actor::local(tenant)).await.unwrap();
    pki::Certificate::from_pem(&certificate.certificates).unwrap()
}
