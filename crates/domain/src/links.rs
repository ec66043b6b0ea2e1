//! Enrollment links: what a person opens on a device to bring it under management.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Actor, DeviceId, EnrollmentAnswer, Error, Event, Forbidden, LinkId, Mdm, Result, Role, Subject, Thing,
    Timestamp, UserId, installation::value_context, secrets,
};

/// How long a link may live at most.
pub const LONGEST_LINK: Duration = Duration::from_hours(366 * 24);

/// How long a link lives that a user makes for themselves.
const OWN_LINK: Duration = Duration::from_hours(24);

/// For how long a user's own link has to be good still, so that it is given once more instead of a new one.
const REUSED: Duration = Duration::from_hours(12);

/// How many links and tokens a user makes for themselves in a [`STRETCH`], of whatever platform.
const MOST_OWN: u32 = 20;

/// The stretch of time in which those are counted.
const STRETCH: Duration = Duration::from_hours(24);

/// The most unused links of a user that are looked through.
const LOOKED_THROUGH: u32 = 100;

/// The installation's value from which the tokens of users' own links are made.
const OWN_LINKS: &str = "own-links";

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

    /// Makes a link by which a user enrolls one device of their own, within a day, and gives its URL. One that was not used yet
    /// is given again.
    ///
    /// # Errors
    /// [`Forbidden::NotUser`] for anyone else; [`Error::Conflict`] while the server cannot enroll devices; [`Error::TooOften`]
    /// where the user made many today.
    pub async fn add_own_link(&self, actor: &Actor) -> Result<String> {
        let Subject::User(user) = actor.subject else { return Err(Error::Forbidden(Forbidden::NotUser)) };
        let base = self.settings.enrollment_base()?;
        let key = self.own_link_key().await?;
        let mut tx = self.store.begin(actor.tenant).await?;
        if tx.push_certificate().await?.is_none() {
            return Err(cannot_enroll());
        }
        let soon = self.clock.now().plus(REUSED);
        let known = tx.unused_links(user, soon, LOOKED_THROUGH).await?.into_iter().find_map(|link| {
            let token = own_token(&key, link.id);
            (secrets::hash(&token) == link.token_hash).then_some(token)
        });
        if let Some(token) = known {
            return Ok(format!("{base}/enroll/{token}"));
        }
        let wait = self.own_links_pause();
        if !tx.count_own_link(user, self.own_links_stretch(), MOST_OWN).await? {
            return Err(Error::TooOften(wait));
        }
        let new = NewLink { user: None, device: None, uses: 1, lifetime: OWN_LINK };
        let (mut link, _) = self.new_link(Some(user), &new)?;
        let token = own_token(&key, link.id);
        link.token_hash = secrets::hash(&token);
        tx.add_link(&link).await?;
        tx.record(&Event::link_added(actor, &link, link.created_at)).await?;
        tx.commit().await?;
        Ok(format!("{base}/enroll/{token}"))
    }

    /// Counts a way to enroll that a user makes for themselves.
    ///
    /// # Errors
    /// [`Error::TooOften`] where there were many today.
    pub(crate) async fn count_own_link(&self, actor: &Actor, user: UserId) -> Result<()> {
        let mut tx = self.store.begin(actor.tenant).await?;
        if !tx.count_own_link(user, self.own_links_stretch(), MOST_OWN).await? {
            return Err(Error::TooOften(self.own_links_pause()));
        }
        tx.commit().await
    }

    fn own_links_stretch(&self) -> i64 {
        self.clock.now().0.div_euclid(millis(STRETCH))
    }

    /// What is left of the stretch.
    fn own_links_pause(&self) -> Duration {
        let left = millis(STRETCH) - self.clock.now().0.rem_euclid(millis(STRETCH));
        Duration::from_millis(left.unsigned_abs())
    }

    /// Made when it is first needed.
    async fn own_link_key(&self) -> Result<Vec<u8>> {
        if let Some(key) = self.kept_value(OWN_LINKS).await? {
            return Ok(key);
        }
        let mut key = [0; 32];
        self.random.fill(&mut key);
        let sealed = self.installation.seal(&value_context(OWN_LINKS), &key)?;
        let sealed = self.directory.settle_installation_value(OWN_LINKS, &sealed).await?;
        self.installation.open_sealed(&value_context(OWN_LINKS), &sealed)
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

/// The token of a user's own link: only its hash is kept, and yet the same link can be given again.
fn own_token(key: &[u8], link: LinkId) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, link.0.as_bytes()))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn cannot_enroll() -> Error {
    Error::Conflict("the tenant has no push certificate yet".into())
}
