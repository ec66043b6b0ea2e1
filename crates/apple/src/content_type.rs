//! The media types of Apple's protocol, and how they are recognised in a header.

/// A check-in: Authenticate, TokenUpdate, CheckOut and the others with a `MessageType`.
pub const CHECK_IN: &str = "application/x-apple-aspen-mdm-checkin";
/// A poll or the result of a command.
pub const REPORT: &str = "application/x-apple-aspen-mdm";
/// A configuration profile, the answer to an enrollment request.
pub const PROFILE: &str = "application/x-apple-aspen-config";
/// A command on its way to the device.
pub const COMMAND: &str = "application/xml; charset=UTF-8";

/// Our answer to a check-in that has one, but for declarative management.
pub const ANSWER: &str = "application/xml; charset=UTF-8";
/// Our answers to declarative management.
pub const DECLARATION: &str = "application/json";

/// What a body is, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// [`CHECK_IN`].
    CheckIn,
    /// [`REPORT`].
    Report,
    /// [`PROFILE`].
    Profile,
}

impl ContentType {
    /// Reads a `Content-Type` header; parameters (`; charset=UTF-8`) and letter case do not count. `None` is
    /// any other type, and not always an error: command polls may come without one ([`crate::Message::parse`]
    /// tells them apart).
    pub fn from_header(value: &str) -> Option<ContentType> {
        let media_type = value.split(';').next().unwrap_or(value).trim();
        [(CHECK_IN, ContentType::CheckIn), (REPORT, ContentType::Report), (PROFILE, ContentType::Profile)]
            .into_iter()
            .find(|(name, _)| media_type.eq_ignore_ascii_case(name))
            .map(|(_, content_type)| content_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_letter_case_do_not_count() {
        for header in [
            "application/x-apple-aspen-mdm; charset=UTF-8",
            "Application/X-Apple-Aspen-MDM",
            " application/x-apple-aspen-mdm ;x",
        ] {
            assert_eq!(ContentType::from_header(header), Some(ContentType::Report), "{header}");
        }
    }

    #[test]
    fn a_check_in_is_not_taken_for_the_report_type_that_it_begins_with() {
        assert_eq!(ContentType::from_header(CHECK_IN), Some(ContentType::CheckIn));
        assert_eq!(
            ContentType::from_header("application/x-apple-aspen-mdm-checkin;charset=utf-8"),
            Some(ContentType::CheckIn)
        );
        assert_eq!(ContentType::from_header(PROFILE), Some(ContentType::Profile));
    }

    #[test]
    fn other_types_are_none() {
        for header in ["", ";", "text/xml", "application/x-apple-aspen-mdm2", "application/x-apple-aspen"] {
            assert_eq!(ContentType::from_header(header), None, "{header}");
        }
    }
}
