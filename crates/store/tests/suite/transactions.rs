use std::time::Duration;

use domain::{DeviceName, TenantId};
use tokio::time::timeout;

use super::world::{NOW, Phone, World, id, later};

#[tokio::test]
async fn nothing_stays_without_a_commit() {
    let world = World::new().await;
    let phone = Phone::new(world.tenant);
    let mut tx = world.tx().await;
    phone.enroll(&mut *tx).await;
    drop(tx);

    assert_eq!(world.tx().await.device_for_update(phone.device).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_committed_is_seen_by_the_next_transaction() {
    let world = World::new().await;
    let phone = world.phone().await;

    assert!(world.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_not_committed_is_seen_by_nobody_else() {
    let world = World::new().await;
    let phone = Phone::new(world.tenant);
    let mut tx = world.tx().await;
    phone.enroll(&mut *tx).await;

    assert_eq!(world.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap(), None);
    assert_eq!(world.db.directory.identity(&phone.fingerprint).await.unwrap(), None);
    assert!(world.answer(phone.idle()).await.identity.is_none());
    tx.commit().await.unwrap();
    assert!(world.db.directory.identity(&phone.fingerprint).await.unwrap().is_some());
}

#[tokio::test]
async fn a_transaction_that_only_reads_cannot_write() {
    let world = World::new().await;
    let phone = Phone::new(world.tenant);
    let mut tx = world.look().await;

    assert!(tx.add_enrollment(&phone.enrollment()).await.is_err());
}

#[tokio::test]
async fn one_that_only_reads_waits_for_no_writer() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut writer = world.tx().await;
    writer.device_for_update(phone.device).await.unwrap();

    let device = async { world.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap() };

    let found = timeout(Duration::from_secs(5), device).await.expect("the reader does not wait");
    assert!(found.is_some());
}

#[tokio::test]
async fn a_tenant_sees_nothing_of_another() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let mut tx = world.tx().await;
    tx.ask_push(phone.device, &Default::default(), NOW).await.unwrap();
    tx.commit().await.unwrap();

    let mut other = world.db.store.begin(TenantId(id())).await.unwrap();
    assert_eq!(other.device_for_update(phone.device).await.unwrap(), None);
    assert_eq!(other.command(phone.device, command).await.unwrap(), None);
    assert_eq!(other.cancel_commands(phone.device, None, NOW).await.unwrap(), 0);
    other.drop_pushes(phone.device).await.unwrap();
    other.remove_device(phone.device).await.unwrap();
    other.commit().await.unwrap();

    assert_eq!(world.idle(&phone).await, Some(command));
    assert_eq!(world.db.outbox.next_push_due().await.unwrap(), Some(NOW));
}

#[tokio::test]
async fn many_writers_take_turns() {
    let world = World::new().await;
    let phone = world.phone().await;
    let add = || async {
        let mut tx = world.tx().await;
        let mut device = tx.device_for_update(phone.device).await.unwrap().unwrap();
        device.facts.capacity_gb = Some(device.facts.capacity_gb.unwrap_or(0.0) + 1.0);
        tx.set_device(&device).await.unwrap();
        tx.commit().await.unwrap();
    };

    futures(24, add).await;

    let device = world.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap().unwrap();
    assert_eq!(device.facts.capacity_gb, Some(24.0));
}

/// Runs the same thing several times at once, on this task.
async fn futures<F: Future<Output = ()>>(times: usize, run: impl Fn() -> F) {
    let mut all: Vec<_> = (0..times).map(|_| Box::pin(run())).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Check-ins lock the enrollment, then the device; who begins with the device, by its id or its key, waits for the
/// enrollment first.
#[tokio::test]
async fn who_locks_a_device_waits_for_who_has_its_enrollment() {
    for by_key in [false, true] {
        let world = World::new().await;
        let phone = world.phone().await;
        let mut check_in = world.tx().await;
        check_in.enrollment_for_update(phone.enrollment).await.unwrap();

        let act = async {
            let mut act = world.tx().await;
            if by_key {
                act.device_by_key(&phone.key).await.unwrap();
            } else {
                act.device_for_update(phone.device).await.unwrap();
            }
            act.cancel_commands(phone.device, None, later(1)).await.unwrap();
            act.commit().await
        };
        let check_in = async {
            // Time for the other to take what it can have.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let device = check_in.device_for_update(phone.device).await?;
            check_in.commit().await.map(|()| device)
        };

        let (acted, checked_in) = tokio::join!(act, check_in);
        acted.unwrap();
        assert!(checked_in.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_device_that_is_held_is_not_removed_until_its_holder_is_done() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut send = world.tx().await;
    send.hold_devices(&[phone.device]).await.unwrap();

    let purge = async {
        let mut purge = world.tx().await;
        purge.device_for_removal(phone.device).await?;
        purge.remove_device(phone.device).await?;
        purge.commit().await
    };
    let send = async {
        // Time for the other to take what it can have.
        tokio::time::sleep(Duration::from_millis(100)).await;
        send.add_commands(&[phone.command()]).await?;
        send.ask_pushes(&[phone.device], NOW).await?;
        send.commit().await
    };

    let (purged, sent) = tokio::join!(purge, send);
    purged.unwrap();
    sent.unwrap();
    let left = world.place.dump().await;
    let of_it: Vec<_> =
        left.iter().filter(|(table, _)| ["commands", "pushes"].contains(&table.as_str())).collect();
    assert!(of_it.is_empty(), "{of_it:?}");
}
