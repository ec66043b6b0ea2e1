//! The rules of the queue: order, time, conversations, what is woken for again, what ends and what is forgotten.

use std::time::Duration;

use domain::{
    Command, CommandFilter, CommandId, CommandState, DeviceId, DeviceName, Schedule, Timestamp,
    ports::{PUT_OFF, Poll},
};

use super::world::{NOW, Phone, World, id, later};

const PATIENCE: Duration = Duration::from_mins(15);

impl World {
    async fn send(&self, commands: &[Command]) {
        let mut tx = self.tx().await;
        tx.add_commands(commands).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn next(&self, step: Poll, at: Timestamp) -> Option<CommandId> {
        self.poll(Poll { now: at, ..step }).await.next.map(|next| next.command)
    }

    async fn state(&self, phone: &Phone, id: CommandId) -> CommandState {
        self.command(phone, id).await.state
    }

    async fn pushes(&self, now: Timestamp) -> Vec<DeviceId> {
        let jobs = self.db.outbox.claim_pushes(now, now.plus(PATIENCE), 1000, &[]).await.unwrap();
        let device = |target| match target {
            domain::ports::PushTarget::Channel { device, .. } => Some(device),
            domain::ports::PushTarget::Tombstone(_) => None,
        };
        jobs.into_iter().filter_map(|job| device(job.target)).collect()
    }
}

fn urgent(phone: &Phone, priority: i16) -> Command {
    Command { schedule: Schedule { priority, ..Schedule::default() }, ..phone.command() }
}

#[tokio::test]
async fn the_schedule_of_a_command_is_kept() {
    let world = World::new().await;
    let phone = world.phone().await;
    let schedule = Schedule { priority: -7, not_before: Some(later(1)), expires: Some(later(2)) };
    let command = Command { schedule, put_off: 3, wake_at: later(5), ..phone.command() };
    world.send(std::slice::from_ref(&command)).await;
    assert_eq!(world.command(&phone, command.id).await, command);
}

#[tokio::test]
async fn higher_priorities_go_first_and_of_equal_ones_the_older() {
    let world = World::new().await;
    let phone = world.phone().await;
    let commands = [urgent(&phone, 0), urgent(&phone, -5), urgent(&phone, 9), urgent(&phone, 9)];
    world.send(&commands).await;
    let [usual, late, first, second] = commands.map(|command| command.id);

    let mut order = vec![world.idle(&phone).await.unwrap()];
    while let Some(next) = world.reports(&phone, *order.last().unwrap(), CommandState::Acknowledged).await {
        order.push(next);
    }
    assert_eq!(order, [first, second, usual, late]);
}

#[tokio::test]
async fn a_command_is_handed_over_in_its_time_only() {
    let world = World::new().await;
    let phone = world.phone().await;
    let schedule = Schedule { not_before: Some(later(10)), expires: Some(later(20)), ..Schedule::default() };
    let command = Command { schedule, ..phone.command() };
    world.send(std::slice::from_ref(&command)).await;

    assert_eq!(world.next(phone.idle(), later(9)).await, None);
    assert_eq!(world.next(phone.idle(), later(10)).await, Some(command.id));
    assert_eq!(
        world.next(phone.idle(), later(19)).await,
        Some(command.id),
        "its hand-over was never confirmed"
    );
    assert_eq!(world.next(phone.idle(), later(20)).await, None);
    let foreign = phone.reports(CommandId(id()), CommandState::Acknowledged);
    assert_eq!(world.next(foreign, later(20)).await, None);
}

/// However urgent what comes between, and whatever becomes of it.
#[tokio::test]
async fn what_was_put_off_does_not_come_again_on_the_same_connection() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [first, second] = world.queue(&phone).await;
    assert_eq!(world.idle(&phone).await, Some(first));
    assert_eq!(world.reports(&phone, first, CommandState::NotNow).await, Some(second));
    let urgent = urgent(&phone, 50);
    world.send(std::slice::from_ref(&urgent)).await;

    assert_eq!(world.reports(&phone, second, CommandState::NotNow).await, Some(urgent.id));
    assert_eq!(world.reports(&phone, urgent.id, CommandState::Acknowledged).await, None);
    assert_eq!(world.idle(&phone).await, Some(first), "on the next one it does");
}

