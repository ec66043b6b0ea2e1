//! What a device sent, told apart by the body alone.

use crate::checkin::{CheckIn, MESSAGE_TYPE};
use crate::fields::{Malformed, parse_dictionary};
use crate::guard::Limits;
use crate::report::Report;

/// A body from a device whose content type was not said. Command polls may come without one, and check-ins
/// come to the `ServerURL` where the profile has no `CheckInURL`.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// It has a `MessageType`.
    CheckIn(CheckIn),
    /// It has none.
    Report(Report),
}

impl Message {
    /// Reads either kind within [`Limits::report`], so only after the sender was authenticated.
    ///
    /// # Errors
    /// See [`Malformed`]; a required key that is missing or a key of the wrong type is named.
    pub fn parse(bytes: &[u8]) -> Result<Message, Malformed> {
        let dictionary = parse_dictionary(bytes, Limits::report())?;
        if dictionary.contains_key(MESSAGE_TYPE) {
            CheckIn::read(&dictionary).map(Message::CheckIn)
        } else {
            Report::read(dictionary).map(Message::Report)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkin::{CheckOut, Identifiers};

    #[test]
    fn a_check_in_is_told_from_a_report_by_its_message_type() {
        let ids = Identifiers { udid: Some("U".into()), ..Identifiers::default() };
        let check_out = CheckOut { topic: "com.apple.mgmt.x".into(), ids: ids.clone() };
        assert_eq!(
            Message::parse(&check_out.encode()),
            Ok(Message::CheckIn(CheckIn::CheckOut(check_out.clone())))
        );
        let idle = Report::idle(ids);
        assert_eq!(Message::parse(&idle.encode()), Ok(Message::Report(idle)));
    }

    #[test]
    fn neither_is_malformed() {
        assert_eq!(Message::parse(b"<plist><dict/></plist>"), Err(Malformed::Missing { key: "Status" }));
    }
}
