//! Command reports: a device polls, or says what became of a command.

use plist::{Dictionary, Value};
use std::fmt;

use crate::checkin::Identifiers;
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, parse_dictionary, put};
use crate::guard::Limits;

const MAX_COMMAND_UUID: usize = 128;
const MAX_STATUS: usize = 64;
const MAX_ERRORS: usize = 32;
const MAX_ERROR_TEXT: usize = 1024;

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A poll: about no command.
    Idle,
    /// Done. What was done stands in the body; a lock's message may still not have been shown.
    Acknowledged,
    /// Not done; the error chain says why.
    Error,
    /// The device could not read the command.
    CommandFormatError,
    /// Not now: the device forgets the command and polls again by itself, when it is to be sent again.
    NotNow,
}

impl Status {
    const ALL: [(&'static str, Status); 5] = [
        ("Idle", Status::Idle),
        ("Acknowledged", Status::Acknowledged),
        ("Error", Status::Error),
        ("CommandFormatError", Status::CommandFormatError),
        ("NotNow", Status::NotNow),
    ];

    /// Apple's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Idle => "Idle",
            Status::Acknowledged => "Acknowledged",
            Status::Error => "Error",
            Status::CommandFormatError => "CommandFormatError",
            Status::NotNow => "NotNow",
        }
    }

    /// Whether the command is over; a [`NotNow`](Status::NotNow) is not, an [`Idle`](Status::Idle) is about
    /// none.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Acknowledged | Status::Error | Status::CommandFormatError)
    }
}

/// One link of an error's causes, the outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorChainItem {
    /// `ErrorCode`, such as 12067 for a device that is not in Lost Mode.
    pub code: i64,
    /// `ErrorDomain`, such as `MCMDMErrorDomain`.
    pub domain: String,
    /// `LocalizedDescription`: in the device's language.
    pub localized_description: String,
    /// `USEnglishDescription`: not sent by every OS.
    pub us_english_description: Option<String>,
}

/// A message to the `ServerURL`. Its `Debug` leaves out the body, which may hold recovery keys and unlock
/// tokens.
#[derive(Clone, PartialEq)]
pub struct Report {
    /// How it went.
    pub status: Status,
    /// The command's `CommandUUID`, at most 128 bytes: always there but for [`Status::Idle`], which never has
    /// one.
    pub command_uuid: Option<String>,
    /// Who sent it.
    pub ids: Identifiers,
    /// Why it failed; at most 32 items with texts of at most 1,024 bytes.
    pub error_chain: Vec<ErrorChainItem>,
    /// All keys as sent, for the types of [`crate::inventory`] and others to read.
    pub body: Dictionary,
}

impl Report {
    /// Reads the body of a report or poll, at most 16 MiB.
    ///
    /// # Errors
    /// See [`Malformed`]; a required key that is missing or a key of the wrong type is named. A broken error
    /// chain is no error, because the status counts: what cannot be read of it is left out.
    pub fn parse(bytes: &[u8]) -> Result<Report, Malformed> {
        Report::read(parse_dictionary(bytes, Limits::report())?)
    }

    pub(crate) fn read(body: Dictionary) -> Result<Report, Malformed> {
        let fields = Fields(&body);
        let status = fields.required_text("Status", MAX_STATUS)?;
        let status = Status::ALL.into_iter().find(|(name, _)| *name == status).map(|(_, status)| status);
        let status = status.ok_or(Malformed::Invalid { key: "Status", rule: "is unknown" })?;
        let command_uuid = match status {
            Status::Idle => None,
            _ => Some(fields.required_text("CommandUUID", MAX_COMMAND_UUID)?),
        };
        let ids = Identifiers::read(fields)?;
        let error_chain = body.get("ErrorChain").map(error_chain).unwrap_or_default();
        Ok(Report { status, command_uuid, ids, error_chain, body })
    }

    /// A poll.
    pub fn idle(ids: Identifiers) -> Report {
        Report::new(Status::Idle, None, ids)
    }

