//! Check-ins: how a device presents itself, says where it can be pushed to, and takes its leave.

use apple::checkin::{BootstrapToken, GetBootstrapToken, SetBootstrapToken};
use apple::enrollment::ServerCapability;
use apple::{Authenticate, CheckIn, CheckOut, TokenUpdate, content_type};

use super::declarations::Declarations;
use super::event::Happening;
use super::failure::{Breach, EnrollError, Failure, Step};
use super::wire::{Answer, Request};
use super::{AppleDevice, Management, address, obtain, open};

impl AppleDevice {
    /// Says `Authenticate`. The device is not enrolled by that, and no longer enrolled if it was.
    ///
    /// # Errors
    /// Any [`Failure`]; a 200 that is not empty is a breach.
    pub async fn authenticate(&mut self) -> Result<(), Failure> {
        self.check_in(&CheckIn::Authenticate(self.authenticate_message())).await?;
        self.management = Management::Installed;
        Ok(())
    }

    /// Says `TokenUpdate`; the first one after `Authenticate` completes the enrollment.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn token_update(&mut self) -> Result<(), Failure> {
        self.check_in(&CheckIn::TokenUpdate(self.token_update_message())).await?;
        if self.management == Management::Installed {
            self.management = Management::Enrolled;
            self.teller.tell(Happening::Enrolled);
        }
        Ok(())
    }

    /// Gets a new push token, magic and unlock token, and says so.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); the device has its new address all the same.
    pub async fn rotate_push_address(&mut self) -> Result<(), Failure> {
        self.generation += 1;
        self.push = address(&self.options, &self.push.topic, self.generation);
        self.token_update().await
    }

    /// The user removes the profile: the device says `CheckOut`, if the profile wants it to, and is on its
    /// own again, whatever the server answers. Offline, it says nothing.
    ///
    /// # Errors
    /// What became of the message; the management is over anyway.
    pub async fn check_out(&mut self) -> Result<(), Failure> {
        let result = if self.accepted.profile.mdm.check_out_when_removed {
            self.check_in(&CheckIn::CheckOut(self.check_out_message())).await
        } else {
            Ok(())
        };
        self.drop_management("the profile was removed");
        result
    }

    /// Enrolls anew, by the link `enroll_url` or else by the old one: another profile, key and certificate.
    /// What it knows of earlier commands stays.
    ///
    /// # Errors
    /// As [`AppleDevice::enroll`].
    pub async fn re_enroll(&mut self, enroll_url: Option<&str>) -> Result<(), EnrollError> {
        if let Some(enroll_url) = enroll_url {
            enroll_url.clone_into(&mut self.options.enroll_url);
        }
        let obtained = obtain(&self.options, Some(&self.credential.key)).await;
        if let Err(EnrollError { cause: Failure::Breach(breach), .. }) = &obtained {
            let _ = self.note::<()>(Err(breach.clone().into()));
        }
        let (accepted, credential) = obtained?;
        self.wire = open(&self.options, &accepted, &credential).map_err(Step::Certificate.failed())?;
        self.generation += 1;
        self.options.model.begin_enrollment(self.generation);
        self.push = address(&self.options, &accepted.profile.mdm.topic, self.generation);
        (self.accepted, self.credential) = (accepted, credential);
        (self.current, self.owed, self.management) = (None, None, Management::Installed);
        (self.declarations, self.bootstrap_token) = (Declarations::default(), None);
        self.authenticate().await.map_err(Step::Authenticate.failed())?;
        self.token_update().await.map_err(Step::TokenUpdate.failed())?;
        self.leave_bootstrap_token().await.map_err(Step::BootstrapToken.failed())
    }

    /// Says `SetBootstrapToken`, if it is a Mac and the server keeps such tokens.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn leave_bootstrap_token(&mut self) -> Result<(), Failure> {
        let is_kept = self.accepted.profile.mdm.capabilities.contains(&ServerCapability::BootstrapToken);
        if !self.options.model.is_mac() || !is_kept {
            return Ok(());
        }
        let token = format!("bootstrap|{}|{}", self.options.model.udid, self.generation).into_bytes();
        self.set_bootstrap_token(Some(token)).await
    }

    /// Says `SetBootstrapToken`; without one, the token of before is taken back.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn set_bootstrap_token(&mut self, token: Option<Vec<u8>>) -> Result<(), Failure> {
        let ids = self.options.model.identifiers();
        let message = SetBootstrapToken { ids, token: token.clone(), awaiting_configuration: None };
        self.check_in(&CheckIn::SetBootstrapToken(message)).await?;
        self.bootstrap_token = token;
        Ok(())
    }

    /// Says `GetBootstrapToken`; answers the token.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); any other token than the one that it left is a breach.
    pub async fn bootstrap_token(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let ids = self.options.model.identifiers();
        let message = GetBootstrapToken { ids, awaiting_configuration: None };
        let answer = self.ask(&CheckIn::GetBootstrapToken(message)).await?;
        let result = match BootstrapToken::parse(&answer.body) {
            Err(why) => Breach::err(format!("the answer to GetBootstrapToken cannot be read: {why}")),
            Ok(BootstrapToken { token }) if token != self.bootstrap_token => {
                Breach::err("the bootstrap token is another one than was left".to_owned())
            }
            Ok(BootstrapToken { token }) => Ok(token),
        };
        self.note(result)
    }

    /// Sends a check-in as the device's own, whatever stands in it; exactly 200 with an empty body is an
    /// answer.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn check_in(&mut self, message: &CheckIn) -> Result<(), Failure> {
        let url = &self.accepted.profile.mdm.check_in_url;
        let request = Request::put(url, content_type::CHECK_IN, message.encode());
        let result = self.deliver_for_nothing(request, message.message_type()).await;
        self.note(result)
    }

    /// Sends a check-in whose answer has a body.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate), but for the body.
    pub async fn ask(&mut self, message: &CheckIn) -> Result<Answer, Failure> {
        let url = &self.accepted.profile.mdm.check_in_url;
        let request = Request::put(url, content_type::CHECK_IN, message.encode());
        let result = self.deliver(request).await;
        self.note(result)
    }

    /// What it says when it authenticates.
    pub fn authenticate_message(&self) -> Authenticate {
        self.options.model.authenticate(&self.push.topic)
    }

    /// What it says of its push address.
    pub fn token_update_message(&self) -> TokenUpdate {
        TokenUpdate {
            topic: self.push.topic.clone(),
            ids: self.options.model.identifiers(),
            token: self.push.token.clone(),
            push_magic: self.push.magic.clone(),
            unlock_token: self.push.unlock_token.clone(),
            awaiting_configuration: None,
            not_on_console: None,
        }
    }

    /// What it says when it leaves.
    pub fn check_out_message(&self) -> CheckOut {
        CheckOut { topic: self.push.topic.clone(), ids: self.options.model.identifiers() }
    }
}