#[tokio::test]
async fn a_device_that_puts_off_is_woken_again_later_and_later() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let minutes = i64::try_from(PUT_OFF.as_millis()).unwrap();
    for (times, factor) in [(1, 1), (2, 2), (3, 4)] {
        world.next(phone.idle(), NOW).await;
        world.reports(&phone, command, CommandState::NotNow).await;
        let stored = world.command(&phone, command).await;
        assert_eq!((stored.put_off, stored.wake_at), (times, Timestamp(NOW.0 + minutes * factor)));
    }
    let due = Timestamp(NOW.0 + 4 * minutes);
    assert_eq!(world.db.outbox.wake_waiting(Timestamp(due.0 - 1), PATIENCE, 9).await.unwrap(), 0);
    assert_eq!(world.db.outbox.wake_waiting(due, PATIENCE, 9).await.unwrap(), 1);
    assert_eq!(world.pushes(due).await, [phone.device]);
}

#[tokio::test]
async fn what_waits_too_long_is_pushed_for_again_and_what_is_over_is_not() {
    let world = World::new().await;
    let phones = [world.phone().await, world.phone().await, world.phone().await];
    let [waiting, with_two, done] = &phones;
    world.queue::<1>(waiting).await;
    world.queue::<2>(with_two).await;
    let [finished] = world.queue(done).await;
    world.reports(done, finished, CommandState::Acknowledged).await;

    assert_eq!(world.db.outbox.wake_waiting(later(899), PATIENCE, 9).await.unwrap(), 0);
    assert_eq!(world.db.outbox.wake_waiting(later(900), PATIENCE, 9).await.unwrap(), 3);
    let mut pushed = world.pushes(later(900)).await;
    pushed.sort_unstable();
    let mut expected = [waiting.device, with_two.device];
    expected.sort_unstable();
    assert_eq!(pushed, expected);
    assert_eq!(world.db.outbox.wake_waiting(later(1799), PATIENCE, 9).await.unwrap(), 0, "15 minutes later");
    assert_eq!(world.db.outbox.wake_waiting(later(1800), PATIENCE, 2).await.unwrap(), 2, "in batches");
    assert_eq!(world.db.outbox.wake_waiting(later(1800), PATIENCE, 2).await.unwrap(), 1);
    assert_eq!(world.db.outbox.wake_waiting(later(3599), PATIENCE, 9).await.unwrap(), 0, "then 30");
    assert_eq!(world.db.outbox.wake_waiting(later(3600), PATIENCE, 9).await.unwrap(), 3);
}

#[tokio::test]
async fn what_expires_ends_with_an_event_and_in_batches() {
    let world = World::new().await;
    let phone = world.phone().await;
    let expiring = |at| Command {
        schedule: Schedule { expires: Some(later(at)), ..Schedule::default() },
        ..phone.command()
    };
    let commands = [expiring(5), expiring(6), expiring(60)];
    world.send(&commands).await;
    let [one, two, three] = commands.each_ref().map(|command| command.id);
    world.next(phone.idle(), NOW).await;

    assert_eq!(world.db.outbox.expire_commands(later(4), 9).await.unwrap(), 0);
    assert_eq!(world.db.outbox.expire_commands(later(6), 1).await.unwrap(), 1);
    assert_eq!(world.db.outbox.expire_commands(later(6), 1).await.unwrap(), 1);
    assert_eq!(world.db.outbox.expire_commands(later(6), 1).await.unwrap(), 0);
    for (command, state) in
        [(one, CommandState::Expired), (two, CommandState::Expired), (three, CommandState::Queued)]
    {
        assert_eq!(world.state(&phone, command).await, state);
    }
    assert_eq!(world.command(&phone, two).await.finished_at, Some(later(6)));
    let events = world.look().await.events(Some(phone.device), 9).await.unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["command.expired", "command.expired"]);
}

/// What the device did is true whenever it says so; what it never had it cannot have done.
#[tokio::test]
async fn a_late_result_of_a_command_that_was_handed_over_counts() {
    let world = World::new().await;
    let phone = world.phone().await;
    let expiring = || Command {
        schedule: Schedule { expires: Some(later(5)), ..Schedule::default() },
        ..phone.command()
    };
    let (handed, waiting) = (expiring(), expiring());
    world.send(&[handed.clone(), waiting.clone()]).await;
    assert_eq!(world.next(phone.idle(), NOW).await, Some(handed.id));
    assert_eq!(world.db.outbox.expire_commands(later(5), 9).await.unwrap(), 2);

    assert_eq!(world.next(phone.reports(handed.id, CommandState::NotNow), later(6)).await, None);
    assert_eq!(world.state(&phone, handed.id).await, CommandState::Expired, "a result it is not");
    let late =
        world.poll(Poll { now: later(7), ..phone.reports(handed.id, CommandState::Acknowledged) }).await;
    assert!(late.report_known);
    assert_eq!(world.state(&phone, handed.id).await, CommandState::Acknowledged);
    assert!(!world.poll(phone.reports(waiting.id, CommandState::Acknowledged)).await.report_known);
    assert_eq!(world.state(&phone, waiting.id).await, CommandState::Expired);
}

