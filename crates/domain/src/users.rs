//! Users: the people whose devices are managed.

use serde_json::json;

use crate::{
    Account, AccountId, Actor, DeviceFilter, Error, Event, Mdm, PAGE_LIMIT, Page, Result, Role, Subject,
    Thing, Timestamp, UserId, accounts::checked_password, admins::checked_email, ports::Tx, secrets,
};

mod change;

pub use change::UserChange;

/// The longest name or number of a person, bytes.
const LONGEST_FIELD: usize = 200;

/// A person whose devices are managed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id: `usersid` of the Device API.
    pub id: UserId,
    /// Their e-mail address, unique in the installation whatever its case.
    pub email: String,
    /// More about them.
    pub person: Person,
    /// Their password, hashed (PHC string); without one nobody can log in as them.
    pub password_hash: Option<String>,
    /// Whether they may log in.
    pub enabled: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// What is known of a person; each field at most 200 bytes, and never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Telephone number, as a person writes it.
    pub phone: Option<String>,
    /// Their Managed Apple Account.
    pub managed_apple_id: Option<String>,
}

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their e-mail address.
    pub email: String,
    /// More about them.
    pub person: Person,
    /// Their password, at least 8 characters and at most 1024 bytes; without one they cannot log in until they have one.
    pub password: Option<String>,
}

/// A stretch of the users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPage {
    /// Those of this page, by id.
    pub users: Vec<User>,
    /// How many there are in all.
    pub total: u64,
}

