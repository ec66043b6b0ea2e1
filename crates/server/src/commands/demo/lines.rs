//! What the demo prints and exports.

use std::path::Path;

use anyhow::{Context as _, Result};
use domain::{DeviceView, Platform};

use super::{Keys, exported};
use crate::{output::say, serve::Running};

/// The keys, as soon as there are any.
pub fn keys(server: &Running, keys: &Keys) {
    let Keys { tenant, api_key, application, secret } = keys;
    say!("\nAPI key             {api_key}");
    say!("Application ID      {application}");
    say!("Application secret  {secret}");
    say!("customer id         {tenant}");
    say!("listeners           {} (devices), {} (APIs)\n", server.device_url(), server.api_url());
}

/// Lines to paste into a second terminal; about an iPhone, which shows the message.
pub fn curl(server: &Running, keys: &Keys, devices: &[DeviceView]) {
    let Keys { tenant, api_key, application, secret } = keys;
    let url = server.api_url();
    let is_iphone = |view: &&DeviceView| view.device.facts.platform == Some(Platform::Ios);
    let Some(DeviceView { device, .. }) = devices.iter().find(is_iphone).or(devices.first()) else { return };
    let (id, guid) = (device.id.client_id(), device.guid());
    say!("\n# Paste these into a second terminal. List the devices, and look at one:");
    for (call, body) in [("list", "{}".to_owned()), ("info", format!("{{\"clientid\":\"{id}\"}}"))] {
        say!("{}\n", device_api(url, api_key, call, &body));
    }
    say!("# Lock it:");
    let lock = format!("{{\"clientid\":\"{id}\",\"message\":\"hello\"}}");
    say!("{}\n", device_api(url, api_key, "lockscreen", &lock));
    say!("# Delete it for ever, by the lifecycle API:");
    say!("TOKEN=$(curl -s -X POST -u '{application}:{secret}' {url}/v1/login | cut -d'\"' -f4)");
    say!(
        "curl -i -X POST -H 'Content-Type: application/json; charset=utf-8' -H \"Authorization: Bearer $TOKEN\" \\\n  \
         -d '{{\"externalIds\": [\"{guid}\"]}}' {url}/device-lifecycle/v1/{tenant}/devices/purge/async/external\n"
    );
}

fn device_api(url: &str, api_key: &str, call: &str, body: &str) -> String {
    format!(
        "curl -s -X POST -H 'Content-Type: application/json' -H 'Authorization: Api-Key {api_key}' \\\n  \
         -d '{body}' {url}/api/mdm/v2/device/{call}"
    )
}

/// The same for programs; the file appears at once as a whole.
pub fn export(file: &Path, server: &Running, keys: &Keys, devices: &[DeviceView]) -> Result<()> {
    let half = file.with_extension("tmp");
    std::fs::write(&half, exported(server, keys, devices).to_string())
        .with_context(|| half.display().to_string())?;
    std::fs::rename(&half, file).with_context(|| file.display().to_string())
}
