//! Waiting for what a test server does by itself, and a look into its database.

use domain::ports::Tx;
use store::StoreSettings;

use super::TestServer;

impl TestServer {
    /// A look into the tenant's records, past the server.
    pub async fn records(&self) -> Box<dyn Tx> {
        self.database().await.store.read(self.tenant).await.expect("a transaction")
    }

    /// The database, opened a second time beside the server.
    pub async fn database(&self) -> &store::Opened {
        let settings = StoreSettings::new(&self.config.database);
        let opened = self.looks.get_or_try_init(async || store::open(&settings).await).await;
        opened.expect("the database opens once more")
    }

    /// How often something of this kind has happened in the tenant.
    pub async fn count_events(&self, kind: &str) -> usize {
        let events = self.records().await.events(None, 1000).await.expect("the audit log");
        events.iter().filter(|event| event.kind == kind).count()
    }

    /// Waits until `is_so`, which is asked again and again since the database tells nobody of its changes.
    pub async fn until(&self, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        while !is_so(self).await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Waits until no push is due or on its way.
    pub async fn pushed(&self) {
        self.until(async |server| server.health().await.pushes == 0).await;
    }

    /// Waits until every result is applied and every purge is done.
    pub async fn settled(&self) {
        self.until(async |server| {
            let health = server.health().await;
            (health.outcomes, health.purges) == (0, 0)
        })
        .await;
    }

    async fn health(&self) -> domain::Health {
        self.mdm().health().await.expect("the server's health")
    }
}
