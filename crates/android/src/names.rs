//! Resource names, such as `enterprises/LC01/devices/3a2b`: parsed, so that one can be put into a URL as it
//! is.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The longest name, in bytes.
const MAX_NAME: usize = 300;

/// Not a name of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name such as {0}")]
pub struct BadName(&'static str);

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $example:literal, [$($collection:literal),+];)+) => {$(
        $(#[$doc])*
        #[doc = concat!("\n\nLooks like `", $example, "`; at most 300 bytes; ids are letters, digits, `-`, `.`, `_`, `~`.")]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Reads a whole name.
            pub fn parse(text: &str) -> Result<Self, BadName> {
                if fits(text, &[$($collection),+]) { Ok(Self(text.to_owned())) } else { Err(BadName($example)) }
            }

            /// The whole name.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Its last segment.
            pub fn id(&self) -> &str {
                self.0.rsplit('/').next().unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

names! {
    /// A customer of Google's, to whom devices and policies belong.
    EnterpriseName = "enterprises/LC01", ["enterprises"];
    /// A managed device; it gets another name when it enrolls again.
    DeviceName = "enterprises/LC01/devices/3a2b", ["enterprises", "devices"];
    /// A policy; its id is chosen by who makes it.
    PolicyName = "enterprises/LC01/policies/default", ["enterprises", "policies"];
    /// An enrollment token; not its secret value.
    EnrollmentTokenName = "enterprises/LC01/enrollmentTokens/4d5e", ["enterprises", "enrollmentTokens"];
    /// A command on its way.
    OperationName = "enterprises/LC01/devices/3a2b/operations/17", ["enterprises", "devices", "operations"];
    /// One invitation to sign up.
    SignupUrlName = "signupUrls/C01", ["signupUrls"];
    /// Where Google publishes notifications.
    TopicName = "projects/example/topics/remuda", ["projects", "topics"];
    /// Where we take them from.
    SubscriptionName = "projects/example/subscriptions/remuda", ["projects", "subscriptions"];
}

impl EnterpriseName {
    /// A device of this enterprise.
    pub fn device(&self, id: &str) -> Result<DeviceName, BadName> {
        DeviceName::parse(&format!("{self}/devices/{id}"))
    }

    /// A policy of this enterprise.
    pub fn policy(&self, id: &str) -> Result<PolicyName, BadName> {
        PolicyName::parse(&format!("{self}/policies/{id}"))
    }
}

impl DeviceName {
    /// Whose device it is.
    pub fn enterprise(&self) -> EnterpriseName {
        EnterpriseName(first_two(&self.0))
    }
}

impl OperationName {
    /// The device that the command is for.
    pub fn device(&self) -> DeviceName {
        let end = self.0.rfind("/operations/").unwrap_or(self.0.len());
        DeviceName(self.0[..end].to_owned())
    }
}

fn first_two(name: &str) -> String {
    let end = name.match_indices('/').nth(1).map_or(name.len(), |(at, _)| at);
    name[..end].to_owned()
}

/// Whether the name is `collection/id`, for each collection in turn.
fn fits(text: &str, collections: &[&str]) -> bool {
    let mut segments = text.split('/');
    text.len() <= MAX_NAME
        && collections.iter().all(|it| segments.next() == Some(it) && segments.next().is_some_and(is_id))
        && segments.next().is_none()
}

/// Nothing that a URL's path would read in another way.
fn is_id(segment: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !segment.is_empty() && segment.bytes().all(unreserved) && segment != "." && segment != ".."
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_knows_its_parts() {
        let operation = OperationName::parse("enterprises/E/devices/D/operations/1").unwrap();
        assert_eq!(operation.id(), "1");
        assert_eq!(operation.device().as_str(), "enterprises/E/devices/D");
        assert_eq!(operation.device().enterprise().as_str(), "enterprises/E");
        assert_eq!(operation.device().enterprise().device("D"), Ok(operation.device()));
    }

    #[test]
    fn a_name_of_another_kind_is_none() {
        for bad in
            ["", "enterprises", "enterprises/", "enterprises/E/", "enterprises/E/devices/D", "devices/E"]
        {
            assert!(EnterpriseName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_url_would_read_in_another_way_is_no_id() {
        for bad in ["..", ".", "a:wipe", "a?x", "a#x", "a%2f", "a b", "ä", "a\n", ""] {
            assert!(EnterpriseName::parse("enterprises/E").unwrap().device(bad).is_err(), "{bad}");
        }
        assert!(PolicyName::parse(&format!("enterprises/E/policies/{}", "p".repeat(300))).is_err());
    }

    proptest! {
        #[test]
        fn a_name_that_is_read_is_written_as_it_was(text in "enterprises/[A-Za-z0-9_.~-]{1,20}/devices/[a-z0-9]{1,20}") {
            if let Ok(name) = DeviceName::parse(&text) {
                prop_assert_eq!(name.as_str(), text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = OperationName::parse(&text).map(|name| name.device().enterprise());
        }
    }
}
