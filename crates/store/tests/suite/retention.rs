//! What is forgotten, and what must not be.

use domain::{
    CertificateState, DeviceId, Enrollment, EnrollmentState, EscrowId, Event, IdentityCertificate, Link,
    LinkId, Purge, PurgeCounts, PurgeId, Timestamp,
    ports::{DueEnrollments, EscrowRow},
};
use pki::Fingerprint;
use serde_json::json;

use super::world::{NOW, Phone, World, channel, digest, id, later};

/// Long after everything that a test does.
const LONG_AFTER: i64 = 100_000_000;

fn event(device: Option<DeviceId>, seconds: i64) -> Event {
    Event {
        kind: format!("at {seconds}"),
        actor: "system".into(),
        device,
        details: json!({}),
        at: later(seconds),
    }
}

#[tokio::test]
async fn old_events_go_the_oldest_first() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    for (device, seconds) in [(None, 3), (Some(phone.device), 1), (None, 2), (Some(phone.device), 4)] {
        tx.record(&event(device, seconds)).await.unwrap();
    }
    tx.commit().await.unwrap();

    let outbox = &world.db.outbox;
    assert_eq!(outbox.forget_events(later(1), 9).await.unwrap(), 0, "its time is not over at its end");
    assert_eq!(outbox.forget_events(later(4), 2).await.unwrap(), 2);
    let left = world.look().await.events(None, 9).await.unwrap();
    assert_eq!(left.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["at 4", "at 3"]);
    assert_eq!(outbox.forget_events(later(4), 2).await.unwrap(), 1);
    assert_eq!(outbox.forget_events(later(4), 2).await.unwrap(), 0);
}

#[tokio::test]
async fn events_of_how_commands_ended_go_before_all_others() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    for kind in ["command.done", "command.sent", "command.failed", "command.expired", "device.enrolled"] {
        tx.record(&Event { kind: kind.into(), ..event(None, 1) }).await.unwrap();
    }
    tx.record(&Event { kind: "command.done".into(), ..event(None, 9) }).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.db.outbox.forget_ends_of_commands(later(9), 2).await.unwrap(), 2);
    assert_eq!(world.db.outbox.forget_ends_of_commands(later(9), 2).await.unwrap(), 1);

    let left = world.look().await.events(None, 9).await.unwrap();
    let kinds: Vec<_> = left.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["command.done", "device.enrolled", "command.sent"]);

    assert_eq!(world.db.outbox.forget_events(later(99), 9).await.unwrap(), 2);
    assert_eq!(
        world.look().await.events(None, 9).await.unwrap().len(),
        1,
        "how a command ended goes by itself"
    );
}

#[tokio::test]
async fn finished_purges_go_and_open_ones_never() {
    let world = World::new().await;
    let purge = |finished: Option<i64>| Purge {
        id: PurgeId(id()),
        asked_by: "application:1".into(),
        asked_at: NOW,
        asked: 0,
        counts: PurgeCounts::default(),
        finished_at: finished.map(later),
    };
    let purges = [purge(None), purge(Some(5)), purge(Some(50))];
    let mut tx = world.tx().await;
    for purge in &purges {
        tx.add_purge(purge, &[], &[]).await.unwrap();
    }
    tx.commit().await.unwrap();

    assert_eq!(world.db.outbox.forget_purges(later(50), 9).await.unwrap(), 1);
    assert_eq!(world.look().await.purge(purges[1].id).await.unwrap(), None);
    assert_eq!(world.db.outbox.forget_purges(later(LONG_AFTER), 9).await.unwrap(), 1);
    assert_eq!(world.look().await.purges(9).await.unwrap(), purges[..1]);
}

#[tokio::test]
async fn links_go_some_time_after_their_end_used_up_or_not() {
    let world = World::new().await;
    let link = |ends: i64, used| Link {
        id: LinkId(id()),
        token_hash: digest(),
        user: None,
        device: None,
        max_uses: 1,
        used,
        expires_at: later(ends),
        created_at: NOW,
    };
    let links = [link(5, 0), link(6, 1), link(60, 1)];
    let mut tx = world.tx().await;
    for link in &links {
        tx.add_link(link).await.unwrap();
    }
    tx.commit().await.unwrap();

    assert_eq!(world.db.outbox.forget_links(later(60), 1).await.unwrap(), 1);
    assert_eq!(world.db.directory.link(&links[0].token_hash).await.unwrap(), None);
    assert!(world.db.directory.link(&links[1].token_hash).await.unwrap().is_some());
    assert_eq!(world.db.outbox.forget_links(later(60), 9).await.unwrap(), 1);
    assert!(world.db.directory.link(&links[2].token_hash).await.unwrap().is_some());
}

