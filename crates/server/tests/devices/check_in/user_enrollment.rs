//! User Enrollment: a person's own device, without UDID or serial number, known by its enrollment id from end to end (22).

use domain::{DeviceSecret, EnrollmentKind, Error, Thing};
use simulator::apple_device::{AppleDevice, DeviceModel};
use testkit::{on_both, server::TestServer};

on_both!(it_enrolls_is_asked_only_what_it_may_tell_and_is_woken);
async fn it_enrolls_is_asked_only_what_it_may_tell_and_is_woken(server: TestServer) {
    let (id, mut iphone) = enrolled(&server).await;
    let handed: Vec<_> =
        iphone.connect().await.unwrap().into_iter().map(|done| (done.request_type, done.status)).collect();
    let done = |name: &str| (name.to_owned(), apple::Status::Acknowledged);
    assert_eq!(handed, [done("DeviceInformation"), done("SecurityInfo"), done("DeclarativeManagement")]);
    server.settled().await;
    let device = &server.devices_of(server.tenant()).await[0];
    assert_eq!((device.id, device.facts.enrollment), (id, EnrollmentKind::User));
    assert_eq!(device.facts.serial_number, None);
    let subscribed = iphone.declarations().map(|it| it.to_json().to_string()).collect::<String>();
    assert!(!subscribed.contains("device.identifier"), "nothing that would name the device: {subscribed}");

    let lock = domain::Lock::new(None, None, None).unwrap();
    server.mdm().act(&server.owner(), id, &domain::Action::Lock(lock)).await.unwrap();
    server.pushed().await;
    let woken = iphone.push_address().token.clone();
    assert!(server.apns().pushes().iter().any(|push| push.token == woken && push.status == 200));
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    iphone.answer().await.unwrap();
    assert_eq!(iphone.breaches(), []);
}

on_both!(it_leaves_no_unlock_token_and_comes_back_as_another_device);
/// Its enrollment id is new with every enrollment, on purpose: nobody can tell that it is the same device.
async fn it_leaves_no_unlock_token_and_comes_back_as_another_device(server: TestServer) {
    let (id, mut iphone) = enrolled(&server).await;
    let none = server.mdm().reveal(&server.owner(), id, DeviceSecret::UnlockToken).await;
    assert!(matches!(none, Err(Error::NotFound(Thing::Secret))));
    iphone.check_out().await.unwrap();
    let (again, _iphone) = enrolled(&server).await;
    assert_ne!(id, again);
    let managed: Vec<_> = server
        .devices_of(server.tenant())
        .await
        .into_iter()
        .map(|device| (device.id, device.managed))
        .collect();
    assert!(managed.contains(&(id, false)) && managed.contains(&(again, true)), "{managed:?}");
}

async fn enrolled(server: &TestServer) -> (domain::DeviceId, AppleDevice) {
    let model = DeviceModel::user_enrolled_iphone(server.seed());
    let key = model.identifiers().enrollment_id.expect("it has an enrollment id");
    let options = server.options(server.link().await, model);
    let iphone = AppleDevice::enroll(options).await.unwrap();
    let devices = server.devices_of(server.tenant()).await;
    (devices.iter().find(|device| device.key == key).unwrap().id, iphone)
}
