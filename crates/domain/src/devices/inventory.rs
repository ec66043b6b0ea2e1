//! What a device is asked about itself, and what its answers change.

use apple::facts::Os;
use apple::validate::Target;

use super::{Device, EnrollmentKind, Facts, Location, Platform};
use crate::{ChannelKey, Timestamp};

impl Device {
    /// `DeviceInformation` with every query that this device's OS knows, its enrollment allows and the Device API needs.
    pub(crate) fn inventory_queries(&self) -> apple::Command {
        let known = self.facts.target(&ChannelKey::default());
        let queries = apple::inventory::queries_of(&Target {
            os: known.os.or(Some(Os::IOs)),
            // What only supervised devices answer is asked once it is known that it is one.
            supervised: Some(known.supervised == Some(true)),
            ..known
        });
        apple::Command::DeviceInformation(apple::command::DeviceInformation {
            queries: queries.into_iter().map(str::to_owned).collect(),
        })
    }
}

impl Facts {
    /// What `Authenticate` tells.
    pub(crate) fn claimed_by(message: &apple::Authenticate) -> Self {
        let enrollment = match (&message.ids.udid, &message.ids.enrollment_id) {
            (None, Some(_)) => EnrollmentKind::User,
            _ => EnrollmentKind::Profile,
        };
        Self {
            platform: Some(Platform::from(message.platform())),
            enrollment,
            device_name: message.device_name.as_deref().map(printable),
            serial_number: message.serial_number.as_deref().map(printable),
            product_name: message.product_name.as_deref().or(message.model.as_deref()).map(printable),
            model_name: message.model_name.as_deref().map(printable),
            os_version: message.os_version.as_deref().map(printable),
            build_version: message.build_version.as_deref().map(printable),
            imeis: message.imei.as_deref().map(digits).filter(|imei| !imei.is_empty()).into_iter().collect(),
            meid: message.meid.as_deref().map(printable),
            ..Self::default()
        }
    }

    /// A new enrollment of the same device: what it now claims, over what is still true of the hardware.
    pub(crate) fn renew(&mut self, claimed: Self) {
        let before = std::mem::take(self);
        *self = Self {
            platform: claimed.platform.or(before.platform),
            access_rights: claimed.access_rights,
            device_name: claimed.device_name.or(before.device_name),
            serial_number: claimed.serial_number.or(before.serial_number),
            product_name: claimed.product_name.or(before.product_name),
            model_name: claimed.model_name.or(before.model_name),
            model_number: before.model_number,
            imeis: if claimed.imeis.is_empty() { before.imeis } else { claimed.imeis },
            meid: claimed.meid.or(before.meid),
            capacity_gb: before.capacity_gb,
            apple_silicon: before.apple_silicon,
            location: before.location,
            lost: before.lost,
            ..Self { enrollment: claimed.enrollment, os_version: claimed.os_version, ..Self::default() }
        };
        self.build_version = claimed.build_version;
    }

    /// What a `DeviceInformation` report that came at `told_at` tells; what it leaves out stays as it was.
    pub(crate) fn take_information(
        &mut self,
        told: &apple::inventory::DeviceInformation,
        told_at: Timestamp,
        now: Timestamp,
    ) {
        if self.status_at.is_none_or(|status_at| status_at <= told_at) {
            keep_text(&mut self.serial_number, told.serial_number.as_deref());
            keep_text(&mut self.product_name, told.product_name.as_deref());
            keep_text(&mut self.model_number, told.model_number.as_deref().or(told.model.as_deref()));
            keep_text(&mut self.os_version, told.os_version.as_deref());
            keep_text(&mut self.build_version, told.build_version.as_deref());
        }
        keep_text(&mut self.device_name, told.device_name.as_deref());
        keep_text(&mut self.model_name, told.model_name.as_deref());
        keep(&mut self.capacity_gb, told.device_capacity.as_ref());
        keep(&mut self.available_gb, told.available_device_capacity.as_ref());
        keep(&mut self.supervised, told.is_supervised.as_ref());
        keep(&mut self.roaming, told.is_roaming().as_ref());
        keep(&mut self.lost_mode, told.is_mdm_lost_mode_enabled.as_ref());
        keep(&mut self.apple_silicon, told.is_apple_silicon.as_ref());
        keep(&mut self.pin_required_for_lock, told.pin_required_for_device_lock.as_ref());
        keep(&mut self.pin_required_for_erase, told.pin_required_for_erase_device.as_ref());
        keep(&mut self.shared, told.is_multi_user.as_ref());
        // A device that answers with −1 does not know its charge, and neither do we from then on.
        self.battery_level = told.battery_level;
        let imeis: Vec<String> =
            told.imeis().iter().map(|imei| digits(imei)).filter(|imei| !imei.is_empty()).collect();
        if !imeis.is_empty() {
            self.imeis = imeis;
        }
        if self.platform.is_none() {
            let product = self.product_name.as_deref().and_then(apple::Platform::from_product_name);
            self.platform = product.map(Platform::from);
        }
        self.reported_at = Some(now);
    }

