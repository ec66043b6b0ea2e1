//! `user/…`: logging in, and who the users are.

pub(super) mod changepassword;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod info;
pub(super) mod list;
pub(super) mod login;
pub(super) mod mdmprofile;
pub(super) mod renewtoken;

use domain::UserId;

use super::{
    error::{ErrorCode, Failure},
    fields::Scalar,
};
use crate::identifiers;

/// The user that a field names; an id that nobody can have names a user that is not there.
fn sid(field: Scalar) -> Result<Option<UserId>, Failure> {
    let given = field.text("sid")?.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let unknown = || Failure::new(ErrorCode::UserNotFound);
    given.map(|id| identifiers::uuid(&id).map(UserId).ok_or_else(unknown)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_a_uuid() {
        let text = |text: &str| Scalar::Text(text.into());
        let id = "465874fd-28a6-4f0d-bc53-43df50552fe2";
        assert_eq!(sid(text(&format!(" {} ", id.to_uppercase()))).unwrap().unwrap().to_string(), id);
        assert_eq!(sid(Scalar::Absent).unwrap(), None);
        assert_eq!(sid(text(" ")).unwrap(), None);
        assert_eq!(sid(text("nobody")).unwrap_err().code, ErrorCode::UserNotFound);
        assert_eq!(sid(Scalar::Whole(7)).unwrap_err().code, ErrorCode::InvalidField);
    }
}
