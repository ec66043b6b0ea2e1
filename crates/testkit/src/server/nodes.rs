//! Further nodes beside a test server, and the requests that an application has made before the test.

use domain::{ApplicationId, LimitedRequest, Timestamp};
use server::serve::Running;

use super::{TestServer, ground};
use crate::postgres::TestDatabase;

impl TestServer {
    /// One more node on this server's database, with its key ring and its clock.
    pub async fn another_node(&self) -> Running {
        let mut config = self.config.clone();
        config.device_listen.set_port(0);
        config.api_listen.set_port(0);
        Running::start(config, ground(&self.clock)).await.expect("another node starts")
    }

    /// Stops the server, and lets go of its database.
    pub async fn stop(&mut self) {
        if let Some(looks) = self.looks.take() {
            looks.close().await.expect("the database closes");
        }
        if let Some(running) = self.running.take() {
            self.config.device_listen =
                super::address(running.device_url()).unwrap_or(self.config.device_listen);
            self.config.api_listen = super::address(running.api_url()).unwrap_or(self.config.api_listen);
            running.stop().await.expect("the server stops");
        }
    }

    /// Starts it again after [`TestServer::stop`], at the same addresses, on a database to which its own was moved.
    pub async fn start_on(&mut self, database: TestDatabase) {
        self.config.database = database.url().to_owned();
        self.database = Some(database);
        self.running =
            Some(Running::start(self.config.clone(), ground(&self.clock)).await.expect("the server starts"));
    }

    /// Writes down requests that an application of the test's tenant has made, past the server.
    pub async fn add_requests(
        &self,
        application: ApplicationId,
        request: LimitedRequest,
        times: impl IntoIterator<Item = Timestamp>,
    ) {
        let mut tx = self.database().await.store.begin(self.tenant).await.expect("a transaction");
        for at in times {
            tx.count_request(application, request, at).await.expect("the request is counted");
        }
        tx.commit().await.expect("the requests are stored");
    }
}
