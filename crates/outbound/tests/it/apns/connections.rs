//! How many connections there are, and what happens to pushes when one ends.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_carries_five_hundred_pushes_at_once() {
    let world = World::start().await;
    world.pretend.hold();
    let pushes = world.push_all(0..500);
    world.until(|so_far| so_far.under_way == 500).await;
    world.pretend.release();
    pushes.join_all().await.iter().for_each(assert_accepted);
    world.assert_all_reached(500);
    assert_eq!(world.pretend.counters().opened, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apns_is_not_sent_more_at_once_than_it_allows() {
    let world = World::with(|service| service.max_streams = 5, |_| {}).await;
    world.push_all(0..200).join_all().await.iter().for_each(assert_accepted);
    let counters = world.pretend.counters();
    assert_eq!((counters.arrived, counters.opened), (200, 1));
    assert!(counters.most_under_way <= 5, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_limit_holds_where_apns_allows_more() {
    let world = World::with(|_| {}, |client| client.max_streams = 3).await;
    world.pretend.hold();
    let pushes = world.push_all(0..20);
    world.until(|so_far| so_far.under_way == 3).await;
    world.pretend.release();
    pushes.join_all().await.iter().for_each(assert_accepted);
    assert_eq!(world.pretend.counters().most_under_way, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_told_to_go_away_loses_no_push() {
    let world = World::start().await;
    world.pretend.hold();
    let before = world.push_all(0..100);
    world.until(|so_far| so_far.under_way == 100).await;
    world.pretend.go_away();
    let after = world.push_all(100..200);
    world.pretend.release();
    before.join_all().await.iter().for_each(assert_accepted);
    after.join_all().await.iter().for_each(assert_accepted);
    world.until(|so_far| so_far.closed == 1).await;
    assert_accepted(&world.push_all(200..201).join_next().await.unwrap().unwrap());
    world.assert_all_reached(201);
    assert_eq!(world.pretend.counters().opened, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_on_a_connection_that_breaks_are_sent_again() {
    let world = World::start().await;
    world.pretend.hold();
    let pushes = world.push_all(0..100);
    world.until(|so_far| so_far.under_way == 100).await;
    world.pretend.drop_connections();
    world.until(|so_far| so_far.opened == 2).await;
    world.pretend.release();
    pushes.join_all().await.iter().for_each(assert_accepted);
    world.assert_all_reached(100);
    assert_eq!(world.pretend.counters().opened, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_keeps_going_away_gets_every_push() {
    let world = World::with(|_| {}, |client| client.max_streams = 8).await;
    let pushes = world.push_all(0..400);
    for round in 1..=7 {
        world.until(|so_far| so_far.arrived >= round * 50).await;
        world.pretend.go_away();
    }
    pushes.join_all().await.iter().for_each(assert_accepted);
    world.assert_all_reached(400);
}

#[tokio::test]
async fn a_push_that_keeps_breaking_its_connection_is_handed_back() {
    let world = World::start().await;
    world.pretend.hold();
    let mut pushes = world.push_all(0..1);
    for arrived in 1..=3 {
        world.until(|so_far| so_far.arrived == arrived).await;
        world.pretend.drop_connections();
    }
    let why = reason_to_wait(pushes.join_next().await.unwrap().unwrap());
    assert!(why.starts_with("the connection to APNs failed: "), "{why}");
    assert_eq!(world.pretend.counters().opened, 3);
}

#[tokio::test]
async fn a_closed_connection_is_opened_again_only_when_needed() {
    let world = World::start().await;
    assert_eq!(world.pretend.counters().opened, 0);
    assert_accepted(&world.push_all(0..1).join_next().await.unwrap().unwrap());
    world.pretend.drop_connections();
    world.until(|so_far| so_far.closed == 1).await;
    assert_eq!(world.pretend.counters().opened, 1);
    assert_accepted(&world.push_all(1..2).join_next().await.unwrap().unwrap());
    assert_eq!(world.pretend.counters().opened, 2);
}

#[tokio::test]
async fn each_certificate_has_its_own_connection() {
    let world = World::start().await;
    let other = credentials("com.apple.mgmt.External.other", 2);
    for _ in 0..3 {
        let _own = world.pretend.register(&token(0), MAGIC);
        let _others = world.pretend.register_for(other.topic, &token(1), MAGIC);
        assert_accepted(&world.push(push_to(&token(0))).await);
        assert_accepted(&world.apns.push(&other, push_to(&token(1)), now()).await);
    }
    assert_eq!(world.pretend.counters().opened, 2);
}

#[tokio::test]
async fn the_connection_unused_longest_is_closed_for_a_new_one() {
    let world = World::with(|_| {}, |client| client.max_connections = 1).await;
    let renewed = credentials(TOPIC, 2);
    let _device = world.pretend.register(&token(0), MAGIC);
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_accepted(&world.apns.push(&renewed, push_to(&token(0)), now()).await);
    let counters = world.until(|so_far| so_far.closed == 1).await;
    assert_eq!(counters.opened, 2);
}

#[tokio::test]
async fn the_connections_close_with_the_client() {
    let World { pretend, apns, credentials } =
        Arc::into_inner(World::start().await).expect("nothing else holds it");
    let _device = pretend.register(&token(0), MAGIC);
    assert_accepted(&apns.push(&credentials, push_to(&token(0)), now()).await);
    drop(apns);
    pretend.watch().wait_for(|so_far| so_far.closed == 1).await.unwrap();
}
