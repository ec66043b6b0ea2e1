//! Further nodes beside a test server, and the requests that an application has made before the test.

use domain::{ApplicationId, LimitedRequest, Timestamp};
use server::serve::Running;

use super::{TestServer, ground};

impl TestServer {
    /// One more node on this server's database, with its key ring and its clock.
    pub async fn another_node(&self) -> Running {
        let mut config = self.config.clone();
        config.device_listen.set_port(0);
        config.api_listen.set_port(0);
        Running::start(config, ground(&self.clock)).await.expect("another node starts")
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
