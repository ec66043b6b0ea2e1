//! 401 unenrolls a device (1): it is said to one that was purged, on purpose, and to nobody else.

use simulator::apple_device::{DeviceModel, Failure};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use crate::speaker::Speaker;

on_both!(a_purged_device_of_today_is_told_in_apples_words);
async fn a_purged_device_of_today_is_told_in_apples_words(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    purge(&server, &iphone).await;
    let reply = speaker.idle().await;
    assert_eq!((reply.status, reply.content_type.as_deref()), (403, Some("application/json")));
    assert!(reply.text().contains("com.apple.unrecognized.device"), "{reply:?}");
    for reply in [speaker.authenticate().await, speaker.token_update().await, speaker.check_out().await] {
        assert!(reply.status == 403 && reply.text().contains("com.apple.unrecognized.device"), "{reply:?}");
    }
    assert!(matches!(iphone.idle().await, Err(Failure::NotEnrolled(_))));
    assert!(!iphone.is_enrolled(), "it drops its management");
}

on_both!(a_purged_device_of_old_is_told_by_a_401);
/// 2: they know nothing better.
async fn a_purged_device_of_old_is_told_by_a_401(server: TestServer) {
    let model = DeviceModel { os_version: "16.7".into(), ..DeviceModel::iphone(server.seed()) };
    let mut iphone = server.enrolled(model).await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    purge(&server, &iphone).await;
    let reply = speaker.idle().await;
    assert_eq!((reply.status, reply.body.len()), (401, 0));
    assert!(iphone.idle().await.is_err());
    assert!(!iphone.is_enrolled());
}

on_both!(a_purged_device_that_enrolls_again_is_a_new_one);
/// Its certificate opens nothing any more, not even with a link; a new enrollment is a new device.
async fn a_purged_device_that_enrolls_again_is_a_new_one(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    purge(&server, &iphone).await;
    let _ = iphone.idle().await;
    iphone.re_enroll(Some(&server.link().await)).await.unwrap();
    let id = server.id_of(&iphone).await.unwrap();
    assert_ne!(id, iphone.id());
    assert_eq!(iphone.idle().await, Ok(Some("DeviceInformation")));
}

/// Purges it and waits until that is done.
pub async fn purge(server: &TestServer, device: &Device) {
    let guid = device.id().0.hyphenated().to_string();
    server.mdm().ask_purge(&server.owner(), &[], &[guid]).await.unwrap();
    server.settled().await;
}
