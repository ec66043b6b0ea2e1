use domain::{ChannelKey, CommandState};

use super::world::{NOW, World};

impl World {
    async fn faults(&self) -> Vec<String> {
        self.db.faults().await.unwrap()
    }
}

#[tokio::test]
async fn a_sound_database_has_no_faults() {
    let world = World::new().await;
    assert_eq!(world.faults().await, Vec::<String>::new());
    let phone = world.phone().await;
    let [command, _] = world.queue(&phone).await;
    world.reports(&phone, command, CommandState::Acknowledged).await;
    assert_eq!(world.faults().await, Vec::<String>::new());
}

#[tokio::test]
async fn rows_that_belong_to_nothing_are_faults() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let mut tx = world.tx().await;
    tx.ask_push(phone.device, &ChannelKey::default(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    world.reports(&phone, command, CommandState::Acknowledged).await;
    world.place.run("DELETE FROM devices; DELETE FROM enrollments").await;

    let orphans = [
        "commands of no device",
        "pushes to no device",
        "certificates of no enrollment",
        "channels of no enrollment",
    ];
    assert_eq!(world.faults().await, orphans.map(|what| format!("1 {what}")));
    world.place.run("DELETE FROM commands").await;
    assert!(world.faults().await.contains(&"1 results of no finished command".to_owned()));
}

#[tokio::test]
async fn contradictions_are_faults() {
    for (break_it, fault) in [
        ("UPDATE enrollments SET state = 4", "1 managed devices without an active enrollment"),
        ("UPDATE devices SET enrollment = id", "1 active enrollments without a device"),
        ("UPDATE devices SET enrollment = id", "1 open commands of an enrollment that is not the device's"),
        ("UPDATE commands SET state = 3", "1 commands that are both open and finished, or neither"),
        ("UPDATE commands SET finished_at = 1", "1 commands that are both open and finished, or neither"),
    ] {
        let world = World::new().await;
        let phone = world.phone().await;
        let [_] = world.queue(&phone).await;
        world.place.run(break_it).await;
        assert!(world.faults().await.iter().any(|found| found == fault), "{break_it}");
    }
}
