//! `ReturnToService`: a device of OS 26 asks whether it may erase itself for its next user (Apple's
//! `mdm/checkin/returntoservice.yaml` of 26.0).

use plist::{Dictionary, Value};

use super::{Identifiers, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, parse_dictionary};
use crate::guard::Limits;

const RETURN_TO_SERVICE: &str = "ReturnToService";
const ENABLED: &str = "Enabled";

/// The question: `Enabled` in the answer erases the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReturnToService {
    /// Who sent it; never a user.
    pub ids: Identifiers,
}

/// The answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReturnToServiceAnswer {
    /// `Enabled`: true erases the device.
    pub enabled: bool,
}

impl ReturnToService {
    pub(super) const MESSAGE_TYPE: &'static str = RETURN_TO_SERVICE;

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        to_xml(start(ReturnToService::MESSAGE_TYPE, &self.ids))
    }
}

impl ReturnToServiceAnswer {
    /// The body that a server answers.
    pub fn encode(self) -> Vec<u8> {
        let answer = Dictionary::from_iter([(ENABLED, self.enabled)]);
        to_xml(Dictionary::from_iter([(RETURN_TO_SERVICE, Value::Dictionary(answer))]))
    }

    /// Reads what a server answered.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<ReturnToServiceAnswer, Malformed> {
        let dictionary = parse_dictionary(bytes, Limits::server_answer())?;
        let answer: Fields<'_> = Fields(&dictionary).required_dictionary(RETURN_TO_SERVICE)?;
        let enabled = answer.boolean(ENABLED)?.ok_or(Malformed::Missing { key: ENABLED })?;
        Ok(ReturnToServiceAnswer { enabled })
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckIn;
    use super::super::tests::a_device;
    use super::*;

    #[test]
    fn question_and_answer_are_read_back() {
        let message = ReturnToService { ids: a_device() };
        assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::ReturnToService(message)));
        for enabled in [false, true] {
            let answer = ReturnToServiceAnswer { enabled };
            assert_eq!(ReturnToServiceAnswer::parse(&answer.encode()), Ok(answer));
        }
        assert!(ReturnToServiceAnswer::parse(b"<plist><dict/></plist>").is_err());
    }
}
