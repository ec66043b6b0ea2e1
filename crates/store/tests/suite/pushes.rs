use domain::{
    Channel, ChannelKey, CommandState, DeviceId, Enrollment, EnrollmentState, TenantId, Timestamp,
    ports::{Farewell, PushJob, PushTarget, SettledPush, Tombstone, Worker},
};
use pki::Fingerprint;

use super::world::{NOW, Phone, World, channel, digest, id, later};

impl World {
    async fn ask(&self, phone: &Phone, due: Timestamp) {
        let mut tx = self.tx().await;
        tx.ask_push(phone.device, &ChannelKey::default(), due).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Claims what is due at `seconds`, for ten seconds.
    async fn claim(&self, seconds: i64) -> Vec<PushJob> {
        self.db.outbox.claim_pushes(later(seconds), later(seconds + 10), 99, &[]).await.unwrap()
    }

    async fn claim_one(&self, seconds: i64) -> PushJob {
        let mut jobs = self.claim(seconds).await;
        assert_eq!(jobs.len(), 1, "one push is due");
        jobs.remove(0)
    }

    async fn settle(&self, job: PushJob, retry_at: Option<Timestamp>, token_gone: bool) {
        let settled = SettledPush { job, retry_at, token_gone, at: later(1), said: "accepted".into() };
        self.db.outbox.settle_pushes(&[settled]).await.unwrap();
    }

    async fn next_due(&self) -> Option<Timestamp> {
        self.db.outbox.next_push_due().await.unwrap()
    }

    async fn token(&self, phone: &Phone) -> Vec<u8> {
        let channel = self.look().await.channel(phone.enrollment, &ChannelKey::default()).await.unwrap();
        channel.unwrap().push_token
    }
}

#[tokio::test]
async fn a_push_carries_its_token_and_is_claimed_by_one_worker() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, later(5)).await;
    assert_eq!(world.claim(4).await, [], "it is not due");

    let job = world.claim_one(5).await;

    let target = PushTarget::Channel { device: phone.device, channel: ChannelKey::default() };
    assert_eq!((job.tenant, job.target, job.attempts), (world.tenant, target, 0));
    assert_eq!((job.token, job.magic), (vec![7; 32], "magic".into()));
    assert_eq!(world.claim(14).await, [], "it is claimed");
    assert_eq!(world.claim(15).await.len(), 1, "the worker died");
    assert_eq!(world.claim(16).await, [], "it is claimed again");
    world.db.outbox.release_claims(Worker::Pushes).await.unwrap();
    assert_eq!(world.claim(16).await.len(), 1, "whoever comes after that one begins");
}

#[tokio::test]
async fn a_push_is_asked_for_once_however_often() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, later(9)).await;
    world.ask(&phone, later(5)).await;
    world.ask(&phone, later(7)).await;

    assert_eq!(world.next_due().await, Some(later(5)));
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (1, 0, 0));
    world.claim_one(5).await;
}

#[tokio::test]
async fn a_delivered_push_is_over() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let job = world.claim_one(0).await;
    world.settle(job, None, false).await;

    assert_eq!(world.next_due().await, None);
    assert_eq!(world.token(&phone).await, vec![7; 32]);
}

#[tokio::test]
async fn a_push_that_was_asked_for_meanwhile_stays_due() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let job = world.claim_one(0).await;
    world.ask(&phone, later(3)).await;
    world.settle(job, None, false).await;

    assert_eq!(world.claim_one(1).await.attempts, 0);
}

#[tokio::test]
async fn a_late_word_on_an_earlier_push_does_not_end_a_later_one() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let slow = world.claim_one(0).await;
    let quick = world.claim_one(10).await;
    world.settle(quick, None, false).await;
    world.ask(&phone, later(11)).await;

    world.settle(slow, None, false).await;

    assert_eq!(world.next_due().await, Some(later(11)));
}

