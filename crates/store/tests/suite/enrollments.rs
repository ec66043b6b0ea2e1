use domain::{
    Channel, ChannelKey, DeviceId, DeviceName, Enrollment, EnrollmentId, EnrollmentState, Facts, LinkId,
    TenantId, UserId, ports::Declared,
};

use super::world::{NOW, World, channel, id, later};

fn issued() -> Enrollment {
    Enrollment {
        id: EnrollmentId(id()),
        device: DeviceId(id()),
        key: None,
        link: Some(LinkId(id())),
        wanted_device: Some(DeviceId(id())),
        user: Some(UserId(id())),
        state: EnrollmentState::Issued,
        claimed: None,
        created_at: later(0),
    }
}

#[tokio::test]
async fn an_enrollment_goes_on_from_issued_to_active() {
    let world = World::new().await;
    let mut enrollment = issued();
    let mut tx = world.tx().await;
    tx.add_enrollment(&enrollment).await.unwrap();
    assert_eq!(tx.enrollment(enrollment.id).await.unwrap(), Some(enrollment.clone()));

    enrollment.device = DeviceId(id());
    enrollment.key = Some("UDID".into());
    enrollment.state = EnrollmentState::Active;
    enrollment.claimed = Some(Facts { serial_number: Some("S1".into()), ..Facts::default() });
    tx.set_enrollment(&enrollment).await.unwrap();

    assert_eq!(tx.enrollment_for_update(enrollment.id).await.unwrap(), Some(enrollment.clone()));
    tx.commit().await.unwrap();
    let mut other = world.db.store.begin(TenantId(id())).await.unwrap();
    assert_eq!(other.enrollment_for_update(enrollment.id).await.unwrap(), None);
    assert!(other.set_enrollment(&enrollment).await.is_err(), "nothing is written for another tenant");
}

#[tokio::test]
async fn a_key_is_held_until_the_enrollment_is_over() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    let other = EnrollmentId(id());
    assert!(tx.key_is_held(&phone.key, other).await.unwrap());
    assert!(!tx.key_is_held(&phone.key, phone.enrollment).await.unwrap());
    assert!(!tx.key_is_held("another", other).await.unwrap());

    tx.set_enrollment(&Enrollment { state: EnrollmentState::Over, ..phone.enrollment() }).await.unwrap();

    assert!(!tx.key_is_held(&phone.key, other).await.unwrap());
}

#[tokio::test]
async fn a_channel_is_replaced_and_keeps_its_unlock_token() {
    let world = World::new().await;
    let phone = world.phone().await;
    let user = Channel { unlock_token: Some(vec![1, 2]), ..channel("ada") };
    let mut tx = world.tx().await;
    tx.set_channel(phone.device, phone.enrollment, &user).await.unwrap();
    let told_again = Channel {
        push_token: vec![8; 32],
        push_magic: "m2".into(),
        unlock_token: None,
        updated_at: later(9),
        ..user
    };
    tx.set_channel(phone.device, phone.enrollment, &told_again).await.unwrap();

    let stored = tx.channel(phone.enrollment, &user_key()).await.unwrap();
    assert_eq!(stored, Some(Channel { unlock_token: Some(vec![1, 2]), ..told_again }));
    assert_eq!(tx.channel(phone.enrollment, &ChannelKey::default()).await.unwrap(), Some(channel("")));
}

#[tokio::test]
async fn a_removed_channel_is_not_woken() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    tx.set_channel(phone.device, phone.enrollment, &channel("ada")).await.unwrap();
    tx.ask_push(phone.device, &user_key(), later(0)).await.unwrap();

    tx.remove_channel(phone.device, phone.enrollment, &user_key()).await.unwrap();

    assert_eq!(tx.channel(phone.enrollment, &user_key()).await.unwrap(), None);
    assert!(tx.channel(phone.enrollment, &ChannelKey::default()).await.unwrap().is_some());
    tx.commit().await.unwrap();
    assert_eq!(world.db.outbox.next_push_due().await.unwrap(), None);
}

fn user_key() -> ChannelKey {
    ChannelKey("ada".into())
}

#[tokio::test]
async fn a_device_can_be_unlocked_with_the_token_of_its_own_live_channel() {
    let world = World::new().await;
    let phone = world.phone().await;
    let unlocked = |key: &str| Channel { unlock_token: Some(vec![1, 2]), ..channel(key) };
    let mut tx = world.tx().await;
    tx.set_channel(phone.device, phone.enrollment, &unlocked("ada")).await.unwrap();
    tx.set_channel(phone.device, EnrollmentId(id()), &unlocked("")).await.unwrap();
    let device = tx.device_for_update(phone.device).await.unwrap().unwrap();
    assert!(!device.unlockable, "a user's token and one of an earlier enrollment do not count");

    tx.set_channel(phone.device, phone.enrollment, &unlocked("")).await.unwrap();
    let device = tx.device_for_update(phone.device).await.unwrap().unwrap();
    assert!(device.unlockable);
    tx.set_device(&domain::Device { unlockable: false, ..device }).await.unwrap();
    assert!(tx.device_named(&DeviceName::Id(phone.device)).await.unwrap().unwrap().unlockable);
}

