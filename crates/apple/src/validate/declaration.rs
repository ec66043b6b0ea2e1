//! Declarations of declarative management, which are JSON.

use plist::{Dictionary, Value};

use super::fault::{Problem, Verdict};
use super::value::Notation;
use super::walk::Path;
use super::{Options, Target, json, text, unknown, walk};
use crate::facts::{self, Type};

const PAYLOAD: &str = "Payload";
const TYPE: &str = "Type";

/// Checks a declaration: `Type`, `Identifier`, `ServerToken`, and its `Payload` by its type.
pub fn declaration(declaration: &serde_json::Value, target: &Target, options: Options) -> Verdict {
    let mut walk = walk(target, options, Notation::Json);
    let Some(document) = json::dictionary(declaration, &mut walk, &Path::TOP) else {
        walk.fault(&Path::TOP, Problem::WrongType { found: "no object", allowed: Type::Dictionary });
        return walk.verdict;
    };
    let Some(base) = facts::declaration("any") else { return walk.verdict };
    let name = Path::TOP.key(TYPE);
    let ground = walk.enter(base, &name);
    walk.dictionary(&[base.keys], &document, &ground, &Path::TOP);
    let Some(declaration_type) = text(&document, TYPE) else { return walk.verdict };
    let known = facts::declaration(declaration_type).filter(|entry| entry.name.starts_with("com.apple."));
    let Some(entry) = known else {
        return unknown(walk, &name, "declaration", declaration_type);
    };
    let ground = walk.enter(entry, &name);
    let path = Path::TOP.key(PAYLOAD);
    let nothing = Dictionary::new();
    let payload = document.get(PAYLOAD).and_then(Value::as_dictionary).unwrap_or(&nothing);
    walk.dictionary(&[entry.keys], payload, &ground, &path);
    walk.together(entry.rules, payload, &path);
    walk.beside(entry.keys, payload, &path);
    walk.verdict
}
