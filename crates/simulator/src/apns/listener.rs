//! Keeps the connections: accepts them, serves them, and ends them when told to.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::desk::Desk;
use super::tls;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed accept (no file handles left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the connections that are open are told; when nobody can give orders any more, the service stops.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Finish what is under way and take nothing new.
    GoAway,
    /// Cut the connection.
    Drop,
}

type Orders = broadcast::Receiver<Order>;

/// Accepts connections until nobody can give orders any more.
pub(super) async fn run(
    listener: TcpListener,
    tls: TlsAcceptor,
    desk: Arc<Desk>,
    mut orders: Orders,
    max_streams: u32,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            order = orders.recv() => match order {
                Err(RecvError::Closed) => return,
                _ => continue,
            },
        };
        let Ok((socket, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // From here on the connection hears orders, also while it shakes hands.
        let connection = connect(socket, tls.clone(), Arc::clone(&desk), orders.resubscribe(), max_streams);
        tokio::spawn(connection);
    }
}

async fn connect(socket: TcpStream, tls: TlsAcceptor, desk: Arc<Desk>, orders: Orders, max_streams: u32) {
    let _ = socket.set_nodelay(true);
    match timeout(HANDSHAKE_TIMEOUT, tls.accept(socket)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            desk.count(|so_far| so_far.opened += 1);
            serve(stream, &desk, orders, max_streams).await;
            desk.count(|so_far| so_far.closed += 1);
        }
        _ => desk.count(|so_far| so_far.failed_handshakes += 1),
    }
}

async fn serve(stream: TlsStream<TcpStream>, desk: &Arc<Desk>, mut orders: Orders, max_streams: u32) {
    let certificates = stream.get_ref().1.peer_certificates();
    let certified: Option<Arc<str>> =
        certificates.and_then(<[_]>::first).and_then(tls::certified_topic).map(Arc::from);
    let service = service_fn(|request: Request<Incoming>| {
        let (desk, certified) = (Arc::clone(desk), certified.clone());
        async move { desk.answer(request, certified.as_deref()).await }
    });
    let connection = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(max_streams)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            order = orders.recv(), if !stopping => match order {
                Ok(Order::Drop) => return,
                Ok(Order::GoAway) => connection.as_mut().graceful_shutdown(),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::SystemTime;

    use rustls::{ClientConfig, RootCertStore};
    use rustls_pki_types::ServerName;
    use tokio::io::AsyncReadExt;
    use tokio_rustls::TlsConnector;

    use super::super::{Counters, PretendApns, PretendApnsSettings, PushCertificate, push_certificate};
    use super::*;

    async fn service() -> PretendApns {
        let settings = PretendApnsSettings::new("T", Arc::new(|| SystemTime::UNIX_EPOCH));
        PretendApns::start(settings).await.unwrap()
    }

    /// Connects, and reads until the service closes the connection.
    async fn connect(service: &PretendApns, owner: Option<PushCertificate>, protocols: &[&str]) {
        let mut roots = RootCertStore::empty();
        roots.add(service.root_certificate_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match owner {
            Some(owner) => config.with_client_auth_cert(vec![owner.certificate], owner.key).unwrap(),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let address: SocketAddr = service.url().trim_start_matches("https://").parse().unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let name = ServerName::from(address.ip());
        if let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, socket).await {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }

    async fn until(service: &PretendApns, happened: impl FnMut(&Counters) -> bool) -> Counters {
        service.watch().wait_for(happened).await.unwrap().clone()
    }

    #[tokio::test]
    async fn a_client_without_a_certificate_is_turned_away() {
        let service = service().await;
        connect(&service, None, &["h2"]).await;
        assert_eq!(until(&service, |so_far| so_far.failed_handshakes == 1).await.opened, 0);
    }

    #[tokio::test]
    async fn a_client_that_speaks_no_http_2_is_turned_away() {
        let service = service().await;
        connect(&service, push_certificate("T").ok(), &["http/1.1"]).await;
        connect(&service, push_certificate("T").ok(), &[]).await;
        assert_eq!(until(&service, |so_far| so_far.failed_handshakes == 2).await.opened, 0);
    }

    #[tokio::test]
    async fn a_service_that_is_dropped_ends_its_connections_and_listens_no_more() {
        let service = service().await;
        let mut device = service.register(&[1], "M");
        let mut counters = service.watch();
        let address: SocketAddr = service.url().trim_start_matches("https://").parse().unwrap();
        let connecting = connect(&service, push_certificate("T").ok(), &["h2"]);
        let waiting = async {
            until(&service, |so_far| so_far.opened == 1).await;
            service.drop_connections();
        };
        tokio::join!(connecting, waiting);
        drop(service);
        assert_eq!(device.next().await, None);
        // The desk, and with it the counters, goes when listener and connections have.
        while counters.changed().await.is_ok() {}
        assert!(TcpStream::connect(address).await.is_err());
    }
}
