//! Commands, carried out or refused as a real device would.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::Hardware;

/// "Recently", between a reset of the password or a user's way out, and lost mode.
const RECENTLY: Duration = Duration::from_secs(12 * 60 * 60);

/// What came of one command.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Done {
    /// The command's own status, under its name.
    pub(super) status: Option<(&'static str, Value)>,
    pub(super) error_code: Option<&'static str>,
    /// The device, or its work profile, is managed no more.
    pub(super) gone: bool,
    /// It was wiped, too.
    pub(super) wiped: bool,
    /// Something that the device logs.
    pub(super) locked: bool,
}

/// How the device is managed, as far as commands care.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) fully_managed: bool,
    pub(super) company_owned: bool,
}

impl Hardware {
    pub(super) fn execute(&mut self, command: &Value, standing: Standing, now: SystemTime) -> Done {
        match command["type"].as_str().unwrap_or_default() {
            "LOCK" => Done { locked: true, ..Done::default() },
            "RESET_PASSWORD" => self.reset_password(command, now),
            "REBOOT" => only(standing.fully_managed, Done::default()),
            "RELINQUISH_OWNERSHIP" => {
                let profile = standing.company_owned && !standing.fully_managed;
                only(profile, Done { gone: true, ..Done::default() })
            }
            "CLEAR_APP_DATA" => self.clear(command),
            "START_LOST_MODE" => self.start_lost_mode(standing, now),
            "STOP_LOST_MODE" => self.stop_lost_mode(),
            "WIPE" => Done { gone: true, wiped: true, ..Done::default() },
            _ => failed("UNSUPPORTED"),
        }
    }

    /// Android 14 wants six digits of a numeric password.
    fn reset_password(&mut self, command: &Value, now: SystemTime) -> Done {
        let password = command["newPassword"].as_str().unwrap_or_default();
        let numeric = !password.is_empty() && password.bytes().all(|it| it.is_ascii_digit());
        if numeric && password.len() < 6 && self.facts.android_version >= 14 {
            return failed("INVALID_VALUE");
        }
        self.facts.secure = !password.is_empty();
        self.password = Some(password.to_owned());
        self.password_reset = Some(now);
        Done::default()
    }

    fn start_lost_mode(&mut self, standing: Standing, now: SystemTime) -> Done {
        if !standing.company_owned {
            return failed("MANAGEMENT_MODE");
        }
        if self.facts.android_version < if standing.fully_managed { 11 } else { 13 } {
            return failed("API_LEVEL");
        }
        let recently = |at: Option<SystemTime>| {
            at.is_some_and(|at| now.duration_since(at).is_ok_and(|ago| ago < RECENTLY))
        };
        let word = if self.lost {
            "ALREADY_IN_LOST_MODE"
        } else if recently(self.password_reset) {
            "RESET_PASSWORD_RECENTLY"
        } else if recently(self.lost_mode_left_by_user) {
            "USER_EXIT_LOST_MODE_RECENTLY"
        } else {
            self.lost = true;
            "SUCCESS"
        };
        Done { status: Some(("startLostModeStatus", json!({"status": word}))), ..Done::default() }
    }

    fn stop_lost_mode(&mut self) -> Done {
        let word = if std::mem::take(&mut self.lost) { "SUCCESS" } else { "NOT_IN_LOST_MODE" };
        Done { status: Some(("stopLostModeStatus", json!({"status": word}))), ..Done::default() }
    }

    fn clear(&self, command: &Value) -> Done {
        let packages = command["clearAppsDataParams"]["packageNames"].as_array();
        let results = packages.into_iter().flatten().filter_map(Value::as_str).map(|name| {
            let there = self.facts.applications.iter().any(|it| it.package_name == name);
            let word = if there { "SUCCESS" } else { "APP_NOT_FOUND" };
            (name.to_owned(), json!({"clearingResult": word}))
        });
        let results = Value::Object(results.collect());
        Done { status: Some(("clearAppsDataStatus", json!({"results": results}))), ..Done::default() }
    }
}

fn only(allowed: bool, done: Done) -> Done {
    if allowed { done } else { failed("MANAGEMENT_MODE") }
}

fn failed(code: &'static str) -> Done {
    Done { error_code: Some(code), ..Done::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google::AndroidDevice;

    const FULL: Standing = Standing { fully_managed: true, company_owned: true };
    const PERSONAL: Standing = Standing { fully_managed: false, company_owned: false };

    fn at(hours: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + hours * 3600)
    }

    fn lost(hardware: &mut Hardware, hours: u64) -> String {
        let done = hardware.execute(&json!({"type": "START_LOST_MODE"}), FULL, at(hours));
        done.status.unwrap().1["status"].as_str().unwrap().to_owned()
    }

    #[test]
    fn lost_mode_after_a_reset_of_the_password_is_refused_for_twelve_hours() {
        let mut phone = Hardware::new(AndroidDevice::phone(1));
        let reset = json!({"type": "RESET_PASSWORD", "newPassword": "123456"});
        assert_eq!(phone.execute(&reset, FULL, at(0)), Done::default());
        assert_eq!(lost(&mut phone, 11), "RESET_PASSWORD_RECENTLY");
        assert_eq!(lost(&mut phone, 12), "SUCCESS");
        assert_eq!(lost(&mut phone, 13), "ALREADY_IN_LOST_MODE");
    }

    #[test]
    fn a_password_after_lost_mode_is_fine() {
        let mut phone = Hardware::new(AndroidDevice::phone(1));
        assert_eq!(lost(&mut phone, 0), "SUCCESS");
        let reset = json!({"type": "RESET_PASSWORD", "newPassword": "123456"});
        assert_eq!(phone.execute(&reset, FULL, at(0)), Done::default());
        assert_eq!(phone.password.as_deref(), Some("123456"));
    }

    #[test]
    fn what_a_device_cannot_do_it_refuses() {
        let mut phone = Hardware::new(AndroidDevice::personal_phone(1));
        for kind in ["REBOOT", "START_LOST_MODE", "RELINQUISH_OWNERSHIP"] {
            let done = phone.execute(&json!({"type": kind}), PERSONAL, at(0));
            assert_eq!(done.error_code, Some("MANAGEMENT_MODE"), "{kind}");
        }
        let short = phone.execute(&json!({"type": "RESET_PASSWORD", "newPassword": "1234"}), PERSONAL, at(0));
        assert_eq!(short.error_code, Some("INVALID_VALUE"));
        phone.facts.android_version = 10;
        assert_eq!(
            phone.execute(&json!({"type": "START_LOST_MODE"}), FULL, at(0)).error_code,
            Some("API_LEVEL")
        );
    }
}