#[tokio::test]
async fn a_command_is_taken_back_unless_the_device_has_it() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [put_off, handed, waiting, done] = world.queue(&phone).await;
    world.idle(&phone).await;
    assert_eq!(world.reports(&phone, put_off, CommandState::NotNow).await, Some(handed));
    let mut tx = world.tx().await;
    let mut cancelled = Vec::new();
    for command in [put_off, handed, waiting, CommandId(id())] {
        cancelled.push(tx.cancel_command(phone.device, command, later(1)).await.unwrap());
    }
    assert!(tx.cancel_command(phone.device, done, later(1)).await.unwrap());
    assert!(!tx.cancel_command(phone.device, done, later(2)).await.unwrap(), "twice");
    tx.commit().await.unwrap();

    assert_eq!(cancelled, [true, false, true, false]);
    assert_eq!(world.reports(&phone, handed, CommandState::Acknowledged).await, None);
    assert_eq!(world.idle(&phone).await, None);
    let late = world.poll(phone.reports(put_off, CommandState::Acknowledged)).await;
    assert!(late.report_known, "it was handed over once");
}

#[tokio::test]
async fn a_newer_command_with_the_same_key_takes_the_place_of_one_that_waits() {
    let world = World::new().await;
    let (waits, has_it, other) = (world.phone().await, world.phone().await, world.phone().await);
    let keyed = |phone: &Phone, key: &str| Command { dedupe: Some(key.into()), ..phone.command() };
    let (old, handed, another) = (keyed(&waits, "wifi"), keyed(&has_it, "wifi"), keyed(&other, "mail"));
    world.send(&[old.clone(), handed.clone(), another.clone()]).await;
    world.idle(&has_it).await;

    let devices = [waits.device, has_it.device, other.device];
    let mut tx = world.tx().await;
    let (own, ada) = (domain::ChannelKey::default(), domain::ChannelKey("ada".into()));
    assert_eq!(tx.supersede_commands(&devices, &ada, "wifi", later(1)).await.unwrap(), [], "another channel");
    assert_eq!(tx.supersede_commands(&devices, &own, "wifi", later(1)).await.unwrap(), [has_it.device]);
    tx.add_commands(&[keyed(&waits, "wifi"), keyed(&other, "wifi")]).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.state(&waits, old.id).await, CommandState::Cancelled);
    assert_eq!(world.state(&has_it, handed.id).await, CommandState::HandedOver);
    assert_eq!(world.state(&other, another.id).await, CommandState::Queued);
}

#[tokio::test]
async fn history_is_forgotten_in_batches_and_nothing_that_is_open() {
    let world = World::new().await;
    let phone = world.phone().await;
    let over = |state, at| Command { state, finished_at: Some(later(at)), ..phone.command() };
    let commands = [
        over(CommandState::Acknowledged, 10),
        over(CommandState::Failed, 11),
        over(CommandState::Cancelled, 12),
        over(CommandState::Expired, 13),
        phone.command(),
    ];
    world.send(&commands).await;

    assert_eq!(world.db.outbox.forget_commands(later(10), 9).await.unwrap(), 0);
    assert_eq!(world.db.outbox.forget_commands(later(13), 2).await.unwrap(), 2, "the oldest first");
    assert_eq!(world.db.outbox.forget_commands(later(13), 2).await.unwrap(), 1);
    assert_eq!(world.db.outbox.forget_commands(later(1000), 9).await.unwrap(), 1);
    assert_eq!(world.db.outbox.forget_commands(later(1000), 9).await.unwrap(), 0);
    let left = world.look().await.commands(&CommandFilter::default(), None, 9).await.unwrap();
    assert_eq!(left.iter().map(|command| command.id).collect::<Vec<_>>(), [commands[4].id]);
}

