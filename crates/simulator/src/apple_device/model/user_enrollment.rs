//! User Enrollment: the device is its user's own, and speaks of itself by a name that is good for one
//! enrollment.

use aws_lc_rs::digest::{SHA256, digest};

use super::DeviceModel;

/// How a device takes part in an organization without telling which device it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEnrollment {
    /// `EnrollmentID`: stands for the `UDID`, and is another one after every enrollment.
    pub enrollment_id: String,
    /// The Managed Apple Account of its user.
    pub managed_apple_account: String,
}

impl UserEnrollment {
    /// The `generation`th enrollment of the device with this UDID.
    pub(super) fn new(udid: &str, generation: u32, managed_apple_account: &str) -> UserEnrollment {
        let digest = digest(&SHA256, format!("{udid}|EnrollmentID|{generation}").as_bytes());
        let hex: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02X}")).collect();
        let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        UserEnrollment {
            enrollment_id: groups.join("-"),
            managed_apple_account: managed_apple_account.to_owned(),
        }
    }
}

impl DeviceModel {
    /// Whether it hides what it is, and may be told less.
    pub fn is_user_enrolled(&self) -> bool {
        self.user_enrollment.is_some()
    }

    /// By what it lets itself be called: the `EnrollmentID` or else the `SerialNumber`.
    pub(in crate::apple_device) fn calling_name(&self) -> &str {
        self.user_enrollment.as_ref().map_or(&self.serial_number, |user| &user.enrollment_id)
    }

    /// Under User Enrollment, the `EnrollmentID` of the `generation`th enrollment.
    pub(in crate::apple_device) fn begin_enrollment(&mut self, generation: u32) {
        if let Some(user) = &mut self.user_enrollment {
            *user = UserEnrollment::new(&self.udid, generation, &user.managed_apple_account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_enrollment_has_a_name_of_its_own_of_which_nothing_else_can_be_told() {
        let mut model = DeviceModel::user_enrolled_iphone(0);
        let first = model.identifiers();
        assert!(first.is_user_enrollment() && first.udid.is_none());
        assert_eq!(first.enrollment_id.as_deref(), Some(model.calling_name()));
        model.begin_enrollment(1);
        assert_ne!(model.identifiers(), first);
        assert_ne!(DeviceModel::user_enrolled_iphone(1).identifiers(), first);
    }

    #[test]
    fn it_authenticates_without_the_numbers_that_identify() {
        let message = DeviceModel::user_enrolled_iphone(0).authenticate("t");
        assert_eq!((message.serial_number, message.imei, message.ids.udid), (None, None, None));
        assert_eq!(message.os_version.as_deref(), Some("18.1"));
    }

    #[test]
    fn a_device_that_is_managed_as_a_whole_keeps_its_name() {
        let mut model = DeviceModel::iphone(0);
        model.begin_enrollment(1);
        assert_eq!(model, DeviceModel::iphone(0));
        assert_eq!(model.calling_name(), model.serial_number);
    }
}
