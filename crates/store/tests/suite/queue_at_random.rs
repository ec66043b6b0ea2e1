//! Random sequences of all that can happen to a queue, against a model of it that is simple enough to be believed.

use domain::{Command, CommandId, CommandState, Schedule, Timestamp, ports::Poll};

use super::world::{NOW, Phone, World};

const ROUNDS: u64 = 8;
const STEPS: usize = 120;

/// xorshift64*: the seed is all that a failure needs to be seen again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

/// A command as the model sees it.
#[derive(Debug)]
struct Entry {
    id: CommandId,
    schedule: Schedule,
    state: CommandState,
    /// In which connection it was last handed over.
    offered: Option<u64>,
    was_handed_over: bool,
}

struct Model {
    queue: Vec<Entry>,
    now: Timestamp,
    connection: u64,
}

impl Model {
    /// What a device must get: on a new connection whatever is open, else nothing that was offered on this one.
    fn next(&mut self, is_new: bool, connection: Option<u64>) -> Option<CommandId> {
        let now = self.now;
        let fits = |entry: &&mut Entry| {
            let in_time = entry.schedule.not_before.is_none_or(|at| at <= now)
                && entry.schedule.expires.is_none_or(|at| at > now);
            let due = match entry.state {
                CommandState::Queued => true,
                CommandState::NotNow => {
                    is_new || connection.is_some_and(|this| entry.offered.unwrap_or(0) < this)
                }
                CommandState::HandedOver => is_new,
                _ => false,
            };
            in_time && due
        };
        let first =
            self.queue.iter_mut().filter(fits).min_by_key(|entry| (-entry.schedule.priority, entry.id))?;
        first.state = CommandState::HandedOver;
        first.offered = if is_new { Some(self.connection) } else { connection };
        first.was_handed_over = true;
        Some(first.id)
    }

    /// Whether the report is known, and in which connection the command was offered.
    fn report(&mut self, place: usize, state: CommandState) -> (bool, Option<u64>) {
        let entry = &mut self.queue[place];
        let given_up = matches!(entry.state, CommandState::Cancelled | CommandState::Expired);
        let counts = entry.state.is_open() || given_up && entry.was_handed_over && !state.is_open();
        if counts {
            entry.state = state;
        }
        (counts, entry.offered.filter(|_| counts))
    }
}

#[tokio::test]
async fn nothing_is_lost_done_twice_or_out_of_order() {
    let world = World::new().await;
    for seed in 1..=ROUNDS {
        let phone = world.phone().await;
        play(&world, &phone, seed).await;
    }
}

async fn play(world: &World, phone: &Phone, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut model = Model { queue: Vec::new(), now: NOW, connection: 0 };
    for step in 0..STEPS {
        match dice.below(10) {
            0..=2 => send(world, phone, &mut model, &mut dice).await,
            3 => cancel(world, phone, &mut model, &mut dice).await,
            4 => model.now = Timestamp(model.now.0 + i64::try_from(dice.below(20_000)).unwrap()),
            5 => expire(world, &mut model).await,
            6 | 7 => idle(world, phone, &mut model, (seed, step)).await,
            _ => report(world, phone, &mut model, &mut dice, (seed, step)).await,
        }
    }
    for entry in &model.queue {
        let stored = world.command(phone, entry.id).await;
        assert_eq!(stored.state, entry.state, "seed {seed}: {entry:?}");
        assert_eq!(
            stored.result.is_some(),
            matches!(entry.state, CommandState::Acknowledged | CommandState::Failed)
        );
    }
    drain(world, phone, model).await;
}

