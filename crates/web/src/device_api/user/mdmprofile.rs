//! `user/mdmprofile`: the profile by which a user enrolls a device of their own.

use axum::{extract::State, response::Response};
use domain::{Actor, Error};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::super::{
    caller::{Call, LinkCall},
    documents::{CallRequest, Refusals},
    error::{ErrorCode, Failure},
    fields::Scalar,
    language::Language,
    messages::Expected,
};
use crate::{api_state::ApiState, enrolling};

mod page;

use page::Kind;

/// For which device.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct MdmProfileRequest {
    /// `apple` or `android`.
    #[schema(value_type = String, example = "apple")]
    mdmtype: Scalar,
    /// Whether the device is the user's own; by profile no such device enrolls any more.
    #[schema(value_type = Option<bool>)]
    byod: Scalar,
    /// Whether the device is a Mac; the profile is the same, the page says where to install it.
    #[schema(value_type = Option<bool>)]
    mac: Scalar,
    /// Whether to answer a page that explains the profile and offers it.
    #[schema(value_type = Option<bool>)]
    html: Scalar,
}

/// What a browser opens.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what the extractor reads")]
pub(in super::super) struct LinkQuery {
    /// The JSON object that is otherwise the body. Its token is kept out of every log.
    #[param(example = r#"{"token":"…","mdmtype":"apple"}"#)]
    json: String,
}

/// What is asked for, once it makes sense.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Apple {
        is_mac: bool,
        html: bool,
    },
    /// There is no file that a user could install: the answer is always the page.
    Android,
}

/// Answers the profile by which the user whose access token it is enrolls one device within a day; with `html`, a page
/// that explains and offers it. For Android it is always the page, with a link that makes a work profile.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/mdmprofile",
    request_body = inline(CallRequest<MdmProfileRequest>),
    responses(
        (status = 200, description = "The signed profile, or the page", content(
            (Vec<u8> = "application/x-apple-aspen-config"),
            (String = "text/html"),
        )),
        Refusals,
    ),
)]
pub(in super::super) async fn mdm_profile(
    State(state): State<ApiState>,
    language: Language,
    call: Call<MdmProfileRequest>,
) -> Result<Response, Failure> {
    answer(&state, &call.actor, call.body, language).await
}

/// The same for a browser.
#[utoipa::path(
    get,
    path = "/api/mdm/v2/user/mdmprofile",
    params(LinkQuery),
    responses(
        (status = 200, description = "The signed profile, or the page", content(
            (Vec<u8> = "application/x-apple-aspen-config"),
            (String = "text/html"),
        )),
        Refusals,
    ),
)]
pub(in super::super) async fn mdm_profile_by_link(
    State(state): State<ApiState>,
    language: Language,
    call: LinkCall<MdmProfileRequest>,
) -> Result<Response, Failure> {
    answer(&state, &call.actor, call.body, language).await
}

async fn answer(
    state: &ApiState,
    actor: &Actor,
    request: MdmProfileRequest,
    language: Language,
) -> Result<Response, Failure> {
    let wish = request.read()?;
    match wish {
        Wish::Android => {
            let url = state.mdm.own_android_link(actor).await.map_err(|error| match error {
                Error::Conflict(why) => Failure::new(ErrorCode::AndroidNotSetUp).because(why),
                other => other.into(),
            })?;
            return page::render(&url, Kind::Android, language);
        }
        Wish::Apple { is_mac, html: true } => {
            let url = state.mdm.add_own_link(actor).await.map_err(not_set_up)?;
            return page::render(&url, if is_mac { Kind::Mac } else { Kind::Phone }, language);
        }
        Wish::Apple { html: false, .. } => {}
    }
    let _pass = state.signing.enter().await.ok_or(Failure::new(ErrorCode::Unavailable))?;
    Ok(enrolling::profile(state.mdm.own_profile(actor).await.map_err(not_set_up)?))
}

/// The one conflict there can be.
fn not_set_up(error: Error) -> Failure {
    match error {
        Error::Conflict(why) => Failure::new(ErrorCode::EnrollmentNotSetUp).because(why),
        other => other.into(),
    }
}

impl MdmProfileRequest {
    fn read(self) -> Result<Wish, Failure> {
        let kind = self.mdmtype.text("mdmtype")?.map(|kind| kind.to_ascii_lowercase());
        let byod = self.byod.flag("byod")? == Some(true);
        let (is_mac, html) = (self.mac.flag("mac")? == Some(true), self.html.flag("html")? == Some(true));
        match kind.as_deref() {
            Some("apple") if byod => Err(Failure::new(ErrorCode::ByodUnsupported)),
            Some("apple") => Ok(Wish::Apple { is_mac, html }),
            Some("android") => Ok(Wish::Android),
            _ => Err(Failure::invalid("mdmtype", Expected::AppleOrAndroid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::fields::parse, *};

    fn read(body: &str) -> Result<Wish, ErrorCode> {
        parse::<MdmProfileRequest>(body.as_bytes()).unwrap().read().map_err(|failure| failure.code)
    }

    #[test]
    fn flags_are_read_as_published_clients_send_them() {
        assert_eq!(read(r#"{"mdmtype":"apple"}"#), Ok(Wish::Apple { is_mac: false, html: false }));
        let mac = r#"{"mdmtype":"Apple","byod":"false","mac":"true","html":true}"#;
        assert_eq!(read(r#"{"mdmtype":"android","byod":true}"#), Ok(Wish::Android));
        assert_eq!(read(mac), Ok(Wish::Apple { is_mac: true, html: true }));
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        for (body, code) in [
            (r#"{"mdmtype":"apple","byod":true}"#, ErrorCode::ByodUnsupported),
            (r#"{"mdmtype":"windows"}"#, ErrorCode::InvalidField),
            (r#"{}"#, ErrorCode::InvalidField),
            (r#"{"mdmtype":"apple","mac":"perhaps"}"#, ErrorCode::InvalidField),
        ] {
            assert_eq!(read(body), Err(code), "{body}");
        }
    }
}
