//! `CheckOut`: the profile was removed (Apple's `mdm/checkin/checkout.yaml`).

use super::{Identifiers, MAX_TEXT, TOPIC, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed};

/// The last message of an enrollment: sent once, only if the profile has `CheckOutWhenRemoved`, and only if
/// the device is online at that moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckOut {
    /// `Topic`: that of the enrollment.
    pub topic: String,
    /// Who sent it. If it is a user, only that user has left, not the device.
    pub ids: Identifiers,
}

impl CheckOut {
    pub(super) const MESSAGE_TYPE: &'static str = "CheckOut";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<CheckOut, Malformed> {
        Ok(CheckOut { topic: fields.required_text(TOPIC, MAX_TEXT)?, ids })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(CheckOut::MESSAGE_TYPE, &self.ids);
        dictionary.insert(TOPIC.into(), self.topic.clone().into());
        to_xml(dictionary)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::a_device;
    use super::super::{Channel, CheckIn};
    use super::*;

    #[test]
    fn what_is_encoded_is_read_back() {
        let message = CheckOut { topic: "com.apple.mgmt.x".into(), ids: a_device() };
        assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::CheckOut(message)));
    }

    #[test]
    fn a_user_that_leaves_is_told_from_a_device_that_leaves() {
        let ids = Identifiers { user_id: Some("U-1".into()), ..a_device() };
        let message = CheckOut { topic: "com.apple.mgmt.x".into(), ids };
        let read = CheckIn::parse(&message.encode()).unwrap();
        assert_eq!(read.ids().channel(), Channel::User { key: "U-1".into() });
    }
}
