//! The words in which the generated tables are written.

use crate::platform::OsVersion;

pub(super) use super::model::Literal::{Boolean, Integer, Real, Text};
pub(super) use super::model::Rule::*;
pub(super) use super::model::{Entry, Key, Kind};

use super::model::{Apply, Combine, Format, Os, Presence, Reason, Rule, Trait, Type};
use super::support::{Enrollments, Flag, Mode, Right, Scopes, Since, Support, Terms};

/// Constants with the words of the tables for values of another type.
macro_rules! words {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(
            #[allow(dead_code, reason = "not every release of the schema says everything")]
            pub(super) const $name: $type = $value;
        )*
    };
}

words! {
    STRING: Type = Type::String;
    INTEGER: Type = Type::Integer;
    REAL: Type = Type::Real;
    BOOLEAN: Type = Type::Boolean;
    DATE: Type = Type::Date;
    DATA: Type = Type::Data;
    ARRAY: Type = Type::Array;
    DICTIONARY: Type = Type::Dictionary;
    ANYTHING: Type = Type::Any;
    LOW: f64 = f64::NEG_INFINITY;
    HIGH: f64 = f64::INFINITY;
    SINGLE: Apply = Apply::Single;
    SEVERAL: Apply = Apply::Multiple;
    COMBINED: Apply = Apply::Combined;
    BOOLEAN_OR: Combine = Combine::BooleanOr;
    BOOLEAN_AND: Combine = Combine::BooleanAnd;
    NUMBER_MIN: Combine = Combine::NumberMin;
    NUMBER_MAX: Combine = Combine::NumberMax;
    ENUM_FIRST: Combine = Combine::EnumFirst;
    ENUM_LAST: Combine = Combine::EnumLast;
    FIRST: Combine = Combine::First;
    ARRAY_APPEND: Combine = Combine::ArrayAppend;
    SET_UNION: Combine = Combine::SetUnion;
    SET_INTERSECTION: Combine = Combine::SetIntersection;
    MAC_ADDRESS: Format = Format::MacAddress;
    UUID: Format = Format::Uuid;
    HTTPS_URL: Format = Format::HttpsUrl;
    ROAMING_CONSORTIUM: Format = Format::RoamingConsortium;
    SIX_DIGITS: Format = Format::SixDigits;
    URL: Format = Format::Url;
    HOST_NAME: Format = Format::HostName;
    TIMESTAMP: Format = Format::Timestamp;
    MDM_TOPIC: Format = Format::MdmTopic;
    IOS: Os = Os::IOs;
    MACOS: Os = Os::MacOs;
    APPLE_SILICON: Trait = Trait::AppleSilicon;
    PIN_FOR_LOCK: Trait = Trait::PinForLock;
    PIN_FOR_ERASE: Trait = Trait::PinForErase;
    NOT_AUTOMATED: Trait = Trait::NotAutomated;
    PERSONAL_MOBILE: Trait = Trait::PersonalMobile;
    UNSUPERVISED_MOBILE: Trait = Trait::UnsupervisedMobile;
    ALLOWED: Mode = Mode::Allowed;
    REQUIRED: Mode = Mode::Required;
    FORBIDDEN: Mode = Mode::Forbidden;
    IGNORED: Mode = Mode::Ignored;
    E_SUPERVISED: u8 = Enrollments::SUPERVISED;
    E_DEVICE: u8 = Enrollments::DEVICE;
    E_USER: u8 = Enrollments::USER;
    E_LOCAL: u8 = Enrollments::LOCAL;
    S_SYSTEM: u8 = Scopes::SYSTEM;
    S_USER: u8 = Scopes::USER;
    SUPERVISED: u16 = Flag::Supervised as u16;
    AUTOMATED: u16 = Flag::Automated as u16;
    USER_APPROVED: u16 = Flag::UserApproved as u16;
    MANUAL_INSTALL: u16 = Flag::ManualInstall as u16;
    MULTIPLE: u16 = Flag::Multiple as u16;
    DEVICE_CHANNEL: u16 = Flag::DeviceChannel as u16;
    USER_CHANNEL: u16 = Flag::UserChannel as u16;
    SHARED_DEVICE_CHANNEL: u16 = Flag::SharedDeviceChannel as u16;
    SHARED_USER_CHANNEL: u16 = Flag::SharedUserChannel as u16;
    ALWAYS_SKIPPABLE: u16 = Flag::AlwaysSkippable as u16;
    BETA: u16 = Flag::Beta as u16;
}

