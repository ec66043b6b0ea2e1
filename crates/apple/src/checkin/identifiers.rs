//! Who speaks: the device, or a user on it, by the keys that every message of a device carries.

use plist::Dictionary;

use crate::fields::{Fields, Malformed, put};

/// The `UserID` of every user of a Shared iPad; there the `UserShortName` tells them apart.
const SHARED_IPAD_USER: &str = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF";
const MAX_ID: usize = 128;
const MAX_NAME: usize = 256;

/// The identifying keys of a message. After a parse there is a device key, and its texts hold only ASCII
/// letters, digits, `-`, `.` and `_` (names of users aside). A UDID is a claim, not a proof: the certificate
/// proves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Identifiers {
    /// `UDID`: absent under User Enrollment.
    pub udid: Option<String>,
    /// `EnrollmentID`: stands for the device under User Enrollment, and is new with every enrollment.
    pub enrollment_id: Option<String>,
    /// `EnrollmentUserID`: the user of a Mac under User Enrollment.
    pub enrollment_user_id: Option<String>,
    /// `UserID`: a user of a Mac, unique on that Mac only; on a Shared iPad the same for all.
    pub user_id: Option<String>,
    /// `UserShortName`: the login name; on a Shared iPad the Managed Apple Account.
    pub user_short_name: Option<String>,
    /// `UserLongName`: the full name.
    pub user_long_name: Option<String>,
}

/// Which of an enrollment's channels speaks. Each has its own push token and its own queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The device itself.
    Device,
    /// One user of it.
    User {
        /// Tells the users of one device apart; other devices may have the same.
        key: String,
    },
}

impl Identifiers {
    /// The `UDID`, or under User Enrollment the `EnrollmentID`. Empty only for a value made by hand with
    /// neither.
    pub fn device_key(&self) -> &str {
        self.udid.as_deref().or(self.enrollment_id.as_deref()).unwrap_or_default()
    }

    /// Whether the device hides its UDID, as it does under User Enrollment.
    pub fn is_user_enrollment(&self) -> bool {
        self.udid.is_none()
    }

    /// Which channel speaks: the user's if there is an `EnrollmentUserID` or a `UserID`, the latter replaced
    /// on a Shared iPad by the `UserShortName`.
    pub fn channel(&self) -> Channel {
        let user = match (&self.enrollment_user_id, &self.user_id) {
            (Some(user), _) => Some(user),
            (None, Some(user)) if is_shared_ipad_user(user) => self.user_short_name.as_ref().or(Some(user)),
            (None, user) => user.as_ref(),
        };
        user.map_or(Channel::Device, |key| Channel::User { key: key.clone() })
    }

    pub(crate) fn read(fields: Fields<'_>) -> Result<Identifiers, Malformed> {
        let ids = Identifiers {
            udid: id(fields, "UDID")?,
            enrollment_id: id(fields, "EnrollmentID")?,
            enrollment_user_id: id(fields, "EnrollmentUserID")?,
            user_id: id(fields, "UserID")?,
            user_short_name: fields.text("UserShortName", MAX_NAME)?,
            user_long_name: fields.text("UserLongName", MAX_NAME)?,
        };
        if ids.device_key().is_empty() {
            return Err(Malformed::Missing { key: "UDID" });
        }
        let shared_ipad = ids.user_id.as_deref().is_some_and(is_shared_ipad_user);
        if shared_ipad && ids.user_short_name.is_none() {
            return Err(Malformed::Missing { key: "UserShortName" });
        }
        Ok(ids)
    }

    pub(crate) fn write(&self, dictionary: &mut Dictionary) {
        put(dictionary, "UDID", self.udid.clone());
        put(dictionary, "EnrollmentID", self.enrollment_id.clone());
        put(dictionary, "EnrollmentUserID", self.enrollment_user_id.clone());
        put(dictionary, "UserID", self.user_id.clone());
        put(dictionary, "UserShortName", self.user_short_name.clone());
        put(dictionary, "UserLongName", self.user_long_name.clone());
    }
}

fn is_shared_ipad_user(user_id: &str) -> bool {
    user_id.eq_ignore_ascii_case(SHARED_IPAD_USER)
}

fn id(fields: Fields<'_>, key: &'static str) -> Result<Option<String>, Malformed> {
    let id = fields.text(key, MAX_ID)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if id.as_ref().is_some_and(|id| !id.chars().all(plain)) {
        return Err(Malformed::Invalid { key, rule: "has characters that no identifier has" });
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plist::Value;

    fn read(pairs: &[(&str, &str)]) -> Result<Identifiers, Malformed> {
        Identifiers::read(Fields(&pairs.iter().map(|(key, value)| (*key, Value::from(*value))).collect()))
    }

    fn user(key: &str) -> Channel {
        Channel::User { key: key.into() }
    }

    #[test]
    fn a_device_is_keyed_by_its_udid() {
        let ids = read(&[("UDID", "00008140-000A")]).unwrap();
        assert_eq!((ids.device_key(), ids.channel()), ("00008140-000A", Channel::Device));
        assert!(!ids.is_user_enrollment());
    }

    #[test]
    fn user_enrollment_is_keyed_by_its_enrollment_id() {
        let ids = read(&[("EnrollmentID", "A1B2")]).unwrap();
        assert_eq!((ids.device_key(), ids.channel()), ("A1B2", Channel::Device));
        assert!(ids.is_user_enrollment());
    }

    #[test]
    fn a_user_of_a_mac_is_keyed_by_the_user_id() {
        let ids = read(&[
            ("UDID", "M"),
            ("UserID", "8E3F-11"),
            ("UserShortName", "ann"),
            ("UserLongName", "Ann Lee"),
        ]);
        assert_eq!(ids.unwrap().channel(), user("8E3F-11"));
    }

    #[test]
    fn a_user_of_a_mac_under_user_enrollment_is_keyed_by_the_enrollment_user_id() {
        let ids = read(&[("EnrollmentID", "E"), ("EnrollmentUserID", "EU"), ("UserID", "U")]).unwrap();
        assert_eq!((ids.device_key(), ids.channel()), ("E", user("EU")));
    }

    #[test]
    fn a_user_of_a_shared_ipad_is_keyed_by_the_short_name() {
        let ids =
            read(&[("UDID", "P"), ("UserID", SHARED_IPAD_USER), ("UserShortName", "ann@school.example")]);
        assert_eq!(ids.unwrap().channel(), user("ann@school.example"));
    }

    #[test]
    fn a_user_of_a_shared_ipad_without_a_short_name_is_nobody() {
        let nameless = read(&[("UDID", "P"), ("UserID", SHARED_IPAD_USER)]);
        assert_eq!(nameless, Err(Malformed::Missing { key: "UserShortName" }));
    }

    #[test]
    fn a_short_name_alone_is_no_user_channel() {
        assert_eq!(read(&[("UDID", "P"), ("UserShortName", "ann")]).unwrap().channel(), Channel::Device);
    }

    #[test]
    fn odd_or_long_identifiers_are_refused() {
        for odd in ["a b", "a/b", "a:b", "ü", "a\nb", "'; --"] {
            assert!(matches!(read(&[("UDID", odd)]), Err(Malformed::Invalid { key: "UDID", .. })), "{odd}");
        }
        assert!(read(&[("UDID", &"a".repeat(128))]).is_ok());
        assert!(read(&[("UDID", &"a".repeat(129))]).is_err());
        assert_eq!(read(&[("UDID", "")]), Err(Malformed::Missing { key: "UDID" }));
    }
}