    /// What a device reports by itself; what it leaves out stays as it was.
    pub(crate) fn take_status(&mut self, told: &apple::declaration::status::StatusReport, now: Timestamp) {
        self.status_at = Some(now);
        keep_text(&mut self.serial_number, told.text("device.identifier.serial-number"));
        keep_text(&mut self.product_name, told.text("device.model.identifier"));
        keep_text(&mut self.model_number, told.text("device.model.number"));
        keep_text(&mut self.os_version, told.text("device.operating-system.version"));
        keep_text(&mut self.build_version, told.text("device.operating-system.build-version"));
        keep(&mut self.passcode_present, told.boolean("passcode.is-present").as_ref());
        keep(&mut self.passcode_compliant, told.boolean("passcode.is-compliant").as_ref());
    }

    /// Where a `DeviceLocation` report says that the device is; a report that does not say since when tells where it was when
    /// the report was read.
    pub(crate) fn take_location(&mut self, report: &apple::Report, now: Timestamp) {
        if let Some(told) = apple::inventory::DeviceLocationReport::from_report(report) {
            let at = told.timestamp.map_or(now, Timestamp::from);
            self.location = Some(Location { latitude: told.latitude, longitude: told.longitude, at });
        }
    }

    /// What a `SecurityInfo` report tells.
    pub(crate) fn take_security(&mut self, told: &apple::inventory::SecurityInfo) {
        keep(&mut self.passcode_present, told.passcode_present.as_ref());
        keep(&mut self.passcode_compliant, told.passcode_compliant.as_ref());
        if told.management_status.enrolled_via_dep == Some(true) {
            self.enrollment = EnrollmentKind::Automated;
        } else if told.management_status.is_user_enrollment == Some(true) {
            self.enrollment = EnrollmentKind::User;
        }
    }
}

fn keep_text(fact: &mut Option<String>, told: Option<&str>) {
    keep(fact, told.map(printable).as_ref());
}

/// A text as a device says it, without what is no text: databases do not keep U+0000, and logs are lines.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

fn keep<T: Clone>(fact: &mut Option<T>, told: Option<&T>) {
    if let Some(told) = told {
        *fact = Some(told.clone());
    }
}

/// An IMEI as it is stored and looked up: without spaces and hyphens.
pub(crate) fn digits(imei: &str) -> String {
    imei.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use apple::{declaration::status::StatusReport, inventory::DeviceInformation};

    use super::*;

    #[test]
    fn an_answer_that_is_applied_late_takes_back_nothing_that_the_device_told_since() {
        let status = r#"{"StatusItems":{"device":{"operating-system":{"version":"18.2"}}},"Errors":[]}"#;
        let status = StatusReport::parse(status.as_bytes()).unwrap();
        let answer = DeviceInformation {
            os_version: Some("18.1".into()),
            device_name: Some("iPhone".into()),
            ..DeviceInformation::default()
        };
        let os_after = |told_at| {
            let mut facts = Facts::default();
            facts.take_status(&status, Timestamp(1_000));
            facts.take_information(&answer, Timestamp(told_at), Timestamp(5_000));
            assert_eq!(facts.device_name.as_deref(), Some("iPhone"), "no status tells that");
            facts.os_version
        };
        assert_eq!(os_after(999).as_deref(), Some("18.2"));
        assert_eq!(os_after(1_001).as_deref(), Some("18.1"));
    }
}
