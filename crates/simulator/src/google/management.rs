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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use serde_json::json;

    use super::*;
    use crate::google::{AndroidDevice, PretendGoogleSettings};

    fn request(method: &str, uri: &str, body: Option<Value>) -> Request {
        let request =
            http::Request::builder().method(method).uri(uri).header("content-type", "application/json");
        let (head, ()) = request.body(()).unwrap().into_parts();
        Request::new(&head, body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
    }

    fn call(world: &mut World, method: &str, path: &str, body: Option<Value>) -> Result<Value, Refusal> {
        answer(world, &request(method, &format!("/v1/{path}"), body))
    }

    fn message(refused: Result<Value, Refusal>) -> String {
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.status, 400);
        refusal.body["error"]["message"].as_str().unwrap().to_owned()
    }

    /// A world with an enterprise, a policy `p`, and a fully managed device.
    fn office() -> (World, String, String) {
        let clock = Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let mut world = World::new(&PretendGoogleSettings::new(clock));
        let query = "projectId=pretend-project&callbackUrl=https%3A%2F%2Fmdm.example";
        let signup = call(&mut world, "POST", &format!("signupUrls?{query}"), None).unwrap();
        let token = world.sign_up(signup["url"].as_str().unwrap()).unwrap();
        let name = signup["name"].as_str().unwrap();
        let query = format!("projectId=pretend-project&signupUrlName={name}&enterpriseToken={token}");
        let made = call(&mut world, "POST", &format!("enterprises?{query}"), Some(json!({}))).unwrap();
        let enterprise = made["name"].as_str().unwrap().to_owned();
        call(&mut world, "PATCH", &format!("{enterprise}/policies/p"), Some(json!({}))).unwrap();
        let body = json!({"policyName": "p", "allowPersonalUsage": "PERSONAL_USAGE_DISALLOWED"});
        let token = call(&mut world, "POST", &format!("{enterprise}/enrollmentTokens"), Some(body)).unwrap();
        let device = world.enroll(token["value"].as_str().unwrap(), AndroidDevice::phone(1)).unwrap();
        (world, enterprise, device)
    }

    #[test]
    fn paths_and_parameters_that_google_does_not_have_are_refused() {
        let (mut world, enterprise, device) = office();
        for (method, path) in
            [("GET", "devices".to_owned()), ("PUT", device.clone()), ("POST", format!("{device}:explode"))]
        {
            assert_eq!(call(&mut world, method, &path, Some(json!({}))).unwrap_err().status, 404, "{path}");
        }
        let stray = call(&mut world, "GET", &format!("{enterprise}/devices?size=3"), None);
        assert!(message(stray).contains("size"));
        let flag = call(&mut world, "DELETE", &format!("{device}?wipeDataFlags=EVERYTHING"), None);
        assert!(message(flag).contains("wipeDataFlags"));
        assert!(world.device(&device).is_some());
    }

    #[test]
    fn an_update_mask_has_to_fit_field_and_body() {
        let (mut world, _, device) = office();
        let mut patch = |mask: &str, body: Value| {
            call(&mut world, "PATCH", &format!("{device}?updateMask={mask}"), Some(body))
        };
        assert!(message(patch("apiLevel", json!({}))).contains("cannot be set"));
        assert!(message(patch("policyName", json!({"state": "DISABLED"}))).contains("not in updateMask"));
        assert!(message(patch("state", json!({"state": "LOST"}))).contains("enum"));
        assert_eq!(patch("state", json!({"state": "DISABLED"})).unwrap()["state"], "DISABLED");
    }

    #[test]
    fn json_of_a_wrong_type_is_refused() {
        let (mut world, enterprise, device) = office();
        let policy = format!("{enterprise}/policies/p");
        let version = call(&mut world, "PATCH", &policy, Some(json!({"version": 3})));
        assert!(message(version).contains("policy.version"));
        let reports = json!({"statusReportingSettings": {"memoryInfoEnabled": "true"}});
        assert!(message(call(&mut world, "PATCH", &policy, Some(reports))).contains("memoryInfoEnabled"));
        let mut issue =
            |command: Value| call(&mut world, "POST", &format!("{device}:issueCommand"), Some(command));
        assert!(message(issue(json!({"type": "LOCK", "duration": 600}))).contains("duration"));
        assert!(message(issue(json!({"type": "JUMP"}))).contains("enum"));
        assert!(message(issue(json!({"type": "WIPE"}))).contains("wipeParams"));
        assert!(message(issue(json!({"type": "LOCK", "wipeParams": {}}))).contains("does not belong"));
        let nobody = json!({"type": "START_LOST_MODE", "startLostModeParams": {"lostOrganization": {}}});
        assert!(message(issue(nobody)).contains("nothing to show"));
    }

    #[test]
    fn a_command_that_says_no_duration_dies_after_ten_minutes() {
        let (mut world, _, device) = office();
        let command = Some(json!({"type": "LOCK"}));
        let issued = call(&mut world, "POST", &format!("{device}:issueCommand"), command).unwrap();
        assert_eq!(issued["metadata"]["duration"], "600s");
    }

    #[test]
    fn another_project_is_not_the_callers() {
        let (mut world, _, _) = office();
        let query = "projectId=somebody&callbackUrl=https%3A%2F%2Fmdm.example";
        assert_eq!(call(&mut world, "POST", &format!("signupUrls?{query}"), None).unwrap_err().status, 403);
        assert_eq!(call(&mut world, "GET", "enterprises?projectId=somebody", None).unwrap_err().status, 403);
    }
}
