//! What the database keeps of each device: the PINs of locked Macs, and the channels of their users.

use std::collections::HashSet;

use domain::{ChannelKey, CommandId, Device, DeviceName, TenantId, ports::Tx};
use store::Opened;
use uuid::Uuid;

use crate::{
    handset::{Handset, Standing},
    journal::{Deed, Pages},
    record::Finding,
    world::World,
};

/// Of so many Macs the PIN is revealed as its owner does it: each takes a process.
const REVEALED: usize = 5;

/// No Mac is locked more often.
const MOST_PINS: u32 = 10_000;

/// Compares every device that is managed in the end with what is kept of it.
pub async fn look(world: &World, database: &Opened, handsets: &[Handset]) {
    let tenant = TenantId(Uuid::parse_str(&world.installation.tenant).expect("the tenant's id"));
    let mut tx = database.store.read(tenant).await.expect("a transaction that reads");
    let mut revealed = 0;
    for handset in handsets.iter().filter(|handset| handset.standing == Standing::Managed) {
        let name = DeviceName::SerialNumber(handset.serial_number().to_owned());
        // Whoever is managed and not there was found before.
        let Some(device) = tx.device_named(&name).await.expect("a device") else { continue };
        let pages = handset.journal.pages();
        let unkept =
            [unkept_pins(&mut *tx, &device, &pages).await, untold_user(&mut *tx, &device, handset).await];
        for what in unkept.into_iter().flatten() {
            world.record.find(Finding::Lost(format!("{}: {what}", handset.serial_number())));
        }
        if let Some(pin) = last_pin(&pages).filter(|_| revealed < REVEALED) {
            revealed += 1;
            reveal(world, &device, handset.serial_number(), pin);
        }
    }
}

/// The PIN of a lock is kept before the lock can leave: whatever was handed over has one.
async fn unkept_pins(tx: &mut dyn Tx, device: &Device, pages: &Pages) -> Option<String> {
    let kept = tx.escrow(device.id, "lock-pin", MOST_PINS).await.expect("what is in escrow");
    let kept: HashSet<_> = kept.into_iter().filter_map(|row| row.command).collect();
    let is_kept = |command: &str| Uuid::parse_str(command).is_ok_and(|id| kept.contains(&CommandId(id)));
    let unkept: Vec<_> = of_now(pages).filter(|deed| !is_kept(&deed.command)).collect();
    (!unkept.is_empty()).then(|| format!("the PINs of {unkept:?} are not kept"))
}

/// What the user's last `TokenUpdate` that was answered with 200 told.
async fn untold_user(tx: &mut dyn Tx, device: &Device, handset: &Handset) -> Option<String> {
    let user = handset.user()?;
    let channel = tx.channel(device.enrollment, &ChannelKey(user.user.into())).await.expect("a channel");
    let kept = channel.map(|channel| channel.push_token);
    (kept.as_ref() != Some(&user.token)).then(|| format!("its user told {user:?}, and {kept:?} is kept"))
}

/// Its owner can unlock it.
fn reveal(world: &World, device: &Device, serial_number: &str, pin: &str) {
    let id = device.id.client_id();
    let command = ["device", "reveal-pin", &id, "--tenant", &world.installation.tenant];
    let told = world.installation.run(&command);
    let others = told["others"].as_array().into_iter().flatten().map(|other| &other["pin"]);
    if std::iter::once(&told["pin"]).chain(others).all(|told| told != pin) {
        world
            .record
            .find(Finding::Lost(format!("{serial_number}: was locked with {pin}, and {told} is revealed")));
    }
}

fn last_pin(pages: &Pages) -> Option<&str> {
    let last = of_now(pages).max_by_key(|deed| deed.at)?;
    pages.pins.get(&last.command).map(String::as_str)
}

/// The locks with a PIN that were done to the device since it last came or went: its record may be another one
/// since.
fn of_now(pages: &Pages) -> impl Iterator<Item = &Deed> {
    let since = pages.parted;
    pages.deeds.iter().filter(move |deed| {
        deed.done && pages.pins.contains_key(&deed.command) && since.is_none_or(|since| deed.at > since)
    })
}
