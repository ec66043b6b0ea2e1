use domain::{ChannelKey, Command, CommandState, DeviceId, EnrollmentId, Error, Judgement, TenantId};

use super::world::{NOW, World, id, later};

#[tokio::test]
async fn everything_of_a_command_is_kept() {
    let world = World::new().await;
    let phone = world.phone().await;
    let command = Command {
        channel: ChannelKey("ada".into()),
        action: Some("lock".into()),
        dedupe: Some("lock".into()),
        payload: vec![0, 255, 1],
        sealed: true,
        state: CommandState::Acknowledged,
        result: Some(vec![0, 254]),
        judged: Some(Judgement { facts_revision: "1 iOS 18.1".into(), faults: Some("PIN: no".into()) }),
        handed_over_at: Some(later(1)),
        finished_at: Some(later(2)),
        ..phone.command()
    };
    let mut tx = world.tx().await;
    tx.add_commands(&[command.clone(), phone.command()]).await.unwrap();

    assert_eq!(tx.command(phone.device, command.id).await.unwrap(), Some(command.clone()));
    assert_eq!(tx.command(DeviceId(id()), command.id).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!(other.command(phone.device, command.id).await.unwrap(), None);
}

#[tokio::test]
async fn thousands_are_added_at_once() {
    let world = World::new().await;
    let phone = world.phone().await;
    let commands: Vec<Command> =
        (0..2345).map(|_| Command { device: DeviceId(id()), ..phone.command() }).collect();
    let mut tx = world.tx().await;
    tx.add_commands(&[]).await.unwrap();
    tx.add_commands(&commands).await.unwrap();
    tx.commit().await.unwrap();

    let mut look = world.look().await;
    for command in [&commands[0], &commands[999], &commands[1000], &commands[2344]] {
        assert_eq!(look.command(command.device, command.id).await.unwrap().as_ref(), Some(command));
    }
}

#[tokio::test]
async fn commands_that_are_added_at_once_keep_what_each_has_of_its_own() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let judged = |faults: Option<&str>| {
        Some(Judgement { facts_revision: "1 iOS 18.1".into(), faults: faults.map(Into::into) })
    };
    let alike =
        |payload: &[u8]| Command { payload: payload.to_vec(), judged: judged(None), ..phone.command() };
    let commands = [
        alike(b"same"),
        Command { judged: None, ..alike(b"same") },
        Command { channel: ChannelKey("ada".into()), ..alike(b"same") },
        Command { judged: judged(Some("PIN: no")), ..alike(b"same") },
        Command { payload: Vec::new(), ..other.command() },
        other.command(),
        Command { request_type: "DeviceLock".into(), ..other.command() },
        Command { result: Some(vec![1]), finished_at: Some(later(1)), ..other.command() },
        Command { wake_at: later(9), put_off: 2, ..other.command() },
    ];
    let mut tx = world.tx().await;
    tx.add_commands(&commands).await.unwrap();
    tx.commit().await.unwrap();

    let mut look = world.look().await;
    for command in &commands {
        assert_eq!(look.command(command.device, command.id).await.unwrap().as_ref(), Some(command));
    }
}

#[tokio::test]
async fn at_most_one_open_command_of_a_channel_has_a_dedupe_key() {
    let world = World::new().await;
    let phone = world.phone().await;
    let lock = || Command { dedupe: Some("lock".into()), ..phone.command() };
    let (first, on_another_channel) = (lock(), Command { channel: ChannelKey("ada".into()), ..lock() });
    let mut tx = world.tx().await;
    tx.add_commands(&[first.clone(), on_another_channel]).await.unwrap();
    assert_eq!(tx.open_command(phone.device, "lock").await.unwrap(), Some(first));
    assert_eq!(tx.open_command(phone.device, "wipe").await.unwrap(), None);
    tx.commit().await.unwrap();

    let second = world.tx().await.add_commands(&[lock()]).await;
    assert!(matches!(second, Err(Error::Conflict(said)) if said == "such a command is waiting already"));

    let mut tx = world.tx().await;
    tx.cancel_commands(phone.device, None, later(1)).await.unwrap();
    assert_eq!(tx.open_command(phone.device, "lock").await.unwrap(), None);
    tx.add_commands(&[lock()]).await.unwrap();
}

