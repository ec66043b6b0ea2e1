//! What a device is equipped with before it enrolls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{Rng, rngs::StdRng};
use simulator::{
    apns::WakeUps,
    apple_device::{DeviceModel, EnrollOptions, PushService, ScepOptions},
};

use crate::{journal::Journal, world::Shared};

/// For how long a device asks again for its certificate before it lets the user start anew.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pushes to a device's newest address, until it looks.
pub(super) type Issued = Arc<Mutex<Option<WakeUps>>>;

/// How the device of this number enrolls: a retry is the same request, and SCEP comes in several ways.
pub(super) fn options(
    world: &Shared,
    journal: &Arc<Journal>,
    issued: &Issued,
    number: u64,
    dice: &mut StdRng,
) -> EnrollOptions {
    let model = DeviceModel::nth(number);
    let (by_get, lose_answer) = (dice.random_ratio(1, 4), dice.random_ratio(1, 8));
    let scep = ScepOptions { by_get, lose_answer, patience: PATIENCE, ..ScepOptions::default() };
    let options = EnrollOptions::new(&world.installation.link, model, world.clock.clone())
        .keys(world.keys.clone())
        .scep(scep)
        .listener(journal.listener())
        .push_service(push_service(world, issued));
    EnrollOptions { transport: world.transport.clone(), ..options }
}

/// APNs knows every address before the server does, and keeps pushes to it until the device looks.
fn push_service(world: &Shared, issued: &Issued) -> PushService {
    let (world, issued) = (world.clone(), issued.clone());
    Arc::new(move |address| {
        let wakes = world.apns.register(&address.token, &address.magic);
        *issued.lock().unwrap_or_else(PoisonError::into_inner) = Some(wakes);
    })
}
