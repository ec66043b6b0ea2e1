//! Breaks examples, one thing at a time, and knows where the fault must be.

use std::fmt;

use apple::facts::{Entry, Key, Kind, Presence, Rule, Since, Type};
use apple::validate::{Fault, Problem, Target};
use apple::{Dictionary, OsVersion, Value};

use super::example::{Choice, example};

/// A broken example, and what must be found.
pub struct Case {
    pub example: Dictionary,
    pub target: Target,
    /// How the path of the fault ends.
    path: String,
    expected: &'static str,
    is: fn(&Problem) -> bool,
}

impl Case {
    /// Whether this is the fault that was made.
    pub fn expects(&self, fault: &Fault) -> bool {
        fault.path.ends_with(&self.path) && (self.is)(&fault.problem)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?} on {}", self.expected, self.path, self.target.class())
    }
}

/// Every way in which a full example of `entry` for `target` is broken here.
pub fn cases(entry: &'static Entry, target: &Target) -> Vec<Case> {
    let full = example(entry, target, Choice::Full);
    let mut cases = by_device(entry, target, &full);
    let free = entry.keys.is_empty() || entry.keys.iter().any(Key::is_wildcard) || entry.kind == Kind::Status;
    if !free || entry.keys.is_empty() && matches!(entry.kind, Kind::Command) {
        let unknown = with(&full, "NoSuchKey", 1.into());
        cases.push(case(unknown, target, "NoSuchKey", "unknown key", |problem| {
            matches!(problem, Problem::UnknownKey { .. })
        }));
    }
    let broken = in_dictionary(entry.keys, &full, DEPTH).into_iter().filter(|broken| {
        // What a device does not report is no status item, and no broken one.
        entry.kind != Kind::Status || broken.path != entry.keys[0].name || broken.expected != "missing"
    });
    cases.extend(broken.map(|broken| Case {
        example: broken.dictionary,
        target: *target,
        path: broken.path,
        expected: broken.expected,
        is: broken.is,
    }));
    cases
}

/// How deep dictionaries are broken.
const DEPTH: usize = 4;

/// A dictionary in which one thing is wrong.
struct Broken {
    dictionary: Dictionary,
    path: String,
    expected: &'static str,
    is: fn(&Problem) -> bool,
}

fn in_dictionary(keys: &'static [Key], full: &Dictionary, depth: usize) -> Vec<Broken> {
    let mut found = Vec::new();
    for key in keys.iter().filter(|key| full.contains_key(key.name)) {
        found.extend(by_key(key, full));
        let inner = inside(key, &full[key.name], depth);
        found.extend(inner.into_iter().map(|(value, broken)| Broken {
            dictionary: with(full, key.name, value),
            path: format!("{}{}", key.name, broken.path),
            ..broken
        }));
    }
    found
}

