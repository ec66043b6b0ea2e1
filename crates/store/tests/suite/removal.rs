use domain::{
    CertificateState, Channel, Command, CommandId, CommandState, DeviceId, Enrollment, EnrollmentId,
    EnrollmentState, EscrowId, Event, Facts, IdentityCertificate, InstalledApp, Link, LinkId, Timestamp,
    ports::{AndroidCall, AndroidCallKind, EscrowRow, RawNotification, Tombstone},
};
use pki::Fingerprint;
use serde_json::json;

use super::world::{NOW, Phone, World, channel, digest, id, later};

/// The tables that never say anything of a device, or are allowed to: the ids of a purge that is still at work, and
/// what has to stay afterwards, if only for minutes. Every other table, those of tomorrow too, must be filled by this test.
const OF_NO_DEVICE: [&str; 24] = [
    "_sqlx_migrations",
    "access_tokens",
    "admin_roles",
    "admins",
    "android_enterprises",
    "android_queries",
    "api_keys",
    "applications",
    "attempts",
    "changes",
    "changes_kept",
    "device_cas",
    "groups",
    "installation",
    "own_links",
    "purge_ids",
    "purges",
    "push_certificates",
    "push_request_keys",
    "request_counters",
    "request_times",
    "tenants",
    "tombstones",
    "users",
];

#[tokio::test]
async fn nothing_of_a_removed_device_is_left_in_any_table() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let before = furnish(&world, &phone).await;
    furnish_other(&world, &other).await;
    let traces = traces(&phone, &before);
    let tables = tables_with(&world, &traces).await;
    for table in world.place.tables().await {
        let found = tables.contains(&table);
        assert!(
            found != OF_NO_DEVICE.contains(&&*table),
            "is {table} about devices? Then put the phone into it, in `furnish`; or else name it above"
        );
    }
    let others = traces_of(&world, &other).await;

    let mut tx = world.tx().await;
    let tombstone = Tombstone {
        fingerprint: phone.fingerprint,
        tenant: world.tenant,
        expires_at: later(9),
        understands_unrecognized: true,
        farewell: None,
    };
    tx.add_tombstone(&tombstone, NOW).await.unwrap();
    tx.remove_device(phone.device).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(tables_with(&world, &traces).await, ["tombstones"]);
    assert_eq!(traces_of(&world, &other).await, others, "another device keeps all that it has");
    assert_eq!(world.idle(&other).await.map(|_| ()), Some(()));
}

/// Puts the phone into every table that can hold it; gives an earlier enrollment of it.
async fn furnish(world: &World, phone: &Phone) -> Phone {
    let before = Phone { device: phone.device, key: phone.key.clone(), ..Phone::new(world.tenant) };
    let rejected = Phone { key: phone.key.clone(), ..Phone::new(world.tenant) };
    let commands: [CommandId; 2] = world.queue(phone).await;
    world.idle(phone).await;
    world.reports(phone, commands[0], CommandState::Acknowledged).await;
    let mut tx = world.tx().await;
    for over in [&before, &rejected] {
        tx.add_enrollment(&Enrollment { state: EnrollmentState::Over, ..over.enrollment() }).await.unwrap();
        let revoked = IdentityCertificate { state: CertificateState::Revoked, ..over.certificate() };
        tx.add_certificate(&revoked).await.unwrap();
    }
    let wishing = Enrollment {
        wanted_device: Some(phone.device),
        key: None,
        state: EnrollmentState::Issued,
        ..Phone::new(world.tenant).enrollment()
    };
    tx.add_enrollment(&wishing).await.unwrap();
    tx.set_channel(
        phone.device,
        phone.enrollment,
        &Channel { unlock_token: Some(vec![1]), ..channel("ada") },
    )
    .await
    .unwrap();
    tx.set_channel(phone.device, before.enrollment, &channel("")).await.unwrap();
    tx.ask_push(phone.device, &Default::default(), NOW).await.unwrap();
    tx.ask_pushes(&[DeviceId(id()), phone.device], NOW).await.unwrap();
    let mut record = phone.record();
    record.external_id = Some("external-1".into());
    record.facts = Facts {
        serial_number: Some("SERIAL-OF-THE-REMOVED".into()),
        imeis: vec!["353000000000001".into()],
        ..Facts::default()
    };
    tx.set_device(&record).await.unwrap();
    tx.add_link(&link(phone.device)).await.unwrap();
    tx.add_escrow(&pin(phone, commands[0])).await.unwrap();
    let app = InstalledApp { id: "app".into(), name: None, version: None, from_store: None };
    tx.set_installed_apps(phone.device, &[app]).await.unwrap();
    tx.add_android_call(&call(phone, commands[0])).await.unwrap();
    tx.add_notification(&notification(phone)).await.unwrap();
    tx.mark_listed(std::slice::from_ref(&phone.key), NOW).await.unwrap();
    for device in [Some(phone.device), None] {
        let event =
            Event { kind: "test".into(), actor: "system".into(), device, details: json!({}), at: NOW };
        tx.record(&event).await.unwrap();
    }
    tx.commit().await.unwrap();
    before
}

