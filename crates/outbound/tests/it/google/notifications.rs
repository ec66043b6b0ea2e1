//! Notifications by pull: taken, acknowledged, and what can go wrong with them.

use std::collections::BTreeSet;

use android::notification::ReceivedMessage;
use android::{Command, CommandRequest, Notification, Outcome};
use simulator::google::{AndroidDevice, Faults};

use super::Office;

async fn pull(office: &Office) -> Vec<ReceivedMessage> {
    office.google().pull(&office.subscription, 100).await.unwrap()
}

async fn acknowledge(office: &Office, received: &[ReceivedMessage]) {
    let ids: Vec<String> = received.iter().map(|it| it.ack_id.clone()).collect();
    office.google().acknowledge(&office.subscription, &ids).await.unwrap();
}

fn read(received: &[ReceivedMessage]) -> Vec<Notification> {
    received.iter().map(|it| Notification::read(&it.message).unwrap()).collect()
}

fn types(received: &[ReceivedMessage]) -> Vec<String> {
    received.iter().map(|it| it.message.notification_type().unwrap().word().to_owned()).collect()
}

#[tokio::test]
async fn a_device_enrolls_reports_and_ends_a_command() {
    let office = Office::open().await;
    let name = office.phone().await;
    office.google().issue_command(&name, &CommandRequest::new(Command::Lock)).await.unwrap();
    office.pretend().sync(name.as_str());
    let received = pull(&office).await;
    assert_eq!(types(&received), ["ENROLLMENT", "STATUS_REPORT", "COMMAND", "USAGE_LOGS", "STATUS_REPORT"]);
    let notifications = read(&received);
    assert!(notifications.iter().all(|it| it.device_name().as_ref() == Some(&name)));
    let Notification::Command(operation) = &notifications[2] else { panic!("{:?}", notifications[2]) };
    assert_eq!(operation.outcome(), Outcome::Succeeded);
    acknowledge(&office, &received).await;
    assert!(pull(&office).await.is_empty());
    assert_eq!(office.pretend().waiting(office.subscription.as_str()), 0);
}

#[tokio::test]
async fn what_nobody_acknowledges_comes_again_and_more_time_can_be_had() {
    let office = Office::open().await;
    office.phone().await;
    let first = pull(&office).await;
    assert_eq!(first.len(), 2);
    assert!(pull(&office).await.is_empty());
    let ids = vec![first[0].ack_id.clone()];
    office.google().modify_ack_deadline(&office.subscription, &ids, 600).await.unwrap();
    office.table.hands.pass(60);
    let second = pull(&office).await;
    assert_eq!(second.len(), 1, "only the one whose time was not stretched");
    assert_eq!(second[0].message, first[1].message);
    office.google().modify_ack_deadline(&office.subscription, &[second[0].ack_id.clone()], 0).await.unwrap();
    assert_eq!(pull(&office).await.len(), 1, "given back at once");
}

#[tokio::test]
async fn an_acknowledgement_that_comes_too_late_is_passed_over() {
    let office = Office::open().await;
    office.phone().await;
    let first = pull(&office).await;
    office.table.hands.pass(61);
    let second = pull(&office).await;
    acknowledge(&office, &first).await;
    assert_eq!(office.pretend().waiting(office.subscription.as_str()), 2);
    acknowledge(&office, &second).await;
    assert_eq!(office.pretend().waiting(office.subscription.as_str()), 0);
}

#[tokio::test]
async fn a_message_that_comes_twice_has_one_id() {
    let office = Office::open().await;
    office.pretend().set_faults(Faults { duplicate_every: Some(1), ..Faults::default() });
    office.phone().await;
    let received = pull(&office).await;
    let ids: BTreeSet<_> = received.iter().map(|it| &it.message.message_id).collect();
    assert_eq!((received.len(), ids.len()), (4, 2));
}