async fn send(world: &World, phone: &Phone, model: &mut Model, dice: &mut Dice) {
    let mut time = |reach: u64| {
        let at = model.now.0 + i64::try_from(dice.below(reach)).unwrap() - 5_000;
        (dice.below(3) == 0).then_some(Timestamp(at))
    };
    let (not_before, expires) = (time(20_000), time(60_000));
    let priority = i16::try_from(dice.below(3)).unwrap() - 1;
    let schedule = Schedule { priority, not_before, expires };
    let command = Command { schedule, ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(std::slice::from_ref(&command)).await.unwrap();
    tx.commit().await.unwrap();
    model.queue.push(Entry {
        id: command.id,
        schedule,
        state: CommandState::Queued,
        offered: None,
        was_handed_over: false,
    });
}

async fn cancel(world: &World, phone: &Phone, model: &mut Model, dice: &mut Dice) {
    let count = model.queue.len() as u64;
    let Some(place) = (count > 0).then(|| usize::try_from(dice.below(count)).unwrap()) else { return };
    let entry = &mut model.queue[place];
    let may = matches!(entry.state, CommandState::Queued | CommandState::NotNow);
    let mut tx = world.tx().await;
    assert_eq!(tx.cancel_command(phone.device, entry.id, model.now).await.unwrap(), may, "{entry:?}");
    tx.commit().await.unwrap();
    if may {
        entry.state = CommandState::Cancelled;
    }
}

async fn expire(world: &World, model: &mut Model) {
    world.db.outbox.expire_commands(model.now, 1000).await.unwrap();
    for entry in &mut model.queue {
        if entry.state.is_open() && entry.schedule.expires.is_some_and(|at| at <= model.now) {
            entry.state = CommandState::Expired;
        }
    }
}

async fn idle(world: &World, phone: &Phone, model: &mut Model, at: (u64, usize)) {
    model.connection += 1;
    let answer = world.poll(Poll { now: model.now, ..phone.idle() }).await;
    let expected = model.next(true, None);
    assert_eq!(answer.next.map(|next| next.command), expected, "idle at {at:?}: {:?}", model.queue);
}

async fn report(world: &World, phone: &Phone, model: &mut Model, dice: &mut Dice, at: (u64, usize)) {
    let count = model.queue.len() as u64;
    // Mostly what the device was handed last, else anything: reports may come late, or twice.
    let current = model.queue.iter().rposition(|entry| entry.state == CommandState::HandedOver);
    let any = (count > 0).then(|| usize::try_from(dice.below(count.max(1))).unwrap());
    let Some(place) = current.filter(|_| dice.below(4) > 0).or(any) else { return };
    let states =
        [CommandState::Acknowledged, CommandState::Failed, CommandState::NotNow, CommandState::NotNow];
    let state = states[usize::try_from(dice.below(4)).unwrap()];
    let step = phone.reports(model.queue[place].id, state);
    let answer = world.poll(Poll { now: model.now, ..step }).await;
    let (known, connection) = model.report(place, state);
    assert_eq!(answer.report_known, known, "at {at:?}: {:?}", model.queue[place]);
    // One that was never handed over belongs to no connection.
    let connection = if known { Some(connection.unwrap_or(0)) } else { None };
    let expected = model.next(false, connection);
    assert_eq!(answer.next.map(|next| next.command), expected, "report at {at:?}: {:?}", model.queue);
}

/// A device that does everything it is given ends with nothing that could still be given.
async fn drain(world: &World, phone: &Phone, mut model: Model) {
    model.now = Timestamp(model.now.0 + 1_000_000);
    let mut done = Vec::new();
    let mut next = world.poll(Poll { now: model.now, ..phone.idle() }).await.next;
    loop {
        let Some(handed) = next else {
            next = world.poll(Poll { now: model.now, ..phone.idle() }).await.next;
            if next.is_none() {
                break;
            }
            continue;
        };
        assert!(!done.contains(&handed.command), "handed over after its result");
        done.push(handed.command);
        let step = phone.reports(handed.command, CommandState::Acknowledged);
        next = world.poll(Poll { now: model.now, ..step }).await.next;
    }
    for entry in model.queue.iter().filter(|entry| entry.state.is_open() && entry.schedule.expires.is_none())
    {
        assert!(done.contains(&entry.id), "lost: {entry:?}");
    }
}
