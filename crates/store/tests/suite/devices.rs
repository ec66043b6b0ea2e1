use domain::{
    ChannelKey, Device, DeviceFilter, DeviceId, DeviceName, Error, Facts, Location, PAGE_LIMIT, Page, Span,
    TenantId, Thing, UserId, ports::Tx,
};

use super::world::{NOW, Phone, World, id, later};

const ALL: Page = Page { after: None, skip: 0, limit: PAGE_LIMIT };

async fn add(tx: &mut dyn Tx, tenant: TenantId, change: impl FnOnce(&mut Device)) -> Device {
    let mut device = Phone::new(tenant).record();
    change(&mut device);
    tx.add_device(&device).await.unwrap();
    device
}

fn imei(imei: &str) -> DeviceName {
    DeviceName::Imei(imei.into())
}

fn serial(serial: &str) -> DeviceName {
    DeviceName::SerialNumber(serial.into())
}

#[tokio::test]
async fn everything_of_a_device_is_kept() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let mut device = add(&mut *tx, world.tenant, |device| {
        device.user = Some(UserId(id()));
        device.external_id = Some("ext-1".into());
        device.last_contact = Some(NOW);
        device.facts = facts();
    })
    .await;
    assert_eq!(tx.device_named(&DeviceName::Id(device.id)).await.unwrap(), Some(device.clone()));

    device.external_id = None;
    device.wiped = true;
    device.managed = false;
    device.profile_removed = true;
    device.facts.imeis = vec!["353000000000003".into()];
    tx.set_device(&Device { last_contact: Some(later(99)), ..device.clone() }).await.unwrap();

    assert_eq!(
        tx.device_for_update(device.id).await.unwrap(),
        Some(device.clone()),
        "all but the last contact"
    );
    assert_eq!(tx.device_named(&imei("353000000000003")).await.unwrap(), Some(device));
    assert_eq!(tx.device_named(&imei("353000000000001")).await.unwrap(), None);
}

fn facts() -> Facts {
    Facts {
        serial_number: Some("C39XK1".into()),
        // Said twice, as some devices do.
        imeis: vec!["353000000000001".into(), "353000000000002".into(), "353000000000001".into()],
        battery_level: Some(0.87),
        location: Some(Location { latitude: 52.5, longitude: 13.4, at: later(5) }),
        ..Facts::default()
    }
}

#[tokio::test]
async fn a_device_is_found_by_any_name_in_its_tenant_only() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let device = add(&mut *tx, world.tenant, |device| {
        device.external_id = Some("ext-1".into());
        device.facts = facts();
    })
    .await;
    let names = [DeviceName::Id(device.id), imei("353000000000002"), serial("C39XK1")];
    for name in &names {
        assert_eq!(tx.device_named(name).await.unwrap().map(|found| found.id), Some(device.id), "{name:?}");
    }
    assert_eq!(tx.device_by_key(&device.key).await.unwrap().map(|found| found.id), Some(device.id));
    assert_eq!(tx.device_by_external_id("ext-1").await.unwrap(), Some(device.id));
    tx.commit().await.unwrap();

    let mut other = world.db.store.begin(TenantId(id())).await.unwrap();
    for name in &names {
        assert_eq!(other.device_named(name).await.unwrap(), None, "{name:?}");
    }
    assert_eq!(other.device_by_key(&device.key).await.unwrap(), None);
    assert_eq!(other.device_by_external_id("ext-1").await.unwrap(), None);
    assert_eq!(other.device_for_update(device.id).await.unwrap(), None);
    assert!(matches!(other.set_device(&device).await, Err(Error::NotFound(Thing::Device))));
}

