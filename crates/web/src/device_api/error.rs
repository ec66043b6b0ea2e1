//! How a call fails: one table of machine words, and one `match` from the domain's errors to them.

use std::time::Duration;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use domain::{Error, Forbidden, Thing, Unsupported};
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::{messages::Expected, token_status::TokenStatus};
use crate::{json_body::BodyRefusal, limits::Unread};

/// Makes the enum, its words and its statuses from one table.
macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident;)*) => {
        /// The words of `errorcode`. They never change: clients compare them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All of them, in the order of the table.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word that stands in `errorcode`.
            pub(super) fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The HTTP status that goes with it.
            pub(super) fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }
        }
    };
}

error_codes! {
    /// The body is not a JSON object.
    InvalidBody = "INVALID_BODY", BAD_REQUEST;
    /// A field has the wrong type or an impossible value.
    InvalidField = "INVALID_FIELD", BAD_REQUEST;
    /// None of `clientid`, `imei` and `serialnumber` is there.
    DeviceNotNamed = "DEVICE_NOT_NAMED", BAD_REQUEST;
    /// The key has several tenants, and `mtcid` is missing.
    TenantNotNamed = "TENANT_NOT_NAMED", BAD_REQUEST;
    /// The call is about one app, and `id` is missing.
    AppNotNamed = "APP_NOT_NAMED", BAD_REQUEST;
    /// A lost mode that shows nothing to a finder.
    NothingToShow = "MESSAGE_OR_PHONENUMBER_MISSING", BAD_REQUEST;
    /// No credentials, bad ones, or a tenant that they have no access to.
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED;
    /// The access token is over, or is none.
    TokenInvalid = "TOKEN_INVALID", UNAUTHORIZED;
    /// The caller may look, but not do this.
    Forbidden = "FORBIDDEN", FORBIDDEN;
    /// Users do not do this.
    AdministratorsOnly = "ADMINISTRATORS_ONLY", FORBIDDEN;
    /// Only users do this, for themselves.
    UserTokenNeeded = "USER_TOKEN_NEEDED", FORBIDDEN;
    /// An API key cannot do this.
    AccessTokenNeeded = "ACCESS_TOKEN_NEEDED", FORBIDDEN;
    /// No such device, or not one of the caller's.
    DeviceNotFound = "DEVICE_NOT_FOUND", NOT_FOUND;
    /// The device reported no such app.
    AppNotFound = "APP_NOT_FOUND", NOT_FOUND;
    /// No such user, or not one whom the caller sees.
    UserNotFound = "USER_NOT_FOUND", NOT_FOUND;
    /// Something else that the request names is not there.
    EntityNotFound = "ENTITY_NOT_FOUND", NOT_FOUND;
    /// There is no such call.
    UnknownPath = "UNKNOWN_PATH", NOT_FOUND;
    /// The call takes another method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// The body did not arrive in time.
    BodyTooSlow = "BODY_TOO_SLOW", REQUEST_TIMEOUT;
    /// It clashes with what is there.
    Conflict = "CONFLICT", CONFLICT;
    /// Somebody has this e-mail address already.
    EmailTaken = "EMAIL_TAKEN", CONFLICT;
    /// No device can enroll yet.
    EnrollmentNotSetUp = "ENROLLMENT_NOT_SET_UP", CONFLICT;
    /// Personal devices do not enroll by profile.
    ByodUnsupported = "BYOD_BY_PROFILE_UNSUPPORTED", CONFLICT;
    /// Android devices are not managed here.
    AndroidNotSetUp = "ANDROID_NOT_SET_UP", CONFLICT;
    /// The device is not under management.
    DeviceNotManaged = "DEVICE_NOT_MANAGED", CONFLICT;
    /// The device claims to be one that we know, and waits for an administrator.
    DeviceQuarantined = "DEVICE_QUARANTINED", CONFLICT;
    /// No device of this platform can do it.
    PlatformUnsupported = "PLATFORM_UNSUPPORTED", CONFLICT;
    /// A fully managed Android device has no part that could stay.
    FullyManagedUnsupported = "FULLY_MANAGED_UNSUPPORTED", CONFLICT;
    /// Of a personal Android device only the work profile is managed.
    PersonalDeviceUnsupported = "PERSONAL_DEVICE_UNSUPPORTED", CONFLICT;
    /// A personal device does not let us.
    UserEnrollmentUnsupported = "USER_ENROLLMENT_UNSUPPORTED", CONFLICT;
    /// The Mac has to be updated first.
    MacosTooOld = "MACOS_TOO_OLD", CONFLICT;
    /// The device has to be updated first.
    OsTooOld = "OS_TOO_OLD", CONFLICT;
    /// The device has to be supervised.
    DeviceNotSupervised = "DEVICE_NOT_SUPERVISED", CONFLICT;
    /// A shared iPad cannot do it.
    SharedIpadUnsupported = "SHARED_IPAD_UNSUPPORTED", CONFLICT;
    /// The enrollment does not give the right.
    AccessRightMissing = "ACCESS_RIGHT_MISSING", CONFLICT;
    /// The lost mode is off.
    NotInLostMode = "NOT_IN_LOST_MODE", CONFLICT;
    /// The lost mode is on.
    AlreadyInLostMode = "ALREADY_IN_LOST_MODE", CONFLICT;
    /// There is nothing to clear the passcode with.
    UnlockTokenMissing = "UNLOCK_TOKEN_MISSING", CONFLICT;
    /// The device would refuse it, by Apple's rules.
    CommandRefused = "COMMAND_REFUSED", CONFLICT;
    /// The body is over the limit.
    BodyTooLarge = "BODY_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The body is not announced as JSON.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// Too many wrong credentials: wait.
    TooManyAttempts = "TOO_MANY_ATTEMPTS", TOO_MANY_REQUESTS;
    /// The user has made too many ways to enroll: wait.
    TooManyEnrollments = "TOO_MANY_ENROLLMENTS", TOO_MANY_REQUESTS;
    /// Ours to fix.
    InternalError = "INTERNAL_ERROR", INTERNAL_SERVER_ERROR;
    /// Worth trying again soon.
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE;
}