/// What is inherited as it is.
pub(super) static SAME: Support = Support::SAME;

pub(super) const fn at(major: u16, minor: u16, patch: u16) -> OsVersion {
    OsVersion::new(major, minor, patch)
}

pub(super) const fn same() -> Terms {
    Terms::SAME
}

pub(super) const fn never() -> Terms {
    Terms { introduced: Since::Never, ..Terms::SAME }
}

pub(super) const fn since(major: u16, minor: u16, patch: u16) -> Terms {
    Terms { introduced: Since::Version(at(major, minor, patch)), ..Terms::SAME }
}

impl Terms {
    pub(super) const fn deprecated(self, major: u16, minor: u16, patch: u16) -> Terms {
        Terms { deprecated: Some(at(major, minor, patch)), ..self }
    }

    pub(super) const fn removed(self, major: u16, minor: u16, patch: u16) -> Terms {
        Terms { removed: Some(at(major, minor, patch)), ..self }
    }

    pub(super) const fn right(self, bit: u16) -> Terms {
        Terms { right: Right::Bit(bit), ..self }
    }

    pub(super) const fn no_right(self) -> Terms {
        Terms { right: Right::None, ..self }
    }

    pub(super) const fn special_right(self) -> Terms {
        Terms { right: Right::Special, ..self }
    }

    pub(super) const fn user_enrollment(self, mode: Mode) -> Terms {
        Terms { user_enrollment: Some(mode), ..self }
    }

    pub(super) const fn shared_ipad(self, mode: Mode) -> Terms {
        Terms { shared_ipad: Some(mode), ..self }
    }

    pub(super) const fn enrollments(self, set: u8) -> Terms {
        Terms { enrollments: Some(Enrollments(set)), ..self }
    }

    pub(super) const fn scopes(self, set: u8) -> Terms {
        Terms { scopes: Some(Scopes(set)), ..self }
    }

    pub(super) const fn shared_scopes(self, set: u8) -> Terms {
        Terms { shared_scopes: Some(Scopes(set)), ..self }
    }
}

pub(super) const fn entry(
    kind: Kind,
    file: &'static str,
    name: &'static str,
    support: &'static Support,
) -> Entry {
    Entry {
        kind,
        file,
        name,
        support,
        apply: None,
        beta: false,
        keys: &[],
        answer: &[],
        reasons: &[],
        related: &[],
        rules: &[],
        sources: &[],
    }
}

impl Entry {
    pub(super) const fn keys(self, keys: &'static [Key]) -> Entry {
        Entry { keys, ..self }
    }

    pub(super) const fn answer(self, answer: &'static [Key]) -> Entry {
        Entry { answer, ..self }
    }

    pub(super) const fn apply(self, apply: Apply) -> Entry {
        Entry { apply: Some(apply), ..self }
    }

    #[allow(dead_code, reason = "not every release of the schema says everything")]
    pub(super) const fn beta(self) -> Entry {
        Entry { beta: true, ..self }
    }

    pub(super) const fn reasons(self, reasons: &'static [Reason]) -> Entry {
        Entry { reasons, ..self }
    }

    pub(super) const fn related(self, related: &'static [&'static str]) -> Entry {
        Entry { related, ..self }
    }

    #[allow(dead_code, reason = "a word of the overlay")]
    pub(super) const fn rules(self, rules: &'static [Rule]) -> Entry {
        Entry { rules, ..self }
    }

    #[allow(dead_code, reason = "a word of the overlay")]
    pub(super) const fn sources(self, sources: &'static [&'static str]) -> Entry {
        Entry { sources, ..self }
    }
}

pub(super) const fn reason(code: &'static str, details: &'static [(&'static str, Type)]) -> Reason {
    Reason { code, details }
}

pub(super) const fn key(name: &'static str, is: Type) -> Key {
    Key { name, is, presence: Presence::Unsaid, support: &SAME, rules: &[], keys: &[] }
}

pub(super) const fn required(name: &'static str, is: Type) -> Key {
    Key { presence: Presence::Required, ..key(name, is) }
}

pub(super) const fn optional(name: &'static str, is: Type) -> Key {
    Key { presence: Presence::Optional, ..key(name, is) }
}

impl Key {
    pub(super) const fn on(self, support: &'static Support) -> Key {
        Key { support, ..self }
    }

    pub(super) const fn with(self, rules: &'static [Rule]) -> Key {
        Key { rules, ..self }
    }

    pub(super) const fn of(self, keys: &'static [Key]) -> Key {
        Key { keys, ..self }
    }
}
