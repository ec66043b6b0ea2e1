//! `user/create`: a new user.

use std::sync::Arc;

use axum::extract::State;
use domain::{Error, Mdm, NewUser, Person};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    caller::Call,
    documents::{CallRequest, Refusals},
    envelope::Envelope,
    error::{ErrorCode, Failure},
    fields::Scalar,
    language::Language,
    messages::{Notice, notice},
};

/// A user to be.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct CreateRequest {
    /// The e-mail address, by which the user logs in; nobody else may have it.
    #[schema(value_type = String, example = "ada@example.com")]
    email: Scalar,
    #[schema(value_type = Option<String>, example = "Lovelace")]
    lastname: Scalar,
    #[schema(value_type = Option<String>, example = "Ada")]
    firstname: Scalar,
    /// At least 8 characters. Without one the user cannot log in until one is set.
    #[schema(value_type = Option<String>)]
    password: Scalar,
    /// Whether to tell the user by e-mail; this server sends none.
    #[schema(value_type = Option<bool>)]
    sendemail: Scalar,
    /// The language of that e-mail.
    #[schema(value_type = Option<String>, example = "en")]
    emailculture: Scalar,
    /// A group template to apply; this server has none.
    #[schema(value_type = Option<String>)]
    grouptemplateid: Scalar,
}

/// The new user.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Created {
    data: CreatedUser,
}

#[derive(Debug, Serialize, ToSchema)]
struct CreatedUser {
    /// The new user's id.
    #[schema(example = "465874fd-28a6-4f0d-bc53-43df50552fe2")]
    sid: String,
    /// What of the request was not done, in the language of `Accept-Language`.
    #[schema(required, example = json!(null))]
    warningmessage: Option<String>,
}

/// Adds a user to the tenant.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/create",
    request_body = inline(CallRequest<CreateRequest>),
    responses((status = 200, description = "The new user", body = inline(Envelope<Created>)), Refusals),
)]
pub(in super::super) async fn create(
    State(mdm): State<Arc<Mdm>>,
    language: Language,
    call: Call<CreateRequest>,
) -> Result<Envelope<Created>, Failure> {
    let (new, notices) = call.body.read()?;
    let id = mdm.create_user(&call.actor, &new).await.map_err(taken)?;
    let warningmessage = (!notices.is_empty())
        .then(|| notices.iter().map(|it| notice(*it, language)).collect::<Vec<_>>().join(" "));
    Ok(Envelope::success(Created { data: CreatedUser { sid: id.to_string(), warningmessage } }))
}

/// The one conflict there can be.
fn taken(error: Error) -> Failure {
    match error {
        Error::Conflict(_) => Failure::new(ErrorCode::EmailTaken),
        other => other.into(),
    }
}

impl CreateRequest {
    fn read(self) -> Result<(NewUser, Vec<Notice>), Failure> {
        let email = self.email.needed_text("email")?;
        let person = Person {
            first_name: self.firstname.text("firstname")?,
            last_name: self.lastname.text("lastname")?,
            ..Person::default()
        };
        let password = self.password.text("password")?.filter(|password| !password.is_empty());
        self.emailculture.text("emailculture")?;
        let template = self.grouptemplateid.text("grouptemplateid")?.is_some_and(|id| !id.is_empty());
        let notices = [
            (password.is_none(), Notice::PasswordMissing),
            (self.sendemail.flag("sendemail")? == Some(true), Notice::MailNotSent),
            (template, Notice::GroupTemplateIgnored),
        ];
        let notices = notices.into_iter().filter_map(|(applies, notice)| applies.then_some(notice));
        Ok((NewUser { email, person, password }, notices.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::fields::parse, *};

    fn read(body: &str) -> Result<(NewUser, Vec<Notice>), Failure> {
        parse::<CreateRequest>(body.as_bytes()).unwrap().read()
    }

    #[test]
    fn what_is_not_done_is_said() {
        for (body, expected) in [
            (r#"{"email":"a@b","password":"12345678"}"#, vec![]),
            (r#"{"email":"a@b","password":"12345678","sendemail":"false","grouptemplateid":""}"#, vec![]),
            (r#"{"email":"a@b","password":""}"#, vec![Notice::PasswordMissing]),
            (
                r#"{"email":"a@b","sendemail":"true","emailculture":"de","grouptemplateid":"7"}"#,
                vec![Notice::PasswordMissing, Notice::MailNotSent, Notice::GroupTemplateIgnored],
            ),
        ] {
            assert_eq!(read(body).unwrap().1, expected, "{body}");
        }
    }

    #[test]
    fn a_field_that_cannot_be_is_named() {
        for (body, field) in [
            ("{}", "email"),
            (r#"{"email":7}"#, "email"),
            (r#"{"email":"a@b","lastname":true}"#, "lastname"),
            (r#"{"email":"a@b","sendemail":"perhaps"}"#, "sendemail"),
            (r#"{"email":"a@b","emailculture":1}"#, "emailculture"),
            (r#"{"email":"a@b","grouptemplateid":[]}"#, "grouptemplateid"),
        ] {
            assert_eq!(read(body).unwrap_err().field, Some(field), "{body}");
        }
    }
}
