//! `remuda facts`: what Apple's schema says, as a table.

use anyhow::{Result, bail};
use apple::facts::{self, Entry, Flag, Key, Mode, Os, Presence, Right, Rule, Since, Terms};
use apple::validate::right_name;
use clap::Subcommand;
use serde_json::json;

use super::table;
use crate::cli::Context;

/// How deep keys are shown; a few lists contain themselves.
const DEPTH: usize = 8;

/// What can be done with facts.
#[derive(Subcommand)]
pub enum Command {
    /// Shows a command, check-in, payload, declaration, status item or error by its name
    Show {
        /// Such as DeviceLock, com.apple.wifi.managed, TokenUpdate
        name: String,
    },
}

/// Does it.
pub fn run(context: &Context, command: &Command) -> Result<()> {
    let Command::Show { name } = command;
    let entries = facts::find(name);
    if entries.is_empty() {
        bail!("Apple's schema has no {name}{}", suggestion(name));
    }
    let text: Vec<_> = entries.iter().map(|entry| page(entry)).collect();
    let value: Vec<_> = entries.iter().map(|entry| object(entry)).collect();
    context.print(&json!({ "revision": facts::REVISION, "entries": value }), &text.join("\n\n"));
    Ok(())
}

/// Names that differ in case only, or contain what was typed.
fn suggestion(name: &str) -> String {
    let wanted = name.to_lowercase();
    let mut near: Vec<_> =
        facts::all().map(|entry| entry.name).filter(|known| known.to_lowercase().contains(&wanted)).collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(8);
    if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) }
}

fn page(entry: &'static Entry) -> String {
    let mut parts = vec![format!("{} ({}, {})", entry.name, entry.kind.name(), entry.file)];
    let systems: Vec<_> = Os::ALL
        .iter()
        .filter(|os| entry.support[**os].introduced != Since::Same)
        .map(|os| vec![os.name().to_owned(), versions(&entry.support[*os]), conditions(&entry.support[*os])])
        .collect();
    if !systems.is_empty() {
        parts.push(table(&["system", "versions", "on the condition"], &systems));
    }
    for (title, keys) in [("key", entry.keys), ("key of the answer", entry.answer)] {
        let mut rows = Vec::new();
        add_rows(keys, 0, &mut rows);
        if !rows.is_empty() {
            parts.push(table(&[title, "type", "", "values", "where it differs"], &rows));
        }
    }
    let together: Vec<_> = entry.rules.iter().filter_map(rule).collect();
    if !together.is_empty() {
        parts.push(format!("together: {}", together.join("; ")));
    }
    if !entry.sources.is_empty() {
        parts.push(format!("also after: {}", entry.sources.join("; ")));
    }
    parts.join("\n\n")
}

fn add_rows(keys: &'static [Key], depth: usize, rows: &mut Vec<Vec<String>>) {
    if depth > DEPTH {
        return;
    }
    for key in keys {
        let presence = if key.presence == Presence::Required { "required" } else { "" };
        rows.push(vec![
            format!("{}{}", "  ".repeat(depth), key.name),
            key.is.name().to_owned(),
            presence.to_owned(),
            key.rules.iter().filter_map(rule).collect::<Vec<_>>().join("; "),
            differences(key),
        ]);
        add_rows(key.keys, depth + 1, rows);
    }
}

fn differences(key: &Key) -> String {
    let said = Os::ALL.iter().filter(|os| key.support[**os] != Terms::SAME);
    let words = said.map(|os| {
        let terms = &key.support[*os];
        format!("{} {} {}", os.name(), versions(terms), conditions(terms)).trim_end().replace("  ", " ")
    });
    words.collect::<Vec<_>>().join("; ")
}

fn versions(terms: &Terms) -> String {
    let mut text = match terms.introduced {
        Since::Never => return "never".to_owned(),
        Since::Version(version) => format!("{version}"),
        Since::Same => String::new(),
    };
    if let Some(removed) = terms.removed {
        text = format!("{text} until {removed}").trim_start().to_owned();
    }
    if let Some(deprecated) = terms.deprecated {
        text = format!("{text} deprecated {deprecated}").trim_start().to_owned();
    }
    text
}

