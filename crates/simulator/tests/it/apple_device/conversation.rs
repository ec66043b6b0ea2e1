//! The command channel: proper conversations, and every way in which a server can spoil one.

use std::sync::{Arc, Mutex};

use apple::command::{DeviceInformation, DeviceLock, Pin, RemoveProfile, SecurityInfo};
use apple::{ErrorChainItem, Report, Status, Value};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure, LostAnswer};
use tokio::sync::mpsc;

use super::server::Server;

async fn enrolled(server: &Server, model: DeviceModel) -> AppleDevice {
    AppleDevice::enroll(server.options(model)).await.unwrap()
}

fn lock() -> DeviceLock {
    DeviceLock { message: Some("hello".into()), ..DeviceLock::default() }
}

fn is_breach<T: std::fmt::Debug>(result: Result<T, Failure>, sentence: &str) {
    let Err(Failure::Breach(breach)) = result else { panic!("{result:?}") };
    assert!(breach.0.contains(sentence), "{breach}");
}

/// The last report that the server heard.
fn last(server: &Server) -> Report {
    server.desk.heard().pop().unwrap().report()
}

#[tokio::test]
async fn a_command_put_off_is_sent_again() {
    let server = Server::start().await;
    let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
    let lock = DeviceLock { pin: Some(Pin::new("123456").unwrap()), ..DeviceLock::default() };
    server.desk.hand_over("lock", lock.clone());
    server.desk.hand_over_nothing();
    server.desk.hand_over("lock", lock);

    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(mac.not_now().await, Ok(None));
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(mac.acknowledge().await, Ok(None));
    assert_eq!(server.desk.asked()[7..], ["Idle", "NotNow", "Idle", "Acknowledged"]);
    assert_eq!(last(&server).command_uuid.as_deref(), Some("lock"));
}

#[tokio::test]
async fn a_conversation_goes_on_until_there_is_nothing_more() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let queries = vec!["UDID".into(), "IMEI".into(), "HasBattery".into()];
    server.desk.hand_over("1", DeviceInformation { queries });
    server.desk.hand_over("2", SecurityInfo);
    server.desk.hand_over("3", lock());
    let done = iphone.connect().await.unwrap();
    assert_eq!(
        done.iter().map(|done| done.request_type.as_str()).collect::<Vec<_>>(),
        ["DeviceInformation", "SecurityInfo", "DeviceLock"]
    );
    let heard = server.desk.heard();
    let answers =
        heard[7].report().body.get("QueryResponses").and_then(Value::as_dictionary).cloned().unwrap();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["UDID", "IMEI"]);
    assert!(heard[8].report().body.contains_key("SecurityInfo"));
    assert_eq!(heard[9].report().body.get("MessageResult").and_then(Value::as_string), Some("Success"));
    let certificate = iphone.credential().certificate.fingerprint();
    assert!(heard[6..].iter().all(|heard| heard.signer == Some(certificate)));
    assert!(iphone.breaches().is_empty());
}

#[tokio::test]
async fn a_command_handed_over_after_its_result_is_a_breach() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    server.desk.hand_over("lock", lock());
    server.desk.hand_over_nothing();
    iphone.connect().await.unwrap();
    server.desk.hand_over("lock", lock());
    is_breach(iphone.connect().await, "after its result");
    assert_eq!(iphone.breaches().len(), 1);
    assert_eq!(iphone.current(), None);
}

#[tokio::test]
async fn an_unanswered_command_may_come_again_at_idle_only() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    server.desk.hand_over("lock", lock());
    server.desk.hand_over("lock", lock());
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    server.desk.hand_over("lock", lock());
    let stray = Report::acknowledged(iphone.model().identifiers(), "of another time");
    is_breach(iphone.poll(&stray).await.map(|_| ()), "another time than Idle");
}

#[tokio::test]
async fn a_command_put_off_does_not_come_again_on_this_connection() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    iphone.put_off("DeviceLock", true);
    server.desk.hand_over("lock", lock());
    server.desk.hand_over("info", SecurityInfo);
    server.desk.hand_over("lock", lock());
    is_breach(iphone.connect().await, "put off");
}

