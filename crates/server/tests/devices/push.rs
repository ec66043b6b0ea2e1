//! Pushes: a command that was queued wakes its device through APNs.

mod failures;
mod restarts;
mod tokens;

use std::time::Duration;

use simulator::apple_device::Happening;
use testkit::{
    on_both,
    server::{Device, TOPIC, TestServer},
};
use tokio::sync::mpsc;

on_both!(a_command_wakes_its_device);
/// 63: the pretend APNs refuses what is not exactly as Apple wants it.
async fn a_command_wakes_its_device(server: TestServer) {
    let iphone = settled(&server).await;
    let before = server.apns().pushes().len();
    server.lock(&iphone).await;
    server.pushed().await;
    let pushes = server.apns().pushes();
    assert_eq!(pushes.len(), before + 1);
    let push = pushes.last().unwrap();
    assert_eq!((push.status, push.topic.as_str()), (200, TOPIC));
    assert_eq!((&push.token, &push.magic), (&iphone.push_address().token, &iphone.push_address().magic));
    let now = server.clock().as_closure()().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(push.expires > now, "it is kept for a device that is offline");
    assert_eq!(server.apns().counters().refused, 0);
}

on_both!(a_device_that_lives_on_its_pushes_does_what_it_is_asked);
async fn a_device_that_lives_on_its_pushes_does_what_it_is_asked(server: TestServer) {
    let mut iphone = settled(&server).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    iphone.subscribe(std::sync::Arc::new(move |event| {
        if let Happening::Did { request_type, .. } = &event.what {
            let _ = tell.send(request_type.clone());
        }
    }));
    server.lock(&iphone).await;
    let apns = server.apns();
    tokio::select! {
        () = iphone.live(|address| apns.register(&address.token, &address.magic)) => panic!("it lives on"),
        did = told.recv() => assert_eq!(did.as_deref(), Some("DeviceLock")),
    }
}

on_both!(pushes_for_one_device_are_one);
/// APNs keeps the last push only, so that more of them tell the device nothing.
async fn pushes_for_one_device_are_one(server: TestServer) {
    let iphone = settled(&server).await;
    let before = server.apns().counters().arrived;
    server.apns().hold();
    server.lock(&iphone).await;
    server.apns().watch().wait_for(|so_far| so_far.arrived == before + 1).await.unwrap();
    // That one is under way: who asks now may have come too late for it, but all of them together need one more.
    for _ in 0..10 {
        server.lock(&iphone).await;
    }
    server.apns().release();
    server.pushed().await;
    assert_eq!(server.apns().counters().arrived, before + 2);
}

on_both!(all_devices_are_pushed_to_on_one_connection);
async fn all_devices_are_pushed_to_on_one_connection(server: TestServer) {
    let devices = [settled(&server).await, settled(&server).await, settled(&server).await];
    for device in &devices {
        server.lock(device).await;
    }
    server.pushed().await;
    for device in &devices {
        let token = &device.push_address().token;
        let pushes = server.apns().pushes();
        assert!(pushes.iter().any(|push| push.token == *token && push.status == 200));
    }
    assert_eq!(server.apns().counters().opened, 1);
}

on_both!(a_device_that_left_is_pushed_to_no_more);
async fn a_device_that_left_is_pushed_to_no_more(server: TestServer) {
    let mut iphone = settled(&server).await;
    server.apns().refuse_next(503, "ServiceUnavailable", None);
    let refused = server.apns().counters().refused;
    server.lock(&iphone).await;
    server.apns().watch().wait_for(|so_far| so_far.refused == refused + 1).await.unwrap();
    iphone.check_out().await.unwrap();
    server.clock().advance(Duration::from_hours(1));
    server.pushed().await;
    assert_eq!(server.apns().counters().refused, refused + 1);
    let token = &iphone.push_address().token;
    let accepted =
        server.apns().pushes().into_iter().filter(|push| push.token == *token && push.status == 200);
    assert_eq!(accepted.count(), 1, "that of its enrollment");
}

on_both!(each_tenant_pushes_with_its_own_certificate);
async fn each_tenant_pushes_with_its_own_certificate(server: TestServer) {
    settled(&server).await;
    assert_eq!(server.apns().counters().opened, 1);
    let (other, _) = server.another_tenant("Other").await;
    let new = domain::NewLink { user: None, device: None, uses: 1, lifetime: Duration::from_hours(1) };
    let link = server.mdm().add_link(&domain::Actor::local(other), &new).await.unwrap();
    let model = simulator::apple_device::DeviceModel::mac(server.seed());
    simulator::apple_device::AppleDevice::enroll(server.options(link, model)).await.unwrap();
    server.pushed().await;
    assert_eq!(server.apns().counters().opened, 2, "a connection for each certificate");
    assert_eq!(server.apns().counters().refused, 0);
}

/// An iPhone that enrolled, with nothing left to do and no push on its way.
pub async fn settled(server: &TestServer) -> Device {
    let iphone = server.enrolled_iphone().await;
    server.pushed().await;
    iphone
}
