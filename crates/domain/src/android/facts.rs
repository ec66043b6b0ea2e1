//! What a device resource of Google's tells, in our words; what it leaves out stays as it was, and nothing is made up.

use std::time::SystemTime;

use ::android::{Management, enrollment::Channel};

use crate::{
    Device, Facts, InstalledApp, Location, Platform, Timestamp,
    devices::{AndroidChannel, AndroidFacts, AndroidManagement, digits, printable},
};

/// Apple counts storage in GB and the Device API makes MB of it by 1024: the same of bytes.
const BYTES_PER_GB: f64 = 1_073_741_824.0;

/// A version name longer than this is cut, in characters.
const LONGEST: usize = 255;

impl Device {
    /// How it is managed, if it is an Android device and that is known.
    pub(super) fn android_management(&self) -> Option<AndroidManagement> {
        self.facts.android.as_ref()?.management
    }

    /// What a command or a log says of the lost mode: `at` is when that was so.
    pub(super) fn lost_mode_is(&mut self, lost: bool, at: Timestamp) {
        self.facts.lost_mode = Some(lost);
        self.facts.android.get_or_insert_default().lost_mode_at = Some(at);
    }
}

impl Facts {
    /// Takes a report over; whether it was news, and not from before what is known.
    pub(super) fn take_android(&mut self, told: &::android::Device) -> bool {
        let at = told.last_status_report_time.or(told.enrollment_time).map(Timestamp::from);
        let before = self.android.clone().unwrap_or_default();
        if before.reported_at.is_some_and(|known| at.is_none_or(|at| at < known)) {
            return false;
        }
        self.platform = Some(Platform::Android);
        self.take_hardware(told);
        keep(&mut self.passcode_compliant, told.password_complies());
        let settings = told.device_settings.as_ref();
        keep(&mut self.passcode_present, settings.and_then(|settings| settings.is_device_secure));
        if let Some(lost) = told.is_lost()
            && at.is_none_or(|at| before.lost_mode_at.is_none_or(|known| at >= known))
        {
            self.lost_mode = Some(lost);
        }
        let state = told.applied_state.as_ref().or(told.state.as_ref());
        self.android = Some(AndroidFacts {
            management: told.management().map(Into::into).or(before.management),
            channel: channel(told).or(before.channel),
            state: state.map(|state| printable(state.word())).or(before.state.clone()),
            reported_at: at.or(before.reported_at),
            ..before
        });
        if let Some((level, measured)) = told.battery_level() {
            self.take_battery(level, measured.map(Into::into).or(at));
        }
        self.reported_at = at.or(self.reported_at);
        true
    }

    fn take_hardware(&mut self, told: &::android::Device) {
        let hardware = told.hardware_info.as_ref();
        keep_text(&mut self.model_name, hardware.and_then(|it| it.manufacturer.as_deref()));
        keep_text(&mut self.product_name, hardware.and_then(|it| it.model.as_deref()));
        keep_text(&mut self.serial_number, told.serial_number());
        let software = told.software_info.as_ref();
        keep_text(&mut self.os_version, software.and_then(|it| it.android_version.as_deref()));
        keep_text(&mut self.build_version, software.and_then(|it| it.android_build_number.as_deref()));
        keep(&mut self.capacity_gb, told.storage().map(gigabytes));
        keep(&mut self.available_gb, told.free_storage().map(gigabytes));
        let network = told.network_info.as_ref();
        keep_text(&mut self.meid, network.and_then(|it| it.meid.as_deref()));
        let imei = network.and_then(|it| it.imei.as_deref()).map(digits).filter(|imei| !imei.is_empty());
        if let Some(imei) = imei {
            self.imeis = vec![imei];
        }
    }

    /// The battery in percent; an older measurement tells nothing.
    pub(super) fn take_battery(&mut self, percent: u8, at: Option<Timestamp>) {
        let android = self.android.get_or_insert_default();
        if android.battery_at.is_none_or(|known| at.is_some_and(|at| at >= known)) {
            android.battery_at = at.or(android.battery_at);
            self.battery_level = Some(f64::from(percent) / 100.0);
        }
    }

    /// Where a lost device was; whether that is news.
    pub(super) fn take_place(&mut self, latitude: f64, longitude: f64, at: SystemTime) -> bool {
        let at = Timestamp::from(at);
        let is_news = self.location.is_none_or(|known| known.at < at);
        if is_news {
            self.location = Some(Location { latitude, longitude, at });
        }
        is_news
    }
}

/// What is installed, as the device reported it; `None` if it reported no application at all.
pub(super) fn applications(told: &::android::Device) -> Option<Vec<InstalledApp>> {
    if told.application_reports.is_empty() {
        return None;
    }
    let mut apps: Vec<InstalledApp> = told.installed_applications().filter_map(application).collect();
    apps.sort_by(|one, other| one.id.cmp(&other.id));
    apps.dedup_by(|one, other| one.id == other.id);
    apps.truncate(crate::APP_LIMIT as usize);
    Some(apps)
}

