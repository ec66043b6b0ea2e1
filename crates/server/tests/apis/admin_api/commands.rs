//! Commands from being asked to their result.

use apple::{Command, ErrorChainItem};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{cancel, lock, refused, send, sent, shown, state};

/// What the command that a device has says, whatever it is.
fn lock_of(device: &Device) -> apple::command::DeviceLock {
    match &device.current().expect("a command").command {
        Ok(Command::DeviceLock(lock)) => lock.clone(),
        other => panic!("not a lock: {other:?}"),
    }
}

on_both!(a_command_is_sent_pushed_for_handed_over_and_answered);

async fn a_command_is_sent_pushed_for_handed_over_and_answered(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    server.pushed().await;
    let before = server.apns().pushes().len();
    let uuid = sent(&server, &phone, lock("hello"), json!({})).await;
    server.until(async |server| server.apns().pushes().len() > before).await;
    assert_eq!(state(&server, &uuid).await, "queued");

    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(phone.current().unwrap().command_uuid.to_lowercase(), uuid);
    assert_eq!(lock_of(&phone).message.as_deref(), Some("hello"));
    assert_eq!(state(&server, &uuid).await, "handed_over");
    assert_eq!(phone.acknowledge().await, Ok(None));
    let done = shown(&server, &uuid).await;
    assert_eq!((&done["state"], &done["result"]), (&"done".into(), &json!({ "MessageResult": "Success" })));
    assert!(done["finished_at"].is_string() && done["error_chain"] == json!([]));
}

on_both!(a_failure_is_told_with_its_error_chain);

async fn a_failure_is_told_with_its_error_chain(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let uuid = sent(&server, &phone, lock("hello"), json!({})).await;
    phone.idle().await.unwrap();
    let cause = ErrorChainItem {
        code: 12021,
        domain: "MCMDMErrorDomain".into(),
        localized_description: "Kein Code".into(),
        us_english_description: Some("No passcode".into()),
    };
    phone.error(vec![cause]).await.unwrap();
    let failed = shown(&server, &uuid).await;
    assert_eq!(failed["state"], "failed");
    let expected = json!([{
        "code": 12021, "domain": "MCMDMErrorDomain", "localized_description": "Kein Code",
        "us_english_description": "No passcode",
    }]);
    assert_eq!(failed["error_chain"], expected);
}

on_both!(a_command_put_off_is_told_so_and_its_device_is_woken_again);

async fn a_command_put_off_is_told_so_and_its_device_is_woken_again(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let uuid = sent(&server, &phone, lock("hello"), json!({})).await;
    server.pushed().await;
    phone.idle().await.unwrap();
    assert_eq!(phone.not_now().await, Ok(None));
    let put_off = shown(&server, &uuid).await;
    assert_eq!((&put_off["state"], &put_off["put_off"]), (&"not_now".into(), &1.into()));
    server.pushed().await;
    let before = server.apns().pushes().len();
    server.clock().advance(std::time::Duration::from_mins(6));
    server.until(async |server| server.apns().pushes().len() > before).await;
    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(phone.acknowledge().await, Ok(None));
    assert_eq!(state(&server, &uuid).await, "done");
}

on_both!(a_command_is_taken_back_until_the_device_has_it);

async fn a_command_is_taken_back_until_the_device_has_it(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let [one, two] = [
        sent(&server, &phone, lock("one"), json!({})).await,
        sent(&server, &phone, lock("two"), json!({})).await,
    ];
    assert_eq!(cancel(&server, &one).await, 200);
    assert_eq!(cancel(&server, &one).await, 409, "twice");
    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(lock_of(&phone).message.as_deref(), Some("two"));
    assert_eq!(cancel(&server, &two).await, 409);
    assert_eq!(phone.acknowledge().await, Ok(None));
    assert_eq!(cancel(&server, &two).await, 409);
    assert_eq!([state(&server, &one).await, state(&server, &two).await], ["cancelled", "done"]);
    assert_eq!(cancel(&server, "0192f3a1-c0de-7000-8000-000000000001").await, 404);
    assert_eq!(server.count_events("command.cancelled").await, 1);
}

on_both!(who_cancels_and_who_fetches_at_once_agree);

/// Either it was taken back, and the device never got it; or the device has it, and it is a conflict.
async fn who_cancels_and_who_fetches_at_once_agree(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    for _ in 0..10 {
        let uuid = sent(&server, &phone, lock("race"), json!({})).await;
        let (cancelled, handed) =
            tokio::join!(cancel(&server, &uuid), async { phone.idle().await.unwrap().map(str::to_owned) });
        assert_eq!(cancelled == 200, handed.is_none(), "{cancelled} and {handed:?}");
        if handed.is_some() {
            assert_eq!(phone.acknowledge().await, Ok(None));
        }
        assert_eq!(state(&server, &uuid).await, if handed.is_some() { "done" } else { "cancelled" });
    }
}

