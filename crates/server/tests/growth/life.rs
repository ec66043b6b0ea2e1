//! What happens in a day.

use std::{sync::Arc, time::Duration};

use apple::command::RawCommand;
use domain::{
    CommandState, EscrowId, Link, LinkId, NewCommand, Old, Purge, PurgeCounts, PurgeId, Schedule, Timestamp,
    ports::{DeviceRoad, EscrowRow, ReportStep, SettledPush},
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{fleet::Phone, installation::Installation};

/// How many devices speak at once.
const AT_ONCE: usize = 64;

/// One device in so many is away on a day.
const AWAY: u64 = 50;

const DAY: Duration = Duration::from_hours(24);

/// The `day`th day.
pub async fn day(it: &mut Installation, day: u64) {
    come_back(it, day).await;
    ask_all(it, day).await;
    administer(it, day).await;
    it.clock.advance(Duration::from_hours(1));
    push(it).await;
    it.commands += answer(it, day).await;
    while it.parts.mdm.apply_outcomes().await.unwrap() > 0 {}
    it.parts.mdm.flush().await.unwrap();
    it.clock.advance(DAY - Duration::from_hours(1));
    while it.parts.mdm.tend_queue().await.unwrap() > 0 {}
    it.parts.mdm.sweep().await.unwrap();
    for old in Old::ALL {
        while it.parts.mdm.forget(old).await.unwrap() > 0 {}
    }
}

/// Devices that were erased, and those whose certificates end today, enroll again.
async fn come_back(it: &mut Installation, day: u64) {
    let (now, ends) = (it.now(), it.now().plus(it.plan.certificates));
    let mut places = it.fleet.ending(now.plus(DAY));
    for n in 0..it.plan.come_back() {
        places.push(usize::try_from((day * it.plan.come_back() + n) % it.plan.devices).unwrap());
    }
    places.sort_unstable();
    places.dedup();
    for places in places.chunks(100) {
        let mut tx = it.parts.database.store.begin(it.tenant).await.unwrap();
        for &place in places {
            it.fleet.come_back(&mut *tx, place, now, ends).await;
        }
        tx.commit().await.unwrap();
    }
}

/// One command for everyone; it expires, so that nobody who is away for long collects them.
async fn ask_all(it: &Installation, day: u64) {
    let ask = json!({ "RequestType": "DeviceLock", "Message": format!("Day {day}"), "PhoneNumber": "+49 89 1234567" });
    let request = RawCommand::from_json(&ask).unwrap();
    let schedule = Schedule { expires: Some(it.now().plus(3 * DAY)), ..Schedule::default() };
    let command = NewCommand { request, schedule, dedupe: None, user: None };
    let sent = it.parts.mdm.send_command(&it.operator(), &command, &it.fleet.names()).await.unwrap();
    assert!(sent.iter().all(Result::is_ok), "{:?}", sent.iter().find(|it| it.is_err()));
}

/// A PIN in escrow, a link, and a purge of somebody else's.
async fn administer(it: &Installation, day: u64) {
    let (now, id) = (it.now(), |kind: u128| {
        format!("{:032x}", kind << 64 | u128::from(day)).parse::<uuid::Uuid>().unwrap()
    });
    let mut tx = it.parts.database.store.begin(it.tenant).await.unwrap();
    let phone = &it.fleet.phones()[usize::try_from(day % it.plan.devices).unwrap()];
    let pin = EscrowRow {
        id: EscrowId(id(3)),
        device: phone.device,
        enrollment: phone.enrollment,
        kind: "lock-pin".into(),
        command: None,
        sealed: vec![7; 48],
        created_at: now,
        confirmed_at: Some(now),
        refused_at: None,
    };
    tx.add_escrow(&pin).await.unwrap();
    let mut token_hash = [7; 32];
    token_hash[..8].copy_from_slice(&day.to_be_bytes());
    let expires_at = now.plus(Duration::from_hours(12));
    let link = Link {
        id: LinkId(id(1)),
        token_hash,
        user: None,
        device: None,
        max_uses: 1,
        used: 0,
        expires_at,
        created_at: now,
    };
    tx.add_link(&link).await.unwrap();
    let purge = Purge {
        id: PurgeId(id(2)),
        asked_by: "application:1".into(),
        asked_at: now,
        asked: 0,
        counts: PurgeCounts::default(),
        finished_at: Some(now),
    };
    tx.add_purge(&purge, &[], &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Every push that is due goes out, and APNs takes it.
async fn push(it: &Installation) {
    while it.parts.mdm.tend_queue().await.unwrap() > 0 {}
    let (outbox, now) = (&it.parts.database.outbox, it.now());
    loop {
        let jobs = outbox.claim_pushes(now, now.plus(Duration::from_mins(5)), 500, &[]).await.unwrap();
        if jobs.is_empty() {
            return;
        }
        let settled =
            |job| SettledPush { job, retry_at: None, token_gone: false, at: now, said: "accepted".into() };
        outbox.settle_pushes(&jobs.into_iter().map(settled).collect::<Vec<_>>()).await.unwrap();
    }
}

/// Everyone who is there says `Idle`, and carries out what there is; how much.
async fn answer(it: &Installation, day: u64) -> u64 {
    let phones: Arc<Vec<Phone>> = Arc::new(it.fleet.phones().to_vec());
    let mut speaking = JoinSet::new();
    for first in 0..AT_ONCE {
        let (phones, road, now) = (phones.clone(), it.parts.database.road.clone(), it.now());
        speaking.spawn(async move {
            let mut done = 0;
            for (place, phone) in phones.iter().enumerate().skip(first).step_by(AT_ONCE) {
                if !(place as u64 + day).is_multiple_of(AWAY) {
                    done += converse(&*road, phone, now).await;
                }
            }
            done
        });
    }
    speaking.join_all().await.into_iter().sum()
}

async fn converse(road: &dyn DeviceRoad, phone: &Phone, now: Timestamp) -> u64 {
    let (mut done, mut report) = (0, None);
    loop {
        let answer = road.poll(Arc::new(phone.poll(report, now))).await.unwrap();
        let Some(next) = answer.served.expect("the device is enrolled").next else { return done };
        done += 1;
        let (state, result) = acknowledged(&next.command.to_string().to_uppercase(), &phone.key);
        report = Some(ReportStep { command: next.command, state, result, sealed: false, errors: json!([]) });
    }
}

fn acknowledged(command: &str, key: &str) -> (CommandState, Vec<u8>) {
    let plist = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict><key>CommandUUID</key>\
         <string>{command}</string><key>Status</key><string>Acknowledged</string><key>UDID</key><string>{key}</string>\
         <key>MessageResult</key><string>Success</string></dict></plist>"
    );
    (CommandState::Acknowledged, plist.into_bytes())
}