#[tokio::test]
async fn a_command_is_replaced_until_it_is_handed_over() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let judged = Judgement { facts_revision: "2 iOS".into(), faults: Some("PIN: no".into()) };
    let another = Command {
        id: command,
        request_type: "EraseDevice".into(),
        payload: b"another".to_vec(),
        sealed: true,
        judged: Some(judged.clone()),
        ..phone.command()
    };
    let mut tx = world.tx().await;
    assert!(tx.replace_command(&another).await.unwrap());
    assert!(!tx.replace_command(&phone.command()).await.unwrap(), "there is none with that id");
    let replaced = tx.command(phone.device, command).await.unwrap().unwrap();
    assert_eq!((replaced.request_type.as_str(), replaced.judged), ("EraseDevice", Some(judged)));
    tx.commit().await.unwrap();

    let next = world.poll(phone.idle()).await.next.unwrap();
    assert_eq!((next.payload, next.sealed), (b"another".to_vec(), true));

    let mut tx = world.tx().await;
    assert!(!tx.replace_command(&another).await.unwrap(), "too late");
}

#[tokio::test]
async fn what_may_have_ended_an_enrollment_is_found_once_it_was_handed_over() {
    let world = World::new().await;
    let phone = world.phone().await;
    let of = |request_type: &str, state, handed: bool| Command {
        request_type: request_type.into(),
        state,
        handed_over_at: handed.then_some(NOW),
        ..phone.command()
    };
    let mut tx = world.tx().await;
    let mut expected = Vec::new();
    for request_type in ["EraseDevice", "RemoveProfile", "DeviceLock"] {
        for state in CommandState::ALL {
            let command = of(request_type, state, true);
            tx.add_commands(std::slice::from_ref(&command)).await.unwrap();
            let ends = match request_type {
                "EraseDevice" => [1, 3, 4, 6].contains(&state.code()),
                "RemoveProfile" => [1, 6].contains(&state.code()),
                _ => false,
            };
            expected.extend(ends.then_some(command));
        }
        tx.add_commands(&[of(request_type, CommandState::Expired, false)]).await.unwrap();
    }
    expected.sort_by_key(|command| std::cmp::Reverse(command.id));
    assert_eq!(
        tx.parting_commands(phone.device, phone.enrollment).await.unwrap(),
        expected,
        "the newest first"
    );
    assert_eq!(tx.parting_commands(phone.device, EnrollmentId(id())).await.unwrap(), []);
}

#[tokio::test]
async fn a_profile_that_was_removed_may_have_ended_an_enrollment_until_that_is_applied() {
    let world = World::new().await;
    let phone = world.phone().await;
    let removed = Command { request_type: "RemoveProfile".into(), ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(std::slice::from_ref(&removed)).await.unwrap();
    assert_eq!(tx.parting_commands(phone.device, phone.enrollment).await.unwrap(), []);
    tx.commit().await.unwrap();
    world.poll(phone.idle()).await.next.unwrap();
    world.poll(phone.reports(removed.id, CommandState::Acknowledged)).await;
    let mut tx = world.tx().await;
    let found = tx.parting_commands(phone.device, phone.enrollment).await.unwrap();
    assert_eq!(found.iter().map(|command| command.id).collect::<Vec<_>>(), [removed.id]);
    assert!(tx.remove_outcome(phone.device, removed.id).await.unwrap());
    assert_eq!(tx.parting_commands(phone.device, phone.enrollment).await.unwrap(), []);
}

#[tokio::test]
async fn an_open_command_is_settled_once() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let mut tx = world.tx().await;
    let (device, done) = (phone.device, CommandState::Acknowledged);
    assert!(tx.settle_command(device, command, done, later(1)).await.unwrap());
    assert!(!tx.settle_command(device, command, CommandState::Failed, later(2)).await.unwrap());
    let settled = tx.command(device, command).await.unwrap().unwrap();
    assert_eq!((settled.state, settled.finished_at, settled.result), (done, Some(later(1)), None));
}

