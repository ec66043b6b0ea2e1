//! In which order rows are locked: one by one, and in the same order by everyone, so that nobody waits in a circle.

use std::{mem, sync::Arc, time::Duration};

use domain::{ChannelKey, Command, Enrollment, EnrollmentId, EnrollmentState, ports::SettledPush};
use sqlx::{AssertSqlSafe, Connection, Error, PgConnection, query_scalar, raw_sql};
use tokio::time::{sleep, timeout};

use super::suite::{
    users::user,
    world::{NOW, Phone, World, channel, id, later},
};

const PATIENCE: Duration = Duration::from_mins(15);
/// Less than a transaction of the store waits for a lock.
const SOON: Duration = Duration::from_secs(8);

impl World {
    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.place.url()).await.unwrap()
    }

    /// A connection that holds one row until it is dropped.
    async fn hold(&self, row: &str) -> PgConnection {
        let mut connection = self.connect().await;
        raw_sql("BEGIN").execute(&mut connection).await.unwrap();
        lock(&mut connection, row).await.unwrap();
        connection
    }

    async fn is_locked(&self, row: &str) -> bool {
        match lock(&mut self.connect().await, row).await {
            Ok(()) => false,
            Err(Error::Database(error)) if error.code().as_deref() == Some("55P03") => true,
            Err(error) => panic!("{row}: {error}"),
        }
    }

    /// Returns when the store waits for a lock.
    async fn until_it_waits(&self) {
        let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
            AND application_name LIKE 'remuda %' AND wait_event_type = 'Lock'";
        Self::until(&mut self.connect().await, waits).await;
    }

    /// Returns when the store waits for what this connection holds.
    async fn until_it_waits_for(&self, holder: &mut PgConnection) {
        let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
            AND application_name LIKE 'remuda %' AND pg_blocking_pids(pid) @> ARRAY[pg_backend_pid()]";
        Self::until(holder, waits).await;
    }

    async fn until(connection: &mut PgConnection, waits: &'static str) {
        let waiting = async {
            while !query_scalar::<_, bool>(waits).fetch_one(&mut *connection).await.unwrap() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, waiting).await.expect("it comes to the row that is held");
    }
}

/// Locks the one row of this name, or says at once that another has it.
async fn lock(connection: &mut PgConnection, row: &str) -> Result<(), Error> {
    let select = AssertSqlSafe(format!("SELECT 1 FROM {row} FOR UPDATE NOWAIT"));
    query_scalar::<_, i32>(select).fetch_one(connection).await.map(drop)
}

fn push(phone: &Phone, channel: &str) -> String {
    format!("pushes WHERE device = '{}' AND channel = '{channel}'", phone.device.0)
}

fn enrollment(id: EnrollmentId) -> String {
    format!("enrollments WHERE id = '{}'", id.0)
}

