//! Check-ins: how a device becomes enrolled, says where it can be pushed to, and leaves.

mod at_once;
mod awaiting_configuration;
mod bootstrap_tokens;
mod declarations;
mod questions;
mod re_enrollment;
pub mod tokens;
mod user_channels;
mod user_enrollment;

use apple::{Authenticate, CheckIn, Identifiers, content_type};
use simulator::apple_device::{AppleDevice, By, DeviceModel, Failure, LostAnswer, Request, Step};
use testkit::{on_both, server::TestServer};

use crate::speaker::{Reply, Speaker};

/// 11: the device is enrolled, and can be pushed to, after its first `TokenUpdate` and not before.
mod authenticate_is_not_enrollment {
    use super::*;

    on_both!(nothing_is_known_and_nothing_is_handed_over);
    async fn nothing_is_known_and_nothing_is_handed_over(server: TestServer) {
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        let mut iphone = AppleDevice::install(options).await.unwrap();
        iphone.authenticate().await.unwrap();
        assert_eq!(count(&server).await, 0);
        assert_eq!(iphone.idle().await, Ok(None));
        assert_eq!(server.apns().counters().arrived, 0);

        iphone.token_update().await.unwrap();
        assert_eq!(count(&server).await, 1);
        assert_eq!(iphone.idle().await, Ok(Some("DeviceInformation")));
    }

    on_both!(a_token_before_it_is_refused);
    async fn a_token_before_it_is_refused(server: TestServer) {
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        let mut iphone = AppleDevice::install(options).await.unwrap();
        assert!(matches!(iphone.token_update().await, Err(Failure::Refused { status: 403, .. })));
        assert!(matches!(iphone.idle().await, Err(Failure::Refused { status: 403, .. })));
        iphone.authenticate().await.unwrap();
        iphone.token_update().await.unwrap();
        assert!(iphone.is_enrolled());
    }

    on_both!(it_may_be_said_again_before_the_token);
    async fn it_may_be_said_again_before_the_token(server: TestServer) {
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        let mut iphone = AppleDevice::install(options).await.unwrap();
        iphone.lose_next_answer(LostAnswer::Retried);
        iphone.authenticate().await.unwrap();
        iphone.authenticate().await.unwrap();
        iphone.lose_next_answer(LostAnswer::Retried);
        iphone.token_update().await.unwrap();
        assert_eq!(count(&server).await, 1);
    }
}

on_both!(an_authenticate_that_is_said_again_keeps_the_live_enrollment_and_its_queue);
/// 12: what a device says again, because it never heard the answer, must not cost it its enrollment.
async fn an_authenticate_that_is_said_again_keeps_the_live_enrollment_and_its_queue(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let again = CheckIn::Authenticate(iphone.authenticate_message());
    iphone.check_in(&again).await.unwrap();
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(None));
    assert_eq!(server.id_of(&iphone).await, Some(iphone.id()));
    server.lock(&iphone).await;
    server.apns().watch().wait_for(|so_far| so_far.accepted > 1).await.unwrap();
}

on_both!(one_certificate_is_one_device);
async fn one_certificate_is_one_device(server: TestServer) {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let mut iphone = AppleDevice::install(options).await.unwrap();
    iphone.authenticate().await.unwrap();
    let turncoat = Speaker::new(&server, iphone.credential().clone(), "00008140-AAAAAAAAAAAAAAAA");
    assert_eq!(turncoat.authenticate().await, Reply::refused(403));
    assert_eq!(turncoat.token_update().await, Reply::refused(403));
    iphone.token_update().await.unwrap();
    assert_eq!(turncoat.authenticate().await, Reply::refused(403));
    assert_eq!(count(&server).await, 1);
}

/// 21
mod a_topic_that_is_not_the_tenants {
    use super::*;

    on_both!(is_refused_in_an_authenticate);
    async fn is_refused_in_an_authenticate(server: TestServer) {
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        let mut iphone = AppleDevice::install(options).await.unwrap();
        let wrong = Authenticate { topic: OTHER.into(), ..iphone.authenticate_message() };
        let refused = iphone.check_in(&CheckIn::Authenticate(wrong)).await;
        assert!(matches!(refused, Err(Failure::Refused { status: 403, .. })), "{refused:?}");
        assert!(iphone.token_update().await.is_err(), "it has not authenticated");
    }

    on_both!(is_refused_in_a_token_update_and_changes_nothing);
    async fn is_refused_in_a_token_update_and_changes_nothing(server: TestServer) {
        let mut iphone = server.enrolled_iphone().await;
        let mut wrong = iphone.token_update_message();
        (wrong.topic, wrong.token) = (OTHER.into(), vec![9; 32]);
        let refused = iphone.check_in(&CheckIn::TokenUpdate(wrong)).await;
        assert!(matches!(refused, Err(Failure::Refused { status: 403, .. })), "{refused:?}");
        let token = iphone.push_address().token.clone();
        server.lock(&iphone).await;
        server.apns().watch().wait_for(|so_far| so_far.accepted > 1).await.unwrap();
        assert!(server.apns().pushes().iter().all(|push| push.token == token));
    }