fn conditions(terms: &Terms) -> String {
    let mut words = Vec::new();
    for (flag, yes, no) in [
        (Flag::Supervised, "supervised", ""),
        (Flag::Automated, "automated enrollment", ""),
        (Flag::UserApproved, "user approved", ""),
        (Flag::DeviceChannel, "", "not on the device channel"),
        (Flag::UserChannel, "", "not on the user channel"),
        (Flag::AlwaysSkippable, "always skippable", "not always skippable"),
    ] {
        let word = match terms.flag(flag) {
            Some(true) => yes,
            Some(false) => no,
            None => "",
        };
        words.push(word.to_owned());
    }
    if let Right::Bit(bit) = terms.right {
        words.push(format!("right {bit} ({})", right_name(bit)));
    }
    words.push(mode(terms.user_enrollment, "User Enrollment"));
    words.push(mode(terms.shared_ipad, "Shared iPad"));
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

fn mode(mode: Option<Mode>, name: &str) -> String {
    match mode {
        Some(Mode::Required) => format!("only {name}"),
        Some(Mode::Forbidden) => format!("no {name}"),
        Some(Mode::Ignored) => format!("ignored under {name}"),
        Some(Mode::Allowed) | None => String::new(),
    }
}

fn rule(rule: &Rule) -> Option<String> {
    Some(match rule {
        Rule::Texts(texts) => texts.join(", "),
        Rule::Integers(numbers) => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Rule::Reals(numbers) => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Rule::Range(min, max) => match (min.is_finite(), max.is_finite()) {
            (true, true) => format!("{min} to {max}"),
            (true, false) => format!("at least {min}"),
            _ => format!("at most {max}"),
        },
        Rule::Default(value) => format!("default {}", literal(*value)),
        Rule::Format(format) => format!("{format:?}"),
        Rule::Count(min, max) => format!("{min} to {max} items"),
        Rule::AnyOf(keys) => format!("one of {}", keys.join(", ")),
        Rule::AtMostOne(keys) => format!("at most one of {}", keys.join(", ")),
        Rule::Requires(key, value, needed) => format!("{needed} where {key} is {value}"),
        Rule::With(key, needed) => format!("{needed} beside {key}"),
        Rule::Excludes(key, value, other) => format!("no {other} where {key} is {value}"),
        Rule::BitNeeds(bit, needed) => format!("{bit} only together with {needed}"),
        Rule::OnlyWith(key, other, value) => format!("{key} only where {other} is {value}"),
        Rule::MaxBytes(max) => format!("at most {max} bytes"),
        Rule::NotEmpty => "not empty".to_owned(),
        Rule::Needs(device) => format!("needs {device:?}"),
        Rule::RequiredFor(device, key) => format!("{key} for {device:?}"),
        Rule::RefusedBefore(os, version, device) => format!("{device:?}: only from {os} {version} on"),
        Rule::AloneBefore(os, version) => format!("alone before {os} {version}"),
        Rule::OrType(is) => format!("or {}", is.name()),
        Rule::Assets(types) => types.join(", "),
        Rule::Combine(_) | Rule::ContentTypes(_) => return None,
    })
}

fn literal(value: facts::Literal) -> String {
    match value {
        facts::Literal::Text(text) => text.to_owned(),
        facts::Literal::Integer(number) => number.to_string(),
        facts::Literal::Real(number) => number.to_string(),
        facts::Literal::Boolean(truth) => truth.to_string(),
    }
}

fn object(entry: &'static Entry) -> serde_json::Value {
    let systems: serde_json::Map<_, _> = Os::ALL
        .iter()
        .filter(|os| entry.support[**os].introduced != Since::Same)
        .map(|os| {
            let terms = &entry.support[*os];
            let value = json!({ "versions": versions(terms), "conditions": conditions(terms) });
            (os.name().to_owned(), value)
        })
        .collect();
    json!({
        "name": entry.name,
        "kind": entry.kind.name(),
        "file": entry.file,
        "systems": systems,
        "keys": key_objects(entry.keys, 0),
        "answer": key_objects(entry.answer, 0),
        "rules": entry.rules.iter().filter_map(rule).collect::<Vec<_>>(),
        "sources": entry.sources,
    })
}

fn key_objects(keys: &'static [Key], depth: usize) -> Vec<serde_json::Value> {
    if depth > DEPTH {
        return Vec::new();
    }
    let object = |key: &'static Key| {
        let mut object = json!({
            "key": key.name,
            "type": key.is.name(),
            "required": key.presence == Presence::Required,
        });
        let rules: Vec<_> = key.rules.iter().filter_map(rule).collect();
        for (name, value, said) in [
            ("values", json!(rules), !rules.is_empty()),
            ("systems", json!(differences(key)), !differences(key).is_empty()),
            ("keys", json!(key_objects(key.keys, depth + 1)), !key.keys.is_empty()),
        ] {
            if said {
                object[name] = value;
            }
        }
        object
    };
    keys.iter().map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_a_readable_page() {
        let page = page(facts::command("DeviceLock").unwrap());
        assert!(page.starts_with("DeviceLock (command, mdm/commands/device.lock)"), "{page}");
        for line in ["macOS     10.7", "tvOS      never", "PIN", "SixDigits", "right 4 (lock the device"] {
            assert!(page.contains(line), "{line} in\n{page}");
        }
    }

    #[test]
    fn every_entry_can_be_shown_and_those_with_cycles_end() {
        for entry in facts::all() {
            assert!(page(entry).contains(entry.name));
        }
    }

    #[test]
    fn a_name_that_is_nearly_right_is_helped() {
        assert!(suggestion("devicelock").contains("DeviceLock"));
        assert_eq!(suggestion("no such thing"), "");
    }
}
