//! Tenants know nothing of each other's devices.

use domain::{Actor, NewLink};
use simulator::apple_device::AppleDevice;
use testkit::{on_both, server::TestServer};

use crate::speaker::{Reply, Speaker};

on_both!(the_same_udid_in_another_tenant_is_another_device);
/// The topic of both is the test's, so that nothing but the tenant tells them apart.
async fn the_same_udid_in_another_tenant_is_another_device(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let (other, _) = server.another_tenant("Other").await;
    let new = NewLink { user: None, device: None, uses: 1, lifetime: std::time::Duration::from_hours(1) };
    let link = server.mdm().add_link(&Actor::local(other), &new).await.unwrap();
    let twin = AppleDevice::enroll(server.options(link, iphone.model().clone())).await.unwrap();
    assert!(twin.is_enrolled());

    let (here, there) = (server.devices_of(server.tenant()).await, server.devices_of(other).await);
    assert_eq!((here.len(), there.len()), (1, 1));
    assert_ne!(here[0].id, there[0].id);
    assert_eq!(here[0].id, iphone.id());
    assert!(!there[0].quarantined);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));

    // With the other's certificate it gets the other's queue, under the very same UDID.
    let speaker = Speaker::new(&server, twin.credential().clone(), iphone.model().udid.clone());
    assert!(speaker.idle().await.text().contains("DeviceInformation"));
    assert_eq!(iphone.acknowledge().await, Ok(None));
    assert_eq!(speaker.check_out().await, Reply::fine());
    assert!(server.devices_of(server.tenant()).await[0].managed);
    assert!(!server.devices_of(other).await[0].managed);
}
