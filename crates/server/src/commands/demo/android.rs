//! The demo's Android devices: a pretend Google, the tenant's enterprise there, and devices that live behind it.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use domain::{Actor, DeviceView, Mdm, Platform, TenantId};
use simulator::google::{PretendGoogle, PretendGoogleSettings};

use super::{
    super::pretend_google::{Tokens, sign_up},
    clock,
};
use crate::output::say;

/// How long a pull of the server's waits for a message.
const PULL_WAIT: Duration = Duration::from_secs(20);

/// A pretend Google that prints what its devices do, if there are to be any.
pub async fn google(devices: usize) -> Result<Option<PretendGoogle>> {
    if devices == 0 {
        return Ok(None);
    }
    let settings = PretendGoogleSettings { pull_wait: PULL_WAIT, ..PretendGoogleSettings::new(clock()) };
    let google = PretendGoogle::start(settings).await?;
    google.set_listener(Arc::new(|event| say!("{event}")));
    Ok(Some(google))
}

/// Sets the tenant up, and lets devices enroll and live; ends only with an error.
pub async fn live(mdm: &Mdm, tenant: TenantId, google: &PretendGoogle, devices: usize) -> Result<()> {
    let actor = Actor::local(tenant);
    sign_up(mdm, &actor, google).await?;
    let mut tokens = Tokens::default();
    for number in (1..).take(devices) {
        tokens.enroll(mdm, &actor, google, number).await?;
    }
    google.live().await;
    Ok(())
}

/// Whether it is an Android device that has said what it is.
pub fn is_known(view: &DeviceView) -> bool {
    view.device.facts.platform == Some(Platform::Android) && view.device.facts.os_version.is_some()
}
