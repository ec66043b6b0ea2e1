//! What a request gets, and what a device may not have whatever it asks for.

use std::time::Duration;

use pki::{Certificate, Csr};
use simulator::apple_device::{AppleDevice, DeviceModel, ScepOptions};
use testkit::{on_both, server::TestServer};

use super::{client::Client, openssl::Openssl};
use crate::enrollment::{is_open, profile};

const DAY: Duration = Duration::from_hours(24);

on_both!(the_certificate_is_what_we_decide);
async fn the_certificate_is_what_we_decide(server: TestServer) {
    let client = Client::of(&server).await;
    let certificate = client.certificate().await.unwrap();
    assert!(certificate.is_issued_by(&client.ca));
    assert!(certificate.allows_client_auth() && !certificate.is_ca());
    let organization = server.tenant().to_string();
    assert_eq!(certificate.subject_organization(), Some(organization.as_str()));
    let common_name = certificate.subject_common_name().unwrap();
    assert!(common_name.parse::<domain::EnrollmentId>().is_ok(), "{common_name} is no enrollment");
    // 9: a clock that is a day behind must find it valid.
    let now = server.clock().as_closure()();
    assert!(certificate.not_before() <= now - DAY);
    assert!(certificate.not_after() > now + 364 * DAY && certificate.not_after() < now + 366 * DAY);
}

/// 71: a challenge that a failed first attempt used up would brick an automated enrollment.
mod retries {
    use super::*;

    on_both!(a_retry_after_a_lost_answer_gets_the_same_certificate);
    async fn a_retry_after_a_lost_answer_gets_the_same_certificate(server: TestServer) {
        let link = server.link_for(None, None, 2).await;
        let client = Client::new(&server, profile(&link).await);
        let first = client.certificate().await.unwrap();
        for _ in 0..3 {
            assert_eq!(client.certificate().await.unwrap(), first);
        }
        assert!(is_open(&link).await, "four answers are one use");
    }

    on_both!(a_device_whose_answer_is_lost_enrolls_all_the_same);
    async fn a_device_whose_answer_is_lost_enrolls_all_the_same(server: TestServer) {
        let scep = ScepOptions { lose_answer: true, ..ScepOptions::default() };
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed())).scep(scep);
        assert!(AppleDevice::enroll(options).await.unwrap().is_enrolled());
    }

    on_both!(a_retry_while_the_first_request_is_still_worked_on_gets_the_same_certificate);
    async fn a_retry_while_the_first_request_is_still_worked_on_gets_the_same_certificate(
        server: TestServer,
    ) {
        for uses in [1, 5] {
            let link = server.link_for(None, None, uses).await;
            let client = Client::new(&server, profile(&link).await);
            let (one, two, three) =
                tokio::join!(client.certificate(), client.certificate(), client.certificate());
            let one = one.unwrap();
            assert_eq!((two.as_ref(), three.as_ref()), (Ok(&one), Ok(&one)));
            assert_eq!(is_open(&link).await, uses > 1);
        }
    }

    on_both!(the_retry_is_answered_even_when_the_link_has_expired_meanwhile);
    async fn the_retry_is_answered_even_when_the_link_has_expired_meanwhile(server: TestServer) {
        let client = Client::of(&server).await;
        let first = client.certificate().await.unwrap();
        server.clock().advance(2 * DAY);
        assert_eq!(client.certificate().await.unwrap(), first);
    }
}

on_both!(a_request_to_be_a_ca_is_not_heard);
async fn a_request_to_be_a_ca_is_not_heard(server: TestServer) {
    let client = Client::of(&server).await;
    let csr = presumptuous(&client);
    let reply = client.post(client.sealed(&csr)).await;
    let certificate = client.open(&reply, &csr).unwrap();
    assert!(!certificate.is_ca());
    assert!(certificate.allows_client_auth());
    assert_ne!(certificate.subject_common_name(), Some("root"));
    let text = openssl_text(&client, &certificate);
    assert!(text.contains("CA:FALSE"), "{text}");
    assert!(text.contains("Digital Signature, Key Encipherment"), "{text}");
    assert!(!text.contains("Certificate Sign") && !text.contains("evil.example.com"), "{text}");
}

/// Asks for everything that only a CA has.
fn presumptuous(client: &Client) -> Csr {
    let openssl = Openssl::with_key(&client.key);
    let config = format!(
        "[req]\nprompt=no\ndistinguished_name=name\nattributes=attributes\nreq_extensions=extensions\n\
         [name]\nCN=root\n\
         [attributes]\nchallengePassword={}\n\
         [extensions]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
         extendedKeyUsage=serverAuth\nsubjectAltName=DNS:evil.example.com\n",
        client.challenge
    );
    openssl.write("request.cnf", config.as_bytes());
    openssl.run("req -new -key device.key -config request.cnf -outform DER -out request.der");
    Csr::from_der(&openssl.read("request.der")).unwrap()
}

fn openssl_text(client: &Client, certificate: &Certificate) -> String {
    let openssl = Openssl::with_key(&client.key);
    openssl.write("issued.pem", certificate.to_pem().as_bytes());
    String::from_utf8(openssl.run("x509 -in issued.pem -noout -text")).unwrap()
}