    /// A command that was carried out; add its answers with [`with`](Self::with).
    pub fn acknowledged(ids: Identifiers, command_uuid: &str) -> Report {
        Report::new(Status::Acknowledged, Some(command_uuid), ids)
    }

    /// A command that failed.
    pub fn error(ids: Identifiers, command_uuid: &str, error_chain: Vec<ErrorChainItem>) -> Report {
        let chain = error_chain.iter().map(|item| Value::Dictionary(item.to_dictionary())).collect();
        let mut report =
            Report::new(Status::Error, Some(command_uuid), ids).with("ErrorChain", Value::Array(chain));
        report.error_chain = error_chain;
        report
    }

    /// A command that the device could not read.
    pub fn command_format_error(ids: Identifiers, command_uuid: &str) -> Report {
        Report::new(Status::CommandFormatError, Some(command_uuid), ids)
    }

    /// A command that the device puts off.
    pub fn not_now(ids: Identifiers, command_uuid: &str) -> Report {
        Report::new(Status::NotNow, Some(command_uuid), ids)
    }

    /// Adds an answer, such as `QueryResponses`, to the body.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Report {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        to_xml(self.body.clone())
    }

    fn new(status: Status, command_uuid: Option<&str>, ids: Identifiers) -> Report {
        let mut body = Dictionary::from_iter([("Status", status.as_str())]);
        put(&mut body, "CommandUUID", command_uuid);
        ids.write(&mut body);
        let command_uuid = command_uuid.map(str::to_owned);
        Report { status, command_uuid, ids, error_chain: Vec::new(), body }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("status", &self.status)
            .field("command_uuid", &self.command_uuid)
            .field("ids", &self.ids)
            .field("error_chain", &self.error_chain)
            .finish_non_exhaustive()
    }
}

impl ErrorChainItem {
    fn read(dictionary: &Dictionary) -> ErrorChainItem {
        let text =
            |key| dictionary.get(key).and_then(Value::as_string).map(|text| clip(text, MAX_ERROR_TEXT));
        ErrorChainItem {
            code: dictionary.get("ErrorCode").and_then(Value::as_signed_integer).unwrap_or_default(),
            domain: text("ErrorDomain").unwrap_or_default(),
            localized_description: text("LocalizedDescription").unwrap_or_default(),
            us_english_description: text("USEnglishDescription"),
        }
    }

    fn to_dictionary(&self) -> Dictionary {
        let mut dictionary = Dictionary::from_iter([("ErrorCode", self.code)]);
        put(&mut dictionary, "ErrorDomain", Some(self.domain.clone()));
        put(&mut dictionary, "LocalizedDescription", Some(self.localized_description.clone()));
        put(&mut dictionary, "USEnglishDescription", self.us_english_description.clone());
        dictionary
    }
}

fn error_chain(value: &Value) -> Vec<ErrorChainItem> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_dictionary).take(MAX_ERRORS).map(ErrorChainItem::read).collect()
}

