//! Device CAs: whose identities are trusted beside those of our own CA.

use serde_json::json;

use crate::{Actor, Error, Event, Mdm, Result, Role};

impl Mdm {
    /// Trusts identities of the CA in `pem` too, if their subject is like `pattern`; their devices join the tenant.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a certificate that is no CA, or is this server's own.
    pub async fn add_device_ca(
        &self,
        actor: &Actor,
        pem: &str,
        pattern: Option<&str>,
    ) -> Result<pki::Fingerprint> {
        actor.require(Role::Owner)?;
        let certificate = pki::Certificate::from_pem(pem)
            .map_err(|error| Error::invalid("certificate", error.to_string()))?;
        let own = self.installation.device_ca().certificate().fingerprint();
        if !certificate.is_ca() || certificate.fingerprint() == own {
            return Err(Error::invalid("certificate", "a CA's, and not this server's own"));
        }
        let pattern = pattern.map(str::trim);
        if pattern.is_some_and(|pattern| pattern.is_empty() || pattern.len() > 1024) {
            return Err(Error::invalid("subject", "1 to 1024 bytes"));
        }
        let fingerprint = certificate.fingerprint();
        let now = self.clock.now();
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.add_device_ca(&fingerprint, certificate.der(), pattern, now).await?;
        let details = json!({ "fingerprint": fingerprint.to_string(), "subject": pattern });
        tx.record(&Event::by(actor, "device_ca.added", None, details, now)).await?;
        tx.commit().await?;
        Ok(fingerprint)
    }
}
