//! One HTTP/1.1 connection, plain or over TLS, for one caller who asks one thing after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

/// Where a connection goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// Whom the client trusts, and who it is; `None` is plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
}

/// What is sent, made beforehand so that sending it costs little.
#[derive(Clone, Debug)]
pub struct Message {
    /// `PUT` for everything that a device says.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// All headers but `Host` and `Content-Length`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

/// An answer that was not kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drained {
    /// The HTTP status.
    pub status: u16,
    /// The length of its body.
    pub bytes: usize,
    /// Until the first of them came.
    pub first: Duration,
    /// Until all of them had come.
    pub all: Duration,
}

/// Why there was no answer, or not the right one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(pub String);

/// A connection that is kept.
pub struct Line {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

impl Target {
    /// Plain HTTP.
    pub fn plain(address: SocketAddr) -> Target {
        Target { address, tls: None }
    }
}

impl Line {
    /// Connects. Needs a tokio runtime, on which the connection lives.
    ///
    /// # Errors
    /// Where the server cannot be reached, or the handshake fails.
    pub async fn open(target: &Target) -> Result<Line, Unanswered> {
        let stream = TcpStream::connect(target.address).await.map_err(unanswered)?;
        stream.set_nodelay(true).map_err(unanswered)?;
        let host = HeaderValue::try_from(target.address.to_string()).map_err(unanswered)?;
        let sender = match &target.tls {
            None => talk(stream).await?,
            Some(config) => {
                let name = ServerName::from(target.address.ip());
                let stream = TlsConnector::from(config.clone()).connect(name, stream).await;
                talk(stream.map_err(unanswered)?).await?
            }
        };
        Ok(Line { sender, host })
    }

    /// Sends a message and reads the whole answer.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn ask(&mut self, message: &Message) -> Result<Reply, Unanswered> {
        let answer = self.send(message).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(unanswered)?.to_bytes();
        Ok(Reply { status, body })
    }

    /// Sends a message and throws the answer away as it comes, however long it is.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn drain(&mut self, message: &Message) -> Result<Drained, Unanswered> {
        let began = Instant::now();
        let answer = self.send(message).await?;
        let mut drained = Drained { status: answer.status().as_u16(), ..Drained::default() };
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(unanswered)?.into_data() else { continue };
            if drained.bytes == 0 {
                drained.first = began.elapsed();
            }
            drained.bytes += data.len();
        }
        drained.all = began.elapsed();
        Ok(drained)
    }

    async fn send(&mut self, message: &Message) -> Result<Response<Incoming>, Unanswered> {
        let mut request = Request::new(Full::new(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = message.path.parse().map_err(unanswered)?;
        request.headers_mut().insert(header::HOST, self.host.clone());
        for (name, value) in &message.headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        self.sender.ready().await.map_err(unanswered)?;
        self.sender.send_request(request).await.map_err(unanswered)
    }
}

impl Reply {
    /// The body of a 200.
    ///
    /// # Errors
    /// Any other status.
    pub fn fine(self) -> Result<Bytes, Unanswered> {
        match self.status {
            200..=299 => Ok(self.body),
            status => Err(Unanswered(format!("{status}: {}", String::from_utf8_lossy(&self.body)))),
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, Unanswered> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unanswered)?;
    // Ends with the sender; what goes wrong is told to whoever asks.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn unanswered(error: impl std::fmt::Display) -> Unanswered {
    Unanswered(error.to_string())
}
