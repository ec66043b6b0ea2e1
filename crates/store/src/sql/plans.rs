//! How the database goes about the look-ups of a device and the pages of a list, as it says itself: by an index, whatever
//! the size of the fleet.

use std::{ops::Range, time::Duration};

use domain::{
    ChannelKey, Device, DeviceFilter, DeviceId, DeviceName, EnrollmentId, Facts, Location, Page, Span,
    TenantId, Timestamp, UserId, ports::Devices,
};
use sqlx::query;
use uuid::Uuid;

use super::{
    super::{
        bulk,
        ground::{DEVICES, Ground, IMEIS, looks_up, plan},
        pushes,
    },
    Backend, Query, Tx, commands, devices, outbox, push_lists, queue,
};

const FLEET: Range<u128> = 0..3000;

/// What the plan of a statement says of a table that is read without an index, on either database.
const WHOLE_TABLE: [&str; 8] = [
    "SCAN devices",
    "SCAN device_imeis",
    "SCAN commands",
    "SCAN channels",
    "Seq Scan on devices",
    "Seq Scan on device_imeis",
    "Seq Scan on commands",
    "Seq Scan on channels",
];

fn tenant() -> TenantId {
    TenantId(Uuid::from_u128(7))
}

fn device(number: u128) -> Device {
    Device {
        id: DeviceId(Uuid::from_u128(number)),
        enrollment: EnrollmentId(Uuid::from_u128(number)),
        key: format!("key-{number}"),
        user: number.is_multiple_of(100).then(|| UserId(Uuid::from_u128(number / 100))),
        external_id: None,
        managed: number.is_multiple_of(2),
        wiped: false,
        profile_removed: false,
        quarantined: false,
        enrolled_at: Timestamp(0),
        last_contact: Some(Timestamp(0)),
        unlockable: false,
        facts: Facts {
            serial_number: Some(format!("SERIAL{number}")),
            imeis: vec![format!("35{number}")],
            location: Some(Location { latitude: 1.0, longitude: 2.0, at: Timestamp(0) }),
            ..Facts::default()
        },
    }
}

/// A database with a fleet in it, and with the statistics that it keeps of its tables.
async fn fleet() -> (Ground, Backend) {
    let (ground, backend) = young_fleet().await;
    backend.change(query("ANALYZE")).await.unwrap();
    (ground, backend)
}

/// The same before the database has looked at its tables.
async fn young_fleet() -> (Ground, Backend) {
    let (ground, backend) = Ground::open().await;
    let mut tx = Tx { tenant: tenant(), open: backend.write().await.unwrap() };
    for number in FLEET {
        tx.add_device(&device(number)).await.unwrap();
    }
    tx.open.run(command_for_each()).await.unwrap();
    tx.open.run(channel_for_each()).await.unwrap();
    tx.open.commit().await.unwrap();
    (ground, backend)
}

/// One that has found its tables empty.
async fn emptied() -> (Ground, Backend) {
    let (ground, backend) = Ground::open().await;
    backend.change(query("ANALYZE")).await.unwrap();
    (ground, backend)
}

/// A channel of every device, that it can be woken on.
fn channel_for_each<'q>() -> Query<'q> {
    query(
        "INSERT INTO channels (tenant, enrollment, channel, device, push_token, push_magic, unlock_token, updated_at)
         SELECT tenant, enrollment, '', id, $1, 'magic', $1, 0 FROM devices",
    )
    .bind(b"token".as_slice())
}

/// An open command for every device.
fn command_for_each<'q>() -> Query<'q> {
    query(
        "INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, request_type, action, payload)
         SELECT tenant, id, id, enrollment, '', 0, $1, 0, 'DeviceLock', 'lockscreen', $2 FROM devices",
    )
    .bind(false)
    .bind(b"command".as_slice())
}

/// Makes sure that a statement reads no table whole, and that it uses this index.
#[track_caller]
fn uses(index: &str, steps: &[String], what: &str) {
    let plan = steps.join("\n");
    assert!(!WHOLE_TABLE.iter().any(|whole| plan.contains(whole)), "{what}:\n{plan}");
    assert!(plan.contains(index), "{what} does not use {index}:\n{plan}");
}

#[tokio::test]
async fn a_device_is_looked_up_by_an_index_whatever_it_is_called() {
    let (_ground, backend) = fleet().await;
    let owner = UserId(Uuid::from_u128(3));
    for (name, indexes) in [
        (DeviceName::Id(DeviceId(Uuid::from_u128(300))), [DEVICES].as_slice()),
        (DeviceName::SerialNumber("SERIAL300".into()), &["devices_by_serial_number"]),
        (DeviceName::Imei("35300".into()), &[IMEIS, DEVICES]),
    ] {
        for index in indexes {
            uses(index, &plan(&backend, devices::named(tenant(), &name)).await, &format!("{name:?}"));
        }
        let of_user = plan(&backend, devices::named_of_user(tenant(), owner, &name)).await;
        uses("", &of_user, &format!("a user's {name:?}"));
    }
}

