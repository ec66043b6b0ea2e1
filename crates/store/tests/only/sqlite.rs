//! What only SQLite has to get right: one writer, and other processes beside us.

use std::{sync::Arc, time::Duration};

use domain::{CommandState, DeviceName};

use super::suite::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_that_writes_is_waited_for() {
    let world = Arc::new(World::new().await);
    let (phone, silent) = (world.phone().await, world.phone().await);
    let [command] = world.queue(&phone).await;
    let other = world.place.connect();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM audit").unwrap();

    let (reporting, writing, looking) = (world.clone(), world.clone(), world.clone());
    let report = phone.reports(command, CommandState::Acknowledged);
    let report = tokio::spawn(async move { reporting.poll(report).await.report_known });
    let write = tokio::spawn(async move { writing.queue::<1>(&writing.phone().await).await });
    let idle = tokio::time::timeout(Duration::from_secs(5), looking.answer(silent.idle())).await;
    assert!(idle.unwrap().served.is_some(), "who only looks does not wait");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!report.is_finished() && !write.is_finished());
    other.execute_batch("COMMIT").unwrap();

    assert!(report.await.unwrap());
    write.await.unwrap();
}

#[tokio::test]
async fn the_file_has_a_write_ahead_log() {
    let world = World::new().await;
    let mode: String = world.place.connect().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_long_reader_stops_nobody_and_sees_one_moment() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut reader = world.look().await;
    assert!(reader.device_named(&DeviceName::Id(phone.device)).await.unwrap().is_some());

    let mut tx = world.tx().await;
    tx.remove_device(phone.device).await.unwrap();
    tx.commit().await.unwrap();

    assert!(reader.device_named(&DeviceName::Id(phone.device)).await.unwrap().is_some());
    drop(reader);
    assert!(world.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap().is_none());
}
