//! Enrollment tokens: how Android devices come in.

use std::time::Duration;

use ::android::{
    EnrollmentTokenRequest, Method, TokenData,
    enrollment::{Channel, Provisioning, enrollment_link},
};
use serde_json::json;

use super::{
    place::not_set_up,
    setup::{POLICY, refused},
};
use crate::{
    Actor, AndroidChannel, Error, Event, Forbidden, LONGEST_LINK, Mdm, Result, Role, Subject, Thing,
    Timestamp, UserId,
};

/// How long a user's own link is good.
const OWN_LINK: Duration = Duration::from_hours(24);

/// The most that a QR code holds, in bytes.
const LONGEST_QR_TEXT: usize = 2953;

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct NewAndroidEnrollment {
    /// What it makes of the device.
    pub method: Method,
    /// The service that hands it to new devices; `None` is a person, by QR code or link.
    pub channel: Option<AndroidChannel>,
    /// E-mail address of the user whose devices it enrolls.
    pub user: Option<String>,
    /// Whether many devices may use it, or one.
    pub many: bool,
    /// How long it lives, a minute to [`LONGEST_LINK`].
    pub lifetime: Duration,
}

/// A token, as it is shown once. Whoever has it can enroll a device.
#[derive(Clone, PartialEq, Eq)]
pub struct AndroidEnrollment {
    /// Opened on a personal device, it makes a work profile; of the other methods it is `None`.
    pub link: Option<String>,
    /// The text of a QR code for a new device, and the DPC extras of zero-touch and Knox.
    pub qr_text: String,
    /// What is entered after `afw#setup`.
    pub token: String,
    /// Until when it can be used.
    pub expires_at: Option<Timestamp>,
}

impl Mdm {
    /// Makes a token by which Android devices enroll.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a user, [`Error::Conflict`] without an enterprise or where Google refuses,
    /// [`Error::Unavailable`] where it is away.
    pub async fn add_android_enrollment(
        &self,
        actor: &Actor,
        new: &NewAndroidEnrollment,
    ) -> Result<AndroidEnrollment> {
        actor.require(Role::Operator)?;
        let user = self.user_named(actor, new.user.as_deref()).await?;
        self.new_android_token(actor, new, user).await
    }

    /// The link by which a user makes a work profile on one device of their own, within a day.
    ///
    /// # Errors
    /// [`Forbidden::NotUser`] for anyone else; [`Error::TooOften`] where the user made many today; then as for
    /// [`Mdm::add_android_enrollment`].
    pub async fn own_android_link(&self, actor: &Actor) -> Result<String> {
        let Subject::User(user) = actor.subject else { return Err(Error::Forbidden(Forbidden::NotUser)) };
        let new = NewAndroidEnrollment {
            method: Method::WorkProfile,
            channel: None,
            user: None,
            many: false,
            lifetime: OWN_LINK,
        };
        if self.place(actor.tenant).await?.is_none() {
            return Err(not_set_up());
        }
        self.count_own_link(actor, user).await?;
        let made = self.new_android_token(actor, &new, Some(user)).await?;
        made.link.ok_or_else(|| Error::internal("a token for work profiles without a link"))
    }

    async fn new_android_token(
        &self,
        actor: &Actor,
        new: &NewAndroidEnrollment,
        user: Option<UserId>,
    ) -> Result<AndroidEnrollment> {
        let longest = LONGEST_LINK;
        if new.lifetime < EnrollmentTokenRequest::SHORTEST || new.lifetime > longest {
            return Err(Error::invalid("ttl", format!("a minute to {} days", longest.as_secs() / 86_400)));
        }
        let place = self.place(actor.tenant).await?.ok_or_else(not_set_up)?;
        let enterprise = place.name()?;
        let data = token_data(new.channel, user)?;
        let policy = enterprise.policy(POLICY).map_err(Error::internal)?;
        let request = EnrollmentTokenRequest::new(policy, new.method, new.lifetime).with_data(data);
        let request = if new.many { request.for_many() } else { request };
        let call = self.google.create_enrollment_token(&place.account, &enterprise, &request);
        let made = self.query(&place, call).await?.map_err(refused)?;
        let token = made.value.ok_or_else(|| Error::internal("Google made a token without its value"))?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let details = json!({ "token": made.name.as_str(), "many": new.many });
        tx.record(&Event::by(actor, "android.token_added", None, details, self.clock.now())).await?;
        tx.commit().await?;
        Ok(AndroidEnrollment {
            link: (new.method == Method::WorkProfile).then(|| enrollment_link(&token)),
            qr_text: qr_text(made.qr_code, &token),
            expires_at: made.expiration_timestamp.map(Into::into),
            token,
        })
    }

    async fn user_named(&self, actor: &Actor, email: Option<&str>) -> Result<Option<UserId>> {
        let Some(email) = email else { return Ok(None) };
        let user = self.store.read(actor.tenant).await?.user_by_email(email).await?;
        user.map(|user| Some(user.id)).ok_or(Error::NotFound(Thing::User))
    }
}

/// Google's own text where it tells one that fits into a code.
fn qr_text(told: Option<String>, token: &str) -> String {
    told.filter(|text| !text.is_empty() && text.len() <= LONGEST_QR_TEXT)
        .unwrap_or_else(|| Provisioning::default().qr_text(token))
}

/// What the device will bring back: the service by which it came, and for whom.
fn token_data(channel: Option<AndroidChannel>, user: Option<UserId>) -> Result<TokenData> {
    let data = TokenData::new(match channel {
        Some(AndroidChannel::ZeroTouch) => Channel::ZeroTouch,
        Some(AndroidChannel::Knox) => Channel::Knox,
        None => Channel::Direct,
    });
    match user {
        Some(user) => data.with_reference(user.to_string()).map_err(Error::internal),
        None => Ok(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_own_text_is_shown_unless_no_code_could_hold_it() {
        assert_eq!(qr_text(Some("{}".into()), "T"), "{}");
        for told in [None, Some(String::new()), Some("a".repeat(LONGEST_QR_TEXT + 1))] {
            assert!(qr_text(told, "T").contains(r#"EXTRA_ENROLLMENT_TOKEN":"T""#));
        }
    }
}
