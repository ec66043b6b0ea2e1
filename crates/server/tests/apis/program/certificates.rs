//! `remuda device-ca`: a CA whose identities are trusted too.

use pki::TlsAuthority;
use server::adapters::SystemClock;

use super::{Program, keys, text};

#[tokio::test]
async fn a_ca_is_added_by_its_certificate() {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    let tenant = text(&made, "tenant");
    let now = domain::ports::Clock::now(&SystemClock).system_time();
    let authority = TlsAuthority::generate("Acme Device CA", now).unwrap();
    program.write("ca.pem", authority.certificate().to_pem());
    let add = ["device-ca", "add", "ca.pem", "--tenant", tenant, "--subject", "CN=*,O=Acme"];
    let added = program.json(&add).await;
    assert_eq!(keys(&added), ["fingerprint"]);
    assert_eq!(text(&added, "fingerprint"), authority.certificate().fingerprint().to_string());

    let (leaf, _) = authority.issue_server(&["localhost".into()], now).unwrap();
    program.write("leaf.pem", leaf.to_pem());
    program.fails(&["device-ca", "add", "leaf.pem", "--tenant", tenant], 1, "remuda: ").await;
    program.fails(&["device-ca", "add", "nowhere.pem", "--tenant", tenant], 1, "nowhere.pem").await;
    program.write("text.pem", "no certificate");
    program.fails(&["device-ca", "add", "text.pem", "--tenant", tenant], 1, "remuda: ").await;
}
