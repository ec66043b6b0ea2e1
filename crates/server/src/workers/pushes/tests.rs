//! The flow of pushes, with the clock stopped: what waits for time only takes none.

mod world;

use std::{collections::HashSet, sync::Arc, time::Duration};

use domain::{KEEP_PUSHES, ports::Delivery};
use tokio::time::{Instant, sleep};

use world::{LATENCY, World, tenant};

fn world() -> Arc<World> {
    Arc::new(World::default())
}

#[tokio::test(start_paused = true)]
async fn all_that_is_due_is_sent_once_and_not_all_of_it_at_once() {
    let (world, tenants) = (world(), [tenant(), tenant(), tenant()]);
    for tenant in tenants {
        world.ask(tenant, 7_000);
    }
    let _flow = world.begin();
    world.settled(21_000).await;

    let books = world.books();
    assert_eq!(books.sent.len(), 21_000);
    assert_eq!(books.sent.iter().collect::<HashSet<_>>().len(), 21_000);
    assert!((1_000..=2_000).contains(&books.most_claimed), "{} at once", books.most_claimed);
    assert!(books.groups.iter().all(|group| *group <= 500));
}

#[tokio::test(start_paused = true)]
async fn a_push_that_is_asked_for_goes_out_and_is_settled_at_once() {
    let world = world();
    let _flow = world.begin();
    sleep(Duration::from_secs(10)).await;
    for _ in 0..3 {
        let asked = Instant::now();
        let settled = world.books().settled.len();
        world.ask(tenant(), 1);
        world.settled(settled + 1).await;
        assert!(asked.elapsed() <= LATENCY + Duration::from_millis(2), "{:?}", asked.elapsed());
        sleep(Duration::from_millis(7)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_while_others_are_settled_makes_one_group() {
    let (world, tenant) = (world(), tenant());
    world.books().settling = Duration::from_secs(1);
    let _flow = world.begin();
    for _ in 0..100 {
        world.ask(tenant, 1);
        sleep(Duration::from_millis(3)).await;
    }
    world.settled(100).await;
    assert!(world.books().groups.len() <= 4, "{:?}", world.books().groups);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_settled_while_more_of_it_is_claimed() {
    let (world, tenant) = (world(), tenant());
    world.books().settling = Duration::from_secs(30);
    world.ask(tenant, 3_000);
    let _flow = world.begin();
    world.until(|books| books.sent.len() >= 1_000).await;
    assert_eq!(world.books().settled.len(), 0, "nothing waits for the database to be done with the first");
}

#[tokio::test(start_paused = true)]
async fn a_push_that_is_not_answered_holds_up_no_other() {
    let (world, silent, other) = (world(), tenant(), tenant());
    world.books().silent.insert(silent);
    world.ask(silent, 1);
    world.ask(other, 5_000);
    let began = Instant::now();
    let _flow = world.begin();
    world.settled(5_000).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(world.settled_of(silent), 0);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_pushes_are_not_answered_holds_up_no_other() {
    let (world, silent, other) = (world(), tenant(), tenant());
    world.books().silent.insert(silent);
    world.ask(silent, 6_000);
    let _flow = world.begin();
    sleep(Duration::from_secs(5)).await;
    let asked = Instant::now();
    world.ask(other, 3_000);
    world.settled(3_000).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(world.settled_of(other), 3_000);
    assert!(world.books().due.len() > 4_000, "what waits for the silent one waits in the database");
}

#[tokio::test(start_paused = true)]
async fn however_many_tenants_are_not_answered_there_is_room_for_the_next() {
    let (world, other) = (world(), tenant());
    let _flow = world.begin();
    for _ in 0..7 {
        let silent = tenant();
        world.books().silent.insert(silent);
        world.ask(silent, 1_500);
        sleep(Duration::from_secs(3)).await;
    }
    world.ask(other, 100);
    world.settled(100).await;
    assert_eq!(world.settled_of(other), 100);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_fails_is_tried_again() {
    let (world, tenant) = (world(), tenant());
    world.books().failing_settlements = 3;
    world.ask(tenant, 1_200);
    let _flow = world.begin();
    world.settled(1_200).await;
    assert_eq!(world.books().sent.len(), 1_200, "nothing is sent again for it");
}

#[tokio::test(start_paused = true)]
async fn one_that_the_database_never_takes_holds_up_no_other() {
    let (world, tenant) = (world(), tenant());
    world.ask(tenant, 4_000);
    let poison = world.books().due[77].token.clone();
    world.books().poison = Some(poison.clone());
    let _flow = world.begin();
    world.settled(3_999).await;
    world.books().kept.clear();
    sleep(2 * KEEP_PUSHES).await;
    assert!(world.books().kept.contains(&poison), "it is not given away either");
    world.books().poison = None;
    world.settled(4_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_fails_is_tried_again() {
    let (world, tenant) = (world(), tenant());
    world.books().failing_claims = 3;
    world.ask(tenant, 10);
    let _flow = world.begin();
    world.settled(10).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_kept_until_it_is_settled() {
    let (world, silent, other) = (world(), tenant(), tenant());
    world.books().silent.insert(silent);
    world.books().settling = Duration::from_secs(60);
    world.ask(silent, 2);
    world.ask(other, 3);
    let _flow = world.begin();
    sleep(5 * KEEP_PUSHES).await;
    let times = |token: &Vec<u8>| world.books().kept.iter().filter(|kept| *kept == token).count();
    let claimed = world.books().claimed.clone();
    assert_eq!(claimed.len(), 5);
    assert!(claimed.iter().all(|token| times(token) >= 4), "on their way, and being settled");

    world.settled(3).await;
    world.books().kept.clear();
    sleep(2 * KEEP_PUSHES).await;
    let kept: HashSet<_> = world.books().kept.iter().cloned().collect();
    assert_eq!(kept, world.books().claimed, "only the two that are still under way");
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_not_sent_again_where_its_claim_was_not_kept_in_time() {
    let (world, silent, other) = (world(), tenant(), tenant());
    world.books().silent.insert(silent);
    world.ask(silent, 1);
    let job = world.books().due[0].clone();
    let _flow = world.begin();
    world.until(|books| books.sent.len() == 1).await;
    world.books().claimed.clear();
    world.books().due.push_back(job.clone());
    world.ask(other, 1);
    world.settled(1).await;
    sleep(2 * KEEP_PUSHES).await;
    assert_eq!(world.books().sent.iter().filter(|token| **token == job.token).count(), 1);
    assert!(world.books().kept.contains(&job.token));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_asked_for_while_it_is_settled_is_sent_again() {
    let (world, tenant) = (world(), tenant());
    world.books().settling = Duration::from_secs(2);
    world.ask(tenant, 2_000);
    let first = world.books().due[0].clone();
    let _flow = world.begin();
    world.until(|books| books.settled.iter().any(|(row, _)| row.job == first)).await;
    world.books().due.push_front(first.clone());
    world.settled(2_001).await;
    assert_eq!(world.books().sent.iter().filter(|token| **token == first.token).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_without_a_certificate_that_can_be_used_is_told_and_holds_up_no_other() {
    let (world, without, unreadable, other) = (world(), tenant(), tenant(), tenant());
    world.books().without.insert(without);
    world.books().unreadable.insert(unreadable);
    for tenant in [without, unreadable, other] {
        world.ask(tenant, 1);
    }
    let _flow = world.begin();
    world.settled(3).await;
    let books = world.books();
    let of = |tenant| books.settled.iter().find(|(row, _)| row.job.tenant == tenant).map(|(_, said)| said);
    assert!(matches!(of(without), Some(Delivery::Refused { status: 0, .. })), "{:?}", of(without));
    assert!(matches!(of(unreadable), Some(Delivery::TryLater { .. })), "{:?}", of(unreadable));
    assert_eq!(of(other), Some(&Delivery::Accepted));
    assert_eq!(books.sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_breaks_off_is_left_to_the_end_of_its_claim() {
    let (world, breaking, other) = (world(), tenant(), tenant());
    world.books().breaking.insert(breaking);
    world.ask(breaking, 1);
    world.ask(other, 1);
    let _flow = world.begin();
    world.settled(1).await;
    world.books().kept.clear();
    sleep(3 * KEEP_PUSHES).await;
    assert_eq!(world.books().kept, Vec::<Vec<u8>>::new());
    assert_eq!(world.settled_of(other), 1);
}
