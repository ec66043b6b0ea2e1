//! Tickets by which a client resumes its TLS session at any node: nothing is kept, and whoever has the key ring can read
//! them.
//!
//! Each period has a key of its own, derived from the ring. A ticket is good until the end of the period after its own: for
//! so long whoever steals the ring can read recorded sessions of TLS 1.2 that were resumed, and none of TLS 1.3, which
//! agrees on fresh keys at each resumption. A ticket carries the client certificate that the handshake proved; who that is,
//! and whether it still may come in, is judged at each request as ever.

use std::{fmt, sync::Arc, time::Duration};

use domain::Mdm;
use rustls::server::ProducesTickets;

/// How long a period is.
const PERIOD: Duration = Duration::from_hours(6);

/// How long the number of a period is, at the beginning of a ticket, bytes.
const NUMBER: usize = 8;

/// The tickets of one listener.
pub struct Tickets {
    mdm: Arc<Mdm>,
    /// What is given out by one listener is nothing to the other: they ask different things of clients.
    listener: &'static str,
}

impl Tickets {
    /// Those of the listener of this name.
    pub fn new(mdm: Arc<Mdm>, listener: &'static str) -> Self {
        Self { mdm, listener }
    }

    fn period(&self) -> u64 {
        u64::try_from(self.mdm.now().0).unwrap_or(0) / u64::try_from(PERIOD.as_millis()).unwrap_or(u64::MAX)
    }

    fn key(&self, period: u64) -> Option<pki::keyring::PeriodKey> {
        self.mdm.period_key(self.listener, period).ok()
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(PERIOD.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let period = self.period();
        let sealed = self.key(period)?.seal(plain).ok()?;
        Some([&period.to_be_bytes()[..], &sealed].concat())
    }

    /// Of this period, the one before, and the one behind, which is now at a node whose clock is ahead.
    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (period, sealed) = ticket.split_first_chunk::<NUMBER>()?;
        let period = u64::from_be_bytes(*period);
        if period.abs_diff(self.period()) > 1 {
            return None;
        }
        self.key(period)?.open(sealed).ok()
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tickets({})", self.listener)
    }
}
