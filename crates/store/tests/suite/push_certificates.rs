use domain::{EnrollmentState, PushCertificate, TenantId};

use super::world::{NOW, World, id, later};

fn certificate(topic: &str) -> PushCertificate {
    PushCertificate {
        topic: topic.into(),
        certificates: "-----BEGIN CERTIFICATE-----".into(),
        sealed_key: vec![1, 2, 3],
        expires_at: later(60),
        imported_at: NOW,
    }
}

#[tokio::test]
async fn a_push_certificate_is_replaced() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    assert_eq!(tx.push_certificate().await.unwrap(), None);
    tx.set_push_certificate(&certificate("one")).await.unwrap();
    let renewed = PushCertificate { expires_at: later(120), imported_at: later(1), ..certificate("one") };
    tx.set_push_certificate(&renewed).await.unwrap();

    assert_eq!(tx.push_certificate().await.unwrap(), Some(renewed));
    tx.commit().await.unwrap();
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!(other.push_certificate().await.unwrap(), None);
}

#[tokio::test]
async fn the_key_of_the_last_request_is_kept() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    assert_eq!(tx.push_request_key().await.unwrap(), None);
    tx.set_push_request_key(b"one", NOW).await.unwrap();
    tx.set_push_request_key(b"two", later(1)).await.unwrap();

    assert_eq!(tx.push_request_key().await.unwrap(), Some(b"two".to_vec()));
}

#[tokio::test]
async fn enrollments_are_live_until_they_are_over() {
    let world = World::new().await;
    assert!(!world.look().await.has_live_enrollments().await.unwrap());
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    assert!(tx.has_live_enrollments().await.unwrap());

    let mut enrollment = phone.enrollment();
    enrollment.state = EnrollmentState::Over;
    tx.set_enrollment(&enrollment).await.unwrap();

    assert!(!tx.has_live_enrollments().await.unwrap());
}