impl ErrorCode {
    /// What it says about an access token.
    pub(super) fn token_status(self) -> Option<TokenStatus> {
        (self == Self::TokenInvalid).then_some(TokenStatus::Expired)
    }
}

/// A call that failed, on its way to the edge, which logs it and puts it into the caller's language.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    /// The field at fault, by the way to it: `filter.lastcontact.from`.
    pub(super) field: Option<&'static str>,
    /// What that field should hold.
    pub(super) expected: Expected,
    /// What happened inside; for the log alone.
    pub(super) cause: Option<String>,
    /// How long to wait before trying again.
    pub(super) wait: Option<Duration>,
}

impl Failure {
    /// A failure that its code says all about.
    pub(super) fn new(code: ErrorCode) -> Self {
        Self { code, field: None, expected: Expected::AnotherValue, cause: None, wait: None }
    }

    /// A field that does not hold what it should.
    pub(super) fn invalid(field: &'static str, expected: Expected) -> Self {
        Self { field: Some(field), expected, ..Self::new(ErrorCode::InvalidField) }
    }

    /// Too many wrong credentials; the next ones are heard after `wait`.
    pub(super) fn slowed_down(wait: Duration) -> Self {
        Self { wait: Some(wait), ..Self::new(ErrorCode::TooManyAttempts) }
    }

