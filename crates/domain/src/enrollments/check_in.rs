//! The way of every check-in message to its own file, and what a device is answered.

use std::fmt;

use apple::CheckIn;

use super::identity::{Admission, Rejection, admit};
use crate::{CertificateState, Credential, EnrollmentState, Identity, Mdm, Refusal};

/// What a check-in is answered. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum CheckInAnswer {
    /// An empty 200.
    Taken,
    /// A property list.
    PropertyList(Vec<u8>),
    /// A document of declarative management.
    Json(Vec<u8>),
    /// 404: there is no such declaration (any more), and the device drops it.
    NoDeclaration,
    /// 410: this user is not managed.
    UserNotManaged,
}

impl Mdm {
    /// Takes a check-in message. When this returns, what it said is durably stored.
    ///
    /// A message of a type that is not known is refused, logged, and harms nothing.
    pub async fn check_in(
        &self,
        credential: &Credential,
        message: &CheckIn,
    ) -> Result<CheckInAnswer, Rejection> {
        let answer = self.take(credential, message).await;
        self.unless_purged(credential, answer).await
    }

    async fn take(&self, credential: &Credential, message: &CheckIn) -> Result<CheckInAnswer, Rejection> {
        // In boxes: what is said all day does not carry the space of what is said once.
        match message {
            CheckIn::TokenUpdate(message) => taken(self.update_token(credential, message).await),
            CheckIn::Authenticate(message) => taken(Box::pin(self.authenticate(credential, message)).await),
            CheckIn::CheckOut(message) => taken(Box::pin(self.check_out(credential, message)).await),
            CheckIn::SetBootstrapToken(message) => {
                taken(Box::pin(self.keep_bootstrap_token(credential, message)).await)
            }
            CheckIn::GetBootstrapToken(message) => {
                Box::pin(self.give_bootstrap_token(credential, message)).await
            }
            CheckIn::UserAuthenticate(message) => Box::pin(self.authenticate_user(credential, message)).await,
            CheckIn::GetToken(message) => Box::pin(self.service_token(credential, message)).await,
            CheckIn::DeclarativeManagement(message) => Box::pin(self.declarations(credential, message)).await,
            CheckIn::ReturnToService(message) => Box::pin(self.return_to_service(credential, message)).await,
            CheckIn::Unsupported { message_type, .. } => {
                Err(malformed(format!("the message type {message_type} is not known here")))
            }
        }
    }

    /// The enrollment of a device that has said its first `TokenUpdate`, be it in quarantine; pinned to this certificate
    /// from now on.
    pub(crate) async fn enrolled(
        &self,
        credential: &Credential,
        ids: &apple::Identifiers,
    ) -> Result<Identity, Rejection> {
        if self.judge(credential).await?.expired {
            return Err(Refusal::Expired.into());
        }
        let identity = match self.directory.identity(&credential.fingerprint()).await? {
            Some(identity) => identity,
            None => return Err(self.unknown(credential).await),
        };
        let admission = admit(&identity, ids.device_key())?;
        if identity.enrollment_state == EnrollmentState::Pending {
            return Err(Refusal::NotEnrolled.into());
        }
        let is_new = identity.certificate_state != CertificateState::Pinned;
        if is_new && matches!(admission, Admission::Pin) {
            self.pin_now(credential, &identity).await?;
        }
        Ok(identity)
    }

    /// The same for what a device in quarantine has no part in.
    pub(crate) async fn managed(
        &self,
        credential: &Credential,
        ids: &apple::Identifiers,
    ) -> Result<Identity, Rejection> {
        let identity = self.enrolled(credential, ids).await?;
        match identity.enrollment_state {
            EnrollmentState::Active => Ok(identity),
            _ => Err(Refusal::NotEnrolled.into()),
        }
    }

    /// A directory user logs in to a Mac: managed or not by a setting, for all alike. Nobody has to prove anything, since
    /// we know no password of a directory.
    async fn authenticate_user(
        &self,
        credential: &Credential,
        message: &apple::checkin::UserAuthenticate,
    ) -> Result<CheckInAnswer, Rejection> {
        self.managed(credential, &message.ids).await?;
        // An answer to a challenge that we never made proves nothing.
        if !self.settings.manage_directory_users || message.digest_response.is_some() {
            return Ok(CheckInAnswer::UserNotManaged);
        }
        Ok(CheckInAnswer::PropertyList(apple::checkin::DigestChallenge::default().encode()))
    }

    /// A device asks whether it may erase itself for its next user: never, since a yes cannot be taken back
    /// (`protocol-subtleties` 54).
    async fn return_to_service(
        &self,
        credential: &Credential,
        message: &apple::checkin::ReturnToService,
    ) -> Result<CheckInAnswer, Rejection> {
        of_the_device(&message.ids)?;
        let identity = self.managed(credential, &message.ids).await?;
        tracing::warn!(device = %identity.device, "a device asks to be erased for its next user, and may not");
        Ok(CheckInAnswer::PropertyList(apple::checkin::ReturnToServiceAnswer { enabled: false }.encode()))
    }
}

/// Refuses a user where only the device itself can speak.
pub(super) fn of_the_device(ids: &apple::Identifiers) -> Result<(), Rejection> {
    match ids.channel() {
        apple::Channel::Device => Ok(()),
        apple::Channel::User { .. } => Err(malformed("this message comes from the device, not from a user")),
    }
}

/// What cannot be answered, in words for the log.
pub(crate) fn malformed(why: impl Into<String>) -> Rejection {
    Refusal::Malformed(why.into()).into()
}

fn taken(done: Result<(), Rejection>) -> Result<CheckInAnswer, Rejection> {
    done.map(|()| CheckInAnswer::Taken)
}

impl fmt::Debug for CheckInAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("Taken"),
            Self::PropertyList(bytes) => write!(f, "PropertyList({} bytes)", bytes.len()),
            Self::Json(bytes) => write!(f, "Json({} bytes)", bytes.len()),
            Self::NoDeclaration => f.write_str("NoDeclaration"),
            Self::UserNotManaged => f.write_str("UserNotManaged"),
        }
    }
}
