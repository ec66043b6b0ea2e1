//! In which order rows are locked: one by one, and in the same order by everyone, so that nobody waits in a circle.

use std::{sync::Arc, time::Duration};

use domain::{ChannelKey, Command};
use sqlx::{AssertSqlSafe, Connection, Error, PgConnection, query_scalar, raw_sql};
use tokio::time::{sleep, timeout};

use super::suite::world::{NOW, Phone, World, channel, later};

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
        let mut connection = self.connect().await;
        let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
            AND application_name LIKE 'remuda %' AND wait_event_type = 'Lock'";
        let waiting = async {
            while !query_scalar::<_, bool>(waits).fetch_one(&mut connection).await.unwrap() {
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
    tx.ask_push(first.device, &ada, NOW).await.unwrap();
    tx.ask_pushes(&[&first, &second].map(|phone| (phone.device, phone.enrollment)), NOW).await.unwrap();
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
