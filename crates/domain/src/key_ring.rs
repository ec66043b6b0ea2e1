//! The key ring in use: it can be changed while the server runs, and everything sealed anew with its current key.

use pki::KeyRing;

use crate::{
    CommandId, EnrollmentId, Error, EscrowId, Mdm, Result, TenantId,
    actions::unlock_token_context,
    android::account_context,
    commands::{payload_context, result_context},
    enrollments::bootstrap_token_context,
    escrow::escrow_context,
    installation::value_context,
    ports::{SealedKey, SealedPlace, SealedValue},
    push_certificates::{key_context, request_context},
};

/// How many values are sealed anew in one transaction.
const BATCH: u32 = 200;

/// What sealing everything anew came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// So many values are now sealed with the current key.
    pub resealed: u64,
    /// So many could not be opened, and stay as they are: their key is not on the ring, or they were tampered with.
    pub unreadable: u64,
}

impl Mdm {
    /// The version of the key that seals now, and every version on the ring, oldest first.
    pub fn key_versions(&self) -> (u32, Vec<u32>) {
        let ring = self.installation.key_ring();
        (ring.current_version(), ring.versions())
    }

    /// Uses `ring` from now on, in place of the one before; whether it is another one.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it lacks a key of the one before, so that something could not be opened any more.
    pub fn use_key_ring(&self, ring: KeyRing) -> Result<bool> {
        let before = self.installation.key_ring();
        if !ring.covers(&before) {
            return Err(Error::Conflict("the new key ring lacks a key of the one before".into()));
        }
        let is_other = !before.covers(&ring) || before.current_version() != ring.current_version();
        if is_other {
            self.installation.replace_key_ring(ring);
        }
        Ok(is_other)
    }

    /// Seals everything anew that is sealed with another key than the current one. May be stopped at any time, and done
    /// again; what changes meanwhile is sealed with the current key anyway.
    pub async fn reseal(&self) -> Result<Resealed> {
        let mut sum = Resealed::default();
        for place in SealedPlace::ALL {
            let mut after = SealedKey::default();
            loop {
                let version = self.installation.key_ring().current_version();
                let values = self.directory.sealed_otherwise(place, version, &after, BATCH).await?;
                let Some(last) = values.last() else { break };
                after = last.key.clone();
                let batch = self.reseal_batch(place, values).await?;
                sum.resealed += batch.resealed;
                sum.unreadable += batch.unreadable;
            }
        }
        Ok(sum)
    }

    async fn reseal_batch(&self, place: SealedPlace, values: Vec<SealedValue>) -> Result<Resealed> {
        let mut anew = Vec::new();
        let mut unreadable = 0;
        for value in values {
            let context = context(place, &value.key);
            match self.installation.open_sealed(&context, &value.sealed) {
                Ok(plain) => {
                    let sealed = self.installation.seal(&context, &plain)?;
                    anew.push((value, sealed));
                }
                Err(error) => {
                    tracing::error!(what = context, error = error.chain(), "a secret cannot be opened");
                    unreadable += 1;
                }
            }
        }
        Ok(Resealed { resealed: self.directory.replace_sealed(place, &anew).await?, unreadable })
    }
}

/// For what a value was sealed, by its key.
fn context(place: SealedPlace, key: &SealedKey) -> String {
    match place {
        SealedPlace::UnlockTokens => unlock_token_context(EnrollmentId(key.id)),
        SealedPlace::BootstrapTokens => bootstrap_token_context(EnrollmentId(key.id)),
        SealedPlace::Escrow => escrow_context(EscrowId(key.id)),
        SealedPlace::Commands => payload_context(CommandId(key.id)),
        SealedPlace::Results => result_context(CommandId(key.id)),
        SealedPlace::PushCertificates => key_context(TenantId(key.tenant)),
        SealedPlace::PushRequests => request_context(TenantId(key.tenant)),
        SealedPlace::AndroidAccounts => account_context(TenantId(key.tenant)),
        SealedPlace::Installation => value_context(&key.name),
    }
}
