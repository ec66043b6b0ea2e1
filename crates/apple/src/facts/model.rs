//! What a fact is: an entry of Apple's schema, its keys, and what each OS makes of them.

use std::fmt;

use super::support::Support;
use crate::platform::{OsVersion, Platform};

/// An operating system as Apple's schema divides them: iPadOS counts as iOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Os {
    /// iPhone, iPod touch, iPad.
    IOs,
    /// Mac.
    MacOs,
    /// Apple TV and HomePod.
    TvOs,
    /// Apple Vision.
    VisionOs,
    /// Apple Watch.
    WatchOs,
}

impl Os {
    /// All of them, in the order of Apple's files.
    pub const ALL: [Os; 5] = [Os::IOs, Os::MacOs, Os::TvOs, Os::VisionOs, Os::WatchOs];

    /// As Apple writes it: `visionOS`.
    pub fn name(self) -> &'static str {
        ["iOS", "macOS", "tvOS", "visionOS", "watchOS"][self as usize]
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Platform> for Os {
    fn from(platform: Platform) -> Os {
        match platform {
            Platform::IOs | Platform::IPadOs => Os::IOs,
            Platform::MacOs => Os::MacOs,
            Platform::TvOs => Os::TvOs,
            Platform::VisionOs => Os::VisionOs,
            Platform::WatchOs => Os::WatchOs,
        }
    }
}

/// What an entry describes; its folder in Apple's repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `mdm/checkin`: what a device says of itself.
    CheckIn,
    /// `mdm/commands`.
    Command,
    /// `mdm/profiles`: a payload of a profile, by its `PayloadType`.
    Payload,
    /// `declarative/declarations`: activations, assets, configurations, management.
    Declaration,
    /// `declarative/declarations/assets/credentials`: what a credential asset refers to.
    Credential,
    /// `declarative/protocol`.
    Protocol,
    /// `declarative/status`: a status item.
    Status,
    /// `mdm/errors`: the body of a 403.
    Error,
    /// `other`: enrollment inputs and formats that keys refer to; skip keys.
    Other,
}

impl Kind {
    /// In words: `check-in`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::CheckIn => "check-in",
            Kind::Command => "command",
            Kind::Payload => "profile payload",
            Kind::Declaration => "declaration",
            Kind::Credential => "credential",
            Kind::Protocol => "declarative protocol",
            Kind::Status => "status item",
            Kind::Error => "error",
            Kind::Other => "format",
        }
    }
}

/// One file of Apple's schema, with our overlay applied.
#[derive(Debug)]
pub struct Entry {
    /// What it describes.
    pub kind: Kind,
    /// Its path in Apple's repository, without `.yaml`; of an entry that is only in the overlay, where it
    /// stands in newer versions.
    pub file: &'static str,
    /// `RequestType`, `PayloadType`, declaration type, status item, error code. Several payloads may share one.
    pub name: &'static str,
    /// Which devices know it.
    pub support: &'static Support,
    /// How several configurations of this type work together.
    pub apply: Option<Apply>,
    /// Whether Apple calls the whole entry a beta.
    pub beta: bool,
    /// The keys of the request, payload, declaration or document.
    pub keys: &'static [Key],
    /// The keys of the answer.
    pub answer: &'static [Key],
    /// Error codes that a device may give for it.
    pub reasons: &'static [Reason],
    /// Status items that tell of it.
    pub related: &'static [&'static str],
    /// Rules about the keys together, from Apple's prose.
    pub rules: &'static [Rule],
    /// Where what the overlay changed is written; empty where it changed nothing.
    pub sources: &'static [&'static str],
}

/// A key of a dictionary; of an array, the one item that stands for all.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As on the wire. `ANY`, or `ANY …`, stands for every further key. The name of an array's item never
    /// appears.
    pub name: &'static str,
    /// Of its value.
    pub is: Type,
    /// Whether it must be there, where it is supported at all.
    pub presence: Presence,
    /// What differs from the dictionary that it is in.
    pub support: &'static Support,
    /// What else is said of the value.
    pub rules: &'static [Rule],
    /// Keys of a dictionary (none: free form), the item of an array; below a string, the values that it may
    /// have.
    pub keys: &'static [Key],
}

impl Key {
    /// Whether it stands for every further key of its dictionary.
    pub fn is_wildcard(&self) -> bool {
        self.name == "ANY" || self.name.starts_with("ANY ")
    }

    /// The value that a device assumes where the key is absent.
    pub fn default(&self) -> Option<Literal> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Default(value) => Some(*value),
            _ => None,
        })
    }
}

/// The type of a value, in Apple's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `<string>`
    String,
    /// `<integer>`
    Integer,
    /// `<real>`; an integer is one as well.
    Real,
    /// `<boolean>`
    Boolean,
    /// `<date>`
    Date,
    /// `<data>`; in JSON a string in base64.
    Data,
    /// `<array>`
    Array,
    /// `<dictionary>`
    Dictionary,
    /// `<any>`: not looked into.
    Any,
}

