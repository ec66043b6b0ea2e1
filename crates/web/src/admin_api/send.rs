//! `POST …/commands`: asks many devices to do something.

use std::fmt;

use apple::command::RawCommand;
use axum::extract::{FromRequest, Request, State};
use domain::{NewCommand, SEND_LIMIT, Schedule, Timestamp};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use utoipa::ToSchema;

use self::answer::Sent;
use super::{
    caller::Caller,
    documents::Refusals,
    edge::Deadline,
    error::{Failure, Kind},
};
use crate::{api_state::ApiState, base64_text, json_body};

mod answer;

/// The longest body of a call about many devices, bytes.
const BULK_BODY: usize = 8 << 20;

/// A command and the devices that are to do it. Either `command` or `plist` is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendRequest {
    /// Client ids, `udid:…` or `serial:…`; at most 100,000.
    #[serde(deserialize_with = "names")]
    #[schema(min_items = 1, max_items = 100_000, example = json!(["e60cf0e25e63430694441870c27a8b42", "serial:F71"]))]
    devices: Vec<String>,
    /// Not for the devices themselves, but for this user of each of them (of a Mac, or of a Shared iPad): the user's id as the
    /// device tells it (`UserID`, under User Enrollment `EnrollmentUserID`), or the short name (`UserShortName`, on a Shared
    /// iPad the Managed Apple Account). Devices that have not told of that user are among the failed.
    #[schema(max_length = 1024, example = "anna")]
    user: Option<String>,
    /// Apple's keys: `RequestType` and those beside it. Data is written in base64, dates as RFC 3339.
    #[schema(value_type = Option<Object>, example = json!({ "RequestType": "DeviceLock", "Message": "hello" }))]
    command: Option<Value>,
    /// The same as a property list, in base64.
    plist: Option<String>,
    /// Not earlier than this (RFC 3339).
    #[schema(example = "2026-12-24T18:00:00Z")]
    not_before: Option<String>,
    /// Over from this time on (RFC 3339).
    expires: Option<String>,
    /// From -100 to 100; higher ones go first.
    #[serde(default)]
    priority: i16,
    /// Takes the place of a command with the same key that its device does not have yet.
    #[schema(max_length = 64)]
    dedupe: Option<String>,
}

/// Asks devices to carry a command out. It is durably queued when this answers, and validated for each very device.
#[utoipa::path(
    post,
    path = "/api/admin/v1/commands",
    params(("tenant" = Option<String>, Query, description = "Needed where the key has several tenants")),
    request_body = SendRequest,
    responses((status = 202, description = "Queued, as far as it could be", body = Sent), Refusals),
)]
pub(super) async fn send(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    request: Request,
) -> Result<Sent, Failure> {
    let deadline = request.extensions().get::<Deadline>().copied();
    let goes_on = || deadline.is_none_or(Deadline::allows);
    let request = SendRequest::from_request(request, &state).await?;
    let command = request.command()?;
    let sent = state.mdm.send_command_while(&actor, &command, &request.devices, &goes_on).await?;
    Ok(Sent::of(request.devices, sent))
}

impl SendRequest {
    fn command(&self) -> Result<NewCommand, Failure> {
        let request = match (&self.command, &self.plist) {
            (Some(json), None) => RawCommand::from_json(json).map_err(|why| ("command", why)),
            (None, Some(text)) => {
                let plist = base64_text::decode(text).ok_or(Failure::invalid("plist", "base64"))?;
                RawCommand::from_plist(&plist).map_err(|why| ("plist", why))
            }
            _ => return Err(Failure::invalid("command", "either a command or a plist is needed")),
        };
        let request = request.map_err(|(field, why)| Failure::invalid(field, why.to_string()))?;
        let schedule = Schedule {
            priority: self.priority,
            not_before: time("not_before", self.not_before.as_deref())?,
            expires: time("expires", self.expires.as_deref())?,
        };
        Ok(NewCommand { request, schedule, dedupe: self.dedupe.clone(), user: self.user.clone() })
    }
}

