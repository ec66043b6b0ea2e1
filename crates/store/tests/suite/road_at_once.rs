//! Many devices at once: groups, and what must not go wrong in them.

use std::{collections::HashMap, sync::Arc};

use domain::{ChannelKey, Command, CommandId, CommandState, Error, ports::Poll};
use store::StoreSettings;
use tokio::task::JoinSet;

use super::world::{NOW, Phone, World, channel, later};

/// Polls as a device does, until it has nothing more to do; the commands that it was given, in order.
async fn work_off(world: Arc<World>, phone: Phone) -> Vec<CommandId> {
    let mut done = Vec::new();
    let mut next = world.idle(&phone).await;
    while let Some(command) = next {
        done.push(command);
        next = world.reports(&phone, command, CommandState::Acknowledged).await;
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_device_gets_each_of_its_commands_once_and_in_order() {
    let world = Arc::new(World::new().await);
    let mut queues: HashMap<CommandId, Vec<CommandId>> = HashMap::new();
    let mut devices = JoinSet::new();
    for _ in 0..64 {
        let phone = world.phone().await;
        let queue: [CommandId; 5] = world.queue(&phone).await;
        queues.insert(queue[0], queue.to_vec());
        devices.spawn(work_off(world.clone(), phone));
    }

    let done = devices.join_all().await;

    assert_eq!(done.len(), 64);
    for commands in done {
        assert_eq!(queues[&commands[0]], commands);
    }
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (0, 64 * 5, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_is_finished_by_one_of_many_reports() {
    let world = Arc::new(World::new().await);
    let phone = world.phone().await;
    let [command, next] = world.queue(&phone).await;
    let mut reports = JoinSet::new();
    for _ in 0..64 {
        let (world, step) = (world.clone(), phone.reports(command, CommandState::Acknowledged));
        reports.spawn(async move { world.poll(step).await });
    }

    let answers = reports.join_all().await;

    assert_eq!(answers.iter().filter(|answer| answer.report_known).count(), 1);
    let handed = answers.iter().filter_map(|answer| answer.next.as_ref()).collect::<Vec<_>>();
    assert_eq!(handed.len(), 1, "what was handed over waits for idle");
    assert_eq!(handed[0].command, next);
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_steps_of_one_device_at_once_are_all_served() {
    let world = Arc::new(World::new().await);
    let phone = world.phone().await;
    let commands: [CommandId; 32] = world.queue(&phone).await;
    let mut steps = JoinSet::new();
    for command in commands {
        let (reporting, telling, asking) = (world.clone(), world.clone(), world.clone());
        let (report, tokens) = (phone.reports(command, CommandState::Acknowledged), phone.tells(channel("")));
        let idle = Poll { channel: ChannelKey("nobody".into()), ..phone.idle() };
        steps.spawn(async move { reporting.poll(report).await.report_known });
        steps.spawn(async move { telling.db.road.update_token(tokens).await.unwrap().served.is_some() });
        steps.spawn(async move { asking.poll(idle).await.next.is_none() });
    }

    assert!(steps.join_all().await.into_iter().all(|served| served));
    assert!(world.look().await.open_commands(phone.device).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_step_harms_nobody_but_itself() {
    let world = Arc::new(World::new().await);
    let bad = world.phone().await;
    let mut good = Vec::new();
    for _ in 0..40 {
        let phone = world.phone().await;
        let [command] = world.queue(&phone).await;
        good.push((phone, command));
    }
    let hex = bad.enrollment.0.hyphenated();
    let blob = bad.enrollment.0.simple();
    // A state that no version of ours writes: whoever reads the row fails.
    let spoil = format!("UPDATE enrollments SET state = 99 WHERE id IN ('{hex}')");
    let spoil = if world.place.url().starts_with("sqlite") {
        spoil.replace(&format!("'{hex}'"), &format!("x'{blob}'"))
    } else {
        spoil
    };
    world.place.run(&spoil).await;

    let mut steps = JoinSet::new();
    for (phone, command) in &good {
        for step in [bad.reports(*command, CommandState::Acknowledged), bad.idle()] {
            let world = world.clone();
            steps.spawn(async move {
                matches!(world.db.road.poll(Arc::new(step)).await, Err(Error::Internal(_)))
            });
        }
        let (reporting, report) = (world.clone(), phone.reports(*command, CommandState::Acknowledged));
        steps.spawn(async move { reporting.poll(report).await.report_known });
    }

    assert!(steps.join_all().await.into_iter().all(|right| right));
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (0, 40, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ordinary_writers_and_the_road_wait_for_each_other_in_turn() {
    let world = Arc::new(World::new().await);
    let mut devices = JoinSet::new();
    let mut administrators = JoinSet::new();
    for _ in 0..16 {
        let phone = world.phone().await;
        let first: [CommandId; 4] = world.queue(&phone).await;
        assert_eq!(first.len(), 4);
        devices.spawn(work_off(world.clone(), phone.clone()));
        let world = world.clone();
        administrators.spawn(async move {
            for n in 0..4 {
                let mut tx = world.tx().await;
                let device = tx.device_for_update(phone.device).await.unwrap().unwrap();
                let command = Command { dedupe: Some(format!("late-{n}")), ..phone.command() };
                tx.add_commands(&[command]).await.unwrap();
                tx.ask_push(device.id, &ChannelKey::default(), NOW).await.unwrap();
                tx.set_device(&device).await.unwrap();
                tx.commit().await.unwrap();
            }
            phone
        });
    }
    let phones = administrators.join_all().await;
    let mut done = devices.join_all().await.into_iter().flatten().count();

    for phone in phones {
        done += work_off(world.clone(), phone).await.len();
    }

    assert_eq!(done, 16 * 8, "each command once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_commands_are_not_handed_over_by_a_road_at_work() {
    let world = Arc::new(World::new().await);
    let mut devices = JoinSet::new();
    for _ in 0..16 {
        let phone = world.phone().await;
        let commands: [CommandId; 8] = world.queue(&phone).await;
        let (cancelling, cancelled) = (world.clone(), phone.clone());
        let polling = tokio::spawn(work_off_known(world.clone(), phone.clone()));
        devices.spawn(async move {
            let mut tx = cancelling.tx().await;
            tx.enrollment_for_update(cancelled.enrollment).await.unwrap();
            tx.cancel_commands(cancelled.device, None, later(1)).await.unwrap();
            tx.commit().await.unwrap();
            let late = cancelling.idle(&cancelled).await;
            let done = polling.await.unwrap();
            assert!(late.is_none() && done.len() <= commands.len());
        });
    }
    devices.join_all().await;
}

/// As [`work_off`], where commands may be cancelled under way.
async fn work_off_known(world: Arc<World>, phone: Phone) -> Vec<CommandId> {
    let mut done = Vec::new();
    let mut next = world.idle(&phone).await;
    while let Some(command) = next {
        let answer = world.poll(phone.reports(command, CommandState::Acknowledged)).await;
        if answer.report_known {
            done.push(command);
        }
        next = answer.next.map(|next| next.command);
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_never_hand_over_one_command_both() {
    let world = Arc::new(World::new().await);
    let second = store::open(&StoreSettings::new(world.place.url())).await.unwrap();
    let mut phones = Vec::new();
    for _ in 0..32 {
        let phone = world.phone().await;
        let commands: [CommandId; 2] = world.queue(&phone).await;
        phones.push((phone, commands));
    }
    let mut steps = JoinSet::new();
    for (phone, [one, two]) in phones {
        let (here, there) = (world.db.road.clone(), second.road.clone());
        let (first, second) =
            (phone.reports(one, CommandState::Acknowledged), phone.reports(one, CommandState::Acknowledged));
        steps.spawn(async move {
            let (first, second) = tokio::join!(here.poll(Arc::new(first)), there.poll(Arc::new(second)));
            let answers = [first, second].map(|answer| answer.unwrap().served.unwrap());
            let known = answers.iter().filter(|answer| answer.report_known).count();
            let handed: Vec<CommandId> =
                answers.into_iter().filter_map(|a| a.next.map(|next| next.command)).collect();
            (known, handed, two)
        });
    }

    for (known, handed, two) in steps.join_all().await {
        assert_eq!((known, handed), (1, vec![two]));
    }
    second.close().await.unwrap();
}
