//! One HTTP/2 connection to APNs: how it is opened, and what can go wrong on it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::service::Service as _;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::Answer;
use super::endpoint::Endpoint;

/// A ping after this long without traffic keeps the connection through firewalls and finds out that it is dead.
const PING_EVERY: Duration = Duration::from_secs(60);
/// A connection whose ping is not answered for this long is dead.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Until APNs has said how many streams it takes, it gets one: more could be refused.
const FIRST_STREAMS: usize = 1;
/// Causes of failures go into logs.
const MAX_CAUSE: usize = 300;

/// Why there is no answer.
pub(super) enum Setback {
    /// The connection broke, or the stream was refused untouched: send it again, at once.
    SendAgain(String),
    /// Sending it again at once would not help.
    Wait(String),
}

/// Opens connections to one place with one certificate.
#[derive(Clone)]
pub(super) struct Dialer {
    endpoint: Arc<Endpoint>,
    tls: TlsConnector,
    patience: Duration,
}

/// A handle on an open connection; clones share it. It closes when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    retired: Arc<AtomicBool>,
}

impl Dialer {
    /// `patience` is for the name, TCP and TLS together.
    pub(super) fn new(endpoint: Arc<Endpoint>, tls: TlsConnector, patience: Duration) -> Self {
        Self { endpoint, tls, patience }
    }

    /// Opens a connection; the error is for a log.
    pub(super) async fn open(&self) -> Result<Connection, String> {
        let opening = async { self.handshake(self.tls_stream().await?).await };
        match timeout(self.patience, opening).await {
            Ok(opened) => opened.map_err(|error| format!("no connection to APNs: {}", causes(&*error))),
            Err(_) => Err(format!("no connection to APNs within {:?}", self.patience)),
        }
    }

    /// The connector tries the addresses of both families side by side (RFC 8305).
    async fn tls_stream(&self) -> Result<TlsStream<TcpStream>, Box<dyn Error + Send + Sync>> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(self.patience));
        let tcp = TowerToHyperService::new(connector).call(self.endpoint.base()).await?;
        let stream = self.tls.connect(self.endpoint.server_name(), tcp.into_inner()).await?;
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Ok(stream),
            _ => Err("the server does not speak HTTP/2".into()),
        }
    }

    async fn handshake(
        &self,
        stream: TlsStream<TcpStream>,
    ) -> Result<Connection, Box<dyn Error + Send + Sync>> {
        let (sender, driver) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_max_send_streams(FIRST_STREAMS)
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(async move {
            match driver.await {
                Ok(()) => tracing::debug!("connection to APNs closed"),
                Err(error) => tracing::debug!(cause = causes(&error), "connection to APNs broke"),
            }
        });
        Ok(Connection { sender, retired: Arc::default() })
    }
}

impl Connection {
    /// Whether new pushes may be sent on it; those under way end on it in any case.
    pub(super) fn is_usable(&self) -> bool {
        !self.sender.is_closed() && !self.retired.load(Ordering::Relaxed)
    }

    /// Sends one request and reads its answer, all within `patience`.
    pub(super) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<Answer, Setback> {
        let mut sender = self.sender.clone();
        let exchange = async {
            sender.ready().await?;
            Ok(Answer::read(sender.send_request(request).await?).await)
        };
        match timeout(patience, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.setback(&error)),
            Err(_) => {
                self.retire();
                Err(Setback::Wait(format!("no answer from APNs within {patience:?}")))
            }
        }
    }

    /// A reset concerns one stream; every other failure is the connection's own, GOAWAY among them.
    fn setback(&self, error: &hyper::Error) -> Setback {
        let why = format!("the connection to APNs failed: {}", causes(error));
        match error.source().and_then(|source| source.downcast_ref::<h2::Error>()) {
            Some(cause) if cause.is_reset() => match cause.reason() {
                Some(h2::Reason::REFUSED_STREAM) => Setback::SendAgain(why),
                _ => Setback::Wait(why),
            },
            _ => {
                self.retire();
                Setback::SendAgain(why)
            }
        }
    }

    fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }
}

/// An error with all that it wraps, in one bounded line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next.filter(|_| line.len() < MAX_CAUSE) {
        let cause_text = cause.to_string();
        if !line.ends_with(&cause_text) {
            line = format!("{line}: {cause_text}");
        }
        next = cause.source();
    }
    line.chars().take(MAX_CAUSE).collect()
}
