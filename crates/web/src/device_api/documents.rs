//! What the OpenAPI document says of every call of this API.

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder,
        security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    },
};

use super::{caller::Credentials, device_name::NamedDevice, token_status::TokenStatus};

/// How callers prove who they are.
const API_KEY: &str = "ApiKey";

/// The body of any call: the caller's credentials, and what the call itself takes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents what the extractors read one after the other")]
pub(super) struct CallRequest<T> {
    #[serde(flatten)]
    credentials: Credentials,
    #[serde(flatten)]
    call: T,
}

/// The body of a call about one device: credentials, the device's name, and what the call itself takes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents what the extractors read one after the other")]
pub(super) struct DeviceRequest<T> {
    #[serde(flatten)]
    credentials: Credentials,
    #[serde(flatten)]
    device: NamedDevice,
    #[serde(flatten)]
    call: T,
}

/// The ways in which any call can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "its variants are for the document alone")]
pub(super) enum Refusals {
    /// The body is not a JSON object, lacks a needed field, or has a wrong type in one
    #[response(status = 400)]
    BadRequest(Failed),
    /// No credentials, or bad ones
    #[response(status = 401)]
    Unauthenticated(Failed),
    /// The caller may not do this
    #[response(status = 403)]
    Forbidden(Failed),
    /// There is no such device
    #[response(status = 404)]
    NotFound(Failed),
    /// The body took more than 30 seconds to arrive
    #[response(status = 408)]
    BodyTooSlow(Failed),
    /// The device cannot do this, now or ever
    #[response(status = 409)]
    Conflict(Failed),
    /// The body is over 1 MiB
    #[response(status = 413)]
    BodyTooLarge(Failed),
    /// The content type is not application/json
    #[response(status = 415)]
    UnsupportedMediaType(Failed),
    /// Too many wrong credentials, or too many ways to enroll; the header Retry-After says how long to wait
    #[response(status = 429)]
    TooManyAttempts(Failed),
    /// A fault of the server's
    #[response(status = 500)]
    InternalError(Failed),
    /// The server is busy; the header Retry-After says when to try again
    #[response(status = 503)]
    Unavailable(Failed),
}

/// The envelope of a call that failed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents what the envelope says of a failure")]
pub(super) struct Failed {
    /// The machine word for what went wrong; it never changes.
    #[schema(example = "DEVICE_NOT_FOUND")]
    errorcode: String,
    /// A sentence about it, in the language of `Accept-Language` (`en`, `de`).
    #[schema(example = "There is no such device.")]
    errormessage: String,
    #[schema(example = false)]
    success: bool,
    /// `ExpiresSoon` in the last quarter of an access token's life, `Expired` where it is over.
    #[schema(required)]
    tokenstatus: Option<TokenStatus>,
}

/// The document, before the calls are added to it.
pub(super) fn document() -> OpenApi {
    let key = ApiKey::Header(ApiKeyValue::with_description("Authorization", "`Api-Key ` and the key"));
    let description = "Devices, and what can be asked of them. Every call is a POST of a JSON object, and every answer, \
                       error or not, comes in the same envelope.";
    let components = ComponentsBuilder::new()
        .schema_from::<Failed>()
        .security_scheme(API_KEY, SecurityScheme::ApiKey(key));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Device API").version("2").description(Some(description)))
        .components(Some(components.build()))
        // Without the key it is the access token, which stands in the body.
        .security(Some([
            SecurityRequirement::new(API_KEY, Vec::<String>::new()),
            SecurityRequirement::default(),
        ]))
        .build()
}