#[tokio::test]
async fn a_push_that_failed_is_tried_again_when_its_time_comes() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    for attempts in 0..3 {
        let seconds = i64::from(attempts) * 20;
        let job = world.claim_one(seconds).await;
        assert_eq!(job.attempts, attempts);
        world.settle(job, Some(later(seconds + 20)), false).await;
        assert_eq!(world.claim(seconds + 19).await, []);
    }
}

#[tokio::test]
async fn a_dead_token_is_forgotten_and_pushed_no_more() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let job = world.claim_one(0).await;
    world.ask(&phone, NOW).await;
    world.settle(job, None, true).await;

    assert_eq!(world.token(&phone).await, Vec::<u8>::new());
    assert_eq!(world.next_due().await, None, "even though it was asked for meanwhile");
    world.ask(&phone, NOW).await;
    assert_eq!(world.next_due().await, None, "a channel without a token is not woken");
}

#[tokio::test]
async fn a_token_that_was_renewed_meanwhile_is_not_dead() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let job = world.claim_one(0).await;
    let renewed = Channel { push_token: vec![8; 32], ..channel("") };
    world.db.road.update_token(phone.tells(renewed)).await.unwrap();
    world.settle(job, None, true).await;

    assert_eq!(world.token(&phone).await, vec![8; 32]);
    assert_eq!(world.claim_one(0).await.token, vec![8; 32], "the new token is pushed to");
}

#[tokio::test]
async fn what_was_said_of_a_push_is_kept_for_its_channel() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let job = world.claim_one(0).await;
    let said = SettledPush {
        job,
        retry_at: Some(later(9)),
        token_gone: false,
        at: later(1),
        said: "429 TooMany".into(),
    };
    world.db.outbox.settle_pushes(&[said]).await.unwrap();

    let rows = world.place.dump().await;
    assert!(rows.iter().any(|(table, row)| table == "channels" && row.contains("429 TooMany")));
}

#[tokio::test]
async fn many_devices_are_asked_at_once() {
    let world = World::new().await;
    let (one, two) = (world.phone().await, world.phone().await);
    let mute = world.phone().await;
    world.ask(&mute, NOW).await;
    let told = world.claim_one(0).await;
    world.settle(told, None, true).await;
    let mut tx = world.tx().await;
    let mut devices: Vec<_> = [&two, &one, &mute].map(|phone| phone.device).into();
    devices.extend((0..1500).map(|_| DeviceId(id())));
    tx.ask_pushes(&devices, NOW).await.unwrap();
    tx.ask_pushes(&[], NOW).await.unwrap();
    tx.commit().await.unwrap();

    let mut woken: Vec<PushTarget> = world.claim(0).await.into_iter().map(|job| job.target).collect();
    let device = |phone: &Phone| PushTarget::Channel { device: phone.device, channel: ChannelKey::default() };
    woken.sort_by_key(|target| *target != device(&one));
    assert_eq!(woken, [device(&one), device(&two)], "only those with a token, and each once");
}

#[tokio::test]
async fn pushes_of_a_device_are_taken_back() {
    let world = World::new().await;
    let (one, two) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    tx.set_channel(one.device, one.enrollment, &channel("ada")).await.unwrap();
    tx.ask_push(one.device, &ChannelKey("ada".into()), NOW).await.unwrap();
    let devices = [&one, &two].map(|phone| phone.device);
    tx.ask_pushes(&devices, later(1)).await.unwrap();

    tx.drop_pushes(one.device).await.unwrap();

    tx.commit().await.unwrap();
    assert_eq!(world.next_due().await, Some(later(1)));
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (1, 0, 0));
}

#[tokio::test]
async fn a_push_whose_channel_has_gone_is_dropped_when_it_is_claimed() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let mut tx = world.tx().await;
    tx.set_enrollment(&Enrollment { state: EnrollmentState::Over, ..phone.enrollment() }).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.claim(0).await, []);
    assert_eq!(world.next_due().await, None);
}

