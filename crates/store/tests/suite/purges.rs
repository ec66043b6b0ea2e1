use domain::{
    CertificateState, Command, CommandState, Enrollment, EnrollmentState, IdentityCertificate, Purge,
    PurgeCounts, PurgeId, RENEWAL, TenantId,
    ports::{Farewell, Tombstone, Worker},
};
use pki::Fingerprint;

use super::world::{NOW, Phone, World, digest, id, later};

fn purge(seconds: i64) -> Purge {
    Purge {
        id: PurgeId(id()),
        asked_by: "application:1".into(),
        asked_at: later(seconds),
        asked: 3,
        counts: PurgeCounts::default(),
        finished_at: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

const PURGED: PurgeCounts = PurgeCounts { purged: 1, skipped: 0, failed: 0 };

#[tokio::test]
async fn a_purge_is_worked_off_id_by_id() {
    let world = World::new().await;
    let job = purge(0);
    let mut tx = world.tx().await;
    tx.add_purge(&job, &names(&["b", "a"]), &names(&["a"])).await.unwrap();
    assert_eq!(tx.purge(job.id).await.unwrap(), Some(job.clone()));
    let open = [(false, "a".into()), (false, "b".into()), (true, "a".into())];
    assert_eq!(tx.open_purge_ids(job.id, 9).await.unwrap(), open);
    assert_eq!(tx.open_purge_ids(job.id, 1).await.unwrap(), open[..1]);

    let skipped = PurgeCounts { skipped: 1, ..PurgeCounts::default() };
    let failed = PurgeCounts { failed: 1, ..PurgeCounts::default() };
    tx.finish_purge_id(job.id, false, "a", PURGED, later(60)).await.unwrap();
    tx.finish_purge_id(job.id, true, "a", skipped, later(60)).await.unwrap();
    tx.finish_purge_id(job.id, false, "b", failed, later(60)).await.unwrap();
    tx.finish_purge(job.id, later(9)).await.unwrap();

    assert_eq!(tx.open_purge_ids(job.id, 9).await.unwrap(), []);
    let counts = PurgeCounts { purged: 1, skipped: 1, failed: 1 };
    assert_eq!(tx.purge(job.id).await.unwrap(), Some(Purge { counts, finished_at: Some(later(9)), ..job }));
}

#[tokio::test]
async fn an_id_that_another_worker_finished_is_not_counted_twice() {
    let world = World::new().await;
    let job = purge(0);
    let mut tx = world.tx().await;
    tx.add_purge(&job, &names(&["a"]), &[]).await.unwrap();
    tx.finish_purge_id(job.id, false, "a", PURGED, later(60)).await.unwrap();
    tx.finish_purge_id(job.id, false, "a", PURGED, later(60)).await.unwrap();

    assert_eq!(tx.purge(job.id).await.unwrap().unwrap().counts, PURGED);
}

#[tokio::test]
async fn a_thousand_ids_and_doubles_among_them_are_taken() {
    let world = World::new().await;
    let job = purge(0);
    let mut ids: Vec<String> = (0..1001).map(|n| format!("{n:04}")).collect();
    ids.push("0000".into());
    let mut tx = world.tx().await;
    tx.add_purge(&job, &ids, &[]).await.unwrap();

    assert_eq!(tx.open_purge_ids(job.id, 5000).await.unwrap().len(), 1001);
}

#[tokio::test]
async fn the_newest_purges_of_the_tenant_come_first() {
    let world = World::new().await;
    let (old, new) = (purge(1), purge(2));
    let mut tx = world.tx().await;
    tx.add_purge(&new, &[], &[]).await.unwrap();
    tx.add_purge(&old, &[], &[]).await.unwrap();

    assert_eq!(tx.purges(9).await.unwrap(), [new.clone(), old]);
    assert_eq!(tx.purges(1).await.unwrap(), std::slice::from_ref(&new));
    tx.commit().await.unwrap();
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!(other.purges(9).await.unwrap(), []);
    assert_eq!(other.purge(new.id).await.unwrap(), None);
}

#[tokio::test]
async fn the_purge_that_waits_longest_is_claimed_until_it_is_finished() {
    let world = World::new().await;
    let (new, old) = (purge(2), purge(1));
    let mut tx = world.tx().await;
    tx.add_purge(&new, &[], &names(&["a"])).await.unwrap();
    tx.add_purge(&old, &[], &[]).await.unwrap();
    tx.commit().await.unwrap();
    let outbox = &world.db.outbox;

    assert_eq!(outbox.claim_purge(later(10), later(20)).await.unwrap(), Some((world.tenant, old.id)));
    assert_eq!(outbox.claim_purge(later(10), later(20)).await.unwrap(), Some((world.tenant, new.id)));
    assert_eq!(outbox.claim_purge(later(10), later(20)).await.unwrap(), None);
    assert_eq!(outbox.backlog().await.unwrap(), (0, 0, 2));
    assert_eq!(outbox.claim_purge(later(20), later(30)).await.unwrap(), Some((world.tenant, old.id)));
    let mut tx = world.tx().await;
    tx.finish_purge_id(new.id, true, "a", PURGED, later(25)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(outbox.claim_purge(later(24), later(30)).await.unwrap(), None, "its worker is at work");
    assert_eq!(outbox.claim_purge(later(25), later(30)).await.unwrap(), Some((world.tenant, new.id)));
    outbox.release_claims(Worker::Purges).await.unwrap();
    assert_eq!(outbox.claim_purge(later(26), later(30)).await.unwrap(), Some((world.tenant, old.id)));
    let mut tx = world.tx().await;
    tx.finish_purge(new.id, later(21)).await.unwrap();
    tx.finish_purge(old.id, later(21)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(outbox.claim_purge(later(99), later(100)).await.unwrap(), None);
}

#[tokio::test]
async fn a_tombstone_stays_until_its_certificate_ends() {
    let world = World::new().await;
    let farewell = Farewell { push_token: vec![7; 32], push_magic: "magic".into() };
    let tombstone = |seconds, farewell| Tombstone {
        fingerprint: Fingerprint(digest()),
        tenant: world.tenant,
        expires_at: later(seconds),
        understands_unrecognized: true,
        farewell,
    };
    let (short, long) = (tombstone(10, None), tombstone(20, Some(farewell)));
    let dead = Tombstone {
        farewell: Some(Farewell { push_token: vec![], push_magic: "m".into() }),
        ..tombstone(20, None)
    };
    let mut tx = world.tx().await;
    for tombstone in [&short, &long, &dead] {
        tx.add_tombstone(tombstone, NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
    let directory = &world.db.directory;
    assert_eq!(directory.tombstone(&short.fingerprint).await.unwrap(), Some(short.clone()));
    assert_eq!(directory.tombstone(&long.fingerprint).await.unwrap(), Some(long.clone()));
    assert_eq!(
        directory.tombstone(&dead.fingerprint).await.unwrap().unwrap().farewell,
        None,
        "a dead token wakes nobody"
    );

    assert_eq!(world.db.outbox.sweep_tombstones(later(10)).await.unwrap(), 0);
    assert_eq!(world.db.outbox.sweep_tombstones(later(11)).await.unwrap(), 1);

    assert_eq!(directory.tombstone(&short.fingerprint).await.unwrap(), None);
    assert_eq!(directory.tombstone(&long.fingerprint).await.unwrap(), Some(long));
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_due_for_renewal() {
    let world = World::new().await;
    let (soon, sooner, late) = (world.phone().await, world.phone().await, world.phone().await);
    let (over, unused) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    for (phone, seconds) in [(&soon, 60), (&sooner, 50), (&over, 50), (&unused, 50)] {
        tx.set_certificate_state(&phone.fingerprint, CertificateState::Superseded).await.unwrap();
        let certificate = IdentityCertificate {
            fingerprint: Fingerprint(digest()),
            not_after: later(seconds),
            state: if phone.device == unused.device {
                CertificateState::Issued
            } else {
                CertificateState::Pinned
            },
            ..phone.certificate()
        };
        tx.add_certificate(&certificate).await.unwrap();
    }
    tx.set_enrollment(&Enrollment { state: EnrollmentState::Over, ..over.enrollment() }).await.unwrap();
    let foreign = Phone::new(world.tenant);
    tx.add_enrollment(&Enrollment { link: None, ..foreign.enrollment() }).await.unwrap();
    tx.add_certificate(&IdentityCertificate { not_after: later(50), ..foreign.certificate() }).await.unwrap();
    tx.commit().await.unwrap();
    let due = [(world.tenant, sooner.enrollment), (world.tenant, soon.enrollment)];
    let outbox = &world.db.outbox;

    assert_eq!(outbox.due_renewals(later(61), NOW, 9).await.unwrap(), due);
    assert_eq!(outbox.due_renewals(later(61), NOW, 1).await.unwrap(), due[..1]);
    assert_eq!(outbox.due_renewals(later(50), NOW, 9).await.unwrap(), []);
    assert!(late.certificate().not_after > later(61));
}

#[tokio::test]
async fn a_renewal_is_asked_again_once_the_last_one_failed_a_while_ago() {
    let world = World::new().await;
    let phone = world.phone().await;
    let before = later(2_000_000);
    let renewal = Command { dedupe: Some(RENEWAL.into()), queued_at: later(5), ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(&[renewal.clone(), phone.command()]).await.unwrap();
    tx.commit().await.unwrap();
    let due = |since| world.db.outbox.due_renewals(before, since, 9);
    assert_eq!(due(later(6)).await.unwrap(), [], "it is open");

    world.reports(&phone, renewal.id, CommandState::Failed).await;

    assert_eq!(due(later(5)).await.unwrap(), [], "it was asked lately");
    assert_eq!(due(later(6)).await.unwrap(), [(world.tenant, phone.enrollment)]);
}
