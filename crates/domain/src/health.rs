//! What is wrong with the server, or will be.

use crate::{Error, Mdm, Result, TenantId, Timestamp, ports::Worker};

/// The server's own state, for `doctor`, `/readyz` and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Pushes that wait.
    pub pushes: u64,
    /// Results that wait to be applied.
    pub outcomes: u64,
    /// Purges that are not done.
    pub purges: u64,
    /// Each tenant's push certificate.
    pub push_certificates: Vec<PushCertificateHealth>,
    /// What is wrong with the address that goes into profiles.
    pub device_url: Option<String>,
}

/// How a tenant's push certificate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushCertificateHealth {
    /// Whose.
    pub tenant: TenantId,
    /// The tenant's name.
    pub name: String,
    /// Its topic and until when it is good; `None` where there is none.
    pub certificate: Option<(String, Timestamp)>,
}

impl Mdm {
    /// Looks at everything that could keep devices from being reached. One query for each tenant.
    pub async fn health(&self) -> Result<Health> {
        let (pushes, outcomes, purges) = self.outbox.backlog().await?;
        let mut push_certificates = Vec::new();
        for tenant in self.directory.tenants().await? {
            let certificate = self.store.read(tenant.id).await?.push_certificate().await?;
            push_certificates.push(PushCertificateHealth {
                tenant: tenant.id,
                name: tenant.name,
                certificate: certificate.map(|certificate| (certificate.topic, certificate.expires_at)),
            });
        }
        let device_url = self.settings.enrollment_base().err().map(|why| why.to_string());
        Ok(Health { pushes, outcomes, purges, push_certificates, device_url })
    }

    /// Answers if the database does.
    pub async fn ping(&self) -> Result<()> {
        self.directory.ping().await
    }

    /// Takes up at once what a server that died had claimed; called when a worker begins.
    pub async fn release_claims(&self, worker: Worker) -> Result<()> {
        self.outbox.release_claims(worker).await
    }

    /// Writes down the last contacts that are gathered in memory.
    pub async fn flush(&self) -> Result<()> {
        self.road.flush().await
    }

    /// Removes what is over: tombstones of certificates that have ended.
    pub async fn sweep(&self) -> Result<u64> {
        self.outbox.sweep_tombstones(self.clock.now()).await
    }

    /// The device CA's certificate, DER: what `GetCACert` answers.
    pub fn device_ca_certificate(&self) -> &[u8] {
        self.installation.device_ca().certificate().der()
    }

    /// A key for a short time that every node has: `purpose` says for what, and the number for when.
    ///
    /// # Errors
    /// [`Error::Internal`] where cryptography fails.
    pub fn period_key(&self, purpose: &str, period: u64) -> Result<pki::keyring::PeriodKey> {
        self.installation.key_ring().period_key(purpose, period).map_err(Error::internal)
    }

    /// The CA of the server's own TLS certificates.
    pub fn tls_ca(&self) -> &pki::TlsAuthority {
        self.installation.tls_ca()
    }
}
