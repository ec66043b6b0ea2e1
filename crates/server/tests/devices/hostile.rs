//! What nobody means well by: each gets a clear status, and the server serves on.

mod bodies;
mod check_ins;
mod connections;
mod der;
mod heads;
mod paths;
mod plists;
mod raw_http;

use testkit::server::{Device, TestServer};

/// A server with one device, which still has its say at the end.
pub struct Besieged {
    pub server: TestServer,
    pub iphone: Device,
}

impl Besieged {
    pub async fn new() -> Self {
        Self::of(TestServer::start().await).await
    }

    pub async fn of(server: TestServer) -> Self {
        let iphone = server.enrolled_iphone().await;
        Self { server, iphone }
    }

    /// Somebody with the device's own key, who says what the device never would.
    pub fn traitor(&self) -> crate::speaker::Speaker {
        let udid = self.iphone.model().udid.clone();
        crate::speaker::Speaker::new(&self.server, self.iphone.credential().clone(), udid)
    }

    /// The device is served, and another one may enroll.
    pub async fn still_stands(mut self) {
        self.server.lock(&self.iphone).await;
        assert_eq!(self.iphone.idle().await, Ok(Some("DeviceLock")));
        assert_eq!(self.iphone.acknowledge().await, Ok(None));
        assert!(self.server.enrolled_mac().await.is_enrolled());
    }
}
