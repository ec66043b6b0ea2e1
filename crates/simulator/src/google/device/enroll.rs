//! Enrollment: a token makes a device managed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{AndroidDevice, Hardware};
use crate::google::event::AndroidHappening;
use crate::google::time;
use crate::google::world::{Device, Enterprise, World};

impl World {
    /// Takes the token, makes the record, and tells of it.
    pub(in crate::google) fn enroll(&mut self, value: &str, facts: AndroidDevice) -> Result<String, String> {
        let now = self.now();
        let id = format!("3{:015x}", self.next());
        let enterprise = self.enterprises.values_mut().find(|it| token(it, value).is_some());
        let enterprise = enterprise.ok_or("no such token")?;
        let owner = enterprise.resource["name"].as_str().unwrap_or_default().to_owned();
        let known = token(enterprise, value).ok_or("no such token")?;
        if known.end <= now {
            return Err("the token has expired".to_owned());
        }
        if known.resource["oneTimeOnly"] == true && known.used {
            return Err("the token was used".to_owned());
        }
        let (mode, ownership) = management(&known.resource, &facts)?;
        let policy = known.resource["policyName"].clone();
        let (token_name, data) = (known.resource["name"].clone(), known.resource["additionalData"].clone());
        let name = format!("{owner}/devices/{id}");
        let earlier = earlier_names(enterprise, &facts, ownership);
        let resource = json!({
            "name": name, "managementMode": mode, "ownership": ownership, "state": "ACTIVE",
            "appliedState": "ACTIVE", "policyName": policy, "policyCompliant": true,
            "enrollmentTime": time::rfc3339(now), "enrollmentTokenName": token_name,
            "enrollmentTokenData": data, "previousDeviceNames": earlier, "apiLevel": 20 + facts.android_version,
            "userName": format!("{owner}/users/{id}"), "hardwareInfo": hardware_info(&facts, ownership),
        });
        let device = Device { resource: resource.clone(), operations: BTreeMap::new() };
        enterprise.devices.insert(name.clone(), device);
        let used = enterprise.tokens.values_mut().find(|it| it.value == value);
        used.into_iter().for_each(|token| token.used = true);
        let known_as = resource["hardwareInfo"]["serialNumber"].as_str().unwrap_or_default().to_owned();
        self.hardware.insert(name.clone(), Hardware { known_as, ..Hardware::new(facts) });
        self.tell(&name, AndroidHappening::Enrolled);
        self.notify(&name, "ENROLLMENT", Some(&resource));
        Ok(name)
    }
}

fn token<'a>(enterprise: &'a Enterprise, value: &str) -> Option<&'a crate::google::world::Token> {
    enterprise.tokens.values().find(|it| it.value == value)
}

/// What the token says, and where it is used, decide together.
fn management(token: &Value, facts: &AndroidDevice) -> Result<(&'static str, &'static str), String> {
    match (token["allowPersonalUsage"].as_str().unwrap_or("PERSONAL_USAGE_ALLOWED"), facts.company_owned) {
        ("PERSONAL_USAGE_ALLOWED", true) => Ok(("PROFILE_OWNER", "COMPANY_OWNED")),
        ("PERSONAL_USAGE_ALLOWED", false) => Ok(("PROFILE_OWNER", "PERSONALLY_OWNED")),
        (_, true) => Ok(("DEVICE_OWNER", "COMPANY_OWNED")),
        (_, false) => Err("the token is for new devices".to_owned()),
    }
}

/// From Android 12 on a personal device keeps its real serial number to itself.
pub(super) fn hardware_info(facts: &AndroidDevice, ownership: &str) -> Value {
    let id = format!("ESID{}", facts.serial_number);
    let hidden = ownership == "PERSONALLY_OWNED" && facts.android_version >= 12;
    json!({
        "manufacturer": facts.manufacturer, "brand": facts.manufacturer.to_lowercase(), "model": facts.model,
        "serialNumber": if hidden { &id } else { &facts.serial_number }, "enterpriseSpecificId": id,
        "hardware": "tokay", "deviceBasebandVersion": "g5400c-241017-241021-B-12529336",
    })
}

fn earlier_names(enterprise: &Enterprise, facts: &AndroidDevice, ownership: &str) -> Vec<Value> {
    let serial = hardware_info(facts, ownership)["serialNumber"].clone();
    let same = enterprise.devices.values().filter(|it| it.resource["hardwareInfo"]["serialNumber"] == serial);
    same.map(|it| it.resource["name"].clone()).collect()
}