    const OTHER: &str = "com.apple.mgmt.External.another";
}

on_both!(a_message_that_is_not_handled_is_refused_and_harms_nothing);
async fn a_message_that_is_not_handled_is_refused_and_harms_nothing(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    for message_type in ["FromTheFuture", "authenticate", "GetBootstrapToken "] {
        let unknown =
            CheckIn::Unsupported { message_type: message_type.into(), ids: mac.model().identifiers() };
        let refused = mac.check_in(&unknown).await;
        assert!(matches!(refused, Err(Failure::Refused { status: 400, .. })), "{refused:?}");
    }
    assert_eq!(mac.idle().await, Ok(None));
}

on_both!(check_ins_may_come_to_either_address);
async fn check_ins_may_come_to_either_address(server: TestServer) {
    let mac = server.enrolled_mac().await;
    let body = CheckIn::TokenUpdate(mac.token_update_message()).encode();
    for (path, kind) in [
        ("/checkin", content_type::CHECK_IN),
        ("/checkin", "application/x-apple-aspen-mdm-checkin; charset=UTF-8"),
        ("/checkin", "text/xml"),
        ("/mdm", content_type::CHECK_IN),
        ("/mdm", "application/octet-stream"),
    ] {
        let request = Request::put(format!("{}{path}", server.device_url()), kind, body.clone());
        let answer = mac.send(request, By::Itself).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path} {kind}");
    }
}

#[tokio::test]
async fn a_report_is_no_check_in() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    let report = apple::Report::idle(mac.model().identifiers()).encode();
    let url = format!("{}/checkin", server.device_url());
    let answer = mac.send(Request::put(url, content_type::CHECK_IN, report), By::Itself).await.unwrap();
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_message_without_what_apple_requires_is_refused() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    let speaker = Speaker::new(&server, mac.credential().clone(), mac.model().udid.clone());
    let whole = String::from_utf8(CheckIn::TokenUpdate(mac.token_update_message()).encode()).unwrap();
    for key in ["MessageType", "UDID", "Topic", "Token", "PushMagic"] {
        let without = whole.replace(&format!("<key>{key}</key>"), "<key>Other</key>");
        assert_ne!(without, whole, "{key}");
        let reply = speaker.put("/checkin", Some(content_type::CHECK_IN), without.into_bytes()).await;
        assert_eq!(reply, Reply::refused(400), "{key}");
    }
}

on_both!(a_user_enrollment_is_known_by_its_enrollment_id);
/// 22: no UDID, no serial number; the enrollment id is all there is.
async fn a_user_enrollment_is_known_by_its_enrollment_id(server: TestServer) {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let iphone = AppleDevice::install(options).await.unwrap();
    let ids = Identifiers { enrollment_id: Some("8F1B-77".into()), ..Identifiers::default() };
    let speaker = Speaker::new(&server, iphone.credential().clone(), "unused");
    let authenticate =
        Authenticate { ids: ids.clone(), serial_number: None, imei: None, ..iphone.authenticate_message() };
    let token_update =
        apple::TokenUpdate { ids: ids.clone(), unlock_token: None, ..iphone.token_update_message() };
    assert_eq!(speaker.check_in(&CheckIn::Authenticate(authenticate)).await, Reply::fine());
    assert_eq!(speaker.check_in(&CheckIn::TokenUpdate(token_update)).await, Reply::fine());
    let devices = server.devices_of(server.tenant()).await;
    let device = &devices[0];
    assert_eq!((device.key.as_str(), &device.facts.serial_number), ("8F1B-77", &None));
    assert_eq!(device.facts.enrollment, domain::EnrollmentKind::User);
    let command = speaker.report(&apple::Report::idle(ids)).await;
    assert!(command.text().contains("DeviceInformation"), "{command:?}");
}

on_both!(an_enrollment_whose_first_token_fails_is_taken_up_where_it_stopped);
async fn an_enrollment_whose_first_token_fails_is_taken_up_where_it_stopped(server: TestServer) {
    let mut options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    options.listener = None;
    let mut iphone = AppleDevice::install(options).await.unwrap();
    iphone.authenticate().await.unwrap();
    iphone.lose_next_answer(LostAnswer::ForGood);
    assert_eq!(iphone.token_update().await, Err(Failure::Lost));
    // 13: it was stored before it was answered, so that a device that never says it again is enrolled.
    assert_eq!(count(&server).await, 1);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceInformation")));
}

#[tokio::test]
async fn a_link_that_enrolls_nobody_leaves_no_device_behind() {
    let server = TestServer::start().await;
    let link = format!("{}/enroll/none", server.device_url());
    let failed = AppleDevice::enroll(server.options(link, DeviceModel::iphone(1))).await;
    assert_eq!(failed.err().unwrap().step, Step::Profile);
    assert_eq!(count(&server).await, 0);
}

/// How many devices the tenant has.
pub async fn count(server: &TestServer) -> usize {
    server.devices_of(server.tenant()).await.len()
}