#[tokio::test]
async fn a_newer_command_with_the_same_key_takes_the_place_of_the_old() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let key = || json!({ "dedupe": "lock" });
    let old = sent(&server, &phone, lock("old"), key()).await;
    let new = sent(&server, &phone, lock("new"), key()).await;
    assert_eq!(state(&server, &old).await, "cancelled");
    assert_eq!(shown(&server, &new).await["dedupe"], "lock");
    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(lock_of(&phone).message.as_deref(), Some("new"));

    let answer =
        send(&server, json!({ "devices": [phone.client_id()], "command": lock("x"), "dedupe": "lock" }))
            .await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])));
    let error = answer.body["failed"][0]["error"].as_str().unwrap();
    assert!(error.contains("carrying out"), "{error}");
    assert_eq!(phone.acknowledge().await, Ok(None));
    sent(&server, &phone, lock("later"), key()).await;
}

#[tokio::test]
async fn a_secret_is_sealed_kept_and_never_shown() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    let command = json!({ "RequestType": "DeviceLock", "PIN": "482913" });
    let uuid = sent(&server, &mac, command, json!({})).await;
    let stored = server.command(&mac, uuid.parse().unwrap()).await;
    assert!(stored.sealed && !stored.payload.windows(6).any(|window| window == b"482913"));
    let list = server.api().admin(Method::GET, "commands", None).await;
    for text in [list.text, shown(&server, &uuid).await.to_string()] {
        assert!(!text.contains("482913"), "{text}");
    }
    let kept = server.records().await.escrow(mac.id(), "lock-pin", 9).await.unwrap();
    assert_eq!(kept.len(), 1, "before it can leave");
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(lock_of(&mac).pin.unwrap().as_str(), "482913");
    assert_eq!(mac.acknowledge().await, Ok(None));
}

#[tokio::test]
async fn the_faults_of_a_command_are_told_for_the_very_device() {
    let server = TestServer::start().await;
    let (phone, mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    let command = json!({ "RequestType": "DeviceLock", "PIN": "482913", "Message": 7 });
    let body = json!({ "devices": [phone.client_id(), mac.client_id()], "command": command });
    let answer = send(&server, body).await;
    assert_eq!((answer.status, answer.body["failed"].as_array().unwrap().len()), (202, 2), "{}", answer.text);
    let error = |n: usize| answer.body["failed"][n]["error"].as_str().unwrap().to_owned();
    assert!(error(0).contains("PIN: not available on iOS") && error(0).contains("Message: found integer"));
    assert!(!error(1).contains("PIN") && error(1).contains("Message: found integer"));
    assert!(!answer.text.contains("482913"));
    let queued = server.api().admin(Method::GET, "commands?state=queued", None).await;
    assert_eq!(queued.body["commands"], json!([]), "nothing was queued");
}

#[tokio::test]
async fn devices_are_called_by_id_by_udid_or_by_serial_number() {
    let server = TestServer::start().await;
    let (phone, mac, pad) =
        (server.enrolled_iphone().await, server.enrolled_mac().await, server.enrolled_ipad().await);
    let names = [
        phone.client_id(),
        format!("udid:{}", mac.model().udid),
        format!("serial:{}", pad.model().serial_number),
        "serial:nobody's".into(),
        "what".into(),
        phone.client_id().to_uppercase(),
    ];
    let answer = send(
        &server,
        json!({ "devices": names, "command": { "RequestType": "DeviceInformation",
        "Queries": ["DeviceName"] } }),
    )
    .await;
    let devices = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|it| it["device"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(devices(&answer.body["commands"]), names[..3]);
    assert_eq!(devices(&answer.body["failed"]), names[3..]);
    assert!(answer.body["failed"][2]["error"].as_str().unwrap().contains("more than once"));
}

#[tokio::test]
async fn commands_are_listed_page_by_page() {
    let server = TestServer::start().await;
    let (phone, pad) = (server.enrolled_iphone().await, server.enrolled_ipad().await);
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(sent(&server, &phone, lock(&n.to_string()), json!({})).await);
    }
    sent(&server, &pad, lock("pad"), json!({})).await;
    ids.reverse();
    let list = async |query: &str| server.api().admin(Method::GET, &format!("commands?{query}"), None).await;
    let mut seen = Vec::new();
    let mut query = format!("device={}&state=queued&limit=2", phone.client_id());
    loop {
        let page = list(&query).await.body;
        seen.extend(
            page["commands"].as_array().unwrap().iter().map(|it| it["uuid"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        query = format!("device={}&state=queued&limit=2&before={next}", phone.client_id());
    }
    assert_eq!(seen, ids);
    assert_eq!(list("state=queued").await.body["commands"].as_array().unwrap().len(), 6);
    for (query, field) in
        [("state=waiting", "state"), ("limit=0", "limit"), ("limit=x", "query"), ("before=x", "before")]
    {
        let answer = list(query).await;
        refused(&answer, 400, "invalid");
        assert_eq!(answer.body["field"], field);
    }
    refused(&list("device=serial:nobody's").await, 404, "not-found");
}
