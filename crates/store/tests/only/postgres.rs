//! What only PostgreSQL has to get right: a server that goes away, locks of other nodes, and text that it does not know.

use std::{slice, sync::Arc, time::Duration};

use domain::{
    ChannelKey, CommandId, CommandState, DeviceName, Error,
    ports::{Poll, Worker},
};
use store::StoreSettings;
use tokio::task::JoinSet;

use super::suite::world::{NOW, World, later};

#[tokio::test]
async fn connections_that_were_cut_are_opened_again() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    assert_eq!(world.idle(&phone).await, Some(command));

    world
        .place
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;

    let step = || phone.reports(command, CommandState::Acknowledged);
    let mut answer = world.db.road.poll(Arc::new(step())).await;
    if let Err(Error::Unavailable(_)) = answer {
        answer = world.db.road.poll(Arc::new(step())).await;
    }
    assert!(answer.unwrap().served.unwrap().report_known);
    assert_eq!(world.command(&phone, command).await.state, CommandState::Acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_someone_holds_does_not_hold_up_others() {
    let world = Arc::new(World::new().await);
    let held = world.phone().await;
    let mut tx = world.tx().await;
    tx.enrollment_for_update(held.enrollment).await.unwrap().unwrap();
    let mut steps = JoinSet::new();
    for _ in 0..20 {
        let phone = world.phone().await;
        let [command] = world.queue(&phone).await;
        let world = world.clone();
        steps.spawn(async move {
            world.poll(phone.reports(command, CommandState::Acknowledged)).await.report_known
        });
    }
    let road = world.db.road.clone();
    let step = held.reports(CommandId(held.device.0), CommandState::Acknowledged);
    let blocked = tokio::spawn(async move { road.poll(Arc::new(step)).await });

    let served = tokio::time::timeout(Duration::from_secs(10), steps.join_all()).await.unwrap();

    assert!(served.into_iter().all(|known| known));
    assert!(matches!(blocked.await.unwrap(), Err(Error::Unavailable(_))), "it is told to come again");
    tx.commit().await.unwrap();
    assert!(world.answer(held.idle()).await.served.is_some());
}

#[tokio::test]
async fn a_character_that_it_does_not_know_is_refused() {
    let world = World::new().await;
    let phone = world.phone().await;
    let channel = ChannelKey("a\0b".into());

    for step in [
        Poll { channel: channel.clone(), ..phone.idle() },
        Poll { channel, ..phone.reports(CommandId(phone.device.0), CommandState::Failed) },
    ] {
        let refused = world.db.road.poll(Arc::new(step)).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "text", .. })), "{refused:?}");
    }
    let mut device = phone.record();
    device.external_id = Some("a\0b".into());
    assert!(matches!(world.tx().await.set_device(&device).await, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn a_flush_that_meets_a_lock_gives_way_and_loses_nothing() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.poll(phone.idle()).await;
    let mut tx = world.tx().await;
    tx.device_for_update(phone.device).await.unwrap();

    assert!(matches!(world.db.road.flush().await, Err(Error::Unavailable(_))));

    drop(tx);
    world.db.road.flush().await.unwrap();
    let device = world.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap();
    assert_eq!(device.unwrap().last_contact, Some(NOW));
}

#[tokio::test]
async fn a_node_that_starts_leaves_the_claims_of_the_others_alone() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    tx.ask_push(phone.device, &ChannelKey::default(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let other = store::open(&StoreSettings::new(world.place.url())).await.unwrap();
    assert_eq!(other.outbox.claim_pushes(NOW, later(60), 9, &[]).await.unwrap().len(), 1);

    world.db.outbox.release_claims(Worker::Pushes).await.unwrap();
    assert_eq!(world.db.outbox.claim_pushes(NOW, later(60), 9, &[]).await.unwrap(), [], "the other is at it");

    other.close().await.unwrap();
    world.db.outbox.release_claims(Worker::Pushes).await.unwrap();
    assert_eq!(world.db.outbox.claim_pushes(NOW, later(60), 9, &[]).await.unwrap().len(), 1, "nobody is");
}

#[tokio::test]
async fn a_list_that_cannot_be_taken_up_does_not_hold_back_what_was_claimed_before_it() {
    let world = World::new().await;
    let (single, listed) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    tx.ask_push(single.device, &ChannelKey::default(), NOW).await.unwrap();
    tx.ask_pushes(&[listed.device], NOW).await.unwrap();
    tx.commit().await.unwrap();
    world
        .place
        .run(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$;
             CREATE TRIGGER refuse BEFORE DELETE ON push_lists FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let claim = || world.db.outbox.claim_pushes(NOW, later(10), 9, &[]);

    assert_eq!(claim().await.unwrap().len(), 1, "the single one");
    assert!(claim().await.is_err(), "nothing else is there");

    world.place.run("DROP TRIGGER refuse ON push_lists").await;
    assert_eq!(claim().await.unwrap().len(), 1, "the list waited");
}

#[tokio::test]
async fn what_another_node_queues_comes_at_the_next_poll() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    let other = store::open(&StoreSettings::new(world.place.url())).await.unwrap();
    for _ in 0..3 {
        let command = phone.command();
        let mut tx = other.store.begin(world.tenant).await.unwrap();
        tx.add_commands(slice::from_ref(&command)).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(world.idle(&phone).await, Some(command.id));
        let done = phone.reports(command.id, CommandState::Acknowledged);
        assert!(other.road.poll(Arc::new(done)).await.unwrap().served.unwrap().report_known);
        world.tells_that_nothing_waits(&phone).await;
    }
}

/// The transaction has the lower number, and is committed behind another whose commands were seen.
#[tokio::test]
async fn what_is_committed_late_comes_at_the_next_poll() {
    let world = World::new().await;
    let (late, early) = (world.told_phone().await, world.told_phone().await);
    let command = late.command();
    let mut open = world.tx().await;
    open.add_commands(slice::from_ref(&command)).await.unwrap();
    let [first] = world.queue(&early).await;
    assert_eq!(world.idle(&early).await, Some(first));
    world.tells_that_nothing_waits(&late).await;

    open.commit().await.unwrap();

    assert_eq!(world.idle(&late).await, Some(command.id));
}

/// Many at once, so that transactions are committed in another order than that of their numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_anywhere_before_a_poll_comes_with_it() {
    let world = Arc::new(World::new().await);
    let other = Arc::new(store::open(&StoreSettings::new(world.place.url())).await.unwrap());
    let mut phones = JoinSet::new();
    for number in 0..12 {
        let (world, other) = (world.clone(), other.clone());
        phones.spawn(async move {
            let phone = world.phone().await;
            for round in 0..10 {
                world.tells_that_nothing_waits(&phone).await;
                let command = phone.command();
                let mut tx = other.store.begin(world.tenant).await.unwrap();
                tx.add_commands(slice::from_ref(&command)).await.unwrap();
                tokio::time::sleep(Duration::from_millis((number * 7 + round * 5) % 11)).await;
                tx.commit().await.unwrap();
                assert_eq!(world.idle(&phone).await, Some(command.id), "in round {round}");
                assert_eq!(world.reports(&phone, command.id, CommandState::Acknowledged).await, None);
            }
        });
    }
    phones.join_all().await;
}

#[tokio::test]
async fn what_is_queued_for_many_comes_to_each() {
    let world = World::new().await;
    let mut phones = Vec::new();
    for _ in 0..20 {
        phones.push(world.told_phone().await);
    }
    // More than a node asks for at once.
    for _ in 0..30 {
        for phone in &phones {
            world.queue::<1>(phone).await;
        }
    }
    for phone in &phones {
        assert!(world.idle(phone).await.is_some());
    }
}

#[tokio::test]
async fn a_node_that_was_away_for_too_long_to_be_told_what_has_changed_looks_for_itself() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    let [command] = world.queue(&phone).await;
    world.place.run("UPDATE changes_kept SET since = pg_current_xact_id(); DELETE FROM changes").await;

    assert_eq!(world.idle(&phone).await, Some(command));
}

#[tokio::test]
async fn a_database_that_does_not_note_what_changes_is_asked_for_each_poll() {
    let world = World::new().await;
    let place = &world.place;
    place.run("ALTER TABLE commands DISABLE TRIGGER changes_queued").await;
    let phone = world.told_phone().await;
    let [command] = world.queue(&phone).await;

    assert_eq!(world.idle(&phone).await, Some(command));
}

/// Past the store, too: by whom an operator is helped out of trouble.
#[tokio::test]
async fn what_is_written_by_hand_is_seen_at_the_next_poll() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    world.idle(&phone).await;
    world.reports(&phone, command, CommandState::Acknowledged).await;
    world.tells_that_nothing_waits(&phone).await;
    world.place.run("UPDATE commands SET state = 0, finished_at = NULL").await;
    assert_eq!(world.idle(&phone).await, Some(command));

    world.place.run("UPDATE commands SET finished_at = 1, state = 5").await;
    world.tells_that_nothing_waits(&phone).await;
    world.place.run("DELETE FROM certificates").await;
    assert!(world.answer(phone.idle()).await.identity.is_none());
}
