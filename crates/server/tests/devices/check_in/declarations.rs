//! Declarative management: what a device fetches by itself, and reports by itself. The pretend device checks what it is
//! given: lists that are whole, tokens that change with what they stand for, declarations that its system takes.

use apple::checkin::{DeclarativeManagement, Endpoint};
use apple::declaration::{Kind, Manifest, SyncTokens};
use apple::{CheckIn, Identifiers, TokenUpdate};
use domain::{CommandState, Facts};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use crate::speaker::{Reply, Speaker};

on_both!(a_device_is_told_to_fetch_its_declarations_once);
/// 55
async fn a_device_is_told_to_fetch_its_declarations_once(server: TestServer) {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let mut iphone = server.enroll(options).await;
    let handed: Vec<_> = iphone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(handed, ["DeviceInformation", "SecurityInfo", "DeclarativeManagement"]);
    let names: Vec<_> = iphone.declarations().map(|it| it.identifier.clone()).collect();
    assert_eq!(names, ["remuda.status-activation", "remuda.status-subscriptions"]);
    server.settled().await;
    iphone.token_update().await.unwrap();
    iphone.synchronize().await.unwrap();
    assert_eq!(iphone.connect().await.unwrap(), [], "nothing has changed");
}

on_both!(a_device_that_enrolls_again_is_told_again);
async fn a_device_that_enrolls_again_is_told_again(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    iphone.check_out().await.unwrap();
    iphone.re_enroll(Some(&server.link().await)).await.unwrap();
    assert_eq!(iphone.declarations().count(), 0);
    iphone.connect().await.unwrap();
    assert_eq!(iphone.declarations().count(), 2);
}

#[tokio::test]
async fn a_system_without_declarative_management_hears_nothing_of_it() {
    let server = TestServer::start().await;
    for (model, version) in
        [(DeviceModel::iphone(server.seed()), "15.8"), (DeviceModel::mac(server.seed()), "12.7")]
    {
        let model = DeviceModel { os_version: version.into(), ..model };
        let mut device = server.enroll(server.options(server.link().await, model)).await;
        let handed: Vec<_> =
            device.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
        assert_eq!(handed, ["DeviceInformation", "SecurityInfo"]);
    }
}

on_both!(a_status_report_tells_what_the_device_is_now);
async fn a_status_report_tells_what_the_device_is_now(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    (iphone.model_mut().os_version, iphone.model_mut().build_version) = ("18.2".into(), "22C152".into());
    iphone.model_mut().passcode_set = false;
    iphone.report_status().await.unwrap();
    let facts = facts(&server, &iphone).await;
    assert_eq!((facts.os_version.as_deref(), facts.build_version.as_deref()), (Some("18.2"), Some("22C152")));
    assert_eq!(facts.passcode_present, Some(false));
    assert_eq!(iphone.idle().await, Ok(None), "the set is the same for the new version");
}

on_both!(a_new_system_is_asked_for_what_it_can_tell);
async fn a_new_system_is_asked_for_what_it_can_tell(server: TestServer) {
    let old = DeviceModel { os_version: "16.0".into(), ..DeviceModel::iphone(server.seed()) };
    let mut iphone = server.enrolled(old).await;
    let before = subscriptions(&iphone);
    assert!(!before.contains("device.model.number"), "iOS 16 does not know it: {before}");
    iphone.model_mut().os_version = "18.1".into();
    iphone.report_status().await.unwrap();
    server.pushed().await;
    assert_eq!(iphone.idle().await, Ok(Some("DeclarativeManagement")));
    iphone.answer().await.unwrap();
    assert!(subscriptions(&iphone).contains("device.model.number"));
}

on_both!(a_new_system_has_its_queue_judged_anew);
async fn a_new_system_has_its_queue_judged_anew(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let command = server.lock(&iphone).await;
    let revision = |command: &domain::Command| command.judged.as_ref().unwrap().facts_revision.clone();
    let before = revision(&server.command(&iphone, command).await);
    iphone.model_mut().os_version = "18.3".into();
    iphone.report_status().await.unwrap();
    let after = server.command(&iphone, command).await;
    assert_ne!(before, revision(&after));
    assert_eq!(after.state, CommandState::Queued, "the new system takes a lock as well");
}

on_both!(what_a_device_does_not_carry_out_is_noted_once);
async fn what_a_device_does_not_carry_out_is_noted_once(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    let report = |valid: &str| {
        format!(
            r#"{{"StatusItems":{{"management":{{"declarations":{{"configurations":[{{"identifier":
            "remuda.status-subscriptions","valid":"{valid}","reasons":[{{"code":"Error.Unknown"}}]}}]}}}}}}}}"#
        )
    };
    for (valid, noted) in [("invalid", 1), ("invalid", 1), ("valid", 1), ("invalid", 2)] {
        let reply = speaker.check_in(&status(&speaker, report(valid).as_bytes())).await;
        assert_eq!(reply, Reply::fine());
        assert_eq!(server.count_events("declarations.refused").await, noted, "{valid}");
    }
}

