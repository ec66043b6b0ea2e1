//! Newtypes for every id, so that no bare UUID crosses a crate border.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A customer of this server: `mtcid` of the Device API, `customer_id` of the lifecycle API.
    TenantId;
    /// A device's record, for ever: `clientid` of the Device API (32 hex digits), the GUID of the lifecycle API.
    DeviceId;
    /// One enrollment of a device: from the certificate that was issued for it until it is over.
    EnrollmentId;
    /// A command; also the `CommandUUID` that an Apple device echoes. Version 7: later ones sort behind.
    CommandId;
    /// An enrollment link.
    LinkId;
    /// A person whose devices are managed.
    UserId;
    /// A person who administers tenants.
    AdminId;
    /// An API key of an administrator.
    ApiKeyId;
    /// A program that may use the lifecycle API.
    ApplicationId;
    /// A purge job.
    PurgeId;
    /// A secret in escrow.
    EscrowId;
    /// A group.
    GroupId;
}

impl DeviceId {
    /// As the Device API writes it: 32 lower-case hex digits.
    pub fn client_id(&self) -> String {
        self.0.simple().to_string()
    }
}
