//! Keeps the connections: plain HTTP on loopback.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::desk::Desk;
use super::request::Request;

/// More than any call has.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// After a failed accept (no file handles left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until the pretend Google is dropped.
pub(super) async fn run(listener: TcpListener, desk: Arc<Desk>, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok((socket, _)) => {
                tokio::spawn(serve(socket, Arc::clone(&desk), stopped.clone()));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(socket: TcpStream, desk: Arc<Desk>, mut stopped: watch::Receiver<()>) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(|request: http::Request<Incoming>| {
        let desk = Arc::clone(&desk);
        async move {
            let (head, body) = request.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await;
            let body = body.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
            Ok::<_, Infallible>(desk.answer(Request::new(&head, body)).await)
        }
    });
    let connection = Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        _ = connection => {}
        _ = stopped.changed() => {}
    }
}