fn application(report: &::android::device::ApplicationReport) -> Option<InstalledApp> {
    let text = |text: &Option<String>| text.as_deref().map(short).filter(|text| !text.is_empty());
    let from_play = |source: &::android::device::ApplicationSource| {
        *source == ::android::device::ApplicationSource::InstalledFromPlayStore
    };
    Some(InstalledApp {
        id: text(&report.package_name)?,
        name: text(&report.display_name),
        version: text(&report.version_name),
        from_store: report.application_source.as_ref().map(from_play),
    })
}

impl From<Management> for AndroidManagement {
    fn from(management: Management) -> Self {
        match management {
            Management::WorkProfile => Self::WorkProfile,
            Management::FullyManaged => Self::FullyManaged,
            Management::CompanyOwnedWorkProfile => Self::CompanyOwnedWorkProfile,
        }
    }
}

/// Google does not say it: the token by which the device came does.
fn channel(told: &::android::Device) -> Option<AndroidChannel> {
    match told.token_data()?.channel() {
        Channel::ZeroTouch => Some(AndroidChannel::ZeroTouch),
        Channel::Knox => Some(AndroidChannel::Knox),
        Channel::Direct => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "no device has 2^53 bytes")]
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / BYTES_PER_GB
}

fn keep<T>(fact: &mut Option<T>, told: Option<T>) {
    if told.is_some() {
        *fact = told;
    }
}

fn keep_text(fact: &mut Option<String>, told: Option<&str>) {
    keep(fact, told.map(short).filter(|text| !text.is_empty()));
}

fn short(text: &str) -> String {
    printable(text).trim().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(more: &str) -> ::android::Device {
        let json = format!(r#"{{"name":"enterprises/E/devices/D",{more}}}"#);
        ::android::Device::decode(json.as_bytes()).unwrap()
    }

    #[test]
    fn an_older_report_tells_nothing() {
        let mut facts = Facts::default();
        let newer =
            told(r#""lastStatusReportTime":"2024-01-02T00:00:00Z","softwareInfo":{"androidVersion":"15"}"#);
        let older =
            told(r#""lastStatusReportTime":"2024-01-01T00:00:00Z","softwareInfo":{"androidVersion":"14"}"#);
        assert!(facts.take_android(&newer));
        assert!(!facts.take_android(&older));
        assert!(facts.take_android(&newer), "the same again is as good");
        assert_eq!(facts.os_version.as_deref(), Some("15"));
        assert!(!facts.take_android(&told(r#""state":"ACTIVE""#)), "a report of no time is older than any");
    }

    #[test]
    fn what_google_does_not_say_is_not_made_up() {
        let mut facts = Facts::default();
        facts.take_android(&told(r#""managementMode":"PROFILE_OWNER","ownership":"PERSONALLY_OWNED""#));
        let android = facts.android.clone().unwrap();
        assert_eq!(android.management, Some(AndroidManagement::WorkProfile));
        assert_eq!((facts.roaming, facts.device_name.as_deref(), facts.battery_level), (None, None, None));
        assert_eq!((facts.lost_mode, facts.location, facts.capacity_gb), (None, None, None));
    }

    #[test]
    fn a_report_from_before_the_command_says_nothing_of_lost_mode() {
        let report = told(r#""appliedState":"ACTIVE","lastStatusReportTime":"2024-01-02T00:00:00Z""#);
        let reported = Timestamp::from(report.last_status_report_time.unwrap());
        for (known, lost) in [(Timestamp(reported.0 + 1), true), (reported, false)] {
            let mut facts = Facts { lost_mode: Some(true), ..Facts::default() };
            facts.android = Some(AndroidFacts { lost_mode_at: Some(known), ..AndroidFacts::default() });
            facts.take_android(&report);
            assert_eq!(facts.lost_mode, Some(lost));
        }
    }

    #[test]
    fn the_newest_place_and_charge_count() {
        let mut facts = Facts::default();
        let at = |seconds: i64| Timestamp(seconds * 1000).system_time();
        assert!(facts.take_place(1.0, 2.0, at(10)));
        assert!(!facts.take_place(3.0, 4.0, at(9)));
        assert!(!facts.take_place(3.0, 4.0, at(10)), "told twice");
        assert_eq!(facts.location.unwrap().latitude, 1.0);
        facts.take_battery(80, Some(Timestamp(10)));
        facts.take_battery(20, Some(Timestamp(9)));
        assert_eq!(facts.battery_level, Some(0.8));
    }
}
