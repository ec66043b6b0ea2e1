//! What is wrong with a message: where, what was found, what is allowed.

use std::fmt;

use plist::Value;

use crate::facts::{Format, Os, Rule, Trait, Type};
use crate::platform::OsVersion;

/// How many allowed values or keys a text lists.
const LISTED: usize = 24;
/// How much of a found text is repeated.
const REPEATED: usize = 64;

/// What was found out about a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Why the device would refuse it, or not understand it.
    pub faults: Vec<Fault>,
    /// What works and should be looked at: deprecated, or without effect on this device.
    pub warnings: Vec<Fault>,
}

impl Verdict {
    /// Whether the device would take it.
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One thing that is wrong. Its text may be logged: it repeats a value only where Apple lists the values that
/// may stand there, never a password or a PIN.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// From the outside in: `Settings[2].Item`. `RequestType` stands for the command itself; empty where keys
    /// are judged together.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return self.problem.fmt(f);
        }
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are what the sentence of `Display` names")]
pub enum Problem {
    /// Apple has no such command, payload, declaration.
    UnknownName {
        what: &'static str,
        found: String,
    },
    /// Apple has no such key here.
    UnknownKey {
        allowed: Vec<&'static str>,
    },
    /// The key must be there.
    Missing {
        of: Type,
    },
    /// A value of another type.
    WrongType {
        found: &'static str,
        allowed: Type,
    },
    /// A value that is none of those that Apple lists.
    NotListed {
        found: String,
        allowed: Vec<String>,
    },
    /// A number below or above what is allowed.
    OutOfRange {
        found: f64,
        min: f64,
        max: f64,
    },
    /// A text that is not written as it must be.
    Malformed {
        length: usize,
        format: Format,
    },
    /// Too few or too many items.
    Count {
        found: usize,
        min: u32,
        max: u32,
    },
    /// Nothing where something must be.
    Empty,
    /// Too many bytes.
    TooLong {
        found: usize,
        max: u32,
    },
    /// None of the keys of which one is needed.
    NoneOf {
        keys: &'static [&'static str],
    },
    /// More than one of the keys that exclude each other.
    MoreThanOneOf {
        keys: &'static [&'static str],
    },
    /// Required because another key has a certain value.
    RequiredBy {
        key: &'static str,
        value: &'static str,
    },
    /// Required because another key is there.
    RequiredWith {
        key: &'static str,
    },
    /// Not allowed because another key has a certain value.
    ExcludedBy {
        key: &'static str,
        value: &'static str,
    },
    /// A number whose bits ask for others that are not set.
    BitWithout {
        bit: u32,
        needed: u32,
    },
    /// Not allowed unless another key has a certain value.
    OnlyWith {
        key: &'static str,
        value: &'static str,
    },
    /// Before a version, nothing may stand beside it.
    NotAlone {
        os: Os,
        before: OsVersion,
    },
    /// Only a device with that trait knows it.
    NeedsTrait {
        needed: Trait,
    },
    /// A device with that trait needs the key.
    RequiredFor {
        device: Trait,
    },
    /// Such a device comes to harm by it.
    Harmful {
        os: Os,
        before: OsVersion,
        device: Trait,
    },
    /// JSON's null, which no message has.
    Null,
    NotOn {
        os: Os,
    },
    TooOld {
        os: Os,
        since: OsVersion,
        version: OsVersion,
    },
    Removed {
        os: Os,
        removed: OsVersion,
        version: OsVersion,
    },
    NeedsSupervision,
    NeedsAutomatedEnrollment,
    NeedsUserApproval,
    NotUnderUserEnrollment,
    OnlyUnderUserEnrollment,
    NotOnSharedIpad,
    OnlyOnSharedIpad,
    NeedsRight {
        bit: u16,
    },
    NotOnDeviceChannel,
    NotOnUserChannel,
    /// The schema names the kinds of enrollment that may have it, and this is none of them.
    OtherEnrollment,
    /// A warning: it still works.
    Deprecated {
        os: Os,
        since: OsVersion,
    },
    /// A warning: the device takes it and does nothing with it.
    Ignored,
    /// Data that is no profile where one must be.
    NoProfile,
    /// A warning: `http://` to the very machine, which only a pretend device takes.
    Loopback,
    /// A warning: an encrypted profile was not looked into.
    NotLookedInto,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::UnknownName { what, found } => {
                write!(f, "found {found:?}, which is no {what} of Apple's")
            }
            Problem::UnknownKey { allowed } => {
                write!(f, "unknown key; allowed: {}", listed(allowed))
            }
            Problem::Missing { of } => write!(f, "missing; a value of the type {} is required", of.name()),
            Problem::WrongType { found, allowed } => {
                write!(f, "found {found}; allowed: {}", allowed.name())
            }
            Problem::NotListed { found, allowed } => {
                write!(f, "found {found}; allowed: {}", listed(allowed))
            }
            Problem::OutOfRange { found, min, max } => {
                write!(f, "found {found}; allowed: {}", range(*min, *max))
            }
            Problem::Malformed { length, format } => {
                write!(f, "found a text of {length} characters; allowed: {}", format_name(*format))
            }
            Problem::Count { found, min, max } => write!(f, "found {found} items; allowed: {min} to {max}"),
            Problem::Empty => f.write_str("found nothing in it; at least one is required"),
            Problem::TooLong { found, max } => write!(f, "found {found} bytes; allowed: at most {max}"),
            Problem::NoneOf { keys } => write!(f, "missing; one of these is required: {}", keys.join(", ")),
            Problem::MoreThanOneOf { keys } => write!(f, "only one of these is allowed: {}", keys.join(", ")),
            Problem::RequiredBy { key, value } => write!(f, "missing; required where {key} is {value}"),
            Problem::RequiredWith { key } => write!(f, "missing; required beside {key}"),
            Problem::ExcludedBy { key, value } => write!(f, "not allowed where {key} is {value}"),
            Problem::BitWithout { bit, needed } => write!(f, "{bit} is allowed only together with {needed}"),
            Problem::OnlyWith { key, value } => write!(f, "allowed only where {key} is {value}"),
            Problem::NotAlone { os, before } => {
                write!(f, "before {os} {before}, no other key is allowed beside it")
            }
            Problem::NeedsTrait { needed } => write!(f, "only for {}", trait_name(*needed)),
            Problem::RequiredFor { device } => write!(f, "missing; required for {}", trait_name(*device)),
            Problem::Harmful { os, before, device } => {
                write!(f, "harms {}; allowed: {os} {before} and later", trait_name(*device))
            }
            Problem::Null => f.write_str("found null, which is no value here"),
            other => other.fmt_terms(f),
        }
    }
}