#[tokio::test]
async fn what_a_channel_was_told_outlives_its_next_token() {
    let world = World::new().await;
    let phone = world.phone().await;
    let key = ChannelKey::default();
    let declared = Declared { token: "t".into(), at: later(3), refused: Some("[]".into()) };
    let mut tx = world.tx().await;
    assert_eq!(tx.declared(phone.enrollment, &key).await.unwrap(), None);
    assert!(tx.set_declared(phone.enrollment, &key, &declared).await.unwrap());
    assert!(tx.set_bootstrap_token(phone.enrollment, Some(&[1, 2]), NOW).await.unwrap());
    tx.set_channel(phone.device, phone.enrollment, &channel("")).await.unwrap();
    assert_eq!(tx.declared(phone.enrollment, &key).await.unwrap(), Some(declared.clone()));
    assert_eq!(tx.bootstrap_token(phone.enrollment).await.unwrap(), Some(vec![1, 2]));
    assert!(tx.set_bootstrap_token(phone.enrollment, None, NOW).await.unwrap());
    assert_eq!(tx.bootstrap_token(phone.enrollment).await.unwrap(), None);
    let nobody = EnrollmentId(id());
    assert!(!tx.set_declared(nobody, &key, &declared).await.unwrap());
    assert!(!tx.set_declared(phone.enrollment, &ChannelKey("ann".into()), &declared).await.unwrap());
    assert!(!tx.set_bootstrap_token(nobody, None, NOW).await.unwrap());
}

#[tokio::test]
async fn a_user_is_found_on_each_device_by_id_or_short_name() {
    let world = World::new().await;
    let (one, two, none) = (world.phone().await, world.phone().await, world.phone().await);
    let user = |key: &str, name: &str, told| Channel {
        user_name: Some(name.into()),
        updated_at: later(told),
        ..channel(key)
    };
    let mut tx = world.tx().await;
    tx.set_channel(one.device, one.enrollment, &user("A-1", "ada", 1)).await.unwrap();
    tx.set_channel(two.device, two.enrollment, &user("B-1", "ada", 2)).await.unwrap();
    tx.set_channel(two.device, two.enrollment, &user("B-2", "ada", 1)).await.unwrap();
    tx.set_channel(two.device, two.enrollment, &user("B-3", "B-1", 3)).await.unwrap();
    tx.set_channel(none.device, EnrollmentId(id()), &user("C-1", "ada", 9)).await.unwrap();
    let devices = [one.device, two.device, none.device, DeviceId(id())];
    let mut found = async |name: &str| {
        let mut found = tx.user_channels(&devices, name).await.unwrap();
        found.sort_by(|a, b| a.1.cmp(&b.1));
        found.into_iter().map(|(device, key)| (device, key.0)).collect::<Vec<_>>()
    };
    assert_eq!(found("ada").await, [(one.device, "A-1".to_owned()), (two.device, "B-1".to_owned())]);
    assert_eq!(found("B-1").await, [(two.device, "B-1".to_owned())], "an id before a name");
    for nobody in ["", "ADA", "'", "C-1"] {
        assert_eq!(found(nobody).await, [], "{nobody:?}");
    }
    tx.set_channel(one.device, one.enrollment, &channel("A-1")).await.unwrap();
    assert_eq!(tx.user_channels(&devices[..1], "ada").await.unwrap().len(), 1, "a name is not forgotten");
}

#[tokio::test]
async fn channels_move_to_another_record_with_all_that_is_theirs() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    tx.set_channel(phone.device, phone.enrollment, &channel("ada")).await.unwrap();
    tx.set_bootstrap_token(phone.enrollment, Some(&[1, 2]), NOW).await.unwrap();
    let ada = ChannelKey("ada".into());
    tx.set_awaiting(phone.enrollment, &ada, true).await.unwrap();
    tx.move_channels(phone.enrollment, other.device).await.unwrap();
    tx.set_device(&domain::Device { quarantined: true, managed: false, ..phone.record() }).await.unwrap();
    tx.discard_quarantined(phone.device).await.unwrap();
    let kept = tx.channels(other.device, phone.enrollment).await.unwrap();
    let awaits: Vec<_> = kept.iter().map(|channel| (channel.key.0.as_str(), channel.awaits)).collect();
    assert_eq!(awaits, [("", false), ("ada", true)]);
    assert_eq!(tx.bootstrap_token(phone.enrollment).await.unwrap(), Some(vec![1, 2]));
    tx.set_awaiting(phone.enrollment, &ada, false).await.unwrap();
    assert!(!tx.channels(other.device, phone.enrollment).await.unwrap()[1].awaits);
}
