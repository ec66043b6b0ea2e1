//! What lies between: a load balancer in front of the servers, and a line from each server to the database
//! that can be cut, or go silent.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::watch,
};

/// The name of PostgreSQL's socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// A load balancer: each connection goes to the next server that takes it.
pub struct Front {
    port: u16,
}

impl Front {
    /// Starts to listen; for as long as the runtime lives.
    pub async fn start(ports: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (ports, next) = (Arc::<[u16]>::from(ports), Arc::new(AtomicUsize::default()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, ports.clone(), next.clone()));
            }
        });
        Self { port }
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn pass_on(mut client: TcpStream, ports: Arc<[u16]>, next: Arc<AtomicUsize>) {
    let first = next.fetch_add(1, Ordering::Relaxed);
    for place in 0..ports.len() {
        let port = ports[(first + place) % ports.len()];
        if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
            // Whichever side broke off, the other one is told by the end of its connection.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}

/// How a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Connections break off, and none is made.
    Cut,
    /// Nothing comes through, and nobody is told.
    Silent,
}

/// A line from one server to the database.
pub struct Line {
    folder: TempDir,
    state: watch::Sender<State>,
}

impl Line {
    /// A line to the PostgreSQL whose socket is in the folder that `url` names.
    pub fn to(url: &str) -> Self {
        let (_, target) = url.split_once("host=").expect("a cluster on a socket");
        let target = Path::new(target).join(SOCKET);
        let folder = tempfile::Builder::new().prefix("remuda-line-").tempdir().expect("a temporary folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let (state, watched) = watch::channel(State::Good);
        tokio::spawn(async move {
            while let Ok((server, _)) = listener.accept().await {
                let (target, state) = (target.clone(), watched.clone());
                tokio::spawn(async move { connect(server, &target, state).await });
            }
        });
        Self { folder, state }
    }

    /// The database's URL over this line.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Breaks all connections off; there are no new ones until [`Line::mend`].
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Holds everything back until [`Line::mend`].
    pub fn fall_silent(&self) {
        self.state.send_replace(State::Silent);
    }

    /// All is well again.
    pub fn mend(&self) {
        self.state.send_replace(State::Good);
    }
}

async fn connect(server: UnixStream, target: &Path, mut state: watch::Receiver<State>) {
    if !is_good(&mut state).await {
        return;
    }
    let Ok(database) = UnixStream::connect(target).await else { return };
    let ((from_server, to_server), (from_database, to_database)) = (split(server), split(database));
    tokio::select! {
        () = pipe(from_server, to_database, state.clone()) => {}
        () = pipe(from_database, to_server, state) => {}
    }
}

/// Passes on until one side ends, or the line is cut.
async fn pipe(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            () = cut(state.clone()) => return,
        };
        if read == 0 || !is_good(&mut state).await || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// Waits while the line is silent; whether it is good then, and not cut.
async fn is_good(state: &mut watch::Receiver<State>) -> bool {
    state.wait_for(|state| *state != State::Silent).await.is_ok_and(|state| *state == State::Good)
}

/// Waits until the line is cut.
async fn cut(mut state: watch::Receiver<State>) {
    // The other half lives as long as the test.
    let _ = state.wait_for(|state| *state == State::Cut).await;
}
