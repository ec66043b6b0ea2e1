//! Messages that arrive at the same moment: each counts once, and none is lost.

use simulator::apple_device::{AppleDevice, DeviceModel};
use testkit::{on_both, server::TestServer};

use super::count;
use crate::{
    claims::quarantined,
    enrollment::{is_open, profile},
    scep::client::Client,
    speaker::{Reply, Speaker},
};

on_both!(one_use_of_a_link_is_one_device);
async fn one_use_of_a_link_is_one_device(server: TestServer) {
    let link = server.link_for(None, None, 2).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(Client::new(&server, profile(&link).await));
    }
    let (a, b, c, d) = tokio::join!(
        clients[0].certificate(),
        clients[1].certificate(),
        clients[2].certificate(),
        clients[3].certificate()
    );
    assert_eq!([a, b, c, d].iter().filter(|issued| issued.is_ok()).count(), 2);
    assert!(!is_open(&link).await);
}

on_both!(a_first_token_that_is_said_twice_enrolls_one_device);
async fn a_first_token_that_is_said_twice_enrolls_one_device(server: TestServer) {
    let iphone = authenticated(&server, DeviceModel::iphone(server.seed())).await;
    let speaker = speaker(&server, &iphone);
    let replies = tokio::join!(speaker.token_update(), speaker.token_update(), speaker.token_update());
    assert_eq!([replies.0, replies.1, replies.2], [Reply::fine(), Reply::fine(), Reply::fine()]);
    assert_eq!(count(&server).await, 1);
    assert_eq!(server.count_events("device.enrolled").await, 1);
}

on_both!(an_authenticate_that_is_said_twice_begins_one_enrollment);
async fn an_authenticate_that_is_said_twice_begins_one_enrollment(server: TestServer) {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let iphone = AppleDevice::install(options).await.unwrap();
    let speaker = speaker(&server, &iphone);
    let replies = tokio::join!(speaker.authenticate(), speaker.authenticate(), speaker.authenticate());
    assert_eq!([replies.0, replies.1, replies.2], [Reply::fine(), Reply::fine(), Reply::fine()]);
    assert_eq!(speaker.token_update().await, Reply::fine());
    assert_eq!(count(&server).await, 1);
}

on_both!(two_that_claim_to_be_the_same_new_device_are_one_and_one_that_waits);
async fn two_that_claim_to_be_the_same_new_device_are_one_and_one_that_waits(server: TestServer) {
    let model = DeviceModel::iphone(server.seed());
    let (one, other) = (authenticated(&server, model.clone()).await, authenticated(&server, model).await);
    let (one, other) = (speaker(&server, &one), speaker(&server, &other));
    let replies = tokio::join!(one.token_update(), other.token_update());
    assert_eq!([replies.0, replies.1], [Reply::fine(), Reply::fine()]);
    assert_eq!(count(&server).await, 2);
    assert!(quarantined(&server).await.is_some());
}

on_both!(a_device_that_leaves_while_it_is_asked_for_something_has_left);
async fn a_device_that_leaves_while_it_is_asked_for_something_has_left(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    let lock = domain::Action::Lock(domain::Lock::default());
    let owner = server.owner();
    let (asked, left, polled) =
        tokio::join!(server.mdm().act(&owner, iphone.id(), &lock), speaker.check_out(), speaker.idle());
    assert_eq!(left, Reply::fine());
    assert!(matches!(polled.status, 200 | 403), "{polled:?}");
    if let Ok(command) = asked {
        assert!(!server.command(&iphone, command).await.state.is_open(), "nobody is left to do it");
    }
    assert!(!server.devices_of(server.tenant()).await[0].managed);
}

/// One that has said `Authenticate` and not more.
async fn authenticated(server: &TestServer, model: DeviceModel) -> AppleDevice {
    let mut device = AppleDevice::install(server.options(server.link().await, model)).await.unwrap();
    device.authenticate().await.unwrap();
    device
}

fn speaker(server: &TestServer, device: &AppleDevice) -> Speaker {
    Speaker::new(server, device.credential().clone(), device.model().udid.clone())
}
