//! What the OpenAPI document says of every call of this API.

use utoipa::{
    IntoResponses,
    openapi::{
        ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::error::Problem;

/// How callers prove who they are.
const API_KEY: &str = "ApiKey";

/// The ways in which any call can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "its variants are for the document alone")]
pub(super) enum Refusals {
    /// The request is not what it has to be; `field` says which part of it
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// No key, a bad one, or one that has no access to the tenant
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The role of the key is too small: looking takes a viewer, asking and taking back an operator
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing in this tenant
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// It contradicts the present state
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The body is over 8 MiB
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The content type is not application/json
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(Problem),
    /// Too many wrong keys came from this address
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// The server is busy; try again soon
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// The document, before the calls are added to it.
pub(super) fn document() -> OpenApi {
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The API key")).build();
    let components =
        ComponentsBuilder::new().schema_from::<Problem>().security_scheme(API_KEY, SecurityScheme::Http(key));
    let description = "Any of Apple's commands for any number of devices, what became of them, and why a device is stuck. \
                       Errors are problems of RFC 9457.";
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Admin API").version("1").description(Some(description)))
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new(API_KEY, Vec::<String>::new())]))
        .build()
}