    /// The same, with what happened inside.
    pub(super) fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

/// Carries the failure to the edge, which knows the caller's language, in the extensions of an empty answer.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        if self.code.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Api-Key"));
        }
        if self.code.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(wait) = self.wait {
            // Whole seconds, and not too few of them.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(thing) => Self::new(not_found(thing)),
            // A tenant that the key has no access to is answered as a key that does not exist.
            Error::Unauthenticated | Error::Forbidden(Forbidden::Tenant) => {
                Self::new(ErrorCode::Unauthenticated)
            }
            Error::Forbidden(Forbidden::Role(_)) => Self::new(ErrorCode::Forbidden),
            Error::Forbidden(Forbidden::User) => Self::new(ErrorCode::AdministratorsOnly),
            Error::Forbidden(Forbidden::NotUser) => Self::new(ErrorCode::UserTokenNeeded),
            Error::Invalid { field, problem } => invalid(field).because(problem),
            Error::Conflict(why) => Self::new(ErrorCode::Conflict).because(why),
            Error::Unsupported(why) => Self::new(unsupported(why)),
            Error::TooOften(wait) => Self { wait: Some(wait), ..Self::new(ErrorCode::TooManyEnrollments) },
            Error::Unavailable(why) => Self::new(ErrorCode::Unavailable).because(why),
            Error::Internal(_) => Self::new(ErrorCode::InternalError).because(error.chain()),
        }
    }
}

fn not_found(thing: Thing) -> ErrorCode {
    match thing {
        Thing::Device => ErrorCode::DeviceNotFound,
        Thing::App => ErrorCode::AppNotFound,
        Thing::User | Thing::Admin => ErrorCode::UserNotFound,
        Thing::Tenant
        | Thing::ApiKey
        | Thing::Application
        | Thing::Link
        | Thing::PushCertificate
        | Thing::Purge
        | Thing::Secret
        | Thing::Group
        | Thing::Command => ErrorCode::EntityNotFound,
    }
}

fn invalid(field: &'static str) -> Failure {
    match field {
        "mtcid" => Failure::new(ErrorCode::TenantNotNamed),
        "macpin" => Failure::invalid(field, Expected::SixDigits),
        "message or phonenumber" => Failure::new(ErrorCode::NothingToShow),
        "message" | "phonenumber" | "footnote" => Failure::invalid(field, Expected::PlainText),
        "email" => Failure::invalid(field, Expected::Email),
        "password" | "newpassword" => Failure::invalid(field, Expected::NewPassword),
        "firstname" | "lastname" => Failure::invalid(field, Expected::Name),
        other => Failure::invalid(other, Expected::AnotherValue),
    }
}

fn unsupported(why: Unsupported) -> ErrorCode {
    match why {
        Unsupported::NotManaged => ErrorCode::DeviceNotManaged,
        Unsupported::Quarantined => ErrorCode::DeviceQuarantined,
        Unsupported::Platform => ErrorCode::PlatformUnsupported,
        Unsupported::FullyManaged => ErrorCode::FullyManagedUnsupported,
        Unsupported::PersonalDevice => ErrorCode::PersonalDeviceUnsupported,
        Unsupported::UserEnrollment => ErrorCode::UserEnrollmentUnsupported,
        Unsupported::AppleSiliconBefore11_5 => ErrorCode::MacosTooOld,
        Unsupported::OsTooOld => ErrorCode::OsTooOld,
        Unsupported::NotSupervised => ErrorCode::DeviceNotSupervised,
        Unsupported::SharedIpad => ErrorCode::SharedIpadUnsupported,
        Unsupported::MissingRight => ErrorCode::AccessRightMissing,
        Unsupported::NotInLostMode => ErrorCode::NotInLostMode,
        Unsupported::AlreadyInLostMode => ErrorCode::AlreadyInLostMode,
        Unsupported::NoUnlockToken => ErrorCode::UnlockTokenMissing,
        Unsupported::Refused => ErrorCode::CommandRefused,
    }
}

