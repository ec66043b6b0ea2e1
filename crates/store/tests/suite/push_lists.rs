use domain::{
    ChannelKey, DeviceId, Enrollment, EnrollmentState, TenantId, Timestamp,
    ports::{PushJob, PushTarget, SettledPush},
};

use super::world::{NOW, Phone, World, id, later};

impl World {
    async fn list(&self, phones: &[&Phone], due: Timestamp) {
        let mut tx = self.tx().await;
        let devices: Vec<_> = phones.iter().map(|phone| phone.device).collect();
        tx.ask_pushes(&devices, due).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Claims up to `limit` pushes that are due at `seconds`, for ten seconds.
    async fn claim_some(&self, seconds: i64, limit: u32) -> Vec<PushJob> {
        self.db.outbox.claim_pushes(later(seconds), later(seconds + 10), limit, &[]).await.unwrap()
    }

    async fn delivered(&self, jobs: Vec<PushJob>) {
        let delivered = |job| SettledPush {
            job,
            retry_at: None,
            token_gone: false,
            at: later(1),
            said: "accepted".into(),
        };
        let settled: Vec<_> = jobs.into_iter().map(delivered).collect();
        self.db.outbox.settle_pushes(&settled).await.unwrap();
    }

    async fn waiting(&self) -> u64 {
        self.db.outbox.backlog().await.unwrap().0
    }
}

/// Whom jobs wake, sorted.
fn woken(jobs: &[PushJob]) -> Vec<DeviceId> {
    let mut devices: Vec<_> = jobs
        .iter()
        .map(|job| match &job.target {
            PushTarget::Channel { device, channel } if *channel == ChannelKey::default() => *device,
            other => panic!("{other:?}"),
        })
        .collect();
    devices.sort_unstable();
    devices
}

fn devices(phones: &[&Phone]) -> Vec<DeviceId> {
    let mut devices: Vec<_> = phones.iter().map(|phone| phone.device).collect();
    devices.sort_unstable();
    devices
}

#[tokio::test]
async fn a_list_is_claimed_part_by_part_once_it_is_due() {
    let world = World::new().await;
    let phones = [world.phone().await, world.phone().await, world.phone().await];
    let all: Vec<&Phone> = phones.iter().collect();
    world.list(&all, later(5)).await;
    assert_eq!((world.waiting().await, world.db.outbox.next_push_due().await.unwrap()), (3, Some(later(5))));
    assert_eq!(world.claim_some(4, 9).await, []);

    let first = world.claim_some(5, 2).await;
    assert_eq!((first.len(), world.waiting().await), (2, 3), "those on their way, and the one that is left");
    let rest = world.claim_some(5, 9).await;

    assert_eq!(woken(&[&first[..], &rest[..]].concat()), devices(&all), "each once");
    assert!(first.iter().all(|job| (job.tenant, job.attempts, &*job.magic) == (world.tenant, 0, "magic")));
    assert!(first.iter().all(|job| job.token == vec![7; 32]));
    assert_eq!(world.claim_some(14, 9).await, [], "all are claimed");
    world.delivered(first).await;
    assert_eq!(world.claim_some(15, 9).await.len(), 1, "the worker of the others died");
    world.delivered(rest).await;
    assert_eq!((world.waiting().await, world.db.outbox.next_push_due().await.unwrap()), (0, None));
}

#[tokio::test]
async fn several_lists_are_claimed_together_and_single_pushes_before_them() {
    let world = World::new().await;
    let (one, two, single) = (world.phone().await, world.phone().await, world.phone().await);
    world.list(&[&one], NOW).await;
    world.list(&[&two], later(1)).await;
    let mut tx = world.tx().await;
    tx.ask_push(single.device, &ChannelKey::default(), later(2)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(woken(&world.claim_some(2, 2).await), devices(&[&single, &one]));
    assert_eq!(woken(&world.claim_some(2, 2).await), devices(&[&two]));
}

#[tokio::test]
async fn a_device_on_several_lists_is_pushed_to_once_for_all_of_them() {
    let world = World::new().await;
    let (one, two) = (world.phone().await, world.phone().await);
    world.list(&[&one, &two], later(1)).await;
    world.list(&[&one], later(2)).await;
    world.list(&[&two, &one], later(2)).await;

    let jobs = world.claim_some(3, 9).await;

    assert_eq!(woken(&jobs), devices(&[&one, &two]));
    world.delivered(jobs).await;
    assert_eq!(world.waiting().await, 0);
}

#[tokio::test]
async fn of_the_lists_that_are_claimed_together_the_last_may_keep_a_part() {
    let world = World::new().await;
    let mut phones = Vec::new();
    for _ in 0..6 {
        phones.push(world.phone().await);
    }
    let all: Vec<&Phone> = phones.iter().collect();
    for (place, some) in all.chunks(2).enumerate() {
        world.list(some, later(i64::try_from(place).unwrap())).await;
    }

    let first = world.claim_some(5, 3).await;
    assert_eq!((first.len(), world.waiting().await), (3, 6), "one list, and half of the next");
    assert!(devices(&all[..2]).iter().all(|device| woken(&first).contains(device)), "what is due first");
    let rest = world.claim_some(5, 9).await;
    assert_eq!(woken(&[first, rest].concat()), devices(&all), "each once");
}

#[tokio::test]
async fn lists_of_several_tenants_are_claimed_by_one_look() {
    let world = World::new().await;
    let other = TenantId(id());
    let (ours, last, theirs) = (world.phone().await, world.phone().await, Phone::new(other));
    let mut tx = world.db.store.begin(other).await.unwrap();
    theirs.enroll(&mut *tx).await;
    tx.ask_pushes(&[theirs.device], later(1)).await.unwrap();
    tx.commit().await.unwrap();
    world.list(&[&ours], NOW).await;
    world.list(&[&last], later(2)).await;

    let jobs = world.claim_some(2, 9).await;

    let mut whose: Vec<_> = jobs.iter().map(|job| (job.tenant, woken(std::slice::from_ref(job)))).collect();
    whose.sort_unstable();
    let mut all = vec![
        (world.tenant, vec![ours.device]),
        (world.tenant, vec![last.device]),
        (other, vec![theirs.device]),
    ];
    all.sort_unstable();
    assert_eq!(whose, all);
}

#[tokio::test]
async fn a_device_that_is_being_pushed_to_already_is_pushed_to_again_and_not_twice_at_once() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    tx.ask_push(phone.device, &ChannelKey::default(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let on_its_way = world.claim_some(0, 9).await;
    world.list(&[&phone], later(1)).await;

    assert_eq!(world.claim_some(1, 9).await, []);
    assert_eq!(world.waiting().await, 1);
    world.delivered(on_its_way).await;

    let again = world.claim_some(2, 9).await;
    assert_eq!(woken(&again), devices(&[&phone]), "what was asked meanwhile");
    world.delivered(again).await;
    assert_eq!(world.waiting().await, 0);
}

#[tokio::test]
async fn who_has_left_or_cannot_be_woken_is_passed_over() {
    let world = World::new().await;
    let (removed, taken_back, there) = (world.phone().await, world.phone().await, world.phone().await);
    let (over, mute) = (world.phone().await, world.phone().await);
    world.list(&[&mute], NOW).await;
    let told = world.claim_some(0, 9).await;
    let job = told.into_iter().next().unwrap();
    let said = SettledPush { job, retry_at: None, token_gone: true, at: NOW, said: "410".into() };
    world.db.outbox.settle_pushes(&[said]).await.unwrap();
    world.list(&[&removed, &mute, &taken_back, &over, &there], NOW).await;
    let mut tx = world.tx().await;
    tx.remove_device(removed.device).await.unwrap();
    tx.drop_pushes(taken_back.device).await.unwrap();
    tx.set_enrollment(&Enrollment { state: EnrollmentState::Over, ..over.enrollment() }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.waiting().await, 3, "two are struck off");

    assert_eq!(woken(&world.claim_some(0, 9).await), devices(&[&there]));
}

#[tokio::test]
async fn lists_of_tenants_that_have_enough_under_way_are_passed_over() {
    let world = World::new().await;
    let other = TenantId(id());
    let (ours, theirs) = (world.phone().await, Phone::new(other));
    let mut tx = world.db.store.begin(other).await.unwrap();
    theirs.enroll(&mut *tx).await;
    tx.ask_pushes(&[theirs.device], later(1)).await.unwrap();
    tx.commit().await.unwrap();
    world.list(&[&ours], NOW).await;

    let past = world.db.outbox.claim_pushes(later(1), later(9), 9, &[world.tenant]).await.unwrap();

    assert_eq!(woken(&past), [theirs.device]);
    assert_eq!(woken(&world.claim_some(1, 9).await), [ours.device]);
}

#[tokio::test]
async fn a_device_on_a_list_is_shown_as_to_be_woken() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    world.list(&[&phone], later(7)).await;

    for (phone, due) in [(&phone, Some((later(7), 0))), (&other, None)] {
        let mut look = world.look().await;
        let [state] = &look.channels(phone.device, phone.enrollment).await.unwrap()[..] else {
            panic!("one channel")
        };
        assert_eq!(state.push.due, due);
    }
}

#[tokio::test]
async fn two_who_claim_at_once_never_have_one_device_both() {
    let world = World::new().await;
    let mut phones = Vec::new();
    for _ in 0..12 {
        phones.push(world.phone().await);
    }
    for phones in phones.chunks(4) {
        world.list(&phones.iter().collect::<Vec<_>>(), NOW).await;
    }
    let claims = || async {
        let mut claimed = Vec::new();
        loop {
            let jobs = world.claim_some(0, 3).await;
            if jobs.is_empty() {
                break claimed;
            }
            claimed.extend(jobs);
        }
    };

    let (one, other) = tokio::join!(claims(), claims());

    assert_eq!(woken(&[one, other].concat()), devices(&phones.iter().collect::<Vec<_>>()));
}
