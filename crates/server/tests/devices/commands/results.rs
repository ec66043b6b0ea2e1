//! Results that come twice, late, from elsewhere, or about nothing that we know.

use apple::{Report, Value};
use domain::CommandState;
use testkit::{on_both, server::TestServer};

use super::{lock, profile};
use crate::speaker::{Reply, Speaker};

on_both!(a_result_that_comes_twice_counts_once);
/// 27
async fn a_result_that_comes_twice_counts_once(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let queued = server.queue(&iphone, &[lock("one"), profile("wifi")]).await;
    iphone.idle().await.unwrap();
    let uuid = iphone.current().unwrap().command_uuid.clone();
    let done = Report::acknowledged(iphone.model().identifiers(), &uuid);
    let failed = Report::error(iphone.model().identifiers(), &uuid, vec![]);
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    for report in [&done, &done, &failed] {
        assert_eq!(speaker.report(report).await.status, 200);
    }
    server.settled().await;
    assert_eq!(
        server.command(&iphone, queued[0]).await.state,
        CommandState::Acknowledged,
        "the first counts"
    );
    let events = server.events(Some(iphone.id())).await;
    let of_first = |event: &&domain::Event| event.details["command"] == queued[0].to_string();
    assert_eq!(events.iter().filter(of_first).count(), 1);
}

on_both!(a_result_of_nothing_that_we_know_is_taken_and_harms_nothing);
/// 34
async fn a_result_of_nothing_that_we_know_is_taken_and_harms_nothing(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    for uuid in ["F2D0E7C6-0000-4000-8000-000000000000", "a command of another server", "0", &"x".repeat(128)]
    {
        for report in [
            Report::acknowledged(speaker.ids(), uuid),
            Report::not_now(speaker.ids(), uuid),
            Report::error(speaker.ids(), uuid, vec![]),
            Report::command_format_error(speaker.ids(), uuid),
        ] {
            assert_eq!(speaker.report(&report).await, Reply::fine(), "{uuid}");
        }
    }
    assert_eq!(iphone.idle().await, Ok(None));
}

on_both!(the_result_of_another_devices_command_is_not_believed);
async fn the_result_of_another_devices_command_is_not_believed(server: TestServer) {
    let (mut iphone, mut mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    let id = server.lock(&mac).await;
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    let uuid = mac.current().unwrap().command_uuid.clone();
    let usurped = Report::acknowledged(iphone.model().identifiers(), &uuid);
    assert_eq!(iphone.poll(&usurped).await.unwrap(), None);
    assert_eq!(server.command(&mac, id).await.state, CommandState::HandedOver);
    assert_eq!(mac.acknowledge().await, Ok(None));
    assert_eq!(server.command(&mac, id).await.state, CommandState::Acknowledged);
}

#[tokio::test]
async fn a_result_of_before_the_check_out_is_refused() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    iphone.idle().await.unwrap();
    let uuid = iphone.current().unwrap().command_uuid.clone();
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    iphone.check_out().await.unwrap();
    let late = Report::acknowledged(speaker.ids(), &uuid);
    assert_eq!(speaker.report(&late).await, Reply::refused(403));
}

on_both!(a_result_of_before_the_re_enrollment_changes_nothing);
/// The same device under a new enrollment: what the old one was asked is not the new one's.
async fn a_result_of_before_the_re_enrollment_changes_nothing(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let id = server.lock(&iphone).await;
    iphone.idle().await.unwrap();
    let uuid = iphone.current().unwrap().command_uuid.clone();
    iphone.check_out().await.unwrap();
    iphone.re_enroll(Some(&server.link().await)).await.unwrap();
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let late = Report::acknowledged(speaker.ids(), &uuid);
    assert_eq!(speaker.report(&late).await.status, 200);
    assert_eq!(server.command(&iphone, id).await.state, CommandState::Cancelled);
}

on_both!(a_long_result_is_stored_as_it_came);
async fn a_long_result_is_stored_as_it_came(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let id = server.queue(&mac, &[profile("wifi")]).await[0];
    mac.idle().await.unwrap();
    let uuid = mac.current().unwrap().command_uuid.clone();
    let long = Value::Data(vec![7; 11 << 20]);
    let report = Report::acknowledged(mac.model().identifiers(), &uuid).with("Applications", long);
    assert_eq!(mac.poll(&report).await.unwrap(), None);
    assert_eq!(server.command(&mac, id).await.result, Some(report.encode()));
    server.settled().await;
}

on_both!(a_result_that_makes_no_sense_stops_nothing);
/// Nothing that a device answers may stop the worker that reads it.
async fn a_result_that_makes_no_sense_stops_nothing(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let queries = apple::command::DeviceInformation { queries: vec!["OSVersion".into()] };
    let senseless = [
        Value::from("text"),
        Value::Array(vec![]),
        Value::Dictionary(apple::Dictionary::from_iter([
            ("OSVersion", Value::Array(vec![Value::from(18)])),
            ("BatteryLevel", Value::from("full")),
            ("DeviceCapacity", Value::from(f64::NAN)),
            ("DeviceName", Value::Data(vec![0xff; 10])),
        ])),
    ];
    for answer in senseless {
        server.queue(&iphone, &[queries.clone().into()]).await;
        iphone.idle().await.unwrap();
        let uuid = iphone.current().unwrap().command_uuid.clone();
        let report = Report::acknowledged(iphone.model().identifiers(), &uuid);
        iphone.poll(&report.with("QueryResponses", answer)).await.unwrap();
    }
    server.settled().await;
    let info = server.api().info(&iphone.client_id()).await;
    assert_eq!(info["osname"], "iOS 18.1", "what was known stays known");
}