#[tokio::test]
async fn who_wakes_asks_for_all_pushes_of_a_device_before_those_of_the_next() {
    let world = Arc::new(World::new().await);
    let (first, second) = (world.phone().await, world.phone().await);
    assert!(first.device < second.device);
    let ada = ChannelKey("ada".into());
    let mut tx = world.tx().await;
    tx.set_channel(first.device, first.enrollment, &channel("ada")).await.unwrap();
    tx.add_commands(&[
        second.command(),
        Command { channel: ada.clone(), ..first.command() },
        first.command(),
    ])
    .await
    .unwrap();
    for (phone, channel) in
        [(&first, &ada), (&first, &first.command().channel), (&second, &second.command().channel)]
    {
        tx.ask_push(phone.device, channel, NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
    let held = world.hold(&push(&first, "ada")).await;

    let waking = world.clone();
    let waking = tokio::spawn(async move { waking.db.outbox.wake_waiting(later(900), PATIENCE, 9).await });
    world.until_it_waits().await;

    assert!(world.is_locked(&push(&first, "")).await, "it comes before the user's");
    assert!(!world.is_locked(&push(&second, "")).await, "it comes behind the user's");
    drop(held);
    assert_eq!(waking.await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn who_settles_pushes_holds_all_of_them_before_any_is_over() {
    let world = Arc::new(World::new().await);
    let (first, second) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    tx.ask_pushes(&[&first, &second].map(|phone| phone.device), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let jobs = world.db.outbox.claim_pushes(NOW, later(10), 9, &[]).await.unwrap();
    // While they were on their way the first is asked for again: it is released, and the other one is over.
    let mut tx = world.tx().await;
    tx.ask_push(first.device, &ChannelKey::default(), later(1)).await.unwrap();
    tx.commit().await.unwrap();
    let held = world.hold(&push(&first, "")).await;

    let delivered =
        |job| SettledPush { job, retry_at: None, token_gone: false, at: later(1), said: "accepted".into() };
    let settled: Vec<_> = jobs.into_iter().map(delivered).collect();
    let settling = world.clone();
    let settling = tokio::spawn(async move { settling.db.outbox.settle_pushes(&settled).await });
    world.until_it_waits().await;

    assert!(!world.is_locked(&push(&second, "")).await, "whoever has it may wait for the first");
    drop(held);
    settling.await.unwrap().unwrap();
    assert_eq!(world.db.outbox.backlog().await.unwrap().0, 1, "the one that was asked for again");
}

#[tokio::test]
async fn who_removes_a_device_takes_its_commands_before_its_pushes() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let mut tx = world.tx().await;
    tx.ask_push(phone.device, &ChannelKey::default(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let held = world.hold(&format!("commands WHERE id = '{}'", command.0)).await;

    let mut purge = world.tx().await;
    let device = phone.device;
    let removing = tokio::spawn(async move {
        purge.remove_device(device).await?;
        purge.commit().await
    });
    world.until_it_waits().await;

    assert!(!world.is_locked(&push(&phone, "")).await, "who wakes comes from a command to its push");
    drop(held);
    removing.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_enrollment_is_locked_after_that_of_the_device_which_it_claims_to_be() {
    let world = World::new().await;
    let before = world.phone().await;
    let claim = Phone { key: before.key.clone(), ..Phone::new(world.tenant) };
    assert!(before.device < claim.device);
    let claim = Enrollment { state: EnrollmentState::Pending, ..claim.enrollment() };
    is_locked_behind(&world, &before, claim).await;
}

#[tokio::test]
async fn an_enrollment_that_is_over_is_locked_after_an_earlier_one_that_its_device_has_again() {
    let world = World::new().await;
    let now = world.phone().await;
    let over = Phone { enrollment: EnrollmentId(id()), ..now.clone() };
    assert!(now.enrollment < over.enrollment);
    let over = Enrollment { state: EnrollmentState::Over, ..over.enrollment() };
    is_locked_behind(&world, &now, over).await;
}

/// That a check-in of `later` does not have it yet while it waits for that of `first`, which it may come to as well.
async fn is_locked_behind(world: &World, first: &Phone, later: Enrollment) {
    let mut tx = world.tx().await;
    tx.add_enrollment(&later).await.unwrap();
    tx.commit().await.unwrap();
    let (before, behind) = (enrollment(first.enrollment), enrollment(later.id));
    let held = world.hold(&before).await;

    let mut check_in = world.tx().await;
    let checking_in = tokio::spawn(async move {
        assert_eq!(check_in.enrollment_for_update(later.id).await.unwrap().as_ref(), Some(&later));
        check_in.device_by_key(later.key.as_deref().unwrap()).await.unwrap().unwrap();
        check_in
    });
    world.until_it_waits().await;

    assert!(!world.is_locked(&behind).await, "whoever has it may wait for the first");
    drop(held);
    let check_in = checking_in.await.unwrap();
    assert!(world.is_locked(&before).await && world.is_locked(&behind).await);
    drop(check_in);
}

#[tokio::test]
async fn a_device_is_removed_in_the_order_of_devices_with_the_enrollments_that_want_it() {
    let world = World::new().await;
    let (wishing, wanted) = (Phone::new(world.tenant), world.phone().await);
    assert!(wishing.device < wanted.device);
    let mut tx = world.tx().await;
    let wish = Enrollment { wanted_device: Some(wanted.device), ..wishing.enrollment() };
    tx.add_enrollment(&wish).await.unwrap();
    tx.commit().await.unwrap();
    let held = world.hold(&enrollment(wishing.enrollment)).await;

    let mut purge = world.tx().await;
    let device = wanted.device;
    let removing = tokio::spawn(async move {
        purge.device_for_removal(device).await?;
        purge.remove_device(device).await?;
        purge.commit().await
    });
    world.until_it_waits().await;

    assert!(
        !world.is_locked(&enrollment(wanted.enrollment)).await,
        "what wants it may be about to take it over"
    );
    drop(held);
    removing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_user_is_removed_in_the_order_of_devices() {
    let world = World::new().await;
    let (mut first, mut second) = (Phone::new(world.tenant), Phone::new(world.tenant));
    mem::swap(&mut first.enrollment, &mut second.enrollment);
    mem::swap(&mut first.key, &mut second.key);
    let ada = user("ada@example.org");
    let mut tx = world.tx().await;
    tx.add_user(&ada).await.unwrap();
    for phone in [&first, &second] {
        tx.add_enrollment(&Enrollment { user: Some(ada.id), ..phone.enrollment() }).await.unwrap();
    }
    tx.commit().await.unwrap();
    let held = world.hold(&enrollment(first.enrollment)).await;

    let mut tx = world.tx().await;
    let removing = tokio::spawn(async move {
        tx.remove_user(ada.id).await?;
        tx.commit().await
    });
    world.until_it_waits().await;

    assert!(
        !world.is_locked(&enrollment(second.enrollment)).await,
        "by the enrollments' ids or keys it would come first"
    );
    drop(held);
    removing.await.unwrap().unwrap();
}

/// As a command for both of them does.
#[tokio::test]
async fn many_devices_are_held_in_the_order_of_devices() {
    let world = World::new().await;
    let (first, second) = (world.phone().await, world.phone().await);
    let held = world.hold(&enrollment(first.enrollment)).await;

    let mut send = world.tx().await;
    let devices = [second.device, first.device];
    let sending = tokio::spawn(async move { send.hold_devices(&devices).await.map(|found| found.len()) });
    world.until_it_waits().await;

    assert!(!world.is_locked(&enrollment(second.enrollment)).await, "whoever has it may wait for the first");
    drop(held);
    assert_eq!(sending.await.unwrap().unwrap(), 2);
}

/// A device changes its enrollment while a command for many waits for the one before: the command waits for the next as
/// well, or another that sees the next could be queued at the same time.
#[tokio::test]
async fn many_devices_are_held_by_the_enrollments_that_they_have_when_all_are_held() {
    let world = World::new().await;
    let (first, second) = (world.phone().await, world.phone().await);
    let next = Phone { enrollment: EnrollmentId(id()), ..first.clone() };
    let mut tx = world.tx().await;
    tx.add_enrollment(&Enrollment { state: EnrollmentState::Over, ..next.enrollment() }).await.unwrap();
    tx.commit().await.unwrap();
    let mut held = world.hold(&enrollment(next.enrollment)).await;
    let mut check_in = world.hold(&enrollment(first.enrollment)).await;

    let mut send = world.tx().await;
    let devices = [first.device, second.device];
    let sending = tokio::spawn(async move {
        let found = send.hold_devices(&devices).await.unwrap();
        (send, found[0].enrollment)
    });
    world.until_it_waits_for(&mut check_in).await;
    let changes = format!(
        "UPDATE enrollments SET state = 4 WHERE id = '{}';
         UPDATE devices SET enrollment = '{}' WHERE id = '{}';
         COMMIT",
        first.enrollment.0, next.enrollment.0, first.device.0,
    );
    raw_sql(AssertSqlSafe(changes)).execute(&mut check_in).await.unwrap();
    world.until_it_waits_for(&mut held).await;

    assert!(!world.is_locked(&enrollment(second.enrollment)).await, "whoever has the first may wait for it");
    drop(held);
    let (send, found) = sending.await.unwrap();
    assert_eq!(found, next.enrollment);
    for phone in [&next, &second] {
        assert!(world.is_locked(&enrollment(phone.enrollment)).await, "{phone:?}");
    }
    drop(send);
}

/// As many are, but that one has nothing behind it to give back.
#[tokio::test]
async fn a_device_is_locked_with_the_enrollment_that_it_has_when_it_is_locked() {
    let world = World::new().await;
    let before = world.phone().await;
    let next = Phone { enrollment: EnrollmentId(id()), ..before.clone() };
    let mut check_in = world.tx().await;
    assert!(check_in.enrollment_for_update(before.enrollment).await.unwrap().is_some());

    let mut act = world.tx().await;
    let device = before.device;
    let acting = tokio::spawn(async move {
        let found = act.device_for_update(device).await.unwrap().unwrap();
        (act, found.enrollment)
    });
    world.until_it_waits().await;
    let mut device = check_in.device_for_update(before.device).await.unwrap().unwrap();
    check_in
        .set_enrollment(&Enrollment { state: EnrollmentState::Over, ..before.enrollment() })
        .await
        .unwrap();
    check_in.add_enrollment(&next.enrollment()).await.unwrap();
    device.enrollment = next.enrollment;
    check_in.set_device(&device).await.unwrap();
    check_in.commit().await.unwrap();

    let (act, found) = acting.await.unwrap();
    assert_eq!(found, next.enrollment);
    assert!(world.is_locked(&enrollment(next.enrollment)).await);
    drop(act);
}