#[tokio::test]
async fn pushes_are_kept_by_the_worker_that_is_not_done_with_them() {
    let world = World::new().await;
    let phones = [world.phone().await, world.phone().await];
    for phone in &phones {
        world.ask(phone, NOW).await;
    }
    farewell(&world).await;
    let jobs = world.claim(0).await;
    assert_eq!(jobs.len(), 3);
    let (one, others) = jobs.split_first().unwrap();

    world.db.outbox.keep_pushes(others, later(20)).await.unwrap();
    assert_eq!(world.claim(10).await, std::slice::from_ref(one), "its worker has not kept it");
    assert_eq!(world.claim(19).await, []);
    world.db.outbox.release_claims(Worker::Pushes).await.unwrap();
    world.db.outbox.keep_pushes(&jobs, later(90)).await.unwrap();
    world.db.outbox.keep_pushes(&[], later(90)).await.unwrap();
    assert_eq!(world.claim(19).await.len(), 3, "whose claim has ended cannot keep it");
}

#[tokio::test]
async fn the_pushes_that_wait_longest_are_claimed_first() {
    let world = World::new().await;
    let (one, two) = (world.phone().await, world.phone().await);
    world.ask(&one, later(2)).await;
    world.ask(&two, later(1)).await;

    let jobs = world.db.outbox.claim_pushes(later(5), later(9), 1, &[]).await.unwrap();

    assert_eq!(jobs[0].target, PushTarget::Channel { device: two.device, channel: ChannelKey::default() });
    assert_eq!(jobs.len(), 1);
}

#[tokio::test]
async fn pushes_of_tenants_that_are_left_out_stay_where_they_are() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    let bye = farewell(&world).await;
    let claim = async |except: &[TenantId]| {
        world.db.outbox.claim_pushes(later(1), later(9), 99, except).await.unwrap()
    };

    assert_eq!(claim(&[TenantId(id()), world.tenant]).await, []);
    let claimed = claim(&[TenantId(id())]).await;

    assert!(claimed.iter().any(|job| job.target == PushTarget::Tombstone(bye)), "{claimed:?}");
    assert_eq!(claimed.len(), 2);
}

#[tokio::test]
async fn a_claim_takes_no_more_than_it_may_farewells_among_them() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.ask(&phone, NOW).await;
    farewell(&world).await;
    let claim = async || world.db.outbox.claim_pushes(later(1), later(9), 1, &[]).await.unwrap();

    let (first, second) = (claim().await, claim().await);

    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
    assert_eq!(claim().await, []);
}

#[tokio::test]
async fn one_that_failed_and_was_asked_for_meanwhile_is_due_again_at_once() {
    let world = World::new().await;
    let (asked, quiet) = (world.phone().await, world.phone().await);
    for phone in [&asked, &quiet] {
        world.ask(phone, NOW).await;
    }
    let jobs = world.claim(0).await;
    world.ask(&asked, later(2)).await;
    let failed = |job| SettledPush {
        job,
        retry_at: Some(later(500)),
        token_gone: false,
        at: later(1),
        said: "503".into(),
    };
    world.db.outbox.settle_pushes(&jobs.into_iter().map(failed).collect::<Vec<_>>()).await.unwrap();

    let job = world.claim_one(3).await;
    assert_eq!(job.target, PushTarget::Channel { device: asked.device, channel: ChannelKey::default() });
    assert_eq!(job.attempts, 0);
    world.settle(job, None, false).await;
    assert_eq!(world.next_due().await, Some(later(500)));
}

async fn farewell(world: &World) -> Fingerprint {
    let fingerprint = Fingerprint(digest());
    let tombstone = Tombstone {
        fingerprint,
        tenant: world.tenant,
        expires_at: later(1000),
        understands_unrecognized: true,
        farewell: Some(Farewell { push_token: vec![9; 32], push_magic: "bye".into() }),
    };
    let mut tx = world.tx().await;
    tx.add_tombstone(&tombstone, NOW).await.unwrap();
    tx.commit().await.unwrap();
    fingerprint
}

