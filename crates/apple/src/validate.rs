//! Checks messages against Apple's schema for the very device: all faults at once, each with its place, what was
//! found and what is allowed.
//!
//! [`command`] is where to start. A [`Target`] is what is known of the device; devices of one [`Class`] get the
//! same verdict, so that a command for many devices is checked once per class ([`Verdicts`]).

mod declaration;
mod fault;
mod json;
mod profile;
mod signed;
mod target;
mod terms;
mod value;
mod verdicts;
mod walk;

pub use declaration::declaration;
pub use fault::{Fault, Problem, Verdict, right_name};
pub use profile::{payload, profile};
pub use signed::signed_content;
pub use target::{Class, Target, TargetChannel};
pub use verdicts::Verdicts;

use plist::{Dictionary, Value};

use crate::facts::{self, Entry, Key};
use value::Notation;
use walk::{Path, Walk};

const REQUEST_TYPE: &str = "RequestType";
const MESSAGE_TYPE: &str = "MessageType";

/// How strictly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// Whether names and keys that Apple's schema does not know are let pass: for what is newer than our facts.
    pub allow_unknown: bool,
}

/// Checks what stands under `Command`: its `RequestType` and the keys beside it. A profile in it is checked as
/// well.
pub fn command(command: &Dictionary, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::PropertyList);
    let name = Path::TOP.key(REQUEST_TYPE);
    let Some(request_type) = text(command, REQUEST_TYPE) else {
        walk.fault(&name, Problem::Missing { of: facts::Type::String });
        return walk.verdict;
    };
    let Some(entry) = facts::command(request_type) else {
        return unknown(walk, &name, "command", request_type);
    };
    let ground = walk.enter(entry, &name);
    walk.dictionary(&[entry.keys, COMMAND_KEYS], command, &ground, &Path::TOP);
    finish(&mut walk, entry, command);
    if entry.name == "InstallProfile" {
        profile::inside(&mut walk, command);
    }
    walk.verdict
}

/// Checks whether a device takes a command at all, whatever its keys: by the OS, supervision, the enrollment and its
/// rights.
pub fn command_at_all(request_type: &str, target: &Target) -> Verdict {
    let mut walk = walk(target, Options::default(), Notation::PropertyList);
    let name = Path::TOP.key(REQUEST_TYPE);
    let Some(entry) = facts::command(request_type) else {
        return unknown(walk, &name, "command", request_type);
    };
    walk.enter(entry, &name);
    walk.verdict
}

/// Checks a check-in, by its `MessageType`.
pub fn check_in(message: &Dictionary, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::PropertyList);
    let name = Path::TOP.key(MESSAGE_TYPE);
    let Some(message_type) = text(message, MESSAGE_TYPE) else {
        walk.fault(&name, Problem::Missing { of: facts::Type::String });
        return walk.verdict;
    };
    let Some(entry) = facts::check_in(message_type) else {
        return unknown(walk, &name, "check-in", message_type);
    };
    whole(walk, entry, message, &name)
}

/// Checks a document against any entry: an error, an enrollment input, a credential, a payload without what all
/// payloads have.
pub fn entry(entry: &'static Entry, document: &Dictionary, target: &Target, options: Options) -> Verdict {
    whole(walk(target, options, Notation::PropertyList), entry, document, &Path::TOP)
}

/// Checks the keys of a device's answer to a command, or of ours to a check-in; those of its envelope are not
/// to be among them.
pub fn answer(entry: &'static Entry, answer: &Dictionary, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::PropertyList);
    let ground = walk.enter(entry, &Path::TOP);
    walk.dictionary(&[entry.answer], answer, &ground, &Path::TOP);
    walk.verdict
}

/// Checks the value of a status item, which came as JSON.
pub fn status_item(name: &str, value: &serde_json::Value, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::Json);
    let path = Path::TOP.key(name);
    let Some(entry) = facts::status_item(name) else {
        return unknown(walk, &path, "status item", name);
    };
    let ground = walk.enter(entry, &path);
    if let (Some(value), Some(key)) = (json::value(value, &mut walk, &path), entry.keys.first()) {
        walk.value(key, &value, &ground, &path);
    }
    walk.verdict
}

/// Whether a device meets these terms of its OS, which must be whole: a key's within those of all that it is in.
/// What is not known of the device is taken to be met.
pub fn meets(target: &Target, terms: &facts::Terms) -> bool {
    target.os.is_none_or(|os| !terms::lacks(terms, os, target).refuses())
}

/// `RequestType` stands among the keys of a command, and in no file of the schema.
static COMMAND_KEYS: &[Key] = &[facts::request_type_key()];

fn walk(target: &Target, options: Options, notation: Notation) -> Walk<'_> {
    Walk { target, notation, unknown_keys: options.allow_unknown, verdict: Verdict::default() }
}

fn whole(mut walk: Walk<'_>, entry: &'static Entry, document: &Dictionary, name: &Path<'_>) -> Verdict {
    let ground = walk.enter(entry, name);
    walk.dictionary(&[entry.keys], document, &ground, &Path::TOP);
    finish(&mut walk, entry, document);
    walk.verdict
}

