//! The Android Management API.

mod commands;
mod devices;
mod enrollment;
mod enterprises;
mod policies;

use serde_json::Value;

use super::refusal::Refusal;
use super::request::Request;
use super::world::World;

/// Answers one call; the caller's token is good.
pub(super) fn answer(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let (method, path, verb) = request.route();
    let rest = path.get(1..).unwrap_or_default();
    let name = rest.join("/");
    match (method, rest, verb) {
        ("POST", ["signupUrls"], None) => enterprises::create_signup_url(world, request),
        ("POST", ["enterprises"], None) => enterprises::create(world, request),
        ("GET", ["enterprises"], None) => enterprises::list(world, request),
        ("GET", ["enterprises", _], None) => enterprises::find(world, request, &name),
        ("PATCH", ["enterprises", _], None) => enterprises::patch(world, request, &name),
        ("POST", ["enterprises", id, "webTokens"], None) => {
            enterprises::create_web_token(world, request, &format!("enterprises/{id}"))
        }
        ("POST", ["enterprises", id, "enrollmentTokens"], None) => {
            enrollment::create(world, request, &format!("enterprises/{id}"))
        }
        ("DELETE", ["enterprises", _, "enrollmentTokens", _], None) => {
            enrollment::delete(world, request, &name)
        }
        ("GET", ["enterprises", _, "policies", _], None) => policies::find(world, request, &name),
        ("PATCH", ["enterprises", _, "policies", _], None) => policies::patch(world, request, &name),
        ("GET", ["enterprises", id, "devices"], None) => {
            devices::list(world, request, &format!("enterprises/{id}"))
        }
        ("GET", ["enterprises", _, "devices", _], None) => devices::find(world, request, &name),
        ("PATCH", ["enterprises", _, "devices", _], None) => devices::patch(world, request, &name),
        ("DELETE", ["enterprises", _, "devices", _], None) => devices::delete(world, request, &name),
        ("POST", ["enterprises", _, "devices", _], Some("issueCommand")) => {
            commands::issue(world, request, &name)
        }
        ("GET", ["enterprises", _, "devices", _, "operations"], None) => {
            commands::list(world, request, &name)
        }
        ("GET", ["enterprises", _, "devices", _, "operations", _], None) => {
            commands::find(world, request, &name)
        }
        ("POST", ["enterprises", _, "devices", _, "operations", _], Some("cancel")) => {
            commands::cancel(world, request, &name)
        }
        _ => Err(Refusal::not_found("the method")),
    }
}