#[tokio::test]
async fn certificates_that_were_replaced_go_once_they_have_expired() {
    let world = World::new().await;
    let phone = world.phone().await;
    let certificate = |state, ends| IdentityCertificate {
        fingerprint: Fingerprint(digest()),
        challenge: Some(digest()),
        state,
        not_after: later(ends),
        ..phone.certificate()
    };
    let gone = [certificate(CertificateState::Superseded, 5), certificate(CertificateState::Revoked, 6)];
    let kept = [
        certificate(CertificateState::Superseded, 60),
        // Its device may come with it yet, if only to renew it.
        certificate(CertificateState::Issued, 5),
    ];
    let mut tx = world.tx().await;
    for certificate in gone.iter().chain(&kept) {
        tx.add_certificate(certificate).await.unwrap();
    }
    tx.commit().await.unwrap();

    assert_eq!(world.db.outbox.forget_certificates(later(60), 9).await.unwrap(), 2);

    let left = world.look().await.certificates(phone.enrollment).await.unwrap();
    let fingerprints: Vec<_> = left.iter().map(|it| it.fingerprint).collect();
    assert_eq!(fingerprints, [phone.fingerprint, kept[0].fingerprint, kept[1].fingerprint]);
    assert!(world.answer(phone.idle()).await.served.is_some());
}

fn secret(phone: &Phone) -> EscrowRow {
    EscrowRow {
        id: EscrowId(id()),
        device: phone.device,
        enrollment: phone.enrollment,
        kind: "lock-pin".into(),
        command: None,
        sealed: b"a secret".to_vec(),
        created_at: NOW,
        confirmed_at: None,
        refused_at: None,
    }
}

#[tokio::test]
async fn secrets_that_were_replaced_or_refused_go_and_the_newest_that_may_be_good_stays() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let made = |seconds, confirmed: Option<i64>, refused: Option<i64>| EscrowRow {
        created_at: later(seconds),
        confirmed_at: confirmed.map(later),
        refused_at: refused.map(later),
        ..secret(&phone)
    };
    let gone = [made(1, Some(1), None), made(2, None, None), made(3, None, Some(4))];
    let kept = [
        made(5, Some(6), None),
        // Newer than the one that is good, and nobody knows whether it is set.
        made(7, None, None),
        // Refused, and not long ago.
        made(8, None, Some(60)),
        EscrowRow { kind: "erase-pin".into(), ..made(1, None, None) },
        EscrowRow { enrollment: other.enrollment, ..made(1, Some(1), None) },
        EscrowRow { device: other.device, ..made(1, Some(1), None) },
    ];
    let mut tx = world.tx().await;
    for row in gone.iter().chain(&kept) {
        tx.add_escrow(row).await.unwrap();
    }
    tx.commit().await.unwrap();

    let outbox = &world.db.outbox;
    assert_eq!(outbox.forget_secrets(None, later(6), 100).await.unwrap(), None);
    assert_eq!(all_secrets(&world).await.len(), 8, "the newer one was not confirmed long ago");
    let (mut after, mut batches) = (None, 1);
    while let Some(next) = outbox.forget_secrets(after, later(50), 2).await.unwrap() {
        (after, batches) = (Some(next), batches + 1);
    }
    assert_eq!(batches, 5, "eight, two at a time");

    let mut expected: Vec<_> = kept.iter().map(|row| row.id.0.simple().to_string()).collect();
    expected.sort();
    assert_eq!(all_secrets(&world).await, expected);
}

/// The ids of all secrets, sorted.
async fn all_secrets(world: &World) -> Vec<String> {
    let rows = world.place.dump().await;
    let escrow = rows.iter().filter(|(table, _)| table == "escrow");
    let mut ids: Vec<String> = escrow.map(|(_, row)| id_of(row)).collect();
    ids.sort();
    ids
}

/// The third column of a row of the table; PostgreSQL names the columns.
fn id_of(row: &str) -> String {
    let named = row.split_once("\"id\":\"").and_then(|(_, rest)| rest.split('"').next());
    named.or_else(|| row.split('|').nth(2)).unwrap().replace('-', "")
}

/// An enrollment of the phone's that ended before the one that it has.
async fn earlier(world: &World, phone: &Phone, certificate_ends: Timestamp) -> Phone {
    let before = Phone { device: phone.device, key: phone.key.clone(), ..Phone::new(world.tenant) };
    let mut tx = world.tx().await;
    tx.add_enrollment(&Enrollment { state: EnrollmentState::Over, ..before.enrollment() }).await.unwrap();
    let certificate = IdentityCertificate {
        state: CertificateState::Revoked,
        not_after: certificate_ends,
        ..before.certificate()
    };
    tx.add_certificate(&certificate).await.unwrap();
    tx.set_channel(before.device, before.enrollment, &channel("")).await.unwrap();
    tx.add_escrow(&secret(&before)).await.unwrap();
    tx.commit().await.unwrap();
    before
}

/// Notes what has ended, to be looked at in ten seconds.
async fn noted(world: &World) -> u64 {
    world.db.outbox.note_ended_enrollments(later(0), later(10), 9).await.unwrap()
}

/// Looks at what is due by then; certificates that end up to second 100 have expired.
async fn looked(world: &World, seconds: i64) -> u64 {
    let due = DueEnrollments { by: later(seconds), expired: later(100), again: later(seconds + 1000) };
    world.db.outbox.forget_enrollments(&due, 9).await.unwrap()
}

