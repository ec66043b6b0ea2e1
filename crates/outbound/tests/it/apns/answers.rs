//! What the service says, and what the client makes of it.

use domain::Timestamp;
use domain::ports::{Deliver, Delivery, PushCredentials};

use super::*;

#[tokio::test]
async fn a_push_wakes_the_device() {
    let world = World::start().await;
    let mut device = world.pretend.register(&token(0), MAGIC);
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_eq!(device.next().await.unwrap().order, 1);
    let arrival = &world.pretend.pushes()[0];
    assert_eq!((arrival.token.as_slice(), arrival.topic.as_str()), (&token(0)[..], TOPIC));
}

#[tokio::test]
async fn a_push_is_kept_for_the_configured_time() {
    let world = World::start().await;
    drop(world.pretend.register(&token(0), MAGIC));
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_eq!(world.pretend.pushes()[0].expires, 1_700_000_000 + KEPT.as_secs());
    assert!(world.pretend.register(&token(0), MAGIC).next().await.is_some());
}

#[tokio::test]
async fn any_magic_reaches_the_device_as_it_was_told() {
    let world = World::start().await;
    for magic in ["quote \" and \\", "}{\n\t\u{0}", "käse 🧀 \u{2028}", ""] {
        let mut device = world.pretend.register(&token(0), magic);
        assert_accepted(&world.push(Push { token: &token(0), magic }).await);
        assert!(device.next().await.is_some(), "{magic:?}");
    }
    assert_eq!(world.pretend.counters().ignored, 0);
}

#[tokio::test]
async fn a_wrong_magic_is_accepted_and_wakes_nobody() {
    let world = World::start().await;
    let mut device = world.pretend.register(&token(0), "another");
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_eq!(world.pretend.counters().ignored, 1);
    // With the service gone, whatever was on its way would be there.
    drop(world);
    assert_eq!(device.next().await, None);
}

#[tokio::test]
async fn a_retired_token_is_gone_since_it_was_retired() {
    let world = World::start().await;
    world.pretend.retire(&token(0));
    let gone = Outcome::TokenGone { since: Some(1_700_000_000_000) };
    assert_eq!(world.push(push_to(&token(0))).await, gone);
}

#[tokio::test]
async fn a_token_that_apns_calls_bad_is_not_gone() {
    let world = World::start().await;
    let _device = world.pretend.register_for("com.apple.mgmt.External.other", &token(1), MAGIC);
    for (number, reason) in [(0, "BadDeviceToken"), (1, "DeviceTokenNotForTopic")] {
        let refused = Outcome::Refused { status: 400, reason: reason.to_owned() };
        assert_eq!(world.push(push_to(&token(number))).await, refused);
    }
}

#[tokio::test]
async fn a_certificate_of_another_topic_is_refused() {
    let world = World::start().await;
    let _device = world.pretend.register(&token(0), MAGIC);
    let mut foreign = credentials("com.apple.mgmt.External.other", 2);
    foreign.topic = TOPIC;
    let outcome = world.apns.push(&foreign, push_to(&token(0)), now()).await;
    assert_eq!(outcome, Outcome::Refused { status: 400, reason: "TopicDisallowed".to_owned() });
}

#[tokio::test]
async fn a_busy_service_says_when_to_come_back() {
    let world = World::start().await;
    let mut device = world.pretend.register(&token(0), MAGIC);
    for (status, retry_after, after) in [
        (429, Some("30"), Some(30)),
        (429, Some("Tue, 14 Nov 2023 22:15:20 GMT"), Some(120)),
        (503, Some("soon"), None),
        (500, None, None),
    ] {
        world.pretend.refuse_next(status, "TooManyRequests", retry_after);
        let expected = Outcome::TryLater {
            after: after.map(Duration::from_secs),
            why: format!("APNs answered {status} TooManyRequests"),
        };
        assert_eq!(world.push(push_to(&token(0))).await, expected);
    }
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_eq!(device.next().await.unwrap().order, 5);
    assert_eq!(world.pretend.counters().opened, 1);
}

#[tokio::test]
async fn a_refused_certificate_retires_no_token() {
    let world = World::start().await;
    let _device = world.pretend.register(&token(0), MAGIC);
    world.pretend.refuse_next(403, "BadCertificateEnvironment", None);
    let refused = Outcome::Refused { status: 403, reason: "BadCertificateEnvironment".to_owned() };
    assert_eq!(world.push(push_to(&token(0))).await, refused);
}

#[tokio::test]
async fn an_endless_reason_is_not_read() {
    let world = World::start().await;
    let _device = world.pretend.register(&token(0), MAGIC);
    world.pretend.refuse_next(403, &"x".repeat(100_000), None);
    let refused = Outcome::Refused { status: 403, reason: String::new() };
    assert_eq!(world.push(push_to(&token(0))).await, refused);
    assert_accepted(&world.push(push_to(&token(0))).await);
}

#[tokio::test]
async fn the_domain_hears_the_same_through_its_port() {
    let world = World::start().await;
    let mut device = world.pretend.register(&token(0), MAGIC);
    world.pretend.retire(&token(1));
    let credentials = Arc::new(PushCredentials {
        topic: TOPIC.to_owned(),
        certificates: world.credentials.certificate_chain.iter().map(|der| der.to_vec()).collect(),
        key: world.credentials.key.secret_der().to_vec(),
        fingerprint: world.credentials.fingerprint,
    });
    let port: &dyn Deliver = &world.apns;
    for (number, expected) in [
        (0, Delivery::Accepted),
        (1, Delivery::TokenGone),
        (2, Delivery::Refused { status: 400, reason: "BadDeviceToken".to_owned() }),
    ] {
        let said = port.push(Arc::clone(&credentials), &token(number), MAGIC, Timestamp::from(now())).await;
        assert_eq!(said, expected);
    }
    assert!(device.next().await.is_some());
}