/// What is broken further inside a value: a dictionary, or a list of one kind of dictionary.
fn inside(key: &'static Key, value: &Value, depth: usize) -> Vec<(Value, Broken)> {
    let (keys, dictionary, prefix) = match (value, key.keys) {
        _ if depth == 0 => return Vec::new(),
        (Value::Dictionary(dictionary), keys) => (keys, dictionary, "."),
        (Value::Array(items), [item]) => match items.first() {
            Some(Value::Dictionary(dictionary)) => (item.keys, dictionary, "[0]."),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let broken = in_dictionary(keys, dictionary, depth - 1).into_iter();
    broken
        .map(|broken| {
            let mut changed = value.clone();
            match &mut changed {
                Value::Array(items) => items[0] = Value::Dictionary(broken.dictionary.clone()),
                other => *other = Value::Dictionary(broken.dictionary.clone()),
            }
            (changed, Broken { path: format!("{prefix}{}", broken.path), ..broken })
        })
        .collect()
}

fn by_key(key: &'static Key, full: &Dictionary) -> Vec<Broken> {
    let name = key.name;
    // The name of the message itself: another value makes it another message.
    if matches!(name, "MessageType" | "PayloadType") {
        return Vec::new();
    }
    let mut found = Vec::new();
    if key.presence == Presence::Required && !full[name].as_string().is_some_and(str::is_empty) {
        let mut without = full.clone();
        without.remove(name);
        found.push(broken(without, name, "missing", |problem| {
            matches!(problem, Problem::Missing { .. } | Problem::RequiredBy { .. })
        }));
    }
    if key.is != Type::Any && !key.rules.iter().any(|rule| matches!(rule, Rule::OrType(_))) {
        let wrong = if key.is == Type::Boolean { Value::from("true") } else { Value::Boolean(true) };
        found.push(broken(with(full, name, wrong), name, "wrong type", |problem| {
            matches!(problem, Problem::WrongType { .. })
        }));
    }
    let ranged = key.rules.iter().any(|rule| matches!(rule, Rule::Range(..)));
    // A number beside the listed ones may be in the range that is allowed as well.
    for rule in key.rules.iter().filter(|rule| !(ranged && matches!(rule, Rule::Integers(_)))) {
        if let Some((value, expected, is)) = against(rule) {
            found.push(broken(with(full, name, value), name, expected, is));
        }
    }
    found
}

fn broken(dictionary: Dictionary, path: &str, expected: &'static str, is: fn(&Problem) -> bool) -> Broken {
    Broken { dictionary, path: path.to_owned(), expected, is }
}

type Expectation = (Value, &'static str, fn(&Problem) -> bool);

/// A value that breaks a rule.
fn against(rule: &Rule) -> Option<Expectation> {
    Some(match rule {
        Rule::Texts(_) => {
            ("no such value".into(), "not listed", |problem| matches!(problem, Problem::NotListed { .. }))
        }
        Rule::Integers(numbers) => {
            let other = numbers.iter().max()? + 100_000;
            (other.into(), "not listed", |problem| matches!(problem, Problem::NotListed { .. }))
        }
        Rule::Range(min, max) => {
            let outside = if max.is_finite() { max + 1_000_000.0 } else { min - 1.0 };
            (Value::Integer((outside as i64).into()), "out of range", |problem| {
                matches!(problem, Problem::OutOfRange { .. })
            })
        }
        Rule::Format(_) => {
            ("no/format at all".into(), "malformed", |problem| matches!(problem, Problem::Malformed { .. }))
        }
        Rule::MaxBytes(max) => {
            let long = vec![7; *max as usize + 1];
            (Value::Data(long), "too long", |problem| {
                matches!(problem, Problem::TooLong { .. } | Problem::WrongType { .. })
            })
        }
        Rule::NotEmpty => (Value::Array(Vec::new()), "empty", |problem| {
            matches!(problem, Problem::Empty | Problem::WrongType { .. })
        }),
        _ => return None,
    })
}

/// The same example for a device that must not get it.
fn by_device(entry: &'static Entry, target: &Target, full: &Dictionary) -> Vec<Case> {
    let Some(os) = target.os else { return Vec::new() };
    let terms = &entry.support[os];
    let mut cases = Vec::new();
    if let Since::Version(since) = terms.introduced
        && since > OsVersion::new(0, 0, 0)
    {
        let old = Target { version: Some(OsVersion::new(0, 9, 0)), ..*target };
        cases.push(case(full.clone(), &old, "", "too old", |problem| {
            matches!(problem, Problem::TooOld { .. })
        }));
    }
    if let Some(removed) = terms.removed {
        let new = Target { version: Some(removed), ..*target };
        cases.push(case(full.clone(), &new, "", "removed", |problem| {
            matches!(problem, Problem::Removed { .. })
        }));
    }
    if terms.flag(apple::facts::Flag::Supervised) == Some(true) {
        let own = Target { supervised: Some(false), ..*target };
        cases.push(case(full.clone(), &own, "", "unsupervised", |problem| {
            *problem == Problem::NeedsSupervision
        }));
    }
    if terms.user_enrollment == Some(apple::facts::Mode::Forbidden) {
        let user = Target { user_enrollment: Some(true), ..*target };
        cases.push(case(full.clone(), &user, "", "user enrollment", |problem| {
            *problem == Problem::NotUnderUserEnrollment
        }));
    }
    if matches!(terms.right, apple::facts::Right::Bit(bit) if bit != 1) {
        let none = Target { rights: apple::enrollment::AccessRights::new(1), ..*target };
        cases.push(case(full.clone(), &none, "", "no right", |problem| {
            matches!(problem, Problem::NeedsRight { .. })
        }));
    }
    cases
}

fn with(full: &Dictionary, key: &str, value: Value) -> Dictionary {
    let mut changed = full.clone();
    changed.insert(key.to_owned(), value);
    changed
}

fn case(
    example: Dictionary,
    target: &Target,
    path: &str,
    expected: &'static str,
    is: fn(&Problem) -> bool,
) -> Case {
    Case { example, target: *target, path: path.to_owned(), expected, is }
}