on_both!(the_answer_to_tokens_is_the_same_until_something_changes);
/// 57
async fn the_answer_to_tokens_is_the_same_until_something_changes(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    let first = speaker.check_in(&ask(speaker.ids(), Endpoint::Tokens)).await;
    server.clock().advance(std::time::Duration::from_hours(30));
    let again = speaker.check_in(&ask(speaker.ids(), Endpoint::Tokens)).await;
    assert_eq!(first, again);
    assert_eq!(first.content_type.as_deref(), Some("application/json"));
    let tokens = SyncTokens::parse(&first.body).unwrap();
    let manifest = speaker.check_in(&ask(speaker.ids(), Endpoint::DeclarationItems)).await;
    assert_eq!(Manifest::parse(&manifest.body).unwrap().declarations_token, tokens.declarations_token);
}

#[tokio::test]
async fn two_devices_of_a_kind_have_the_same_tokens() {
    let server = TestServer::start().await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let iphone = server.enrolled_iphone().await;
        let speaker = speaker(&server, &iphone);
        let reply = speaker.check_in(&ask(speaker.ids(), Endpoint::Tokens)).await;
        tokens.push(SyncTokens::parse(&reply.body).unwrap().declarations_token);
    }
    assert_eq!(tokens[0], tokens[1]);
}

/// 59: a declaration that is not there is dropped by the device, by a 404.
#[tokio::test]
async fn a_declaration_that_is_not_there_is_a_404() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    for (kind, identifier) in [
        (Kind::Configuration, "unheard.of"),
        (Kind::Asset, "remuda.status-subscriptions"),
        (Kind::Activation, "../tokens"),
    ] {
        let endpoint = Endpoint::Declaration { kind, identifier: identifier.into() };
        assert_eq!(
            speaker.check_in(&ask(speaker.ids(), endpoint)).await,
            Reply::refused(404),
            "{identifier}"
        );
    }
}

/// 7: what cannot be read must not come again and again.
#[tokio::test]
async fn what_makes_no_sense_is_a_400_and_changes_nothing() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    let before = facts(&server, &iphone).await;
    let speaker = speaker(&server, &iphone);
    let deep = format!("{{\"StatusItems\":{}", "[".repeat(50_000));
    for data in ["", "{", "[]", "{}", r#"{"StatusItems":[]}"#, &deep, "\u{0}"] {
        let reply = speaker.check_in(&status(&speaker, data.as_bytes())).await;
        assert_eq!(reply, Reply::refused(400), "{}", &data[..data.len().min(30)]);
    }
    for endpoint in ["", "tokens/", "declaration/x/y", "admin"] {
        let reply = speaker.check_in(&ask(speaker.ids(), Endpoint::Other(endpoint.into()))).await;
        assert_eq!(reply, Reply::refused(400), "{endpoint}");
    }
    assert_eq!(facts(&server, &iphone).await, before);
    assert_eq!(iphone.idle().await, Ok(None));
}

/// What a device says that is not what it should be is passed over, item by item.
#[tokio::test]
async fn odd_items_of_a_report_change_nothing() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let before = facts(&server, &iphone).await;
    let speaker = speaker(&server, &iphone);
    let long = "9".repeat(2000);
    for version in ["7", "null", "{}", "[\"18.2\"]", "\"\"", &format!("\"{long}\"")] {
        let report = format!(
            r#"{{"StatusItems":{{"device":{{"operating-system":{{"version":{version}}}}},"passcode":3}}}}"#
        );
        assert_eq!(speaker.check_in(&status(&speaker, report.as_bytes())).await, Reply::fine());
    }
    let after = facts(&server, &iphone).await;
    assert!(after.status_at > before.status_at, "they were taken");
    assert_eq!(domain::Facts { status_at: before.status_at, ..after }, before);
}

on_both!(what_a_list_names_is_there_to_be_fetched);
/// 58: a 404 would mean that it is taken back, whatever becomes known of the device between the two requests.
async fn what_a_list_names_is_there_to_be_fetched(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    for version in ["16.0", "18.1", "26.0"] {
        let listed = speaker.check_in(&ask(speaker.ids(), Endpoint::DeclarationItems)).await;
        let manifest = Manifest::parse(&listed.body).unwrap();
        assert_eq!(manifest.items.len(), 2);
        server.change_record(iphone.id(), |device| device.facts.os_version = Some(version.into())).await;
        for item in manifest.items {
            let endpoint = Endpoint::Declaration { kind: item.kind, identifier: item.identifier };
            assert_eq!(speaker.check_in(&ask(speaker.ids(), endpoint)).await.status, 200);
        }
    }
}