impl Mdm {
    /// Adds a user with a password that is made up and told this once, here.
    pub async fn add_user(&self, actor: &Actor, email: &str) -> Result<(UserId, String)> {
        let password = secrets::password(&*self.random);
        let new =
            NewUser { email: email.into(), person: Person::default(), password: Some(password.clone()) };
        Ok((self.create_user(actor, &new).await?, password))
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an e-mail address that anyone in the installation has; [`Error::Invalid`], naming the
    /// Device API's field.
    pub async fn create_user(&self, actor: &Actor, new: &NewUser) -> Result<UserId> {
        actor.require(Role::Owner)?;
        let (email, person) = (checked_email(&new.email)?, new.person.checked()?);
        let password_hash = match &new.password {
            None => None,
            Some(password) => {
                checked_password("password", password)?;
                Some(self.hashing.hash(password).await?)
            }
        };
        let created_at = self.clock.now();
        let user =
            User { id: UserId(self.random.id()), email, person, password_hash, enabled: true, created_at };
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.add_user(&user).await?;
        tx.record(&Event::by(actor, "user.added", None, json!({ "user": user.id }), created_at)).await?;
        tx.commit().await?;
        Ok(user.id)
    }

    /// An account: a user's by id, or with `None` the caller's own. A user sees no other than theirs, and an administrator
    /// of others only users.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a caller without an account, such as the command line, names none.
    pub async fn account(&self, actor: &Actor, id: Option<UserId>) -> Result<Account> {
        let wanted = match (&actor.subject, id) {
            (Subject::User(own), None) => AccountId::User(*own),
            (Subject::User(own), Some(id)) if id == *own => AccountId::User(id),
            (Subject::User(_), Some(_)) => return Err(Error::NotFound(Thing::User)),
            (Subject::Admin(own), None) => AccountId::Admin(*own),
            (Subject::Admin(own), Some(id)) if id.0 == own.0 => AccountId::Admin(*own),
            (_, Some(id)) => AccountId::User(id),
            (_, None) => return Err(Error::invalid("sid", "needed")),
        };
        match wanted {
            AccountId::User(id) => {
                actor.on_devices(Role::Viewer)?;
                let user = self.store.read(actor.tenant).await?.user(id).await?;
                user.map(Account::from).ok_or(Error::NotFound(Thing::User))
            }
            AccountId::Admin(id) => {
                let admin = self.directory.admin_by_id(id).await?;
                admin.map(Account::from).ok_or(Error::NotFound(Thing::Admin))
            }
        }
    }

    /// One stretch of the users, by id; `page.limit` beyond [`PAGE_LIMIT`] is cut.
    pub async fn users(&self, actor: &Actor, page: Page<UserId>) -> Result<Vec<User>> {
        actor.require(Role::Viewer)?;
        self.store.read(actor.tenant).await?.users(page).await
    }

    /// The same, with the number of all, counted at the same moment.
    pub async fn user_page(&self, actor: &Actor, page: Page<UserId>) -> Result<UserPage> {
        actor.require(Role::Viewer)?;
        let mut tx = self.store.read(actor.tenant).await?;
        Ok(UserPage { users: tx.users(page).await?, total: tx.count_users().await? })
    }

    /// Removes a user, with their access tokens and the links that were made for them. Their devices stay under management
    /// and are nobody's from then on; the audit log of each keeps whose it was.
    pub async fn delete_user(&self, actor: &Actor, id: UserId) -> Result<()> {
        actor.require(Role::Owner)?;
        let now = self.clock.now();
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.user_for_update(id).await?.ok_or(Error::NotFound(Thing::User))?;
        self.note_loss(&mut *tx, actor, id).await?;
        tx.remove_user(id).await?;
        tx.record(&Event::by(actor, "user.deleted", None, json!({ "user": id }), now)).await?;
        tx.commit().await
    }

    /// One event for each device of a user who goes.
    async fn note_loss(&self, tx: &mut dyn Tx, actor: &Actor, user: UserId) -> Result<()> {
        let filter = DeviceFilter { owner: Some(user), ..DeviceFilter::default() };
        let mut page = Page { after: None, skip: 0, limit: PAGE_LIMIT };
        loop {
            let devices = tx.devices(&filter, page).await?;
            for device in &devices {
                let details = json!({ "user": user });
                let event =
                    Event::by(actor, "device.user_removed", Some(device.id), details, self.clock.now());
                tx.record(&event).await?;
            }
            let Some(last) = devices.last().filter(|_| devices.len() >= PAGE_LIMIT as usize) else {
                return Ok(());
            };
            page.after = Some(last.id);
        }
    }
}

impl Person {
    /// First and last name, as far as they are known.
    pub fn name(&self) -> Option<String> {
        match (&self.first_name, &self.last_name) {
            (Some(first), Some(last)) => Some(format!("{first} {last}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        }
    }

    /// The same with every field trimmed, and empty ones gone.
    pub(crate) fn checked(&self) -> Result<Self> {
        Ok(Self {
            first_name: checked("firstname", self.first_name.as_deref())?,
            last_name: checked("lastname", self.last_name.as_deref())?,
            phone: checked("phone", self.phone.as_deref())?,
            managed_apple_id: checked("managedappleid", self.managed_apple_id.as_deref())?,
        })
    }
}

fn checked(field: &'static str, text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.len() > LONGEST_FIELD || text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "at most 200 bytes without control characters"));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(first: Option<&str>, last: Option<&str>) -> Person {
        let text = |text: &str| text.to_owned();
        Person { first_name: first.map(text), last_name: last.map(text), ..Person::default() }
    }

    #[test]
    fn a_person_has_the_names_that_are_known() {
        assert_eq!(person(Some("Ada"), Some("Lovelace")).name().as_deref(), Some("Ada Lovelace"));
        assert_eq!(person(Some("Ada"), None).name().as_deref(), Some("Ada"));
        assert_eq!(person(None, Some("Lovelace")).name().as_deref(), Some("Lovelace"));
        assert_eq!(person(None, None).name(), None);
    }

    #[test]
    fn fields_are_trimmed_and_bounded() {
        assert_eq!(person(Some(" Ada "), Some(" ")).checked().unwrap(), person(Some("Ada"), None));
        for wrong in ["a\u{0}b", &"x".repeat(201)] {
            assert!(person(Some(wrong), None).checked().is_err(), "{wrong}");
        }
    }
}
