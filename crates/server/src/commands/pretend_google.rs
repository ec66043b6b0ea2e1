//! What the demo and the simulation do at a pretend Google: sign a tenant up, and let devices enroll.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use domain::{Actor, AndroidMethod, Mdm, NewAndroidEnrollment};
use simulator::google::{AndroidDevice, PretendGoogle};

use crate::wire::told;

/// Where a sign-up leads back to; nothing has to answer there.
const CALLBACK: &str = "https://pretend.example/signed-up";

/// How devices are managed, one after the other; the first two report everything that there is.
const METHODS: [AndroidMethod; 4] = [
    AndroidMethod::FullyManaged,
    AndroidMethod::CompanyOwnedWorkProfile,
    AndroidMethod::WorkProfile,
    AndroidMethod::Dedicated,
];

/// Makes the tenant's enterprise, as its administrator would.
pub async fn sign_up(mdm: &Mdm, actor: &Actor, google: &PretendGoogle) -> Result<()> {
    let account = google.service_account().as_bytes();
    let url = mdm.sign_up_for_android(actor, account, CALLBACK, None).await.map_err(told)?;
    let token = google.sign_up(&url).context("the pretend Google has invited nobody")?;
    mdm.create_android_enterprise(actor, &token).await.map(drop).map_err(told)
}

/// A token for each way to manage devices, made when it is first needed.
#[derive(Default)]
pub struct Tokens([Option<String>; METHODS.len()]);

impl Tokens {
    /// Lets a device enroll, the one of that number: its resource name.
    pub async fn enroll(
        &mut self,
        mdm: &Mdm,
        actor: &Actor,
        google: &PretendGoogle,
        number: u32,
    ) -> Result<String> {
        let turn = number.saturating_sub(1) as usize % METHODS.len();
        let token = match self.0[turn].clone() {
            Some(token) => token,
            None => self.0[turn].insert(token(mdm, actor, METHODS[turn]).await?).clone(),
        };
        let device = match METHODS[turn] {
            AndroidMethod::WorkProfile => AndroidDevice::personal_phone(number),
            _ => AndroidDevice::phone(number),
        };
        google
            .enroll(&token, device)
            .map_err(|why| anyhow!("Android device {number} could not enroll: {why}"))
    }
}

async fn token(mdm: &Mdm, actor: &Actor, method: AndroidMethod) -> Result<String> {
    let lifetime = Duration::from_hours(24);
    let new = NewAndroidEnrollment { method, channel: None, user: None, many: true, lifetime };
    Ok(mdm.add_android_enrollment(actor, &new).await.map_err(told)?.token)
}