impl FromRequest<ApiState> for SendRequest {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let body = json_body::read(&state.bodies, &parts.headers, body, BULK_BODY).await?;
        serde_json::from_slice(body.bytes()).map_err(|error| unread(&error))
    }
}

/// Where the body is wrong, and what; never a value of it, which might be a password.
fn unread(error: &serde_json::Error) -> Failure {
    let place = format!("line {}, column {}", error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Data => {
            "an object with devices (at most 100,000), user, command or plist, not_before, expires, priority, dedupe"
        }
        _ => "no JSON",
    };
    match error.classify() {
        serde_json::error::Category::Io => Failure::new(Kind::Internal),
        _ => Failure::invalid("body", format!("{what}: at {place}")),
    }
}

fn time(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let at = text.parse::<jiff::Timestamp>();
    let at = at.map_err(|_| Failure::invalid(field, "a time of RFC 3339, such as 2026-12-24T18:00:00Z"))?;
    Ok(Some(Timestamp(at.as_millisecond())))
}

/// A list of names; reading stops at the first one too many.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_seq(Names)
}

struct Names;

impl<'de> de::Visitor<'de> for Names {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {SEND_LIMIT} names")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            if names.len() == SEND_LIMIT {
                return Err(de::Error::invalid_length(SEND_LIMIT + 1, &self));
            }
            names.push(name);
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<NewCommand, Failure> {
        let request: SendRequest =
            serde_json::from_slice(body.to_string().as_bytes()).map_err(|error| unread(&error))?;
        request.command()
    }

    #[test]
    fn a_command_comes_as_json_or_as_a_plist() {
        let json = json!({ "RequestType": "DeviceLock", "Message": "hello" });
        let one =
            read(&json!({ "devices": ["x"], "command": json, "priority": 5, "dedupe": "lock" })).unwrap();
        assert_eq!((one.schedule.priority, one.dedupe.as_deref()), (5, Some("lock")));
        let plist = "PHBsaXN0PjxkaWN0PjxrZXk+UmVxdWVzdFR5cGU8L2tleT48c3RyaW5nPkRldmljZUxvY2s8L3N0cmluZz4\
                     8a2V5Pk1lc3NhZ2U8L2tleT48c3RyaW5nPmhlbGxvPC9zdHJpbmc+PC9kaWN0PjwvcGxpc3Q+";
        let two =
            read(&json!({ "devices": [], "plist": plist, "expires": "2026-12-24T18:00:00+01:00" })).unwrap();
        assert_eq!(one.request, two.request);
        assert_eq!(two.schedule.expires, Some(Timestamp(1_798_131_600_000)));
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_name() {
        let lock = json!({ "RequestType": "DeviceLock" });
        for (body, field) in [
            (json!({ "devices": ["x"] }), "command"),
            (json!({ "devices": ["x"], "command": lock, "plist": "AAAA" }), "command"),
            (json!({ "devices": ["x"], "command": { "Message": "hello" } }), "command"),
            (json!({ "devices": ["x"], "plist": "%" }), "plist"),
            (json!({ "devices": ["x"], "plist": "AAAA" }), "plist"),
            (json!({ "devices": ["x"], "command": lock, "expires": "tomorrow" }), "expires"),
            (json!({ "devices": ["x"], "command": lock, "when": 5 }), "body"),
            (json!({ "devices": "x", "command": lock }), "body"),
            (json!(["x"]), "body"),
        ] {
            let refused = format!("{:?}", read(&body).unwrap_err());
            assert!(refused.contains(&format!("field: Some({field:?})")), "{body}: {refused}");
        }
    }

    #[test]
    fn a_refusal_repeats_no_secret() {
        let refused = read(&json!({ "devices": ["x"], "command": {}, "dedupe": { "PIN": "482913" } }));
        assert!(!format!("{refused:?}").contains("482913"));
    }

    #[test]
    fn reading_stops_at_the_first_name_too_many() {
        let names = vec!["x"; SEND_LIMIT + 1];
        assert!(read(&json!({ "devices": names, "command": { "RequestType": "DeviceLock" } })).is_err());
    }
}