impl Type {
    /// In Apple's word: `dictionary`.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Integer => "integer",
            Type::Real => "real",
            Type::Boolean => "boolean",
            Type::Date => "date",
            Type::Data => "data",
            Type::Array => "array",
            Type::Dictionary => "dictionary",
            Type::Any => "any",
        }
    }
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Where the device supports the key.
    Required,
    /// It may.
    Optional,
    /// Apple does not say: on items of arrays and most answers; as good as optional.
    Unsaid,
}

/// How several configurations of a type work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Apply {
    /// Only one is applied.
    Single,
    /// Each is applied.
    Multiple,
    /// They become one, key by key as [`Rule::Combine`] says.
    Combined,
}

/// How a key of several configurations becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "Apple's words: boolean-or, number-min, enum-first, set-union …")]
pub enum Combine {
    BooleanOr,
    BooleanAnd,
    NumberMin,
    NumberMax,
    EnumFirst,
    EnumLast,
    First,
    ArrayAppend,
    SetUnion,
    SetIntersection,
}

/// A value that Apple names.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each holds the value of its type")]
pub enum Literal {
    Text(&'static str),
    Integer(i64),
    Real(f64),
    Boolean(bool),
}

/// How a text is written. Apple's schema gives five of them as regular expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Six pairs of hexadecimal digits with colons between.
    MacAddress,
    /// Letters and digits, 8-4-4-4-12: Apple does not insist on hexadecimal ones.
    Uuid,
    /// Begins with `https://`.
    HttpsUrl,
    /// Six or ten hexadecimal digits in name, six or nine letters and digits in the schema.
    RoamingConsortium,
    /// Six ASCII digits.
    SixDigits,
    /// Has a scheme, `:` and something behind it.
    Url,
    /// Letters, digits, `-` and `.`, at most 253.
    HostName,
    /// A time of RFC 3339 in whole seconds.
    Timestamp,
    /// Begins with `com.apple.mgmt.`, as the topic of every push certificate does.
    MdmTopic,
}

/// Something that is known of a device and is no OS version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trait {
    /// A Mac with Apple silicon.
    AppleSilicon,
    /// `PINRequiredForDeviceLock`: a Mac without it unlocks by password.
    PinForLock,
    /// `PINRequiredForEraseDevice`.
    PinForErase,
    /// Not enrolled through Automated Device Enrollment.
    NotAutomated,
    /// Under User Enrollment, and no Mac.
    PersonalMobile,
    /// Not supervised, and no Mac.
    UnsupervisedMobile,
}

/// What is said of a value beside its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// `rangelist` of texts.
    Texts(&'static [&'static str]),
    /// `rangelist` of integers.
    Integers(&'static [i64]),
    /// `rangelist` of reals.
    Reals(&'static [f64]),
    /// `range`, both ends included; an open end is infinite.
    Range(f64, f64),
    /// `default`.
    Default(Literal),
    /// `format` or `subtype`.
    Format(Format),
    /// `repetition`: how many items the array may have that this item stands in.
    Count(u32, u32),
    /// `combinetype`.
    Combine(Combine),
    /// `assettypes`: what a reference may name.
    Assets(&'static [&'static str]),
    /// `asset-content-types`: media types of what it refers to.
    ContentTypes(&'static [&'static str]),
    /// Prose: at least one of these keys.
    AnyOf(&'static [&'static str]),
    /// Prose: not more than one of these keys.
    AtMostOne(&'static [&'static str]),
    /// Prose: where the first key has the second text, the third key is required.
    Requires(&'static str, &'static str, &'static str),
    /// Prose: where the first key is, the second is required.
    With(&'static str, &'static str),
    /// Prose: where the first key has the second text, the third key must not be.
    Excludes(&'static str, &'static str, &'static str),
    /// Prose: the first key only where the second has the third text.
    OnlyWith(&'static str, &'static str, &'static str),
    /// Prose: at most so many bytes.
    MaxBytes(u32),
    /// Prose: a number that has all bits of the first has those of the second.
    BitNeeds(u32, u32),
    /// Prose: an array with at least one item, a text with at least one character.
    NotEmpty,
    /// Prose: only a device with that trait knows it.
    Needs(Trait),
    /// Prose: a device with that trait refuses the first key's absence.
    RequiredFor(Trait, &'static str),
    /// Prose: a device of this OS before that version refuses it if it has that trait.
    RefusedBefore(Os, OsVersion, Trait),
    /// Prose: before that version of that OS, no other key may stand beside this one.
    AloneBefore(Os, OsVersion),
    /// Prose: a value of this type is taken as well.
    OrType(Type),
}

/// An error code of declarative management.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// As on the wire: `Error.AssetCannotBeVerified`.
    pub code: &'static str,
    /// What its `Details` hold.
    pub details: &'static [(&'static str, Type)],
}
