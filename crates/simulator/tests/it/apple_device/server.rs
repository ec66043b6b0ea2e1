//! The sockets of the server, with TLS and without.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pki::Certificate;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use simulator::apple_device::{DeviceModel, EnrollOptions, KeyPool};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::desk::{Desk, Heard, clock, now};

/// One key for all devices of a process.
static KEYS: LazyLock<KeyPool> = LazyLock::new(|| KeyPool::shared(1));

/// A running server.
pub struct Server {
    pub desk: Arc<Desk>,
}

impl Server {
    /// On plain HTTP.
    pub async fn start() -> Server {
        let (listener, desk) = open("http", false).await;
        let shared = Arc::clone(&desk);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, None, Arc::clone(&shared)));
            }
        });
        Server { desk }
    }

    /// On TLS: asks for a client certificate, takes any.
    pub async fn start_tls() -> Server {
        let (listener, desk) = open("https", true).await;
        let shared = Arc::clone(&desk);
        let acceptor = acceptor(&desk);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, desk) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    let shown = shown.map(|der| Certificate::from_der(der).unwrap());
                    serve(stream, shown, desk).await;
                });
            }
        });
        Server { desk }
    }

    pub fn options(&self, model: DeviceModel) -> EnrollOptions {
        EnrollOptions::new(format!("{}/enroll/token", self.desk.url), model, clock()).keys(KEYS.clone())
    }
}

async fn open(scheme: &str, carries_root: bool) -> (TcpListener, Arc<Desk>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    (listener, Arc::new(Desk::new(url, carries_root)))
}

async fn serve<S>(socket: S, shown: Option<Certificate>, desk: Arc<Desk>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: http::Request<Incoming>| {
        let (desk, shown) = (Arc::clone(&desk), shown.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            let reply = desk.answer(Heard::new(&head, body, shown));
            let mut response = Response::builder().status(reply.status);
            if let Some(content_type) = reply.content_type {
                response = response.header(header::CONTENT_TYPE, content_type);
            }
            Ok::<_, Infallible>(response.body(Full::new(Bytes::from(reply.body))).unwrap())
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

fn acceptor(desk: &Desk) -> TlsAcceptor {
    let (leaf, key) = desk.tls.issue_server(&["127.0.0.1".into()], now()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_pkcs8().unwrap().to_vec()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let anyone = Arc::new(AnyOwner(provider.signature_verification_algorithms));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(anyone)
        .with_single_cert(vec![CertificateDer::from(leaf.der().to_vec())], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Takes any certificate, or none.
#[derive(Debug)]
struct AnyOwner(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyOwner {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