#[tokio::test]
async fn a_page_of_a_list_and_what_is_pending_on_it_are_read_by_an_index() {
    let (_ground, backend) = fleet().await;
    let after = Some(DeviceId(Uuid::from_u128(1500)));
    let page = Page { after, skip: 0, limit: 100 };
    let span = Span { from: Some(Timestamp(0)), to: Some(Timestamp(1)) };
    let any = DeviceFilter::default;
    for filter in [
        any(),
        DeviceFilter { managed: Some(true), wiped: Some(false), ..any() },
        DeviceFilter { last_contact: span, ..any() },
        DeviceFilter { located: span, managed: Some(true), ..any() },
    ] {
        let steps = plan(&backend, devices::listed(tenant(), &filter, page)).await;
        uses(DEVICES, &steps, &format!("{filter:?}"));
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE") || step.contains("Sort")), "{steps:?}");
    }
    let first = DeviceId(Uuid::from_u128(1501));
    let pending = plan(&backend, commands::pending(tenant(), first, DeviceId(Uuid::from_u128(1600)))).await;
    uses("", &pending, "what is pending");
}

#[tokio::test]
async fn a_users_own_devices_are_found_by_an_index_of_theirs() {
    let (_ground, backend) = fleet().await;
    let filter = DeviceFilter { owner: Some(UserId(Uuid::from_u128(3))), ..DeviceFilter::default() };
    let page = Page { after: None, skip: 0, limit: 100 };
    uses("devices_of_user", &plan(&backend, devices::listed(tenant(), &filter, page)).await, "their list");
    uses("devices_of_user", &plan(&backend, devices::counted(tenant(), &filter)).await, "their number");
}

#[tokio::test]
async fn a_push_is_claimed_by_the_keys_of_its_device_also_while_the_fleet_enrolls() {
    let (_ground, backend) = young_fleet().await;
    let claim = pushes::claim(Timestamp(1), Timestamp(2), 500, &[]);
    let steps = plan(&backend, claim).await;
    uses("", &steps, "a claim");
    let plan = looks_channels_up(&steps, &["pushes", "p"]);
    for joined in ["Hash Join", "Merge Join", "Hash Left Join", "Merge Left Join"] {
        assert!(!plan.contains(joined), "a table is read as a whole:\n{plan}");
    }
}

#[tokio::test]
async fn listed_devices_become_pushes_by_their_keys_also_while_the_fleet_enrolls() {
    let devices = [DeviceId(Uuid::from_u128(300))];
    for (_ground, backend) in [young_fleet().await, fleet().await] {
        let steps = plan(&backend, push_lists::made(tenant(), &devices, Timestamp(1), Timestamp(2))).await;
        uses("", &steps, "devices of a list");
        looks_channels_up(&steps, &["pushes", "l", "e"]);
    }
}

/// Each channel by its whole key, whatever the statement calls the push; the plan.
fn looks_channels_up(steps: &[String], pushes: &[&str]) -> String {
    let plan = steps.join("\n");
    for push in pushes {
        let every_channel = format!("(tenant = {push}.tenant) AND (channel");
        assert!(!plan.contains(&every_channel), "every channel of a tenant:\n{plan}");
    }
    plan
}

#[tokio::test]
async fn pushes_are_asked_for_by_the_keys_of_their_devices_also_while_the_fleet_enrolls() {
    let channels = [(DeviceId(Uuid::from_u128(300)), ChannelKey::default())];
    for (_ground, backend) in [young_fleet().await, fleet().await] {
        let steps = plan(&backend, bulk::asked(tenant(), &channels, Timestamp(1))).await;
        uses(DEVICES, &steps, "pushes that are asked for");
        let plan = steps.join("\n");
        for joined in ["Hash Join", "Merge Join"] {
            assert!(!plan.contains(joined), "a table is read as a whole:\n{plan}");
        }
    }
}

#[tokio::test]
async fn what_is_due_is_claimed_by_its_keys_also_where_nothing_was_when_the_plan_was_made() {
    let (_ground, backend) = emptied().await;
    let (now, later) = (Timestamp(1), Timestamp(2));
    for (statement, what) in [
        (pushes::claim(now, later, 500, &[]), "a claim of pushes"),
        (outbox::claim_outcomes(now, later, 100), "a claim of outcomes"),
        (queue::due(now, Duration::from_secs(900), 100), "commands to wake for"),
        (queue::expired(now, 100), "commands that expire"),
    ] {
        looks_up(&plan(&backend, statement).await, what);
    }
}
