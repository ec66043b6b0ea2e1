//! Bootstrap tokens: what a Mac leaves with us, so that it can let users in and updates in later.

use serde_json::json;

use super::{
    check_in::{CheckInAnswer, of_the_device},
    identity::Rejection,
};
use crate::{Credential, EnrollmentId, Event, Mdm, Refusal};

impl Mdm {
    /// Keeps a bootstrap token, sealed, with the enrollment that it came in: the next one does not inherit it. A message
    /// without one deletes it (`protocol-subtleties` 51).
    pub(super) async fn keep_bootstrap_token(
        &self,
        credential: &Credential,
        message: &apple::checkin::SetBootstrapToken,
    ) -> Result<(), Rejection> {
        of_the_device(&message.ids)?;
        let identity = self.enrolled(credential, &message.ids).await?;
        let context = bootstrap_token_context(identity.enrollment);
        let sealed =
            message.token.as_ref().map(|token| self.installation.seal(&context, token)).transpose()?;
        let mut tx = self.store.begin(identity.tenant).await?;
        let enrollment = tx.enrollment_for_update(identity.enrollment).await?.ok_or(Refusal::Unknown)?;
        if !tx.set_bootstrap_token(enrollment.id, sealed.as_deref(), self.clock.now()).await? {
            return Err(Refusal::NotEnrolled.into());
        }
        let kind = if sealed.is_some() { "bootstrap_token.kept" } else { "bootstrap_token.removed" };
        let details = json!({ "enrollment": enrollment.id });
        tx.record(&Event::of_device(kind, enrollment.device, details, self.clock.now())).await?;
        Ok(tx.commit().await?)
    }

    /// Gives a device the token that it left; an empty one where there is none, which is no error
    /// (`protocol-subtleties` 52).
    pub(super) async fn give_bootstrap_token(
        &self,
        credential: &Credential,
        message: &apple::checkin::GetBootstrapToken,
    ) -> Result<CheckInAnswer, Rejection> {
        of_the_device(&message.ids)?;
        let identity = self.enrolled(credential, &message.ids).await?;
        let mut tx = self.store.read(identity.tenant).await?;
        let sealed = tx.bootstrap_token(identity.enrollment).await?;
        let context = bootstrap_token_context(identity.enrollment);
        let token = sealed.map(|sealed| self.installation.open_sealed(&context, &sealed)).transpose()?;
        Ok(CheckInAnswer::PropertyList(apple::checkin::BootstrapToken { token }.encode()))
    }
}

/// Where an enrollment's bootstrap token is sealed.
pub(crate) fn bootstrap_token_context(enrollment: EnrollmentId) -> String {
    format!("bootstrap-token/{enrollment}")
}