on_both!(a_full_report_replaces_and_any_other_adds);
/// 60: an empty 200 for both.
async fn a_full_report_replaces_and_any_other_adds(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    let refused = r#""management":{"declarations":{"configurations":[{"identifier":"remuda.status-subscriptions",
        "valid":"invalid","reasons":[{"code":"Error.X"}]}]}}"#;
    let says = async |items: &str, full: bool| {
        let report = format!(r#"{{"StatusItems":{{{items}}},"FullReport":{full}}}"#);
        assert_eq!(speaker.check_in(&status(&speaker, report.as_bytes())).await, Reply::fine());
        let known = facts(&server, &iphone).await;
        let device =
            server.mdm().device(&server.owner(), &domain::DeviceName::Id(iphone.id())).await.unwrap();
        let channel = domain::ChannelKey::default();
        let declared = server.records().await.declared(device.device.enrollment, &channel).await.unwrap();
        (known.passcode_present, known.os_version, declared.unwrap().refused.is_some())
    };
    let version = Some("18.1".to_owned());
    assert_eq!(says(refused, false).await, (Some(true), version.clone(), true));
    let absent = r#""passcode":{"is-present":false}"#;
    assert_eq!(
        says(absent, false).await,
        (Some(false), version.clone(), true),
        "nothing of it is taken back"
    );
    assert_eq!(
        says(absent, true).await,
        (Some(false), version, false),
        "of what it leaves out nothing is so"
    );
}

#[tokio::test]
async fn a_device_that_is_not_enrolled_yet_is_told_nothing() {
    let server = TestServer::start().await;
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let mut iphone = AppleDevice::install(options).await.unwrap();
    assert!(matches!(iphone.synchronize().await, Err(Failure::Refused { status: 403, .. })));
    iphone.authenticate().await.unwrap();
    assert!(matches!(iphone.synchronize().await, Err(Failure::Refused { status: 403, .. })));
    iphone.token_update().await.unwrap();
    iphone.synchronize().await.unwrap();
}

on_both!(a_user_has_a_set_of_its_own_and_it_is_empty);
async fn a_user_has_a_set_of_its_own_and_it_is_empty(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let speaker = speaker(&server, &mac);
    let ids = Identifiers { user_id: Some("6A8D1C70-0001".into()), ..speaker.ids() };
    let login = TokenUpdate { ids: ids.clone(), unlock_token: None, ..mac.token_update_message() };
    mac.check_in(&CheckIn::TokenUpdate(login)).await.unwrap();
    let reply = speaker.check_in(&ask(ids.clone(), Endpoint::DeclarationItems)).await;
    let manifest = Manifest::parse(&reply.body).unwrap();
    assert_eq!(manifest.items, []);
    let tokens = speaker.check_in(&ask(ids.clone(), Endpoint::Tokens)).await;
    assert_eq!(SyncTokens::parse(&tokens.body).unwrap().declarations_token, manifest.declarations_token);
    let report = DeclarativeManagement { ids, endpoint: Endpoint::Status, data: Some(OLD_VERSION.into()) };
    assert_eq!(speaker.check_in(&CheckIn::DeclarativeManagement(report)).await, Reply::fine());
    assert_eq!(
        facts(&server, &mac).await.os_version.as_deref(),
        Some("15.1"),
        "a user does not speak for the device"
    );
}

const OLD_VERSION: &str = r#"{"StatusItems":{"device":{"operating-system":{"version":"13.0"}}}}"#;

fn speaker(server: &TestServer, device: &Device) -> Speaker {
    Speaker::new(server, device.credential().clone(), device.model().udid.clone())
}

fn ask(ids: Identifiers, endpoint: Endpoint) -> CheckIn {
    CheckIn::DeclarativeManagement(DeclarativeManagement { ids, endpoint, data: None })
}

fn status(speaker: &Speaker, data: &[u8]) -> CheckIn {
    let data = Some(data.to_vec());
    CheckIn::DeclarativeManagement(DeclarativeManagement {
        ids: speaker.ids(),
        endpoint: Endpoint::Status,
        data,
    })
}

/// The status items that a device was asked for.
fn subscriptions(device: &Device) -> String {
    let mut declarations = device.declarations();
    let found = declarations.find(|it| it.identifier == "remuda.status-subscriptions").unwrap();
    found.to_json()["Payload"].to_string()
}

async fn facts(server: &TestServer, device: &Device) -> Facts {
    let name = domain::DeviceName::Id(device.id());
    server.mdm().device(&server.owner(), &name).await.unwrap().device.facts
}
