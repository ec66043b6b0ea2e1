use domain::{CertificateState, EnrollmentId, Error, IdentityCertificate, TenantId};
use pki::Fingerprint;

use super::world::{Phone, World, digest, id};

fn another(phone: &Phone) -> IdentityCertificate {
    IdentityCertificate {
        fingerprint: Fingerprint(digest()),
        state: CertificateState::Issued,
        challenge: Some(digest()),
        ..phone.certificate()
    }
}

#[tokio::test]
async fn a_certificate_is_found_by_fingerprint_and_by_challenge() {
    let world = World::new().await;
    let phone = world.phone().await;
    let (asked, given) = (another(&phone), IdentityCertificate { challenge: None, ..another(&phone) });
    let mut tx = world.tx().await;
    tx.add_certificate(&asked).await.unwrap();
    tx.add_certificate(&given).await.unwrap();

    assert_eq!(tx.certificate(&given.fingerprint).await.unwrap(), Some(given));
    assert_eq!(tx.certificate_for_challenge(&asked.challenge.unwrap()).await.unwrap(), Some(asked.clone()));
    assert_eq!(tx.certificate_for_challenge(&digest()).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!(other.certificate(&asked.fingerprint).await.unwrap(), None);
    assert_eq!(other.certificate_for_challenge(&asked.challenge.unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn one_challenge_leads_to_one_certificate() {
    let world = World::new().await;
    let phone = world.phone().await;
    let first = another(&phone);
    let second = IdentityCertificate { fingerprint: Fingerprint(digest()), ..first.clone() };
    let mut tx = world.tx().await;
    tx.add_certificate(&first).await.unwrap();

    let refused = tx.add_certificate(&second).await;

    assert!(matches!(refused, Err(Error::Conflict(said)) if said.contains("challenge")));
}

#[tokio::test]
async fn the_certificates_of_an_enrollment_come_oldest_first() {
    let world = World::new().await;
    let phone = Phone::new(world.tenant);
    let mut tx = world.tx().await;
    let mut added = Vec::new();
    for _ in 0..103 {
        let certificate = another(&phone);
        tx.add_certificate(&certificate).await.unwrap();
        added.push(certificate);
    }

    assert_eq!(tx.certificates(phone.enrollment).await.unwrap(), added[3..], "the newest hundred");
    assert_eq!(tx.certificates(EnrollmentId(id())).await.unwrap(), []);
}

#[tokio::test]
async fn states_are_set_for_one_and_for_all_of_an_enrollment() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let second = another(&phone);
    let mut tx = world.tx().await;
    tx.add_certificate(&second).await.unwrap();
    tx.set_certificate_state(&second.fingerprint, CertificateState::Superseded).await.unwrap();
    let states = |list: Vec<IdentityCertificate>| list.iter().map(|one| one.state).collect::<Vec<_>>();
    assert_eq!(
        states(tx.certificates(phone.enrollment).await.unwrap()),
        [CertificateState::Pinned, CertificateState::Superseded]
    );

    tx.set_certificate_states(phone.enrollment, CertificateState::Revoked).await.unwrap();

    assert_eq!(states(tx.certificates(phone.enrollment).await.unwrap()), [CertificateState::Revoked; 2]);
    assert_eq!(states(tx.certificates(other.enrollment).await.unwrap()), [CertificateState::Pinned]);
    assert!(tx.set_certificate_state(&Fingerprint(digest()), CertificateState::Pinned).await.is_err());
}

#[tokio::test]
async fn a_certificate_may_come_to_name_another_enrollment() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let second = another(&phone);
    let mut tx = world.tx().await;
    tx.add_certificate(&second).await.unwrap();
    tx.move_certificate(&second.fingerprint, other.enrollment).await.unwrap();
    let moved = tx.certificate(&second.fingerprint).await.unwrap().unwrap();
    assert_eq!(moved.enrollment, other.enrollment);
    assert_eq!(tx.certificates(phone.enrollment).await.unwrap().len(), 1);
    assert!(tx.move_certificate(&Fingerprint(digest()), other.enrollment).await.is_err());
}