#[tokio::test]
async fn open_commands_come_in_the_order_of_the_queue() {
    let world = World::new().await;
    let phone = world.phone().await;
    let (mut one, mut two, three) = (phone.command(), phone.command(), phone.command());
    one.state = CommandState::NotNow;
    (two.state, two.finished_at) = (CommandState::Failed, Some(later(1)));
    let mut tx = world.tx().await;
    tx.add_commands(&[three.clone(), two, one.clone()]).await.unwrap();

    assert_eq!(tx.open_commands(phone.device).await.unwrap(), [one, three]);
}

#[tokio::test]
async fn commands_are_cancelled_on_one_channel_or_on_all() {
    let world = World::new().await;
    let phone = world.phone().await;
    let ada = ChannelKey("ada".into());
    let (device, user) = (phone.command(), Command { channel: ada.clone(), ..phone.command() });
    let done = Command { state: CommandState::Acknowledged, finished_at: Some(later(1)), ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(&[device.clone(), user.clone(), done.clone()]).await.unwrap();

    assert_eq!(tx.cancel_commands(phone.device, Some(&ada), later(2)).await.unwrap(), 1);
    assert_eq!(tx.open_commands(phone.device).await.unwrap(), std::slice::from_ref(&device));
    assert_eq!(tx.cancel_commands(phone.device, None, later(3)).await.unwrap(), 1);

    let cancelled = Command { state: CommandState::Cancelled, finished_at: Some(later(3)), ..device };
    assert_eq!(tx.command(phone.device, cancelled.id).await.unwrap(), Some(cancelled));
    assert_eq!(tx.command(phone.device, done.id).await.unwrap(), Some(done));
}

#[tokio::test]
async fn each_pending_action_of_a_stretch_of_devices_is_named_once() {
    let world = World::new().await;
    let phones = [world.phone().await, world.phone().await, world.phone().await];
    let action = |n: usize, action: &str| Command { action: Some(action.into()), ..phones[n].command() };
    let done =
        Command { state: CommandState::Acknowledged, finished_at: Some(later(1)), ..action(0, "wipe") };
    let mut tx = world.tx().await;
    let commands = [
        action(0, "lock"),
        action(0, "lock"),
        action(0, "locate"),
        done,
        phones[1].command(),
        action(2, "wipe"),
    ];
    tx.add_commands(&commands).await.unwrap();

    let [first, second, third] = phones.each_ref().map(|phone| phone.device);
    assert_eq!(
        tx.pending_actions(first, third).await.unwrap(),
        [(first, "locate".into()), (first, "lock".into()), (third, "wipe".into())]
    );
    assert_eq!(tx.pending_actions(second, second).await.unwrap(), []);
}

#[tokio::test]
async fn a_judgement_is_stored_and_takes_back_only_what_still_waits() {
    let world = World::new().await;
    let phone = world.phone().await;
    let (waiting, put_off) = (phone.command(), Command { state: CommandState::NotNow, ..phone.command() });
    let handed_over = Command { state: CommandState::HandedOver, ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(&[waiting.clone(), put_off.clone(), handed_over.clone()]).await.unwrap();
    let good = Judgement { facts_revision: "1 iOS 27.0".into(), faults: None };
    let bad = Judgement { faults: Some("RequestType: removed".into()), ..good.clone() };

    assert!(tx.set_judgement(phone.device, waiting.id, &good, None).await.unwrap());
    assert!(tx.set_judgement(phone.device, put_off.id, &bad, Some(later(3))).await.unwrap());
    assert!(!tx.set_judgement(phone.device, handed_over.id, &bad, Some(later(3))).await.unwrap());
    assert!(!tx.set_judgement(DeviceId(id()), waiting.id, &bad, Some(later(3))).await.unwrap());

    assert_eq!(
        tx.command(phone.device, waiting.id).await.unwrap(),
        Some(Command { judged: Some(good), ..waiting })
    );
    let taken_back =
        Command { judged: Some(bad), state: CommandState::Cancelled, finished_at: Some(later(3)), ..put_off };
    assert_eq!(tx.command(phone.device, taken_back.id).await.unwrap(), Some(taken_back));
    assert_eq!(tx.command(phone.device, handed_over.id).await.unwrap(), Some(handed_over));
}