impl From<BodyRefusal> for Failure {
    fn from(refusal: BodyRefusal) -> Self {
        match refusal {
            BodyRefusal::MediaType => Self::new(ErrorCode::UnsupportedMediaType),
            BodyRefusal::Unread(Unread::TooLong(_)) => Self::new(ErrorCode::BodyTooLarge),
            BodyRefusal::Unread(Unread::TooSlow) => Self::new(ErrorCode::BodyTooSlow),
            BodyRefusal::Unread(Unread::Broken) => Self::new(ErrorCode::InvalidBody),
            BodyRefusal::Unread(why @ Unread::OverBudget) => {
                Self::new(ErrorCode::Unavailable).because(why.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_upper_snake_case_and_each_stands_for_one_thing() {
        let mut seen = HashSet::new();
        for code in ErrorCode::ALL {
            let word = code.word();
            assert!(word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{word}");
            assert!(seen.insert(word), "{word} comes twice");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{word}");
        }
    }

    #[test]
    fn a_body_that_is_not_taken_is_told_why() {
        for (refusal, status, code) in [
            (BodyRefusal::MediaType, 415, ErrorCode::UnsupportedMediaType),
            (BodyRefusal::Unread(Unread::TooLong(1)), 413, ErrorCode::BodyTooLarge),
            (BodyRefusal::Unread(Unread::TooSlow), 408, ErrorCode::BodyTooSlow),
            (BodyRefusal::Unread(Unread::Broken), 400, ErrorCode::InvalidBody),
            (BodyRefusal::Unread(Unread::OverBudget), 503, ErrorCode::Unavailable),
        ] {
            let failure = Failure::from(refusal);
            assert_eq!((failure.code.status().as_u16(), failure.code), (status, code));
        }
    }

    #[test]
    fn the_domains_errors_have_the_published_statuses() {
        for (error, status) in [
            (Error::Unauthenticated, 401),
            (Error::Forbidden(Forbidden::Tenant), 401),
            (Error::Forbidden(Forbidden::Role("operator")), 403),
            (Error::NotFound(Thing::Device), 404),
            (Error::invalid("macpin", "six digits"), 400),
            (Error::invalid("mtcid", "needed"), 400),
            (Error::Conflict("taken".into()), 409),
            (Error::Unsupported(Unsupported::Platform), 409),
            (Error::TooOften(Duration::from_mins(1)), 429),
            (Error::Unavailable("busy".into()), 503),
            (Error::internal("broken"), 500),
        ] {
            let text = error.to_string();
            assert_eq!(Failure::from(error).code.status().as_u16(), status, "{text}");
        }
    }

    #[test]
    fn who_is_refused_is_told_how_to_come_in_and_who_is_put_off_when_to_come_back() {
        let headers = |code| Failure::new(code).into_response().headers().clone();
        assert_eq!(headers(ErrorCode::Unauthenticated)[WWW_AUTHENTICATE], "Api-Key");
        assert_eq!(headers(ErrorCode::Unavailable)[RETRY_AFTER], "1");
        assert!(headers(ErrorCode::DeviceNotFound).is_empty());
        let slowed = Failure::slowed_down(Duration::from_millis(29_001)).into_response();
        assert_eq!(
            (slowed.status().as_u16(), &slowed.headers()[RETRY_AFTER]),
            (429, &"30".parse::<HeaderValue>().unwrap())
        );
    }

    /// The operator's book says the same as this table.
    #[test]
    fn the_guide_lists_every_word_with_its_status_and_its_sentences() {
        use super::super::{language::Language, messages};

        let guide = include_str!("../../../../docs/guide/device-api-errors.md");
        let rows = guide.lines().filter(|line| line.starts_with("| `")).map(str::to_owned);
        let table = ErrorCode::ALL.iter().map(|code| {
            let [english, german] =
                [Language::English, Language::German].map(|it| messages::sentence(*code, it));
            format!("| `{}` | {} | {english} | {german} |", code.word(), code.status().as_u16())
        });
        let (rows, table): (Vec<_>, Vec<_>) = (rows.collect(), table.collect());
        assert_eq!(rows, table, "docs/guide/device-api-errors.md should be:\n{}\n", table.join("\n"));
    }
}
