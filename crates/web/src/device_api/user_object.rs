//! A user, as this API shows one.

use domain::{Account, AccountId, User};
use serde::Serialize;
use utoipa::ToSchema;

/// A user; of an administrator only the address and the id are known.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct UserObject {
    /// First and last name where they are known, else the e-mail address.
    #[schema(example = "Ada Lovelace")]
    displayname: String,
    #[schema(example = "ada@example.com")]
    email: String,
    /// Whether the user may log in.
    enabled: bool,
    #[schema(required, example = "Ada")]
    firstname: Option<String>,
    #[schema(required, example = "Lovelace")]
    lastname: Option<String>,
    /// Their Managed Apple Account.
    #[schema(required, example = json!(null))]
    managedappleid: Option<String>,
    #[schema(required, example = json!(null))]
    phone: Option<String>,
    /// Their id: `usersid` of their devices.
    #[schema(example = "465874fd-28a6-4f0d-bc53-43df50552fe2")]
    sid: String,
}

impl From<Account> for UserObject {
    fn from(account: Account) -> Self {
        let Account { id, email, person, enabled } = account;
        Self {
            displayname: person.name().unwrap_or_else(|| email.clone()),
            email,
            enabled,
            firstname: person.first_name,
            lastname: person.last_name,
            managedappleid: person.managed_apple_id,
            phone: person.phone,
            sid: match id {
                AccountId::User(id) => id.to_string(),
                AccountId::Admin(id) => id.to_string(),
            },
        }
    }
}

impl From<&User> for UserObject {
    fn from(user: &User) -> Self {
        Account::from(user.clone()).into()
    }
}

#[cfg(test)]
mod tests {
    use domain::{AdminId, Person, UserId};
    use uuid::Uuid;

    use super::*;

    fn shown(account: Account) -> String {
        serde_json::to_string(&UserObject::from(account)).unwrap()
    }

    #[test]
    fn a_user_has_the_published_fields() {
        let text = |text: &str| Some(text.to_owned());
        let person = Person {
            first_name: text("Ada"),
            last_name: text("Lovelace"),
            phone: text("+44 20"),
            managed_apple_id: text("ada@school.example"),
        };
        let id = AccountId::User(UserId(Uuid::from_u128(7)));
        assert_eq!(
            shown(Account { id, email: "ada@example.com".into(), person, enabled: false }),
            r#"{"displayname":"Ada Lovelace","email":"ada@example.com","enabled":false,"firstname":"Ada","lastname":"Lovelace","managedappleid":"ada@school.example","phone":"+44 20","sid":"00000000-0000-0000-0000-000000000007"}"#
        );
    }

    #[test]
    fn what_is_unknown_is_null_and_a_name_is_never_empty() {
        let id = AccountId::Admin(AdminId(Uuid::nil()));
        let account = Account { id, email: "a@b".into(), person: Person::default(), enabled: true };
        assert_eq!(
            shown(account),
            r#"{"displayname":"a@b","email":"a@b","enabled":true,"firstname":null,"lastname":null,"managedappleid":null,"phone":null,"sid":"00000000-0000-0000-0000-000000000000"}"#
        );
    }
}