#[tokio::test]
async fn a_purged_device_is_woken_once_more() {
    let world = World::new().await;
    let fingerprint = farewell(&world).await;
    assert_eq!(world.next_due().await, Some(NOW));
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (1, 0, 0));

    let job = world.claim_one(0).await;
    assert_eq!((&job.token, &*job.magic), (&vec![9; 32], "bye"));
    assert_eq!(job.target, PushTarget::Tombstone(fingerprint));
    assert_eq!(world.claim(9).await, [], "it is claimed");
    world.db.outbox.release_claims(Worker::Pushes).await.unwrap();
    assert_eq!(world.claim(9).await, std::slice::from_ref(&job), "the worker died");
    world.settle(job, Some(later(20)), false).await;
    assert_eq!(world.claim(19).await, []);
    let job = world.claim_one(20).await;
    assert_eq!(job.attempts, 1);
    world.settle(job, None, false).await;

    assert_eq!(world.next_due().await, None);
    assert_eq!(world.db.directory.tombstone(&fingerprint).await.unwrap().unwrap().farewell, None);
}

#[tokio::test]
async fn a_purged_device_whose_token_is_dead_is_left_alone() {
    let world = World::new().await;
    let fingerprint = farewell(&world).await;
    let job = world.claim_one(0).await;
    world.settle(job, Some(later(9)), true).await;

    assert_eq!(world.next_due().await, None);
    assert_eq!(world.db.directory.tombstone(&fingerprint).await.unwrap().unwrap().farewell, None);
}

#[tokio::test]
async fn several_pushes_are_settled_together_each_by_its_own_word() {
    let world = World::new().await;
    let (one, two, three) = (world.phone().await, world.phone().await, world.phone().await);
    for phone in [&one, &two, &three] {
        world.ask(phone, NOW).await;
    }
    let bye = farewell(&world).await;
    let settled: Vec<SettledPush> =
        world.claim(0).await.into_iter().map(|job| word(job, &two, &three)).collect();
    assert_eq!(settled.len(), 4);

    world.db.outbox.settle_pushes(&settled).await.unwrap();
    world.db.outbox.settle_pushes(&[]).await.unwrap();

    assert_eq!(world.next_due().await, Some(later(30)), "the one that failed");
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (1, 0, 0));
    assert_eq!(world.token(&three).await, Vec::<u8>::new());
    assert_eq!(world.db.directory.tombstone(&bye).await.unwrap().unwrap().farewell, None);
}

/// `failing` is tried again, `gone` has a dead token, all else is delivered.
fn word(job: PushJob, failing: &Phone, gone: &Phone) -> SettledPush {
    let to =
        |phone: &Phone| matches!(&job.target, PushTarget::Channel { device, .. } if *device == phone.device);
    let (retry_at, token_gone) = (to(failing).then(|| later(30)), to(gone));
    SettledPush { job, retry_at, token_gone, at: later(1), said: "said".into() }
}

#[tokio::test]
async fn a_channel_whose_dead_token_is_renewed_is_woken_if_something_waits() {
    let world = World::new().await;
    let (waiting, idle) = (world.phone().await, world.phone().await);
    let [command] = world.queue(&waiting).await;
    for phone in [&waiting, &idle] {
        world.ask(phone, NOW).await;
        let job = world.claim_one(0).await;
        world.settle(job, None, true).await;
    }

    for phone in [&waiting, &idle] {
        world.db.road.update_token(phone.tells(channel(""))).await.unwrap().served.unwrap();
    }

    let job = world.claim_one(0).await;
    assert_eq!(job.target, PushTarget::Channel { device: waiting.device, channel: ChannelKey::default() });
    assert_eq!(world.idle(&waiting).await, Some(command));
    world.reports(&waiting, command, CommandState::Acknowledged).await;
}
