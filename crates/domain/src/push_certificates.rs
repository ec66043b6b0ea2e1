//! Push certificates: what proves to APNs that a tenant may wake its devices.

use serde_json::json;

use crate::{Actor, Error, Event, Mdm, Result, Role, TenantId, Thing, Timestamp, ports::Tx};

/// The longest chain that is read, PEM bytes.
const LONGEST_PEM: usize = 64 * 1024;

/// A tenant's push certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushCertificate {
    /// `com.apple.mgmt.…`: the same for ever, since enrolled devices are bound to it.
    pub topic: String,
    /// The certificate and its chain, PEM, leaf first.
    pub certificates: String,
    /// The private key, PKCS#8 DER, sealed.
    pub sealed_key: Vec<u8>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was imported.
    pub imported_at: Timestamp,
}

impl Mdm {
    /// The tenant's push certificate.
    pub async fn push_certificate(&self, actor: &Actor) -> Result<PushCertificate> {
        actor.require(Role::Viewer)?;
        let mut tx = self.store.read(actor.tenant).await?;
        tx.push_certificate().await?.ok_or(Error::NotFound(Thing::PushCertificate))
    }

    /// Makes a key and the CSR that goes to an MDM vendor and then to Apple's portal; the key stays here, sealed.
    pub async fn request_push_certificate(
        &self,
        actor: &Actor,
        common_name: &str,
        email: &str,
        country: &str,
    ) -> Result<pki::Csr> {
        actor.require(Role::Owner)?;
        let (csr, key) = pki::push_certificate::request(common_name, email, country)
            .map_err(|error| Error::invalid("subject", error.to_string()))?;
        let pkcs8 = key.to_pkcs8().map_err(Error::internal)?;
        let sealed = self.installation.seal(&request_context(actor.tenant), &pkcs8)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.set_push_request_key(&sealed, self.clock.now()).await?;
        tx.commit().await?;
        Ok(csr)
    }

    /// Takes the certificate that Apple's portal gave (PEM, its chain behind it) with its key, or with that of the last
    /// request.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no MDM push certificate, has expired or does not go with the key; [`Error::Conflict`] if
    /// devices are enrolled with another topic, which they can never change.
    pub async fn import_push_certificate(
        &self,
        actor: &Actor,
        pem: &str,
        key: Option<pki::PrivateKey>,
    ) -> Result<PushCertificate> {
        actor.require(Role::Owner)?;
        if pem.len() > LONGEST_PEM {
            return Err(Error::invalid("certificate", "at most 64 KiB of PEM"));
        }
        let mut tx = self.store.begin(actor.tenant).await?;
        let key = match key {
            Some(key) => key,
            None => self.request_key(&mut *tx, actor.tenant).await?,
        };
        let parsed = pki::Certificate::from_pem(pem)
            .and_then(|leaf| pki::PushCertificate::new(leaf, key))
            .map_err(|error| Error::invalid("certificate", error.to_string()))?;
        let pkcs8 = parsed.key().to_pkcs8().map_err(Error::internal)?;
        let now = self.clock.now();
        let expires_at = Timestamp::from(parsed.not_after());
        if expires_at <= now {
            return Err(Error::invalid("certificate", format!("it expired on {}", expires_at.rfc3339())));
        }
        keeps_the_topic(&mut *tx, parsed.topic()).await?;
        let certificate = PushCertificate {
            topic: parsed.topic().to_owned(),
            certificates: pem.to_owned(),
            sealed_key: self.installation.seal(&key_context(actor.tenant), &pkcs8)?,
            expires_at,
            imported_at: now,
        };
        tx.set_push_certificate(&certificate).await?;
        let details = json!({ "topic": certificate.topic, "expires": certificate.expires_at.rfc3339() });
        tx.record(&Event::by(actor, "push_certificate.imported", None, details, now)).await?;
        tx.commit().await?;
        Ok(certificate)
    }

    async fn request_key(&self, tx: &mut dyn Tx, tenant: TenantId) -> Result<pki::PrivateKey> {
        let sealed = tx.push_request_key().await?.ok_or_else(|| {
            Error::invalid("key", "needed, since no request was made here: `remuda push-certificate request`")
        })?;
        let pkcs8 = self.installation.open_sealed(&request_context(tenant), &sealed)?;
        pki::PrivateKey::from_pkcs8(&pkcs8).map_err(Error::internal)
    }
}

/// `Topic` can never change for an enrolled device.
async fn keeps_the_topic(tx: &mut dyn Tx, topic: &str) -> Result<()> {
    let Some(before) = tx.push_certificate().await? else { return Ok(()) };
    if before.topic == topic || !tx.has_live_enrollments().await? {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "enrolled devices are bound to the topic {}; renew that certificate in Apple's portal instead of making a new one",
        before.topic
    )))
}

/// Where a push certificate's key is sealed.
pub(crate) fn key_context(tenant: TenantId) -> String {
    format!("push-certificate/{tenant}")
}

/// Where the key of a request for a push certificate is sealed.
pub(crate) fn request_context(tenant: TenantId) -> String {
    format!("push-request/{tenant}")
}
