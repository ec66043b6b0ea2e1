//! What the OpenAPI document says of every call of this API.

use utoipa::{
    IntoResponses,
    openapi::{
        ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::error::ErrorBody;

/// The ways in which any call can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "its variants are for the document alone")]
pub(super) enum Refusals {
    /// The body is not what it has to be
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// No credentials, bad or expired ones, or another customer's
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// There is no such path
    #[response(status = 404)]
    UnknownUriPath(ErrorBody),
    /// The body is over 1 MiB
    #[response(status = 413)]
    PayloadTooLarge(ErrorBody),
    /// The content type is not application/json
    #[response(status = 415)]
    UnsupportedMediaType(ErrorBody),
    /// One too many: 5 in a second and 10,000 in a day, for each application, logins and purges apart; blocked ones count
    #[response(
        status = 429,
        headers(("x-rate-limit-retry-after-milliseconds" = u64, description = "The time until the next request passes")),
    )]
    TooManyRequests,
    /// The server is busy; try again soon
    #[response(status = 503)]
    ServiceUnavailable(ErrorBody),
}

/// The document, before the calls are added to it.
pub(super) fn document() -> OpenApi {
    let http = |scheme, description| {
        SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
    };
    let components = ComponentsBuilder::new()
        .schema_from::<ErrorBody>()
        .security_scheme("Application", http(HttpAuthScheme::Basic, "Application ID and secret"))
        .security_scheme(
            "Token",
            http(HttpAuthScheme::Bearer, "The JWT that a login answers; good for fifteen minutes"),
        );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Device Lifecycle API")
                .version("1")
                .description(Some("Permanent deletion of devices by other systems.")),
        )
        .components(Some(components.build()))
        .build()
}