fn finish(walk: &mut Walk<'_>, entry: &'static Entry, document: &Dictionary) {
    walk.together(entry.rules, document, &Path::TOP);
    walk.beside(entry.keys, document, &Path::TOP);
}

fn unknown(mut walk: Walk<'_>, path: &Path<'_>, what: &'static str, found: &str) -> Verdict {
    if !walk.unknown_keys {
        walk.fault(path, Problem::UnknownName { what, found: found.chars().take(128).collect() });
    }
    walk.verdict
}

fn text<'a>(dictionary: &'a Dictionary, key: &str) -> Option<&'a str> {
    dictionary.get(key).and_then(Value::as_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Os;
    use crate::platform::OsVersion;

    fn dictionary(pairs: &[(&str, Value)]) -> Dictionary {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    fn faults(message: &[(&str, Value)], target: &Target) -> Vec<String> {
        let verdict = command(&dictionary(message), target, Options::default());
        verdict.faults.iter().map(ToString::to_string).collect()
    }

    fn iphone(major: u16) -> Target {
        Target {
            supervised: Some(false),
            automated: Some(false),
            user_enrollment: Some(false),
            shared_ipad: Some(false),
            channel: Some(TargetChannel::Device),
            ..Target::of(Os::IOs, OsVersion::new(major, 1, 0))
        }
    }

    fn mac(major: u16, minor: u16) -> Target {
        Target { os: Some(Os::MacOs), version: Some(OsVersion::new(major, minor, 0)), ..iphone(18) }
    }

    const LOCK: (&str, &str) = ("RequestType", "DeviceLock");

    fn lock(pairs: &[(&str, Value)], target: &Target) -> Vec<String> {
        let mut message = vec![(LOCK.0, Value::from(LOCK.1))];
        message.extend(pairs.iter().cloned());
        faults(&message, target)
    }

    #[test]
    fn a_lock_is_judged_for_each_system() {
        assert!(lock(&[("Message", "hello".into())], &iphone(18)).is_empty());
        assert_eq!(
            lock(&[("PIN", "123456".into())], &iphone(18)),
            ["PIN: not available on iOS"],
            "a PIN is for Macs"
        );
        assert!(lock(&[("PIN", "123456".into())], &mac(15, 1)).is_empty());
        let vision = Target { os: Some(Os::VisionOs), ..iphone(2) };
        assert_eq!(lock(&[("Message", "x".into())], &vision), ["Message: not available on visionOS"]);
        let tv = Target { os: Some(Os::TvOs), ..iphone(18) };
        assert_eq!(lock(&[], &tv), ["RequestType: not available on tvOS"]);
    }

    #[test]
    fn the_rules_of_apples_prose_hold() {
        let five = lock(&[("PIN", "12345".into())], &mac(15, 1));
        assert_eq!(five, ["PIN: found a text of 5 characters; allowed: six digits"]);
        let old = Target { apple_silicon: Some(true), ..mac(11, 4) };
        assert_eq!(lock(&[], &old), ["harms a Mac with Apple silicon; allowed: macOS 11.5 and later"]);
        let pin = Target { pin_for_lock: Some(true), ..mac(15, 1) };
        assert_eq!(lock(&[], &pin), ["PIN: missing; required for a Mac that needs a PIN to be locked"]);
        let lost = [("RequestType", Value::from("EnableLostMode")), ("Footnote", "x".into())];
        let supervised = Target { supervised: Some(true), ..iphone(18) };
        assert_eq!(faults(&lost, &supervised), ["missing; one of these is required: Message, PhoneNumber"]);
    }

    #[test]
    fn whether_a_command_is_taken_at_all_does_not_depend_on_its_keys() {
        let of = |name, target: &Target| -> Vec<String> {
            command_at_all(name, target).faults.iter().map(ToString::to_string).collect()
        };
        assert!(of("ClearPasscode", &iphone(18)).is_empty(), "though its token is missing");
        assert_eq!(of("ClearPasscode", &mac(15, 1)), ["RequestType: not available on macOS"]);
        assert_eq!(of("EnableLostMode", &iphone(18)), ["RequestType: only for supervised devices"]);
        assert!(of("EnableLostMode", &Target { supervised: None, ..iphone(18) }).is_empty());
        assert_eq!(
            of("Dance", &iphone(18)),
            ["RequestType: found \"Dance\", which is no command of Apple's"]
        );
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let found = lock(
            &[("Message", 7.into()), ("Colour", "red".into()), ("PIN", "123456".into())],
            &Target { user_enrollment: Some(true), ..mac(10, 6) },
        );
        assert_eq!(
            found,
            [
                "RequestType: found macOS 10.6; allowed: macOS 10.7 and later",
                "RequestType: not allowed under User Enrollment",
                "Message: found macOS 10.6; allowed: macOS 10.14 and later",
                "Message: found integer; allowed: string",
                "Colour: unknown key; allowed: Message, PhoneNumber, PIN, RequestType",
                "PIN: found macOS 10.6; allowed: macOS 10.8 and later",
            ]
        );
    }
}
