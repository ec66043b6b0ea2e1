//! How a device leaves its management for good: its profile is removed, or it is erased.

use super::declarations::Declarations;
use super::failure::Failure;
use super::{AppleDevice, Management};

const ERASED: &str = "the device was erased";

/// What follows the report of the command that ends the management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// `CheckOut`, if the profile wants it.
    ProfileRemoved,
    /// Nothing that anybody hears.
    Erased,
}

impl AppleDevice {
    /// Erases itself, as by its user in the settings, and says nothing to anybody: management, passcode, Lost
    /// Mode, profiles and name are gone. It is the same hardware, which can enroll anew
    /// ([`re_enroll`](Self::re_enroll)). Its old certificate stays readable, for tests of what a server
    /// refuses; any command of before that is handed over once more is a breach, because it would be done to
    /// another enrollment.
    pub fn erase(&mut self) {
        self.options.model.erase();
        self.profiles.clear();
        self.declarations = Declarations::default();
        self.bootstrap_token = None;
        self.ledger.forget();
        self.drop_management(ERASED);
    }

    /// Whether it was erased and has not been enrolled since.
    pub fn is_erased(&self) -> bool {
        matches!(&self.management, Management::Dropped(why) if why == ERASED)
    }

    pub(super) async fn depart(&mut self, departure: Departure) -> Result<(), Failure> {
        match departure {
            Departure::ProfileRemoved => self.check_out().await,
            Departure::Erased => {
                self.erase();
                Ok(())
            }
        }
    }
}