/// The beginning of `text`, at most `max` bytes, cut between characters.
fn clip(text: &str, max: usize) -> String {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids() -> Identifiers {
        Identifiers { udid: Some("U-1".into()), ..Identifiers::default() }
    }

    fn edited(report: &Report, from: &str, to: &str) -> Result<Report, Malformed> {
        Report::parse(String::from_utf8(report.encode()).unwrap().replace(from, to).as_bytes())
    }

    #[test]
    fn an_idle_is_about_no_command_whatever_it_carries() {
        let report = Report::idle(ids()).with("CommandUUID", "stray");
        assert_eq!(Report::parse(&report.encode()).unwrap().command_uuid, None);
    }

    #[test]
    fn every_other_status_names_its_command() {
        for report in [
            Report::acknowledged(ids(), ""),
            Report::error(ids(), "", vec![]),
            Report::not_now(ids(), ""),
            Report::command_format_error(ids(), ""),
        ] {
            assert_eq!(Report::parse(&report.encode()), Err(Malformed::Missing { key: "CommandUUID" }));
        }
        let long = Report::not_now(ids(), &"x".repeat(129));
        assert!(matches!(Report::parse(&long.encode()), Err(Malformed::Invalid { key: "CommandUUID", .. })));
    }

    #[test]
    fn a_command_put_off_is_not_over() {
        let over: Vec<Status> =
            Status::ALL.map(|(_, status)| status).into_iter().filter(|s| s.is_final()).collect();
        assert_eq!(over, [Status::Acknowledged, Status::Error, Status::CommandFormatError]);
    }

    #[test]
    fn an_unknown_status_is_malformed() {
        assert!(edited(&Report::idle(ids()), "Idle", "Busy").is_err());
        assert_eq!(edited(&Report::idle(ids()), "U-1", ""), Err(Malformed::Missing { key: "UDID" }));
    }

    #[test]
    fn an_error_chain_is_read_outermost_first() {
        let item = |code: i64, text: &str| ErrorChainItem {
            code,
            domain: "MCMDMErrorDomain".into(),
            localized_description: text.into(),
            us_english_description: Some("English".into()),
        };
        let report = Report::error(ids(), "c", vec![item(12067, "nicht im Modus"), item(-7, "x")]);
        let read = Report::parse(&report.encode()).unwrap();
        assert_eq!(read.error_chain, [item(12067, "nicht im Modus"), item(-7, "x")]);
    }

    #[test]
    fn a_broken_error_chain_does_not_lose_the_status() {
        let chain = Value::Array(vec![
            Value::from("what"),
            Value::Dictionary(Dictionary::from_iter([("ErrorCode", "twelve"), ("ErrorDomain", "D")])),
        ]);
        let report = Report::error(ids(), "c", vec![]).with("ErrorChain", chain);
        let read = Report::parse(&report.encode()).unwrap();
        assert_eq!(read.status, Status::Error);
        assert_eq!(read.error_chain, [ErrorChainItem { domain: "D".into(), ..ErrorChainItem::default() }]);
        let report = report.with("ErrorChain", 5);
        assert_eq!(Report::parse(&report.encode()).unwrap().error_chain, []);
    }

    #[test]
    fn error_chains_are_bounded() {
        let item = ErrorChainItem { localized_description: "ü".repeat(2_000), ..ErrorChainItem::default() };
        let report = Report::error(ids(), "c", vec![item; 100]);
        let read = Report::parse(&report.encode()).unwrap();
        assert_eq!(read.error_chain.len(), 32);
        assert_eq!(read.error_chain[0].localized_description.len(), 1024);
    }

    #[test]
    fn its_debug_leaves_out_the_body() {
        let report = Report::acknowledged(ids(), "c").with("UnlockToken", "hush");
        assert!(!format!("{report:?}").contains("hush"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            uuid in "[A-Za-z0-9-]{1,128}", which in 0..5usize, code in any::<i64>(),
            text in "[^\\p{C}]{0,60}", answer in "[^\\p{C}]{0,60}",
        ) {
            let domain = text.clone();
            let item =
                ErrorChainItem { code, domain, localized_description: text, us_english_description: None };
            let report = match which {
                0 => Report::idle(ids()),
                1 => Report::acknowledged(ids(), &uuid),
                2 => Report::error(ids(), &uuid, vec![item]),
                3 => Report::not_now(ids(), &uuid),
                _ => Report::command_format_error(ids(), &uuid),
            }
            .with("Answer", answer);
            prop_assert_eq!(Report::parse(&report.encode()), Ok(report));
        }

        #[test]
        fn mutated_reports_never_panic(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = Report::error(ids(), "c", vec![ErrorChainItem::default()]).encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(report) = Report::parse(&bytes) {
                prop_assert!(!report.ids.device_key().is_empty());
                prop_assert_eq!(report.command_uuid.is_none(), report.status == Status::Idle);
            }
        }
    }
}
