//! What a purge means for the device: nothing of it is left, and it drops its management.

use std::sync::{Arc, Mutex};

use domain::DeviceId;
use serde_json::json;
use simulator::apple_device::{DeviceModel, Failure};
use testkit::{
    on_both,
    patience::within,
    server::{Device, TestServer},
};

async fn purge(server: &TestServer, device: DeviceId) {
    let token = server.token_of(&server.application().await).await;
    let body = json!({ "guids": [device.to_string()] });
    assert_eq!(server.api().purge(&token, &server.tenant().to_string(), body).await.status, 202);
    server.settled().await;
}

/// Lets a device connect and answers what it then said of its management.
async fn farewell(device: &mut Device) -> String {
    let said = Arc::new(Mutex::new(Vec::new()));
    let log = said.clone();
    device.subscribe(Arc::new(move |event| log.lock().unwrap().push(event.what.clone())));
    let connected = device.connect().await;
    assert!(matches!(connected, Err(Failure::NotEnrolled(_))), "{connected:?}");
    assert!(!device.is_enrolled());
    let said = said.lock().unwrap();
    match &said[..] {
        [simulator::apple_device::Happening::Unenrolled { why }] => why.clone(),
        other => panic!("{other:?}"),
    }
}

on_both!(a_purged_device_is_gone_and_comes_back_as_another_one);

async fn a_purged_device_is_gone_and_comes_back_as_another_one(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let other = server.enrolled_ipad().await;
    let before = phone.client_id();
    let lock = json!({ "clientid": before, "message": "hello" });
    assert_eq!(server.api().device("lockscreen", lock.clone()).await.status, 200);
    purge(&server, phone.id()).await;

    let DeviceModel { serial_number, modems, .. } = phone.model().clone();
    let names = [
        json!({ "clientid": before }),
        json!({ "serialnumber": serial_number }),
        json!({ "imei": modems[0].imei }),
    ];
    for name in &names {
        assert_eq!(server.api().device("info", name.clone()).await.status, 404, "{name}");
    }
    assert_eq!(server.api().device("lockscreen", lock).await.status, 404);
    let list = server.api().device("list", json!({})).await.body;
    assert_eq!(super::super::device_api::texts(&list, "clientid"), [other.client_id()]);
    assert!(server.events(Some(phone.id())).await.is_empty());

    assert_eq!(farewell(&mut phone).await, "the server answered 403 com.apple.unrecognized.device");
    phone.re_enroll(Some(&server.link().await)).await.unwrap();
    let done: Vec<_> = phone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(
        done,
        ["DeviceInformation", "SecurityInfo", "DeclarativeManagement"],
        "the old lock is not handed over"
    );
    server.settled().await;
    let info = server.api().device("info", names[1].clone()).await;
    assert_eq!(info.status, 200);
    assert_ne!(info.body["deviceinfo"]["clientid"], before);
    assert_eq!(info.body["deviceinfo"]["managed"], true);
}

on_both!(an_old_os_is_unenrolled_with_a_401);

async fn an_old_os_is_unenrolled_with_a_401(server: TestServer) {
    let model = DeviceModel { os_version: "16.7".into(), ..DeviceModel::iphone(server.seed()) };
    let mut phone = server.enrolled(model).await;
    purge(&server, phone.id()).await;
    assert_eq!(farewell(&mut phone).await, "the server answered 401");
}

on_both!(a_purged_device_is_pushed_once_more);

async fn a_purged_device_is_pushed_once_more(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    server.pushed().await;
    let address = phone.push_address().clone();
    let pushes = || server.apns().pushes().iter().filter(|push| push.token == address.token).count();
    let (before, accepted) = (pushes(), server.apns().counters().accepted);
    purge(&server, phone.id()).await;
    let mut watch = server.apns().watch();
    within("the device is woken", watch.wait_for(|so_far| so_far.accepted > accepted)).await.unwrap();
    server.pushed().await;
    assert_eq!(pushes(), before + 1);
    assert_eq!(server.apns().pushes().last().unwrap().magic, address.magic);
}

on_both!(a_device_that_was_away_for_long_still_hears_of_it);

async fn a_device_that_was_away_for_long_still_hears_of_it(mut server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    purge(&server, phone.id()).await;
    server.restart().await;
    server.clock().advance(std::time::Duration::from_hours(300 * 24));
    assert_eq!(farewell(&mut phone).await, "the server answered 403 com.apple.unrecognized.device");
}

on_both!(one_record_without_personal_data_stays);

async fn one_record_without_personal_data_stays(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    server.mdm().set_external_id(&server.owner(), phone.id(), Some("asset-7")).await.unwrap();
    purge(&server, phone.id()).await;
    let events = server.events(None).await;
    let purged: Vec<_> = events.iter().filter(|event| event.kind == "device.purged").collect();
    assert_eq!(purged.len(), 1);
    let told = format!("{events:?}");
    let DeviceModel { serial_number, udid, device_name, .. } = phone.model();
    let ids = [phone.client_id(), phone.id().to_string()];
    for personal in [serial_number, udid, device_name, "asset-7", &ids[0], &ids[1]] {
        assert!(!told.contains(personal), "{personal} in {told}");
    }
}
