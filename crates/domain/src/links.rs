//! Enrollment links: what a person opens on a device to bring it under management.

use std::time::Duration;

use crate::{
    Actor, DeviceId, EnrollmentAnswer, Error, Event, Forbidden, LinkId, Mdm, Result, Role, Subject, Thing,
    Timestamp, UserId, secrets,
};

/// How long a link may live at most.
pub const LONGEST_LINK: Duration = Duration::from_hours(366 * 24);

/// How long a link lives that a user makes for themselves.
const OWN_LINK: Duration = Duration::from_hours(24);

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// SHA-256 of the token in its URL.
    pub token_hash: [u8; 32],
    /// Whose devices it enrolls.
    pub user: Option<UserId>,
    /// The one device whose record an enrollment by it may take over.
    pub device: Option<DeviceId>,
    /// How many certificates it may lead to.
    pub max_uses: u32,
    /// How many it led to.
    pub used: u32,
    /// Until when.
    pub expires_at: Timestamp,
    /// Since when.
    pub created_at: Timestamp,
}

/// What a new link is to allow.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The e-mail address of the user whose devices it enrolls.
    pub user: Option<String>,
    /// The one device that is to enroll again.
    pub device: Option<DeviceId>,
    /// How many devices may use it, at least 1.
    pub uses: u32,
    /// How long it lives, at most [`LONGEST_LINK`].
    pub lifetime: Duration,
}

impl Mdm {
    /// Makes a link and gives its URL, which is told once, here.
    ///
    /// # Errors
    /// [`Error::Conflict`] until the server has a `--device-url` that devices can reach for ever.
    pub async fn add_link(&self, actor: &Actor, new: &NewLink) -> Result<String> {
        actor.require(Role::Owner)?;
        if new.uses == 0 || new.lifetime.is_zero() || new.lifetime > LONGEST_LINK {
            return Err(Error::invalid("link", "at least one use, and a lifetime of at most 366 days"));
        }
        let mut tx = self.store.begin(actor.tenant).await?;
        let user = match &new.user {
            Some(email) => {
                let found = tx.user_by_email(&email.trim().to_lowercase()).await?;
                Some(found.ok_or(Error::NotFound(Thing::User))?.id)
            }
            None => None,
        };
        if let Some(device) = new.device {
            tx.device_for_update(device).await?.ok_or(Error::NotFound(Thing::Device))?;
        }
        let (link, url) = self.new_link(user, new)?;
        tx.add_link(&link).await?;
        tx.record(&Event::link_added(actor, &link, link.created_at)).await?;
        tx.commit().await?;
        Ok(url)
    }

    /// Makes a link by which a user enrolls one device of their own, within a day, and gives its URL.
    ///
    /// # Errors
    /// [`Forbidden::NotUser`] for anyone else; [`Error::Conflict`] while the server cannot enroll devices.
    pub async fn add_own_link(&self, actor: &Actor) -> Result<String> {
        let Subject::User(user) = actor.subject else { return Err(Error::Forbidden(Forbidden::NotUser)) };
        let new = NewLink { user: None, device: None, uses: 1, lifetime: OWN_LINK };
        let (link, url) = self.new_link(Some(user), &new)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        if tx.push_certificate().await?.is_none() {
            return Err(cannot_enroll());
        }
        tx.add_link(&link).await?;
        tx.record(&Event::link_added(actor, &link, link.created_at)).await?;
        tx.commit().await?;
        Ok(url)
    }

    /// The signed enrollment profile that such a link answers.
    ///
    /// # Errors
    /// As for the link.
    pub async fn own_profile(&self, actor: &Actor) -> Result<Vec<u8>> {
        let url = self.add_own_link(actor).await?;
        let token = url.rsplit('/').next().unwrap_or_default();
        match self.enrollment_profile(token, true).await? {
            EnrollmentAnswer::Profile(profile) => Ok(profile),
            EnrollmentAnswer::None(_) => Err(cannot_enroll()),
        }
    }

    fn new_link(&self, user: Option<UserId>, new: &NewLink) -> Result<(Link, String)> {
        let base = self.settings.enrollment_base()?;
        let token = secrets::token(&*self.random);
        let created_at = self.clock.now();
        let link = Link {
            id: LinkId(self.random.id()),
            token_hash: secrets::hash(&token),
            user,
            device: new.device,
            max_uses: new.uses,
            used: 0,
            expires_at: created_at.plus(new.lifetime),
            created_at,
        };
        Ok((link, format!("{base}/enroll/{token}")))
    }
}

fn cannot_enroll() -> Error {
    Error::Conflict("the tenant has no push certificate yet".into())
}