#[tokio::test]
async fn of_several_with_one_name_the_managed_one_is_meant_or_else_the_newest() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let old = |device: &mut Device, seconds, managed| {
        device.facts = facts();
        device.enrolled_at = later(seconds);
        device.managed = managed;
    };
    let first = add(&mut *tx, world.tenant, |device| old(device, 1, false)).await;
    let newest = add(&mut *tx, world.tenant, |device| old(device, 3, false)).await;
    add(&mut *tx, world.tenant, |device| old(device, 2, false)).await;
    for name in [imei("353000000000001"), serial("C39XK1")] {
        assert_eq!(tx.device_named(&name).await.unwrap().unwrap().id, newest.id);
    }

    tx.set_device(&Device { managed: true, ..first.clone() }).await.unwrap();

    for name in [imei("353000000000001"), serial("C39XK1")] {
        assert_eq!(tx.device_named(&name).await.unwrap().unwrap().id, first.id);
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_device_outside_quarantine() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let holder = add(&mut *tx, world.tenant, |_| ()).await;
    let claim = add(&mut *tx, world.tenant, |device| {
        device.key = holder.key.clone();
        device.quarantined = true;
    })
    .await;
    assert_eq!(tx.device_by_key(&holder.key).await.unwrap().unwrap().id, holder.id);

    let refused = tx.set_device(&Device { quarantined: false, ..claim }).await;

    assert!(matches!(refused, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn an_external_id_is_unique_in_its_tenant() {
    let world = World::new().await;
    let with_id = |device: &mut Device| device.external_id = Some("ext-1".into());
    let mut tx = world.tx().await;
    add(&mut *tx, world.tenant, with_id).await;
    tx.commit().await.unwrap();
    let elsewhere = TenantId(id());
    let mut tx = world.db.store.begin(elsewhere).await.unwrap();
    add(&mut *tx, elsewhere, with_id).await;
    tx.commit().await.unwrap();

    let mut second = Phone::new(world.tenant).record();
    with_id(&mut second);

    assert!(matches!(world.tx().await.add_device(&second).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn devices_come_in_pages_in_the_order_of_their_ids() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(add(&mut *tx, world.tenant, |_| ()).await.id);
    }
    let all = DeviceFilter::default();

    for (page, expected) in [
        (Page { limit: 2, ..ALL }, &ids[..2]),
        (Page { after: Some(ids[1]), skip: 0, limit: 2 }, &ids[2..4]),
        (Page { after: Some(ids[0]), skip: 2, limit: 9 }, &ids[3..]),
        (Page { skip: 4, ..ALL }, &ids[4..]),
        (Page { skip: u64::MAX, ..ALL }, &[]),
        (Page { limit: 0, ..ALL }, &[]),
        (Page { limit: u32::MAX, ..ALL }, &ids[..]),
    ] {
        let found: Vec<DeviceId> =
            tx.devices(&all, page).await.unwrap().iter().map(|device| device.id).collect();
        assert_eq!(found, expected, "{page:?}");
    }
    assert_eq!(tx.count_devices(&all).await.unwrap(), 5);
}

#[tokio::test]
async fn a_filter_takes_what_fits_all_of_it() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let silent = add(&mut *tx, world.tenant, |device| device.managed = false).await.id;
    let wiped = add(&mut *tx, world.tenant, |device| {
        device.wiped = true;
        device.last_contact = Some(later(10));
    })
    .await
    .id;
    let located = add(&mut *tx, world.tenant, |device| {
        device.last_contact = Some(later(20));
        device.facts.location = Some(Location { latitude: 1.0, longitude: 2.0, at: later(15) });
    })
    .await
    .id;
    let span = |from: i64, to: i64| Span { from: Some(later(from)), to: Some(later(to)) };
    let any = DeviceFilter::default;

    for (filter, expected) in [
        (any(), vec![silent, wiped, located]),
        (DeviceFilter { managed: Some(false), ..any() }, vec![silent]),
        (DeviceFilter { managed: Some(true), wiped: Some(false), ..any() }, vec![located]),
        (DeviceFilter { wiped: Some(true), ..any() }, vec![wiped]),
        (DeviceFilter { last_contact: span(10, 20), ..any() }, vec![wiped, located]),
        (DeviceFilter { last_contact: span(11, 20), ..any() }, vec![located]),
        (DeviceFilter { last_contact: Span { from: None, to: Some(later(19)) }, ..any() }, vec![wiped]),
        (DeviceFilter { located: span(15, 15), ..any() }, vec![located]),
        (DeviceFilter { located: Span { from: Some(later(16)), to: None }, ..any() }, vec![]),
    ] {
        let found: Vec<DeviceId> =
            tx.devices(&filter, ALL).await.unwrap().iter().map(|device| device.id).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(tx.count_devices(&filter).await.unwrap(), expected.len() as u64, "{filter:?}");
    }
}

#[tokio::test]
async fn a_quarantined_record_is_discarded_with_its_channels_and_nothing_else() {
    let world = World::new().await;
    let (phone, claim) = (world.phone().await, Phone::new(world.tenant));
    let mut tx = world.tx().await;
    claim.enroll(&mut *tx).await;
    tx.discard_quarantined(claim.device).await.unwrap();
    assert!(
        tx.device_for_update(claim.device).await.unwrap().is_some(),
        "one that is not in quarantine stays"
    );
    let mut record = Device { quarantined: true, ..claim.record() };
    record.facts.imeis = vec!["353000000000001".into()];
    tx.set_device(&record).await.unwrap();

    tx.discard_quarantined(claim.device).await.unwrap();

    assert_eq!(tx.device_for_update(claim.device).await.unwrap(), None);
    assert_eq!(tx.device_named(&imei("353000000000001")).await.unwrap(), None);
    assert_eq!(tx.channel(claim.enrollment, &ChannelKey::default()).await.unwrap(), None);
    assert!(tx.enrollment(claim.enrollment).await.unwrap().is_some());
    assert_eq!(tx.certificates(claim.enrollment).await.unwrap().len(), 1);
    assert!(tx.device_for_update(phone.device).await.unwrap().is_some());
    assert!(tx.channel(phone.enrollment, &ChannelKey::default()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_users_devices_are_found_among_all_others() {
    let world = World::new().await;
    let (ada, bob) = (UserId(id()), UserId(id()));
    let mut tx = world.tx().await;
    let phone = |owner: Option<UserId>, managed: bool| {
        move |device: &mut Device| {
            device.user = owner;
            device.managed = managed;
            device.facts = facts();
        }
    };
    let adas = add(&mut *tx, world.tenant, phone(Some(ada), false)).await;
    let bobs = add(&mut *tx, world.tenant, phone(Some(bob), true)).await;
    let nobodys = add(&mut *tx, world.tenant, phone(None, true)).await;

    for name in [imei("353000000000001"), serial("C39XK1")] {
        let found = tx.device_of_user(ada, &name).await.unwrap();
        assert_eq!(found.map(|device| device.id), Some(adas.id), "{name:?}: not the managed one of another");
    }
    assert_eq!(tx.device_of_user(bob, &DeviceName::Id(bobs.id)).await.unwrap(), Some(bobs));
    for foreign in [adas.id, nobodys.id] {
        assert_eq!(tx.device_of_user(bob, &DeviceName::Id(foreign)).await.unwrap(), None);
    }

    let owned = DeviceFilter { owner: Some(ada), ..DeviceFilter::default() };
    assert_eq!(tx.devices(&owned, ALL).await.unwrap(), std::slice::from_ref(&adas));
    assert_eq!(tx.count_devices(&owned).await.unwrap(), 1);
    let behind = Page { after: Some(adas.id), ..ALL };
    assert_eq!(tx.devices(&owned, behind).await.unwrap(), []);
    let managed = DeviceFilter { managed: Some(true), ..owned };
    assert_eq!(tx.count_devices(&managed).await.unwrap(), 0, "everything that is set must hold");
}