#[tokio::test]
async fn commands_are_listed_by_device_and_state_and_read_on_from_any() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let mut commands = Vec::new();
    for state in CommandState::ALL {
        for phone in [&phone, &other] {
            let finished_at = Some(later(1)).filter(|_| !state.is_open());
            commands.push(Command { state, finished_at, ..phone.command() });
        }
    }
    world.send(&commands).await;
    let mut look = world.look().await;
    commands.reverse();
    let mut list = async |device: Option<&Phone>, state, before: Option<CommandId>, limit| {
        let filter = CommandFilter { device: device.map(|phone| phone.device), state };
        let found = look.commands(&filter, before, limit).await.unwrap();
        found.iter().map(|command| command.id).collect::<Vec<_>>()
    };
    let expected = |device: Option<&Phone>, state: Option<CommandState>| -> Vec<CommandId> {
        let all = commands.iter().filter(|command| {
            device.is_none_or(|phone| phone.device == command.device)
                && state.is_none_or(|state| state == command.state)
        });
        all.map(|command| command.id).collect()
    };
    for device in [None, Some(&phone)] {
        for state in [None].into_iter().chain(CommandState::ALL.map(Some)) {
            let expected = expected(device, state);
            assert_eq!(list(device, state, None, 99).await, expected, "{state:?}");
            assert_eq!(list(device, state, Some(expected[0]), 99).await, expected[1..], "{state:?}");
            assert_eq!(list(device, state, None, 1).await, expected[..1], "{state:?}");
        }
    }
    let view = &look.commands(&CommandFilter::default(), None, 1).await.unwrap()[0];
    assert_eq!((view.device, view.request_type.as_str()), (other.device, "DeviceLock"));
    let found = look.find_command(commands[3].id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&commands[3]));
    assert_eq!(look.find_command(CommandId(id())).await.unwrap(), None);
}

/// What decides whether a device is sent a command.
fn held_device(device: domain::Device) -> domain::HeldDevice {
    domain::HeldDevice {
        id: device.id,
        enrollment: device.enrollment,
        managed: device.managed,
        quarantined: device.quarantined,
        facts: device.facts,
    }
}

#[tokio::test]
async fn many_devices_are_found_by_many_names() {
    let world = World::new().await;
    let (one, two) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    for phone in [&one, &two] {
        let mut device = phone.record();
        device.facts.serial_number = Some("C02".into());
        device.managed = phone.device == one.device;
        tx.set_device(&device).await.unwrap();
    }
    let names = [
        DeviceName::Udid(two.key.clone()),
        DeviceName::Id(one.device),
        DeviceName::SerialNumber("C02".into()),
        DeviceName::Id(DeviceId(id())),
        DeviceName::Udid("'; DROP TABLE devices; --".into()),
        DeviceName::SerialNumber("\"\\".into()),
    ];
    let found = tx.find_devices(&names).await.unwrap();
    assert_eq!(found, [Some(two.device), Some(one.device), Some(one.device), None, None, None]);
    assert_eq!(tx.find_devices(&[]).await.unwrap(), []);
    let locked = tx.devices_for_update(&[two.device, one.device, DeviceId(id())]).await.unwrap();
    let mut ids = [one.device, two.device];
    ids.sort_unstable();
    assert_eq!(locked.iter().map(|device| device.id).collect::<Vec<_>>(), ids);
    let held = tx.hold_devices(&[two.device, one.device, DeviceId(id())]).await.unwrap();
    let of_each: Vec<_> = locked.into_iter().map(held_device).collect();
    assert_eq!(held, of_each);
    assert_eq!(tx.device_named(&names[0]).await.unwrap().unwrap().id, two.device);
}

#[tokio::test]
async fn the_state_of_a_channel_with_apns_is_told() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    let channel = domain::ChannelKey::default();
    let [state] = &tx.channels(phone.device, phone.enrollment).await.unwrap()[..] else {
        panic!("one channel")
    };
    assert!(state.push.has_token && state.push.last.is_none() && state.push.due.is_none());
    assert_eq!((&state.key, &state.user_name, state.awaits), (&channel, &None, false));
    let ada = domain::Channel { user_name: Some("ada".into()), ..super::world::channel("A-1") };
    tx.set_channel(phone.device, phone.enrollment, &ada).await.unwrap();
    tx.ask_push(phone.device, &ada.key, later(3)).await.unwrap();
    let states = tx.channels(phone.device, phone.enrollment).await.unwrap();
    let told: Vec<_> =
        states.iter().map(|it| (it.key.0.as_str(), it.user_name.as_deref(), it.push.due)).collect();
    assert_eq!(told, [("", None, None), ("A-1", Some("ada"), Some((later(3), 0)))], "each for itself");
    assert_eq!(tx.channels(phone.device, domain::EnrollmentId(id())).await.unwrap(), []);
}