#[tokio::test]
async fn one_uuid_is_one_command() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    server.desk.hand_over("c", lock());
    server.desk.hand_over("c", SecurityInfo);
    iphone.idle().await.unwrap();
    is_breach(iphone.idle().await.map(|_| ()), "not the same command");
}

#[tokio::test]
async fn what_is_no_command_is_a_breach() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    for body in ["hello", "<plist><dict/></plist>", "<plist><dict><key>Command</key><dict/></dict></plist>"] {
        server.desk.hand_over_bytes(body.into());
        is_breach(iphone.connect().await, "cannot be read");
    }
    server.desk.twist("Idle", |reply| reply.content_type = Some("text/html".into()));
    server.desk.hand_over("lock", lock());
    is_breach(iphone.connect().await, "content type");
    server.desk.twist("Idle", |reply| reply.status = 204);
    is_breach(iphone.connect().await, "204");
    assert_eq!(iphone.breaches().len(), 5);
}

#[tokio::test]
async fn commands_that_a_device_cannot_do_are_answered_and_not_done() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let with_pin = DeviceLock { pin: Some(Pin::new("123456").unwrap()), ..lock() };
    server.desk.hand_over("1", with_pin);
    let unknown = String::from_utf8(apple::Command::from(SecurityInfo).encode("2")).unwrap();
    server.desk.hand_over_bytes(unknown.replace("SecurityInfo", "Dance").into_bytes());
    server.desk.hand_over("3", RemoveProfile { identifier: "not.there".into() });
    let done = iphone.connect().await.unwrap();
    let statuses: Vec<_> = done.iter().map(|done| done.status).collect();
    assert_eq!(statuses, [Status::CommandFormatError, Status::Error, Status::Error]);
    assert_eq!(done[1].request_type, "Dance");
    assert_eq!(server.desk.heard()[8].report().error_chain[0].code, 12021);
}

#[tokio::test]
async fn a_device_does_not_acknowledge_what_it_cannot_do() {
    let server = Server::start().await;
    let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
    server.desk.hand_over("lock", lock());
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    assert!(matches!(mac.acknowledge().await, Err(Failure::Impossible(_))));
    assert_eq!(mac.error(vec![ErrorChainItem::default()]).await, Ok(None));
    assert_eq!(last(&server).status, Status::Error);
    assert!(matches!(mac.acknowledge().await, Err(Failure::Impossible(_))));
}

#[tokio::test]
async fn a_device_fails_and_puts_off_as_it_is_told() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    iphone.fail_next(vec![ErrorChainItem { code: 42, ..ErrorChainItem::default() }]);
    server.desk.hand_over("1", lock());
    server.desk.hand_over("2", SecurityInfo);
    let done = iphone.connect().await.unwrap();
    assert_eq!(
        done.iter().map(|done| done.status).collect::<Vec<_>>(),
        [Status::Error, Status::Acknowledged]
    );
    iphone.put_off_everything(true);
    server.desk.hand_over("3", lock());
    assert_eq!(iphone.connect().await.unwrap()[0].status, Status::NotNow);
    iphone.put_off_everything(false);
    server.desk.hand_over("3", lock());
    assert_eq!(iphone.connect().await.unwrap()[0].status, Status::Acknowledged);
}

#[tokio::test]
async fn everything_is_told_in_one_line_without_secrets() {
    let server = Server::start().await;
    let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    mac.subscribe(Arc::new(move |event| lines.lock().unwrap().push(event.to_string())));
    server.desk.hand_over("1", DeviceLock { pin: Some(Pin::new("482913").unwrap()), ..lock() });
    server.desk.hand_over("1", SecurityInfo);
    mac.connect().await.unwrap_err();
    let serial_number = &mac.model().serial_number;
    let told = told.lock().unwrap();
    assert_eq!(
        told[0],
        format!(r#"device {serial_number} did DeviceLock {{"Message":"hello","PIN":"(hidden)"}}"#)
    );
    assert!(told[1].contains("breach") && told.len() == 2, "{told:?}");
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_with_the_same_bytes() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    iphone.lose_next_answer(LostAnswer::Retried);
    iphone.token_update().await.unwrap();
    let heard = server.desk.heard();
    let [.., first, second] = heard.as_slice() else { panic!() };
    assert_eq!((first.what.as_str(), &first.body), ("TokenUpdate", &second.body));
}

#[tokio::test]
async fn a_result_that_nobody_confirmed_is_sent_again_and_nothing_is_done_twice() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    server.desk.hand_over("lock", lock());
    iphone.idle().await.unwrap();
    iphone.lose_next_answer(LostAnswer::ForGood);
    assert_eq!(iphone.acknowledge().await, Err(Failure::Lost));

    // The server has not heard the result, and hands the command over once more at the next Idle.
    server.desk.hand_over("lock", lock());
    iphone.idle().await.unwrap();
    assert_eq!(iphone.acknowledge().await, Ok(None));
    let heard = server.desk.heard();
    assert_eq!(heard[7].report(), heard[9].report());

    // It has heard this one, so nothing is owed any more.
    iphone.connect().await.unwrap();
    assert_eq!(server.desk.asked()[10..], ["Idle"]);
}