async fn furnish_other(world: &World, other: &Phone) {
    let mut tx = world.tx().await;
    tx.add_commands(&[Command { action: Some("lock".into()), ..other.command() }]).await.unwrap();
    tx.add_link(&link(other.device)).await.unwrap();
    tx.add_escrow(&pin(other, CommandId(id()))).await.unwrap();
    tx.commit().await.unwrap();
}

fn link(device: DeviceId) -> Link {
    Link {
        id: LinkId(id()),
        token_hash: digest(),
        user: None,
        device: Some(device),
        max_uses: 1,
        used: 0,
        expires_at: later(60),
        created_at: NOW,
    }
}

fn pin(phone: &Phone, command: CommandId) -> EscrowRow {
    EscrowRow {
        id: EscrowId(id()),
        device: phone.device,
        enrollment: phone.enrollment,
        kind: "lock-pin".into(),
        command: Some(command),
        sealed: vec![1],
        created_at: NOW,
        confirmed_at: None,
        refused_at: None,
    }
}

/// What must not be found afterwards, without hyphens.
fn traces(phone: &Phone, before: &Phone) -> Vec<String> {
    let enrollment = |EnrollmentId(id): EnrollmentId| id.simple().to_string();
    let certificate =
        |Fingerprint(bytes): Fingerprint| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        phone.device.client_id(),
        phone.key.replace('-', "").to_lowercase(),
        enrollment(phone.enrollment),
        enrollment(before.enrollment),
        certificate(phone.fingerprint),
        certificate(before.fingerprint),
        "353000000000001".into(),
        "serialoftheremoved".into(),
        "external1".into(),
    ]
}

/// The tables with a row that names one of these, but those in which it may.
async fn tables_with(world: &World, traces: &[String]) -> Vec<String> {
    let mut tables: Vec<String> = world
        .rows()
        .await
        .into_iter()
        .filter(|(_, row)| {
            let row = row.replace('-', "").to_lowercase();
            traces.iter().any(|trace| row.contains(trace))
        })
        .map(|(table, _)| table)
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

/// Every row that names the device.
async fn traces_of(world: &World, phone: &Phone) -> Vec<(String, String)> {
    let mut rows = world.rows().await;
    rows.retain(|(_, row)| row.replace('-', "").contains(&phone.device.client_id()));
    rows.sort();
    rows
}

#[tokio::test]
async fn an_enrollment_that_wished_for_a_removed_device_goes_on_without() {
    let world = World::new().await;
    let phone = world.phone().await;
    let wishing = Enrollment {
        wanted_device: Some(phone.device),
        key: None,
        state: EnrollmentState::Issued,
        ..Phone::new(world.tenant).enrollment()
    };
    let mut tx = world.tx().await;
    tx.add_enrollment(&wishing).await.unwrap();

    tx.remove_device(phone.device).await.unwrap();

    let left = tx.enrollment(wishing.id).await.unwrap();
    assert_eq!(left, Some(Enrollment { wanted_device: None, ..wishing }));
}

fn call(phone: &Phone, id: CommandId) -> AndroidCall {
    AndroidCall {
        id,
        kind: AndroidCallKind::Issue,
        device: Some(phone.device),
        resource: phone.key.clone(),
        after: None,
        operation: None,
        ends_at: None,
        due_at: NOW,
        attempts: 0,
        asked: false,
        claimed_until: Timestamp(0),
        said: None,
    }
}

fn notification(phone: &Phone) -> RawNotification {
    let (message_id, body) = ("of the removed".into(), format!("about {}", phone.key));
    RawNotification { message_id, resource: Some(phone.key.clone()), body, received_at: NOW }
}
