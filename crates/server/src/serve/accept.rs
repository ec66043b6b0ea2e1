//! One listener: accepts connections, within limits, and serves HTTP/1 and HTTP/2 on each.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use web::{PeerAddress, PeerCertificate, Router};

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request; also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(60);

/// The longest head of a request, bytes: some SCEP clients put the whole message into the query.
const LONGEST_HEAD: usize = 64 * 1024;

/// How often an idle HTTP/2 connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(60);

/// How many requests one HTTP/2 connection may have open.
const STREAMS: u32 = 100;

/// A socket that is open, and what answers on it.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    places: Arc<Semaphore>,
    server: Arc<auto::Builder<TokioExecutor>>,
}

impl Listener {
    /// `router` on `socket`, for at most `max_connections` at a time; further ones wait to be accepted.
    pub fn new(
        socket: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        router: Router,
        max_connections: usize,
    ) -> Self {
        let mut server = auto::Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LONGEST_HEAD);
        server
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(LONGEST_HEAD).unwrap_or(u32::MAX));
        Self {
            socket,
            tls: tls.map(TlsAcceptor::from),
            router,
            places: Arc::new(Semaphore::new(max_connections)),
            server: Arc::new(server),
        }
    }

    /// Serves until `stop`; then lets open connections end for up to `drain`.
    pub async fn run(self, stop: CancellationToken, drain: Duration) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        while let Some((accepted, place)) = self.accept(&stop).await {
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer)) => {
                    let connection = self.connection(stream, peer, graceful.watcher());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of descriptors: waiting helps, a busy loop does not.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self.socket);
        if timeout(drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("connections that did not end in time are cut");
        }
        connections.shutdown().await;
    }

    /// The next connection and its place among those that may be open; `None` at the stop.
    async fn accept(&self, stop: &CancellationToken) -> Option<(Accepted, OwnedSemaphorePermit)> {
        tokio::select! {
            () = stop.cancelled() => None,
            accepted = async {
                let place = self.places.clone().acquire_owned().await.ok()?;
                Some((self.socket.accept().await, place))
            } => accepted,
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (tls, router, server) = (self.tls.clone(), self.router.clone(), self.server.clone());
        async move {
            let _ = stream.set_nodelay(true);
            let Some(tls) = tls else {
                return serve(stream, Caller { peer, certificate: None }, router, &server, watcher).await;
            };
            match timeout(HANDSHAKE, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                    let certificate = certificate.map(|leaf| PeerCertificate(leaf.to_vec()));
                    serve(stream, Caller { peer, certificate }, router, &server, watcher).await;
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
        }
    }
}

type Accepted = std::io::Result<(TcpStream, SocketAddr)>;

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Caller {
    peer: SocketAddr,
    certificate: Option<PeerCertificate>,
}

/// Serves one connection until it ends; what is known of the caller goes along with each request.
async fn serve<S>(
    stream: S,
    caller: Caller,
    router: Router,
    server: &auto::Builder<TokioExecutor>,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = caller.peer;
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(caller.peer));
        if let Some(certificate) = &caller.certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        router.clone().oneshot(request)
    });
    let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, error, "a connection ended badly");
    }
}