#[tokio::test]
async fn what_is_owed_comes_before_the_next_idle() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    server.desk.hand_over("lock", lock());
    iphone.lose_next_answer(LostAnswer::ForGood);
    assert_eq!(iphone.connect().await, Err(Failure::Lost));
    server.desk.hand_over("lock", lock());
    iphone.idle().await.unwrap();
    iphone.lose_next_answer(LostAnswer::ForGood);
    assert_eq!(iphone.acknowledge().await, Err(Failure::Lost));
    iphone.connect().await.unwrap();
    assert_eq!(server.desk.asked()[6..], ["Idle", "Idle", "Acknowledged", "Acknowledged", "Idle"]);
    server.desk.hand_over("lock", lock());
    is_breach(iphone.connect().await, "after its result");
}

#[tokio::test]
async fn a_device_that_the_server_does_not_know_any_more_drops_its_management() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    iphone.subscribe(Arc::new(move |event| lines.lock().unwrap().push(event.to_string())));
    server.desk.twist("Idle", |reply| {
        reply.status = apple::unrecognized::STATUS;
        reply.body = apple::unrecognized::BODY.into();
    });
    is_breach(iphone.idle().await.map(|_| ()), "content type");
    assert!(iphone.is_enrolled());
    server.desk.twist("Idle", |reply| {
        reply.status = apple::unrecognized::STATUS;
        reply.content_type = Some(apple::unrecognized::CONTENT_TYPE.into());
        reply.body = apple::unrecognized::BODY.into();
    });
    assert!(matches!(iphone.idle().await, Err(Failure::NotEnrolled(_))));
    assert!(!iphone.is_enrolled());
    assert!(told.lock().unwrap().last().unwrap().contains("unenrolled"));
    let heard = server.desk.asked().len();
    assert!(matches!(iphone.connect().await, Err(Failure::NotEnrolled(_))));
    assert_eq!(server.desk.asked().len(), heard);
}

#[tokio::test]
async fn a_device_that_is_offline_says_nothing() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    iphone.go_offline();
    assert_eq!(iphone.connect().await, Err(Failure::Offline));
    assert_eq!(server.desk.asked().len(), 6);
    iphone.come_online();
    assert_eq!(iphone.connect().await, Ok(vec![]));
}

#[tokio::test]
async fn a_device_lives_on_its_pushes_until_there_are_none() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let (wake, wakes) = mpsc::channel(2);
    let mut wakes = Some(wakes);
    server.desk.hand_over("lock", lock());
    wake.send(()).await.unwrap();
    wake.send(()).await.unwrap();
    drop(wake);
    let token = iphone.push_address().token.clone();
    iphone
        .live(|address| {
            assert_eq!(address.token, token);
            wakes.take().unwrap()
        })
        .await;
    assert_eq!(server.desk.asked()[6..], ["Idle", "Acknowledged", "Idle"]);
}

#[tokio::test]
async fn a_life_ends_with_the_management() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let (wake, wakes) = mpsc::channel(1);
    let mut wakes = Some(wakes);
    server.desk.hand_over("1", RemoveProfile { identifier: "com.example.enrollment".into() });
    wake.send(()).await.unwrap();
    iphone.live(|_| wakes.take().unwrap()).await;
    assert!(!iphone.is_enrolled());
    drop(wake);
}