impl Problem {
    /// Those that speak of the device and its enrollment.
    fn fmt_terms(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NotOn { os } => write!(f, "not available on {os}"),
            Problem::TooOld { os, since, version } => {
                write!(f, "found {os} {version}; allowed: {os} {since} and later")
            }
            Problem::Removed { os, removed, .. } if *removed == OsVersion::default() => {
                write!(f, "never available on {os}")
            }
            Problem::Removed { os, removed, version } => {
                write!(f, "found {os} {version}; allowed: before {os} {removed}, which removed it")
            }
            Problem::NeedsSupervision => f.write_str("only for supervised devices"),
            Problem::NeedsAutomatedEnrollment => {
                f.write_str("only for devices of Automated Device Enrollment")
            }
            Problem::NeedsUserApproval => f.write_str("only where the user approved the enrollment"),
            Problem::NotUnderUserEnrollment => f.write_str("not allowed under User Enrollment"),
            Problem::OnlyUnderUserEnrollment => f.write_str("allowed only under User Enrollment"),
            Problem::NotOnSharedIpad => f.write_str("not allowed on a Shared iPad"),
            Problem::OnlyOnSharedIpad => f.write_str("allowed only on a Shared iPad"),
            Problem::NeedsRight { bit } => {
                write!(f, "the enrollment does not grant the access right {bit} ({})", right_name(*bit))
            }
            Problem::NotOnDeviceChannel => f.write_str("not allowed on the device channel"),
            Problem::NotOnUserChannel => f.write_str("not allowed on the user channel"),
            Problem::OtherEnrollment => f.write_str("not allowed for this kind of enrollment"),
            Problem::Deprecated { os, since } => write!(f, "deprecated since {os} {since}"),
            Problem::Ignored => f.write_str("taken, and without effect on this device"),
            Problem::NoProfile => f.write_str("found no configuration profile"),
            Problem::Loopback => f.write_str("http to the machine itself, which only a pretend device takes"),
            _ => f.write_str("encrypted, and not looked into"),
        }
    }
}

