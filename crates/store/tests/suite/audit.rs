use domain::{DeviceId, Event, TenantId, Timestamp};
use serde_json::json;

use super::world::{World, id};

fn event(device: Option<DeviceId>, at: i64) -> Event {
    Event {
        kind: "device.enrolled".into(),
        actor: "system".into(),
        device,
        details: json!({ "number": at, "text": "ü\u{1f4f1}" }),
        at: Timestamp(at),
    }
}

#[tokio::test]
async fn events_come_newest_first_of_one_device_or_of_all() {
    let world = World::new().await;
    let device = DeviceId(id());
    let (first, second, third) = (event(Some(device), 3), event(None, 2), event(Some(device), 1));
    let mut tx = world.tx().await;
    for event in [&first, &second, &third] {
        tx.record(event).await.unwrap();
    }

    assert_eq!(tx.events(None, 10).await.unwrap(), [third.clone(), second, first.clone()]);
    assert_eq!(tx.events(None, 1).await.unwrap(), std::slice::from_ref(&third));
    assert_eq!(tx.events(Some(device), 10).await.unwrap(), [third, first]);
    tx.commit().await.unwrap();
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!(other.events(None, 10).await.unwrap(), []);
}