#[tokio::test]
async fn messages_in_a_wrong_order_tell_which_report_is_the_newer() {
    let office = Office::open().await;
    let name = office.phone().await;
    acknowledge(&office, &pull(&office).await).await;
    office.pretend().set_faults(Faults { reorder: true, ..Faults::default() });
    for level in [70, 60] {
        office.table.hands.pass(10);
        office.pretend().change(name.as_str(), |device| device.battery_level = level);
        office.pretend().sync(name.as_str());
    }
    let received = pull(&office).await;
    let reports: Vec<_> = read(&received)
        .into_iter()
        .map(|it| match it {
            Notification::StatusReport(device) => (device.last_contact(), device.battery_level().unwrap().0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reports.iter().map(|(_, level)| *level).collect::<Vec<_>>(), [60, 70]);
    assert!(reports[0].0 > reports[1].0);
}

#[tokio::test]
async fn messages_are_lost_or_late_and_the_resource_still_tells() {
    let office = Office::open().await;
    office.pretend().set_faults(Faults { lose_every: Some(1), ..Faults::default() });
    let name = office.phone().await;
    assert!(pull(&office).await.is_empty());
    assert!(office.google().device(&name).await.unwrap().imei().is_some());
    office.pretend().set_faults(Faults { delay: true, ..Faults::default() });
    office.pretend().sync(name.as_str());
    assert!(pull(&office).await.is_empty());
    office.pretend().release_delayed();
    assert_eq!(types(&pull(&office).await), ["STATUS_REPORT"]);
}

#[tokio::test]
async fn a_lost_device_says_where_it_is_each_time_it_is_in_touch() {
    let office = Office::open().await;
    let name = office.phone().await;
    acknowledge(&office, &pull(&office).await).await;
    let lost = android::command::LostMode::new(Some("Please call"), None, None).unwrap();
    let request = CommandRequest::new(Command::StartLostMode(lost));
    office.google().issue_command(&name, &request).await.unwrap();
    office.pretend().sync(name.as_str());
    office.pretend().change(name.as_str(), |device| device.location = (-33.9, 18.4));
    office.pretend().sync(name.as_str());
    let places: Vec<_> = read(&pull(&office).await)
        .iter()
        .filter_map(|it| match it {
            Notification::UsageLogs(logs) => logs.locations().next().map(|it| (it.latitude, it.longitude)),
            _ => None,
        })
        .collect();
    assert_eq!(places, [(52.520_008, 13.404_954), (-33.9, 18.4)]);
    assert!(office.pretend().end_lost_mode_by_user(name.as_str()));
    let ended = read(&pull(&office).await);
    assert!(matches!(&ended[..], [Notification::UsageLogs(logs)] if logs.user_ended_lost_mode()));
}

#[tokio::test]
async fn the_last_word_of_a_deleted_device_is_that_it_is_deleted() {
    let office = Office::open().await;
    let name = office.phone().await;
    acknowledge(&office, &pull(&office).await).await;
    office.google().delete_device(&name, &[], None).await.unwrap();
    let last = read(&pull(&office).await);
    assert!(matches!(&last[..], [Notification::StatusReport(device)] if device.is_deleted()));
}

#[tokio::test]
async fn a_test_message_has_no_data() {
    let office = Office::open().await;
    office.pretend().publish_test(office.enterprise.as_str());
    assert_eq!(read(&pull(&office).await), [Notification::Test]);
}

#[tokio::test]
async fn a_pull_waits_for_a_message_that_comes_meanwhile() {
    let office = Office::open().await;
    let token = office.token(android::Method::FullyManaged).await;
    let enrolling = async {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        office.pretend().enroll(&token, AndroidDevice::phone(1)).unwrap();
    };
    let (received, ()) = tokio::join!(pull(&office), enrolling);
    assert_eq!(types(&received), ["ENROLLMENT"]);
}

#[tokio::test]
async fn messages_that_are_too_long_together_are_taken_in_smaller_parts() {
    let office = Office::open().await;
    let name = office.phone().await;
    acknowledge(&office, &pull(&office).await).await;
    office.pretend().change(name.as_str(), |device| {
        let one = device.applications[0].clone();
        device.applications = vec![one; 3_500];
    });
    for _ in 0..18 {
        office.pretend().sync(name.as_str());
    }
    let too_long = office.google().pull(&office.subscription, 20).await.unwrap_err();
    assert!(!too_long.is_passing(), "{too_long}");
    let mut taken = 0;
    while office.pretend().waiting(office.subscription.as_str()) > 0 {
        office.table.hands.pass(61);
        let received = pull(&office).await;
        assert!((1..18).contains(&received.len()));
        taken += received.len();
        acknowledge(&office, &received).await;
    }
    assert_eq!(taken, 18);
}
