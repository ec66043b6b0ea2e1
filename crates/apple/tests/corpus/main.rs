//! A corpus made from the facts: for every command, check-in, payload and declaration a minimal and a full
//! example for each OS that knows it, which must pass, and broken ones, which must fail where they are broken.

mod broken;
mod example;
mod own;
mod prose;
mod rules;
mod targets;

use apple::facts::{self, Entry, Kind};
use apple::validate::{self, Options, Target, Verdict};
use apple::{Dictionary, Value};
use example::{Choice, example};
use targets::targets_of;

/// Everything that devices or servers send, by kind.
fn entries(kind: Kind) -> impl Iterator<Item = &'static Entry> {
    facts::all().filter(move |entry| entry.kind == kind && !is_frame(entry))
}

/// Files that hold what is common to others.
fn is_frame(entry: &Entry) -> bool {
    matches!(entry.name, "CommonPayloadKeys" | "TopLevel" | "any" | "status-reason")
}

/// Checks an example by the road that its kind takes.
fn verdict(entry: &'static Entry, example: &Dictionary, target: &Target, options: Options) -> Verdict {
    match entry.kind {
        Kind::Command => validate::command(&with_name(example, "RequestType", entry), target, options),
        Kind::CheckIn => validate::check_in(example, target, options),
        Kind::Payload => {
            let payload = with_name(example, "PayloadType", entry);
            validate::profile(&example::profile(vec![payload]), target, options)
        }
        Kind::Declaration => validate::declaration(&declaration(entry, example), target, options),
        Kind::Status => status(entry, example, target, options),
        _ => validate::entry(entry, example, target, options),
    }
}

fn with_name(example: &Dictionary, key: &str, entry: &Entry) -> Dictionary {
    let mut named = example.clone();
    named.insert(key.to_owned(), entry.name.into());
    if entry.kind == Kind::Payload {
        for (key, value) in [
            ("PayloadIdentifier", Value::from("com.example.payload")),
            ("PayloadUUID", "0123ABCD-0123-0123-0123-0123456789AB".into()),
            ("PayloadVersion", 1.into()),
        ] {
            if !named.contains_key(key) {
                named.insert(key.to_owned(), value);
            }
        }
    }
    named
}

fn declaration(entry: &Entry, example: &Dictionary) -> serde_json::Value {
    serde_json::json!({
        "Type": entry.name,
        "Identifier": "declaration-1",
        "ServerToken": "token-1",
        "Payload": example::json(&Value::Dictionary(example.clone())),
    })
}

/// A status item is its one key; what a device does not report, is no item.
fn status(entry: &'static Entry, example: &Dictionary, target: &Target, options: Options) -> Verdict {
    let Some(value) = example.get(entry.keys[0].name) else { return Verdict::default() };
    validate::status_item(entry.name, &example::json(value), target, options)
}

#[test]
fn every_minimal_and_every_full_example_is_valid() {
    let mut checked = 0;
    let mut failures = Vec::new();
    for kind in [
        Kind::CheckIn,
        Kind::Command,
        Kind::Payload,
        Kind::Declaration,
        Kind::Credential,
        Kind::Protocol,
        Kind::Status,
        Kind::Error,
        Kind::Other,
    ] {
        let mut count = 0;
        for entry in entries(kind) {
            let targets = targets_of(entry);
            assert!(!targets.is_empty(), "{}: no device knows it", entry.file);
            for target in &targets {
                for choice in [Choice::Minimal, Choice::Full] {
                    let example = example(entry, target, choice);
                    let found = verdict(entry, &example, target, Options::default());
                    count += 1;
                    if !found.is_valid() {
                        failures.push(format!(
                            "{} {choice:?} on {}: {:?}",
                            entry.file,
                            target.class(),
                            found.faults
                        ));
                    }
                }
            }
        }
        println!("{}: {count} valid examples", kind.name());
        checked += count;
    }
    println!("{checked} valid examples");
    assert!(
        failures.is_empty(),
        "{} fail:\n{}",
        failures.len(),
        failures[..failures.len().min(25)].join("\n")
    );
}

#[test]
fn every_broken_example_fails_where_it_is_broken() {
    let mut checked = 0;
    let mut failures = Vec::new();
    for kind in [
        Kind::CheckIn,
        Kind::Command,
        Kind::Payload,
        Kind::Declaration,
        Kind::Credential,
        Kind::Protocol,
        Kind::Status,
        Kind::Error,
        Kind::Other,
    ] {
        let mut count = 0;
        for entry in entries(kind).filter(|entry| !shares_its_name(entry)) {
            for target in targets_of(entry) {
                for case in broken::cases(entry, &target) {
                    count += 1;
                    let found = verdict(entry, &case.example, &case.target, Options::default());
                    if !found.faults.iter().any(|fault| case.expects(fault)) {
                        failures.push(format!("{}: {case}: {:?}", entry.file, found.faults));
                    }
                }
            }
        }
        println!("{}: {count} broken examples", kind.name());
        checked += count;
    }
    println!("{checked} broken examples");
    assert!(
        failures.is_empty(),
        "{} fail:\n{}",
        failures.len(),
        failures[..failures.len().min(25)].join("\n")
    );
}

/// Types of several files are judged by the file that fits best, so what breaks one may fit another.
fn shares_its_name(entry: &Entry) -> bool {
    entry.kind == Kind::Payload && facts::payloads(entry.name).len() > 1
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// By its place, so that a failure names it without its whole tree.
    fn any_entry() -> impl Strategy<Value = &'static Entry> {
        let entries: Vec<_> = [Kind::CheckIn, Kind::Command, Kind::Payload, Kind::Declaration]
            .into_iter()
            .flat_map(entries)
            .collect();
        prop::sample::select(entries)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_valid_example_survives_encode_and_decode(entry in any_entry(), seed: u64) {
            let targets = targets_of(entry);
            let target = &targets[seed as usize % targets.len()];
            let example = example(entry, target, Choice::Random(seed));
            prop_assert_eq!(verdict(entry, &example, target, Options::default()).faults, vec![]);
            let again = if entry.kind == Kind::Declaration {
                let text = serde_json::to_string(&declaration(entry, &example)).unwrap();
                let read: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(&read, &declaration(entry, &example));
                validate::declaration(&read, target, Options::default())
            } else {
                let mut bytes = Vec::new();
                Value::Dictionary(example.clone()).to_writer_xml(&mut bytes).unwrap();
                let read = apple::guard::parse(&bytes, apple::Limits::server_answer()).unwrap();
                let read = read.into_dictionary().unwrap();
                prop_assert_eq!(&read, &example);
                verdict(entry, &read, target, Options::default())
            };
            prop_assert_eq!(again.faults, vec![]);
        }

        #[test]
        fn what_one_device_of_a_class_gets_all_get(entry in any_entry(), seed: u64, choice: bool) {
            let choice = if choice { Choice::Full } else { Choice::Random(seed) };
            for target in targets_of(entry) {
                let example = example(entry, &target, choice);
                let own = verdict(entry, &example, &target, Options::default());
                let of_class = verdict(entry, &example, target.class().target(), Options::default());
                prop_assert_eq!(own, of_class);
            }
        }
    }
}
