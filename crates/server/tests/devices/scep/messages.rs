//! What every client asks first, and how messages travel.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use pki::{Certificate, cms::envelope::Cipher};
use reqwest::Method;
use simulator::apple_device::{AppleDevice, DeviceModel, ScepOptions};
use testkit::{on_both, server::TestServer};

use super::client::Client;

#[tokio::test]
async fn the_capabilities_are_plain_lines() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let reply = client.ask(Method::GET, "operation=GetCACaps&message=ca", vec![]).await;
    assert_eq!((reply.status, reply.content_type.as_deref()), (200, Some("text/plain")));
    assert_eq!(reply.text(), "AES\nSHA-256\nPOSTPKIOperation\nRenewal\nSCEPStandard\n");
}

on_both!(the_ca_certificate_is_one_rsa_certificate_and_nothing_else);
async fn the_ca_certificate_is_one_rsa_certificate_and_nothing_else(server: TestServer) {
    let client = Client::of(&server).await;
    for query in
        ["operation=GetCACert", "operation=GetCACert&message=0", "message=Remuda&operation=GetCACert"]
    {
        let reply = client.ask(Method::GET, query, vec![]).await;
        assert_eq!((reply.status, reply.content_type.as_deref()), (200, Some("application/x-x509-ca-cert")));
        let ca = Certificate::from_der(&reply.body).unwrap();
        assert!(ca.is_ca());
        // 72: the envelope is sealed for an RSA key; this is its algorithm's identifier.
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert!(ca.public_key_spki().windows(rsa.len()).any(|window| window == rsa));
        assert_eq!(ca, client.ca);
    }
}

on_both!(a_device_may_use_get_or_post);
async fn a_device_may_use_get_or_post(server: TestServer) {
    for by_get in [true, false] {
        let scep = ScepOptions { by_get, ..ScepOptions::default() };
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed())).scep(scep);
        assert!(AppleDevice::enroll(options).await.unwrap().is_enrolled());
    }
}

#[tokio::test]
async fn a_device_may_encrypt_as_it_likes() {
    let server = TestServer::start().await;
    for cipher in [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes256] {
        let scep = ScepOptions { cipher: Some(cipher), ..ScepOptions::default() };
        let options = server.options(server.link().await, DeviceModel::mac(server.seed())).scep(scep);
        assert!(AppleDevice::enroll(options).await.unwrap().is_enrolled(), "{cipher:?}");
    }
}

#[tokio::test]
async fn a_message_in_the_query_may_be_escaped_or_not_and_in_either_alphabet() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let csr = client.csr();
    let message = client.sealed(&csr);
    let plain = STANDARD.encode(&message);
    assert!(plain.contains('+'), "or this shows nothing");
    let ways = [
        plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
        plain.clone(),
        plain.replace('+', "%20"),
        URL_SAFE_NO_PAD.encode(&message),
    ];
    for way in ways {
        let query = format!("operation=PKIOperation&message={way}");
        let reply = client.ask(Method::GET, &query, vec![]).await;
        assert!(client.open(&reply, &csr).is_ok());
    }
}

on_both!(a_request_line_may_be_sixteen_kibibytes_long);
async fn a_request_line_may_be_sixteen_kibibytes_long(server: TestServer) {
    let client = Client::of(&server).await;
    let csr = client.csr();
    let message = client.sealed(&csr);
    let filler = "x".repeat((16 << 10) - STANDARD.encode(&message).len());
    // Some clients say it twice: in the query and in the body.
    let query =
        format!("operation=PKIOperation&message={}&filler={filler}", URL_SAFE_NO_PAD.encode(&message));
    assert!(query.len() > (16 << 10) - 100);
    for (method, body) in [(Method::GET, vec![]), (Method::POST, message.clone())] {
        let reply = client.ask(method, &query, body).await;
        assert!(client.open(&reply, &csr).is_ok());
    }
}

#[tokio::test]
async fn the_body_counts_where_the_query_holds_something_else() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let csr = client.csr();
    let query = "operation=PKIOperation&message=bm9uc2Vuc2U";
    let reply = client.ask(Method::POST, query, client.sealed(&csr)).await;
    assert!(client.open(&reply, &csr).is_ok());
}

#[tokio::test]
async fn what_is_no_question_of_scep_is_a_bad_request() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    for query in [
        "",
        "operation=GetNextCACert",
        "operation=getcacert",
        "operation=PKIOperation",
        "operation=PKIOperation&message=",
        "operation=PKIOperation&message=%%%",
        "operation=PKIOperation&message=AAAA",
        "operation=%FF",
    ] {
        let reply = client.ask(Method::GET, query, vec![]).await;
        assert_eq!((reply.status, reply.body.len()), (400, 0), "{query}");
    }
    let reply = client.ask(Method::POST, "operation=PKIOperation", b"hello".to_vec()).await;
    assert_eq!(reply.status, 400);
}