async fn secrets(world: &World, phone: &Phone) -> usize {
    let rows = world.place.dump().await;
    let enrollment = phone.enrollment.0.simple().to_string();
    rows.iter().filter(|(table, row)| table == "escrow" && row.replace('-', "").contains(&enrollment)).count()
}

#[tokio::test]
async fn an_enrollment_that_ended_goes_with_all_that_it_had() {
    let world = World::new().await;
    let phone = world.phone().await;
    let before = earlier(&world, &phone, later(50)).await;
    let mut tx = world.tx().await;
    tx.add_escrow(&secret(&phone)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!((noted(&world).await, noted(&world).await), (1, 0));
    assert_eq!(looked(&world, 9).await, 0, "it is kept for its time");
    assert_eq!(secrets(&world, &before).await, 1);
    assert_eq!(looked(&world, 10).await, 1);

    assert_eq!(world.db.directory.identity(&before.fingerprint).await.unwrap(), None);
    let trace = before.enrollment.0.simple().to_string();
    let left = world.rows().await;
    assert!(!left.iter().any(|(_, row)| row.replace('-', "").contains(&trace)), "nothing names it");
    assert_eq!(secrets(&world, &phone).await, 1, "what the device has now stays");
    assert!(world.answer(phone.idle()).await.served.is_some());
    assert_eq!(world.db.faults().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_enrollment_whose_certificate_is_still_good_is_still_known() {
    let world = World::new().await;
    let phone = world.phone().await;
    let before = earlier(&world, &phone, later(500)).await;
    noted(&world).await;

    assert_eq!(looked(&world, 10).await, 1);
    assert!(world.db.directory.identity(&before.fingerprint).await.unwrap().is_some());
    assert_eq!(secrets(&world, &before).await, 1);
    assert_eq!(looked(&world, 11).await, 0, "it is not looked at all the time");

    let due = DueEnrollments { by: later(1010), expired: later(501), again: later(9999) };
    assert_eq!(world.db.outbox.forget_enrollments(&due, 9).await.unwrap(), 1);
    assert_eq!(world.db.directory.identity(&before.fingerprint).await.unwrap(), None);
}

#[tokio::test]
async fn the_last_enrollment_of_a_device_stays_as_long_as_its_record() {
    let world = World::new().await;
    let phone = world.phone().await;
    let mut tx = world.tx().await;
    tx.add_escrow(&secret(&phone)).await.unwrap();
    tx.set_enrollment(&Enrollment { state: EnrollmentState::Over, ..phone.enrollment() }).await.unwrap();
    tx.commit().await.unwrap();
    noted(&world).await;

    let due = DueEnrollments { by: later(10), expired: later(LONG_AFTER), again: later(20) };
    assert_eq!(world.db.outbox.forget_enrollments(&due, 9).await.unwrap(), 1);

    assert_eq!(secrets(&world, &phone).await, 1, "the PIN of a lost device is of use yet");
    assert!(world.db.directory.identity(&phone.fingerprint).await.unwrap().is_some());
}

#[tokio::test]
async fn an_enrollment_that_came_to_life_again_is_not_forgotten() {
    let world = World::new().await;
    let phone = world.phone().await;
    let before = earlier(&world, &phone, later(5)).await;
    noted(&world).await;
    let alive = Enrollment { state: EnrollmentState::Pending, ..before.enrollment() };
    let mut tx = world.tx().await;
    tx.set_enrollment(&alive).await.unwrap();
    tx.set_enrollment(&Enrollment { state: EnrollmentState::Active, ..alive.clone() }).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(looked(&world, 10).await, 0);
    let mut tx = world.tx().await;
    tx.set_enrollment(&Enrollment { state: EnrollmentState::Over, ..alive }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(looked(&world, 10).await, 0, "its time begins anew");
    assert_eq!(noted(&world).await, 1);
}

#[tokio::test]
async fn an_enrollment_that_got_nowhere_goes_and_one_that_has_just_begun_does_not() {
    let world = World::new().await;
    let mut begun = Vec::new();
    for (created_at, state) in [
        (later(-5), EnrollmentState::Issued),
        (later(-4), EnrollmentState::Pending),
        (later(1), EnrollmentState::Issued),
        (later(-3), EnrollmentState::Quarantined),
    ] {
        let phone = Phone::new(world.tenant);
        let mut tx = world.tx().await;
        tx.add_enrollment(&Enrollment { created_at, state, ..phone.enrollment() }).await.unwrap();
        let certificate = IdentityCertificate { not_after: later(5), ..phone.certificate() };
        tx.add_certificate(&certificate).await.unwrap();
        tx.commit().await.unwrap();
        begun.push(phone);
    }

    assert_eq!(noted(&world).await, 2);
    assert_eq!(looked(&world, 10).await, 2);

    let mut known = Vec::new();
    for phone in &begun {
        known.push(world.db.directory.identity(&phone.fingerprint).await.unwrap().is_some());
    }
    assert_eq!(known, [false, false, true, true]);
}
