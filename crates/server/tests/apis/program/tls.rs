//! `--tls`: self-signed, from files, or off.

use std::{path::Path, time::SystemTime};

use pki::{Certificate, TlsAuthority};
use reqwest::{Client, tls};
use server::{
    config::{Config, Settings},
    wire::{Ground, Parts},
};
use testkit::patience::within;
use tokio::{io::AsyncWriteExt, process::Command};

use super::{Program, Ready};

fn now() -> SystemTime {
    domain::ports::Clock::now(&server::adapters::SystemClock).system_time()
}

/// What a server shows: its certificate, and those behind it.
async fn chain(url: &str) -> Vec<Certificate> {
    let address = url.strip_prefix("https://").expect("HTTPS");
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-connect", address, "-showcerts"]).stdin(std::process::Stdio::null());
    let output = within("openssl shows the certificates", openssl.output()).await.expect("openssl");
    Certificate::all_from_pem(&String::from_utf8_lossy(&output.stdout)).expect("certificates")
}

/// Calls the server by this name, trusting one root alone.
async fn reached(url: &str, name: &str, root: &Certificate) -> Result<u16, reqwest::Error> {
    let root = tls::Certificate::from_der(root.der()).expect("a certificate");
    let client = Client::builder().tls_certs_only([root]).build().expect("a client");
    let url = format!("{}/healthz", url.replace("127.0.0.1", name));
    Ok(client.get(url).send().await?.status().as_u16())
}

#[tokio::test]
async fn self_signed_both_listeners_show_a_certificate_of_one_root_of_their_own() {
    let program = Program::new();
    let (_serving, Ready { device, api }) = program.serve(&["--tls", "self-signed"]).await;
    let shown = chain(&api).await;
    assert_eq!(shown.len(), 2, "the certificate and its root");
    for url in [&device, &api] {
        for name in ["127.0.0.1", "localhost"] {
            assert_eq!(reached(url, name, &shown[1]).await.unwrap(), 200, "{url} as {name}");
        }
    }
    let days = shown[0].not_after().duration_since(shown[0].not_before()).unwrap().as_secs() / 86_400;
    assert_eq!(days, 397);
    let stranger = TlsAuthority::generate("Another", now()).unwrap();
    assert!(reached(&api, "localhost", stranger.certificate()).await.is_err());
}

#[tokio::test]
async fn the_root_stays_the_same_after_a_restart() {
    let program = Program::new();
    let mut roots = Vec::new();
    for _ in 0..2 {
        let (mut serving, ready) = program.serve(&["--tls", "self-signed"]).await;
        roots.push(chain(&ready.api).await.pop().unwrap().fingerprint());
        serving.signal("TERM").await;
        serving.ended().await;
    }
    assert_eq!(roots[0], roots[1]);
}

#[tokio::test]
async fn plain_http_is_not_spoken_where_tls_is() {
    let program = Program::new();
    let (_serving, ready) = program.serve(&["--tls", "self-signed"]).await;
    let url = format!("{}/healthz", ready.api.replace("https://", "http://"));
    assert!(reqwest::get(url).await.is_err());
    let address = ready.api.strip_prefix("https://").unwrap();
    let mut garbage = tokio::net::TcpStream::connect(address).await.unwrap();
    garbage.write_all(&[0; 512]).await.unwrap();
    assert_eq!(reached(&ready.api, "localhost", &chain(&ready.api).await[1]).await.unwrap(), 200);
}

/// Writes a certificate for `localhost` of a new CA, and its key.
fn write(folder: &Path) -> Certificate {
    let authority = TlsAuthority::generate("Somebody", now()).unwrap();
    let (leaf, key) = authority.issue_server(&["localhost".into()], now()).unwrap();
    std::fs::write(folder.join("cert.pem"), leaf.to_pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
    authority.certificate().clone()
}

fn write_signed_by_itself(folder: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("cert.pem"), leaf.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

const FILES: [&str; 6] = ["--tls", "files", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];

#[tokio::test]
async fn from_files_that_certificate_is_shown() {
    let program = Program::new();
    let root = write(program.folder());
    let (_serving, ready) = program.serve(&FILES).await;
    for url in [&ready.device, &ready.api] {
        assert_eq!(reached(url, "localhost", &root).await.unwrap(), 200);
    }
}

/// RFC 6797, section 7.2: with a certificate that a browser warns of, nobody could ever come in again.
#[tokio::test]
async fn only_a_certificate_that_others_trust_lets_https_be_demanded() {
    let program = Program::new();
    write(program.folder());
    let cases = [
        ("authority", &FILES[..], true),
        ("itself", &FILES, false),
        ("", &["--tls", "self-signed"], false),
        ("", &[], false),
    ];
    for (signed_by, arguments, demanded) in cases {
        if signed_by == "itself" {
            write_signed_by_itself(program.folder());
        }
        let (_serving, ready) = program.serve(arguments).await;
        let client = Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        for path in ["/v1/login", "/api/mdm/v2/device/list"] {
            let answer = client.post(format!("{}{path}", ready.api)).send().await.unwrap();
            let told = answer.headers().get("strict-transport-security").map(|value| value.to_str().unwrap());
            assert_eq!(told, demanded.then_some("max-age=315360000"), "{signed_by} {arguments:?} {path}");
        }
    }
}

#[tokio::test]
async fn files_that_change_are_shown_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let settings = Settings {
        data: Some(folder.path().join("data")),
        tls: Some("files".into()),
        tls_cert: Some(folder.path().join("cert.pem")),
        tls_key: Some(folder.path().join("key.pem")),
        ..Settings::default()
    };
    let config = Config::new(settings).unwrap();
    let parts = Parts::open(&config, Ground::default()).await.unwrap();
    assert!(!parts.refresh_tls(&config).unwrap(), "nothing has changed");
    write(folder.path());
    assert!(parts.refresh_tls(&config).unwrap());
    assert!(!parts.refresh_tls(&config).unwrap());
    std::fs::write(folder.path().join("cert.pem"), "half a fi").unwrap();
    assert!(parts.refresh_tls(&config).is_err());
    parts.close().await.unwrap();
}

#[tokio::test]
async fn files_that_are_missing_or_do_not_fit_are_told() {
    let program = Program::new();
    let serve = ["serve", "--device-listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"];
    let fails = async |arguments: &[&str], sentence: &str| {
        program.fails(&[&serve, arguments].concat(), 1, sentence).await;
    };
    fails(&["--tls", "files"], "--tls files: needs --tls-cert and --tls-key").await;
    fails(&["--tls-cert", "cert.pem"], "only with --tls files").await;
    fails(&FILES, "--tls-cert cert.pem").await;
    write(program.folder());
    let other = tempfile::tempdir().unwrap();
    write(other.path());
    std::fs::copy(other.path().join("key.pem"), program.folder().join("key.pem")).unwrap();
    fails(&FILES, "the TLS certificate and its key").await;
    program.write("cert.pem", "");
    fails(&FILES, "there is no certificate in it").await;
}

#[tokio::test]
async fn without_tls_only_loopback_is_served() {
    let program = Program::new();
    let arguments = ["serve", "--tls", "off", "--device-listen", "0.0.0.0:0", "--api-listen", "127.0.0.1:0"];
    program.fails(&arguments, 1, "--tls off: --device-listen 0.0.0.0:0 is not loopback").await;
}
