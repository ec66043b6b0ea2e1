//! Who is asking.

use serde::{Deserialize, Serialize};

use crate::{AdminId, ApplicationId, Error, Forbidden, Result, TenantId, UserId};

/// What an administrator may do in one tenant; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Acts on devices.
    Operator,
    /// Manages users, keys, certificates and links.
    Owner,
}

impl Role {
    /// Its name, as stored and as typed on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Owner].into_iter().find(|role| role.name() == name)
    }
}

/// Who someone is, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An administrator, by API key or access token.
    Admin(AdminId),
    /// A person whose devices are managed, by access token.
    User(UserId),
    /// A program, by its application id.
    Application(ApplicationId),
    /// Someone at the machine itself, by the command line.
    Local,
    /// The server, by itself.
    System,
}

impl Subject {
    /// As the audit log writes it: a kind and an id, never a name.
    pub fn audit_name(&self) -> String {
        match self {
            Self::Admin(id) => format!("admin:{id}"),
            Self::User(id) => format!("user:{id}"),
            Self::Application(id) => format!("application:{id}"),
            Self::Local => "local".into(),
            Self::System => "system".into(),
        }
    }
}

/// The caller of an operation, already authenticated, in one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Whose devices they see.
    pub tenant: TenantId,
    /// Who they are.
    pub subject: Subject,
    /// The most that they may do.
    pub role: Role,
}

impl Actor {
    /// Whoever can open the database can do everything.
    pub fn local(tenant: TenantId) -> Self {
        Self { tenant, subject: Subject::Local, role: Role::Owner }
    }

    /// A user: everything with their own devices, and nothing else.
    pub(crate) fn user(tenant: TenantId, user: UserId) -> Self {
        Self { tenant, subject: Subject::User(user), role: Role::Operator }
    }

    /// Refuses whoever has a smaller role, and users whatever theirs: what they may do asks [`Self::on_devices`].
    pub(crate) fn require(&self, needed: Role) -> Result<()> {
        match self.on_devices(needed)? {
            None => Ok(()),
            Some(_) => Err(Error::Forbidden(Forbidden::User)),
        }
    }

    /// The same for what users may do too, with their own devices: whose devices those are, or `None` for all of the
    /// tenant's.
    pub(crate) fn on_devices(&self, needed: Role) -> Result<Option<UserId>> {
        if self.role < needed {
            return Err(Error::Forbidden(Forbidden::Role(needed.name())));
        }
        match self.subject {
            Subject::User(user) => Ok(Some(user)),
            Subject::Admin(_) | Subject::Application(_) | Subject::Local | Subject::System => Ok(None),
        }
    }

    /// Whether this actor sees a device of `owner`: in a transaction that has it already.
    pub(crate) fn sees_device_of(&self, owner: Option<UserId>) -> bool {
        match self.subject {
            Subject::User(user) => owner == Some(user),
            Subject::Admin(_) | Subject::Application(_) | Subject::Local | Subject::System => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId(Uuid::nil());
    const USER: UserId = UserId(Uuid::from_u128(1));

    #[test]
    fn a_role_includes_those_before_it() {
        for (role, may) in [
            (Role::Viewer, [true, false, false]),
            (Role::Operator, [true, true, false]),
            (Role::Owner, [true; 3]),
        ] {
            let actor = Actor { tenant: TENANT, subject: Subject::Admin(AdminId(Uuid::nil())), role };
            let asked = [Role::Viewer, Role::Operator, Role::Owner];
            assert_eq!(asked.map(|needed| actor.require(needed).is_ok()), may, "{role:?}");
        }
    }

    #[test]
    fn a_user_may_do_nothing_but_act_on_their_own_devices() {
        let actor = Actor::user(TENANT, USER);
        assert!(matches!(actor.require(Role::Viewer), Err(Error::Forbidden(Forbidden::User))));
        assert_eq!(actor.on_devices(Role::Operator).unwrap(), Some(USER));
        assert!(actor.on_devices(Role::Owner).is_err());
        assert!(actor.sees_device_of(Some(USER)));
        assert!(!actor.sees_device_of(Some(UserId(Uuid::nil()))) && !actor.sees_device_of(None));
    }
}
