//! Renewing the identity: by the same profile once more, with a fresh challenge, or by SCEP's own message.

use super::AppleDevice;
use super::execute::Outcome;
use super::failure::{Breach, EnrollError, Failure};
use super::identity::Credential;
use super::options::RenewalManners;
use super::profile::{self, Accepted};
use super::scep::{Asker, Scep};
use super::{open, wire::Wire};

impl AppleDevice {
    /// Asks for a new certificate with a `RenewalReq`, signed by the old one, and uses it from now on.
    /// Clients that are not Apple's do so.
    ///
    /// # Errors
    /// The SCEP step that failed; the old certificate stays in use.
    pub async fn renew_by_request(&mut self) -> Result<(), EnrollError> {
        let result = self.fetch_certificate(&self.accepted, Asker::Owner(&self.credential)).await;
        if let Err(EnrollError { cause: Failure::Breach(breach), .. }) = &result {
            let _ = self.note::<()>(Err(breach.clone().into()));
        }
        let (credential, wire) = result?;
        (self.credential, self.wire) = (credential, wire);
        Ok(())
    }

    /// Installs the enrollment's own profile again: a new key, a new certificate, in use from the next
    /// message on.
    pub(super) async fn renew(&mut self, payload: &[u8]) -> Result<Outcome, Failure> {
        let now = (self.options.transport.clock())();
        let accepted = profile::accept(payload, &self.options.trust, now).and_then(|new| {
            check_unchanged(&self.accepted, &new)?;
            Ok(new)
        });
        let accepted = match self.note(accepted) {
            Ok(accepted) => accepted,
            Err(failure) => return Ok(refused(&failure)),
        };
        let asker = Asker::Newcomer(self.options.model.calling_name());
        let fetched = self.fetch_certificate(&accepted, asker).await.map_err(Failure::from);
        let (credential, wire) = match self.note(fetched) {
            Ok(fetched) => fetched,
            Err(failure) => return Ok(refused(&failure)),
        };
        (self.accepted, self.credential, self.wire) = (accepted, credential, wire);
        if self.options.renewal == RenewalManners::CheckIn {
            self.check_in(&apple::CheckIn::Authenticate(self.authenticate_message())).await?;
            self.check_in(&apple::CheckIn::TokenUpdate(self.token_update_message())).await?;
        }
        Ok(Outcome::done())
    }

    async fn fetch_certificate(
        &self,
        accepted: &Accepted,
        asker: Asker<'_>,
    ) -> Result<(Credential, Wire), EnrollError> {
        let step = super::Step::Certificate;
        let key = self.options.keys.key(Some(&self.credential.key)).await.map_err(step.failed())?;
        let wire = self.options.transport.trusting(&accepted.roots).map_err(step.failed())?;
        let scep = Scep {
            wire: &wire,
            payload: &accepted.profile.scep,
            options: self.options.scep,
            clock: self.options.transport.clock(),
        };
        let credential = scep.certificate(key, asker).await?;
        let wire = open(&self.options, accepted, &credential).map_err(step.failed())?;
        Ok((credential, wire))
    }
}

/// Apple's rules for a profile that replaces itself (`com.apple.mdm.yaml`).
fn check_unchanged(old: &Accepted, new: &Accepted) -> Result<(), Breach> {
    let (old, new) = (&old.profile, &new.profile);
    let rights_added = new.mdm.access_rights.bits() & !old.mdm.access_rights.bits() != 0;
    let rule_broken = if new.mdm.topic != old.mdm.topic {
        "changes the topic"
    } else if new.mdm.server_url != old.mdm.server_url || new.mdm.check_in_url != old.mdm.check_in_url {
        "changes a URL"
    } else if rights_added {
        "adds an access right"
    } else if new.uuids != old.uuids {
        "has other payload UUIDs, so that the device takes its payloads for new ones"
    } else if new.scep.challenge == old.scep.challenge {
        "has the old challenge"
    } else {
        return Ok(());
    };
    Err(Breach(format!("the profile that renews the identity {rule_broken}")))
}

fn refused(failure: &Failure) -> Outcome {
    Outcome::error(
        4001,
        "MCInstallationErrorDomain",
        format!("The profile could not be installed: {failure}"),
    )
}
