//! Why a device cannot do what it is asked, and why a caller may not ask: reasons that no other file is about.

use domain::{AndroidFacts, AndroidManagement, Device, EnrollmentKind, Platform, Role};
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{TestServer, record},
};

use super::{
    people::{Person, anonymous, by_token},
    refused,
};

/// `AccessRights` (Apple, com.apple.mdm): everything but erasing (8) and locking or clearing the passcode (4).
const NEITHER_LOCK_NOR_ERASE: u16 = 8191 - 8 - 4;

/// A device, what is asked of it, and why it cannot do it.
struct Case {
    device: Device,
    call: &'static str,
    /// As `actions` of `device/info` calls it.
    action: &'static str,
    parameters: Value,
    code: &'static str,
}

fn lost(case: Case) -> Case {
    Case { parameters: json!({ "message": "lost", "phonenumber": "+49 30 1" }), ..case }
}

fn cases() -> Vec<Case> {
    let [mut shared, mut limited, mut erasable, mut personal, mut unknown] = [11, 12, 13, 14, 15].map(record);
    shared.facts.platform = Some(Platform::Ipados);
    shared.facts.shared = Some(true);
    for phone in [&mut limited, &mut erasable] {
        phone.facts.platform = Some(Platform::Ios);
        phone.facts.access_rights = Some(NEITHER_LOCK_NOR_ERASE);
    }
    personal.facts.platform = Some(Platform::Android);
    personal.facts.enrollment = EnrollmentKind::User;
    personal.facts.android =
        Some(AndroidFacts { management: Some(AndroidManagement::WorkProfile), ..AndroidFacts::default() });
    unknown.facts.platform = Some(Platform::Android);
    unknown.facts.android = Some(AndroidFacts::default());
    let case = |device: Device, call, code| {
        let action = if call == "wipe" { "wipefull" } else { call };
        Case { device, call, action, parameters: json!({}), code }
    };
    vec![
        case(shared, "resetpasscode", "SHARED_IPAD_UNSUPPORTED"),
        case(limited, "lockscreen", "ACCESS_RIGHT_MISSING"),
        case(erasable, "wipe", "ACCESS_RIGHT_MISSING"),
        lost(case(personal, "enablelostmode", "PERSONAL_DEVICE_UNSUPPORTED")),
        // Nobody has said yet how it is managed.
        lost(case(unknown, "enablelostmode", "COMMAND_REFUSED")),
    ]
}

on_both!(what_a_device_cannot_do_is_said_with_the_reason_and_not_shown_as_possible);

async fn what_a_device_cannot_do_is_said_with_the_reason_and_not_shown_as_possible(server: TestServer) {
    let cases = cases();
    server.add_records(cases.iter().map(|case| case.device.clone())).await;
    for case in cases {
        let client_id = case.device.id.client_id();
        let mut body = case.parameters;
        body["clientid"] = json!(client_id);
        let answer = server.api().device(case.call, body).await;
        refused(&answer, 409, case.code);
        let info = server.api().info(&client_id).await;
        assert_eq!(info["actions"][case.action], json!({ "status": 0, "visible": false }), "{}", case.code);
    }
}

on_both!(who_is_the_wrong_kind_of_caller_is_told_which_is_needed);

async fn who_is_the_wrong_kind_of_caller_is_told_which_is_needed(server: TestServer) {
    let api = server.api();
    let user = Person::user(&server, server.tenant()).await.1.token(&api).await;
    let owner = Person::admin(&server, &[(server.tenant(), Role::Owner)]).await.token(&api).await;

    refused(&by_token(&api, &user, "user/list", json!({})).await, 403, "ADMINISTRATORS_ONLY");
    let own = json!({ "mdmtype": "apple" });
    refused(&by_token(&api, &owner, "user/mdmprofile", own).await, 403, "USER_TOKEN_NEEDED");
    refused(&api.call("user/renewtoken", json!({})).await, 403, "ACCESS_TOKEN_NEEDED");
    refused(&anonymous(&api, "user/renewtoken", &json!({})).await, 401, "UNAUTHENTICATED");
}

on_both!(a_profile_that_cannot_be_made_is_refused_with_the_reason);

async fn a_profile_that_cannot_be_made_is_refused_with_the_reason(server: TestServer) {
    let api = server.api();
    let user = Person::user(&server, server.tenant()).await.1.token(&api).await;
    let personal = json!({ "mdmtype": "apple", "byod": true });
    refused(&by_token(&api, &user, "user/mdmprofile", personal).await, 409, "BYOD_BY_PROFILE_UNSUPPORTED");
    let android = json!({ "mdmtype": "android" });
    refused(&by_token(&api, &user, "user/mdmprofile", android).await, 409, "ANDROID_NOT_SET_UP");
}
