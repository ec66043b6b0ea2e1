//! A pretend Apple Push Notification service, as strict as Apple's, with switches for tests.
//!
//! `tls` says who may connect, `listener` keeps the connections, `reading` judges one request, `devices` knows who is
//! to be woken, and `desk` brings these together and remembers what happened.

mod desk;
mod devices;
mod listener;
mod reading;
mod refusal;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};

pub use desk::{Arrival, Counters};
pub use devices::{WakeUp, WakeUps};
pub use tls::{PushCertificate, push_certificate};

use desk::Desk;
use listener::Order;
use refusal::Refusal;

/// Where the pretend service takes the time of day from, to judge which kept push has expired.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How the pretend service is started; [`PretendApnsSettings::new`] has what most want.
pub struct PretendApnsSettings {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// The topic that [`PretendApns::register`] registers devices for.
    pub topic: String,
    /// Judges expiry.
    pub clock: Clock,
    /// How many pushes one connection may have under way (`SETTINGS_MAX_CONCURRENT_STREAMS`).
    pub max_streams: u32,
}

impl PretendApnsSettings {
    /// A free port of 127.0.0.1, and 1,000 streams as Apple allows.
    pub fn new(topic: impl Into<String>, clock: Clock) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { address, topic: topic.into(), clock, max_streams: 1000 }
    }
}

/// A running pretend service. Dropped, it stops listening, finishes what is under way, and ends all [`WakeUps`].
pub struct PretendApns {
    address: SocketAddr,
    root: CertificateDer<'static>,
    topic: String,
    desk: Arc<Desk>,
    orders: broadcast::Sender<Order>,
}

impl PretendApns {
    /// Starts to listen, with a root certificate made on the spot. Needs a tokio runtime.
    pub async fn start(settings: PretendApnsSettings) -> io::Result<Self> {
        let identity = tls::ServerIdentity::new(settings.address.ip()).map_err(io::Error::other)?;
        let tls = identity.acceptor().map_err(io::Error::other)?;
        let listener = TcpListener::bind(settings.address).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk::new(settings.clock));
        let (orders, heard) = broadcast::channel(16);
        tokio::spawn(listener::run(listener, tls, Arc::clone(&desk), heard, settings.max_streams));
        Ok(Self { address, root: identity.root, topic: settings.topic, desk, orders })
    }

    /// The base address, to be given to a client: `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What a client must trust to connect.
    pub fn root_certificate_der(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    /// A device comes online for the settings' topic: a push that was kept for it and has not expired is delivered
    /// at once. It goes offline when the answer is dropped. An earlier registration of the token ends.
    pub fn register(&self, token: &[u8], magic: &str) -> WakeUps {
        self.register_for(&self.topic, token, magic)
    }

    /// As [`PretendApns::register`], for another topic.
    pub fn register_for(&self, topic: &str, token: &[u8], magic: &str) -> WakeUps {
        self.desk.register(topic, token, magic)
    }

    /// From now on the token is answered with 410 `Unregistered`, until it is registered again.
    pub fn retire(&self, token: &[u8]) {
        self.desk.retire(token);
    }

    /// The next well-formed push that is not refused anyway is answered so; several calls queue up.
    /// `retry_after` is sent as it is.
    pub fn refuse_next(&self, status: u16, reason: &str, retry_after: Option<&str>) {
        let refusal = Refusal { retry_after: retry_after.map(str::to_owned), ..Refusal::new(status, reason) };
        self.desk.refuse_next(refusal);
    }

    /// The next request gets no answer: its stream is reset with this error code (RFC 9113, 7). The others on the
    /// connection go on. Several calls queue up.
    pub fn reset_next(&self, code: u32) {
        self.desk.reset_next(code.into());
    }

    /// Tells all open connections to go away (GOAWAY): what is under way is finished, nothing new is taken.
    pub fn go_away(&self) {
        let _ = self.orders.send(Order::GoAway);
    }

    /// Cuts all open connections in the middle of whatever they do.
    pub fn drop_connections(&self) {
        let _ = self.orders.send(Order::Drop);
    }

    /// Pushes still arrive, and are counted as such, but get no answer and wake nobody before
    /// [`PretendApns::release`].
    pub fn hold(&self) {
        self.desk.hold(true);
    }

    /// Ends [`PretendApns::hold`].
    pub fn release(&self) {
        self.desk.hold(false);
    }

    /// The last 10,000 well-formed pushes that were answered, oldest first.
    pub fn pushes(&self) -> Vec<Arrival> {
        self.desk.arrivals()
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.desk.watch().borrow().clone()
    }

    /// The counters as they change, to wait for an event without sleeping: `wait_for(|so_far| so_far.arrived == 3)`.
    pub fn watch(&self) -> watch::Receiver<Counters> {
        self.desk.watch()
    }
}

impl Drop for PretendApns {
    /// Dropping `orders` itself tells listener and connections to end.
    fn drop(&mut self) {
        self.desk.close();
    }
}