/// What a text with a format may be, in words.
pub(super) fn format_name(format: Format) -> &'static str {
    match format {
        Format::MacAddress => "a MAC address",
        Format::Uuid => "a UUID",
        Format::HttpsUrl => "a URL that begins with https://",
        Format::RoamingConsortium => "six or ten hexadecimal digits",
        Format::SixDigits => "six digits",
        Format::Url => "a URL",
        Format::HostName => "a host name",
        Format::Timestamp => "a time of RFC 3339 in whole seconds",
        Format::MdmTopic => "a topic that begins with com.apple.mgmt.",
    }
}

/// A device with that trait, in words.
pub(super) fn trait_name(wanted: Trait) -> &'static str {
    match wanted {
        Trait::AppleSilicon => "a Mac with Apple silicon",
        Trait::PinForLock => "a Mac that needs a PIN to be locked",
        Trait::PinForErase => "a Mac that needs a PIN to be erased",
        Trait::NotAutomated => "a device that did not come through Automated Device Enrollment",
        Trait::PersonalMobile => "a personal device under User Enrollment",
        Trait::UnsupervisedMobile => "a device that is not supervised",
    }
}

/// What an access right, a bit of `AccessRights`, is for.
pub fn right_name(bit: u16) -> &'static str {
    const NAMES: [&str; 13] = [
        "inspect profiles",
        "install and remove profiles",
        "lock the device and remove its passcode",
        "erase the device",
        "query device information",
        "query network information",
        "inspect provisioning profiles",
        "install and remove provisioning profiles",
        "query applications",
        "query restrictions",
        "query security",
        "change settings",
        "manage apps",
    ];
    NAMES.get(bit.trailing_zeros() as usize).copied().unwrap_or("unknown")
}

/// `1 to 90`, `at least 3600`.
pub(super) fn range(min: f64, max: f64) -> String {
    match (min.is_finite(), max.is_finite()) {
        (true, true) => format!("{min} to {max}"),
        (true, false) => format!("at least {min}"),
        (false, true) => format!("at most {max}"),
        (false, false) => "any".to_owned(),
    }
}

fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let texts = |names: &[T]| names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "none".to_owned(),
        few if few <= LISTED => texts(names),
        many => format!("{} and {} more", texts(&names[..LISTED]), many - LISTED),
    }
}

/// The values that a rule lists.
pub(super) fn listed_values(rule: &Rule) -> Vec<String> {
    match rule {
        Rule::Texts(texts) => texts.iter().map(|text| (*text).to_owned()).collect(),
        Rule::Integers(numbers) => numbers.iter().map(ToString::to_string).collect(),
        Rule::Reals(numbers) => numbers.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// A value that may be repeated: a number, or a text that is cut where it is long.
pub(super) fn repeated(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let short: String = text.chars().take(REPEATED).collect();
            let more = if short.len() < text.len() { "…" } else { "" };
            format!("{short:?}{more}")
        }
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        other => type_of(other).to_owned(),
    }
}

/// Apple's word for the type of a value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Integer(_) => "integer",
        Value::Real(_) => "real",
        Value::Boolean(_) => "boolean",
        Value::Date(_) => "date",
        Value::Data(_) => "data",
        Value::Array(_) => "array",
        Value::Dictionary(_) => "dictionary",
        _ => "another type",
    }
}
