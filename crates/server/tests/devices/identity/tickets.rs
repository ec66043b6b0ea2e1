//! A TLS session is resumed at any node, and only at a listener of the same kind.

use std::sync::Arc;

use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use testkit::server::{Options, TestServer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn a_session_of_one_node_is_resumed_at_another() {
    let server = TestServer::with(Options { tls: true, postgres: true, ..Options::default() }).await;
    let other = server.another_node().await;
    let client = client(&server);
    assert_eq!(handshake(&client, server.device_url()).await, HandshakeKind::Full);
    assert_eq!(handshake(&client, other.device_url()).await, HandshakeKind::Resumed);
    assert_eq!(handshake(&client, server.device_url()).await, HandshakeKind::Resumed);
    other.stop().await.unwrap();
}

#[tokio::test]
async fn what_one_listener_gives_out_is_nothing_to_the_other() {
    let server = TestServer::with(Options { tls: true, ..Options::default() }).await;
    let client = client(&server);
    assert_eq!(handshake(&client, server.device_url()).await, HandshakeKind::Full);
    assert_eq!(handshake(&client, server.api_url()).await, HandshakeKind::Full);
}

#[tokio::test]
async fn a_ticket_does_not_outlive_the_period_after_its_own() {
    let server = TestServer::with(Options { tls: true, ..Options::default() }).await;
    let client = client(&server);
    assert_eq!(handshake(&client, server.device_url()).await, HandshakeKind::Full);
    server.clock().advance(std::time::Duration::from_hours(12));
    assert_eq!(handshake(&client, server.device_url()).await, HandshakeKind::Full);
    assert_eq!(handshake(&client, server.device_url()).await, HandshakeKind::Resumed);
}

/// A client that keeps the tickets it is given.
fn client(server: &TestServer) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let root = server.mdm().tls_ca().certificate().der().to_vec();
    roots.add(CertificateDer::from(root)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Connects to a URL and asks for something: tickets come behind the handshake.
async fn handshake(client: &TlsConnector, url: &str) -> HandshakeKind {
    let address = url.strip_prefix("https://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut tls = client.connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    tls.get_ref().1.handshake_kind().unwrap()
}
