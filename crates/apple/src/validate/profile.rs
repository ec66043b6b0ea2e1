//! Configuration profiles: the profile itself, and each payload by its type.

use plist::{Dictionary, Value};

use super::fault::{Fault, Problem, Verdict};
use super::signed::signed_content;
use super::value::Notation;
use super::walk::{Path, Walk};
use super::{Options, Target, text, walk};
use crate::facts::{self, Entry, Kind};
use crate::guard::{self, Limits};

const CONTENT: &str = "PayloadContent";
const TYPE: &str = "PayloadType";

/// Checks a configuration profile and every payload in it.
pub fn profile(profile: &Dictionary, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::PropertyList);
    whole_profile(&mut walk, profile, &Path::TOP);
    walk.verdict
}

/// Checks one payload, with the keys that all payloads have.
pub fn payload(payload: &Dictionary, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::PropertyList);
    one_payload(&mut walk, payload, &Path::TOP);
    walk.verdict
}

/// The profile inside an `InstallProfile`, signed or not. One that is encrypted is not looked into.
pub(super) fn inside(walk: &mut Walk<'_>, command: &Dictionary) {
    let Some(data) = command.get("Payload").and_then(Value::as_data) else { return };
    let path = Path::TOP.key("Payload");
    let signed = signed_content(data);
    match guard::parse(signed.as_deref().unwrap_or(data), Limits::server_answer()) {
        Ok(Value::Dictionary(profile)) => whole_profile(walk, &profile, &path),
        // CMS is DER or BER, whose first byte says sequence: encrypted, if it is not signed.
        Err(_) if signed.is_none() && data.first() == Some(&0x30) => walk.warn(&path, Problem::NotLookedInto),
        _ => walk.fault(&path, Problem::NoProfile),
    }
}

fn whole_profile(walk: &mut Walk<'_>, profile: &Dictionary, path: &Path<'_>) {
    let [top] = facts::payloads("TopLevel") else { return };
    let ground = walk.enter(top, path);
    walk.dictionary(&[top.keys], profile, &ground, path);
    walk.together(top.rules, profile, path);
    let content = path.key(CONTENT);
    let payloads = profile.get(CONTENT).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, item) in payloads.iter().enumerate() {
        if let Some(item) = item.as_dictionary() {
            one_payload(walk, item, &content.item(index));
        }
    }
}

fn one_payload(walk: &mut Walk<'_>, payload: &Dictionary, path: &Path<'_>) {
    let name = path.key(TYPE);
    let Some(payload_type) = text(payload, TYPE) else {
        return walk.fault(&name, Problem::Missing { of: facts::Type::String });
    };
    let entries = facts::payloads(payload_type);
    match entries {
        [] if walk.unknown_keys => {}
        [] => {
            let found = payload_type.chars().take(128).collect();
            walk.fault(&name, Problem::UnknownName { what: "payload type", found });
        }
        [entry] => as_entry(walk, entry, payload, path),
        several => best_of(walk, several, payload, path),
    }
}

/// Several files may share a type, one for each use of it: the one that fits best is meant.
fn best_of(walk: &mut Walk<'_>, entries: &[&'static Entry], payload: &Dictionary, path: &Path<'_>) {
    let before = std::mem::take(&mut walk.verdict);
    let mut best: Option<Verdict> = None;
    for entry in entries {
        as_entry(walk, entry, payload, path);
        let verdict = std::mem::take(&mut walk.verdict);
        if best.as_ref().is_none_or(|best| distance(&verdict) < distance(best)) {
            best = Some(verdict);
        }
    }
    let best = best.unwrap_or_default();
    walk.verdict = before;
    walk.verdict.faults.extend(best.faults);
    walk.verdict.warnings.extend(best.warnings);
}

/// How far a payload is from what a file describes: keys that the file does not know tell most.
fn distance(verdict: &Verdict) -> (usize, usize) {
    let unknown = |fault: &&Fault| matches!(fault.problem, Problem::UnknownKey { .. });
    (verdict.faults.iter().filter(unknown).count(), verdict.faults.len())
}

fn as_entry(walk: &mut Walk<'_>, entry: &'static Entry, payload: &Dictionary, path: &Path<'_>) {
    debug_assert_eq!(entry.kind, Kind::Payload);
    let common = facts::payloads("CommonPayloadKeys").first().map_or(&[][..], |common| common.keys);
    let ground = walk.enter(entry, &path.key(TYPE));
    walk.dictionary(&[entry.keys, common], payload, &ground, path);
    walk.together(entry.rules, payload, path);
    walk.beside(entry.keys, payload, path);
}
