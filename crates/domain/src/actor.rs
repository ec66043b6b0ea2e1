//! Who is asking.

use serde::{Deserialize, Serialize};

use crate::{AdminId, ApplicationId, Error, Forbidden, Result, TenantId};

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
    /// An administrator, by API key.
    Admin(AdminId),
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

    pub(crate) fn require(&self, needed: Role) -> Result<()> {
        if self.role >= needed { Ok(()) } else { Err(Error::Forbidden(Forbidden::Role(needed.name()))) }
    }
}
