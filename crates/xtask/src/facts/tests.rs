//! The tables are fresh, and nothing of Apple's schema is dropped on the way to them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::schema::{File, Key, ListId, Schema};
use super::*;
use apple::facts::{Entry, Key as Fact, Presence, Rule, Support as Terms};

/// How often each field is written, by its name in Apple's files.
type Counts = BTreeMap<&'static str, usize>;

/// Fields whose number must be the same in Apple's text, in memory and in the compiled tables.
const FIELDS: [&str; 13] = [
    "key",
    "presence",
    "supportedOS",
    "subkeys",
    "rangelist",
    "range",
    "default",
    "format",
    "subtype",
    "repetition",
    "combinetype",
    "assettypes",
    "asset-content-types",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The schema, where it is; else says aloud what is not looked at.
fn schema_folder_if_present(test: &str) -> Option<PathBuf> {
    let folder = default_folder(&root());
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("{test}: there is no schema at {}; only the committed digest is checked", folder.display());
    None
}

#[test]
fn the_tables_are_as_they_were_generated() {
    let manifest = std::fs::read_to_string(root().join(TABLES).join("MANIFEST")).unwrap();
    let mut checked = 0;
    for line in manifest.lines().skip(1) {
        let (digest, name) = line.split_once(' ').unwrap();
        let found = match name {
            "schema-overlay" => overlay_digest(&root()).unwrap(),
            name => sha256(&std::fs::read(root().join(TABLES).join(name)).unwrap()),
        };
        assert_eq!(found, digest, "{name} is not as it was generated: run `cargo xtask facts`");
        checked += 1;
    }
    assert_eq!(checked, 12, "ten tables, the revision, the overlay");
}

#[test]
fn the_tables_are_fresh() {
    let Some(folder) = schema_folder_if_present("the_tables_are_fresh") else {
        return the_tables_are_as_they_were_generated();
    };
    let generated = generate(&root(), &folder).unwrap();
    for (name, text) in &generated.files {
        let committed = std::fs::read_to_string(root().join(TABLES).join(name)).unwrap();
        assert!(*text == committed, "{name} is stale: run `cargo xtask facts`");
    }
}

#[test]
fn every_file_key_and_field_of_apples_text_is_read() {
    let Some(folder) = schema_folder_if_present("every_file_key_and_field_of_apples_text_is_read") else {
        return the_tables_are_as_they_were_generated();
    };
    let schema = Schema::read(&folder).unwrap();
    let paths = yaml_files(&folder).unwrap();
    assert_eq!(schema.files.len(), paths.len());
    let mut all = Counts::new();
    for path in &paths {
        let text = std::fs::read_to_string(folder.join(path)).unwrap();
        let file = &schema.files[path.trim_end_matches(".yaml")];
        let counts = count_file(&schema, file);
        assert_eq!(count_text(&text), counts, "{path}");
        for (field, count) in counts {
            *all.entry(field).or_default() += count;
        }
    }
    println!("{} files: {all:?}", paths.len());
}

#[test]
fn every_file_key_and_field_that_is_read_is_in_the_tables() {
    let Some(folder) = schema_folder_if_present("every_file_key_and_field_that_is_read_is_in_the_tables")
    else {
        return the_tables_are_as_they_were_generated();
    };
    let mut schema = Schema::read(&folder).unwrap();
    overlay::apply(&mut schema, &root().join(OVERLAY)).unwrap();
    assert_eq!(apple::facts::all().count(), schema.files.len());
    for entry in apple::facts::all() {
        let file = &schema.files[entry.file];
        assert_eq!(entry.name, file.name);
        assert_eq!(count_entry(entry), count_file(&schema, file), "{}", entry.file);
        assert_eq!(entry.reasons.len(), file.reasons.len(), "{}", entry.file);
    }
}

#[test]
fn the_three_files_with_cycles_are_read_whole() {
    for name in ["com.apple.homescreenlayout", "com.apple.applicationaccess.new"] {
        let [entry] = apple::facts::payloads(name) else { panic!("{name}") };
        let mut lists = HashSet::new();
        assert!(has_cycle(entry.keys, &mut lists), "{name}");
    }
    if let Some(folder) = schema_folder_if_present("the_three_files_with_cycles_are_read_whole") {
        let grammar = std::fs::read_to_string(folder.join("docs/schema.yaml")).unwrap();
        assert!(yaml::Graph::parse(&grammar).is_ok());
    }
}

fn has_cycle(keys: &'static [Fact], above: &mut HashSet<*const Fact>) -> bool {
    if keys.is_empty() {
        return false;
    }
    if !above.insert(keys.as_ptr()) {
        return true;
    }
    let found = keys.iter().any(|key| has_cycle(key.keys, above));
    above.remove(&keys.as_ptr());
    found
}

/// Counts lines, and knows nothing of how they are read. `reasons` have keys of their own kind.
fn count_text(text: &str) -> Counts {
    let mut counts: Counts = FIELDS.iter().map(|field| (*field, 0)).collect();
    let mut in_reasons = false;
    let mut prose_below = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if prose_below.is_some_and(|prose| indent > prose || line.trim().is_empty()) {
            continue;
        }
        prose_below = None;
        if indent == 0 && !line.starts_with('-') {
            in_reasons = line.starts_with("reasons:");
        }
        let field = line.trim_start().trim_start_matches("- ");
        let name = field.split_once(':').map_or("", |(name, _)| name);
        if matches!(name, "content" | "description" | "title" | "note") {
            prose_below = Some(indent + line.trim_start().len() - field.len());
        }
        if let Some(count) = counts.get_mut(name)
            && !in_reasons
        {
            *count += 1;
        }
    }
    counts
}

fn count_file(schema: &Schema, file: &File) -> Counts {
    let mut counts: Counts = FIELDS.iter().map(|field| (*field, 0)).collect();
    *counts.get_mut("supportedOS").unwrap() += usize::from(!file.support.0.is_empty());
    let mut seen = HashSet::new();
    for list in [file.keys, file.answer].into_iter().flatten() {
        count_list(schema, list, &mut seen, &mut counts);
    }
    counts
}

fn count_list(schema: &Schema, list: ListId, seen: &mut HashSet<ListId>, counts: &mut Counts) {
    if !seen.insert(list) {
        return;
    }
    for key in &schema.lists[list] {
        count_key(key, counts);
        if let Some(inner) = key.keys {
            count_list(schema, inner, seen, counts);
        }
    }
}

fn count_key(key: &Key, counts: &mut Counts) {
    let fields = [
        ("key", true),
        ("presence", key.presence.is_some()),
        ("supportedOS", !key.support.0.is_empty()),
        ("subkeys", key.keys.is_some()),
    ];
    let said = fields.into_iter().filter(|(_, said)| *said).map(|(field, _)| field);
    for field in said.chain(key.rules.0.iter().map(|(field, _)| field.as_str())) {
        if let Some(count) = counts.get_mut(field) {
            *count += 1;
        }
    }
}

fn count_entry(entry: &Entry) -> Counts {
    let mut counts: Counts = FIELDS.iter().map(|field| (*field, 0)).collect();
    *counts.get_mut("supportedOS").unwrap() += usize::from(*entry.support != Terms::SAME);
    let mut seen = HashSet::new();
    count_facts(entry.keys, &mut seen, &mut counts);
    count_facts(entry.answer, &mut seen, &mut counts);
    counts
}

fn count_facts(keys: &'static [Fact], seen: &mut HashSet<*const Fact>, counts: &mut Counts) {
    if keys.is_empty() || !seen.insert(keys.as_ptr()) {
        return;
    }
    for key in keys {
        let fields = [
            ("key", true),
            ("presence", key.presence != Presence::Unsaid),
            ("supportedOS", *key.support != Terms::SAME),
            ("subkeys", !key.keys.is_empty()),
        ];
        let said = fields.into_iter().filter(|(_, said)| *said).map(|(field, _)| field);
        for field in said.chain(key.rules.iter().filter_map(field_of)) {
            *counts.get_mut(field).unwrap() += 1;
        }
        count_facts(key.keys, seen, counts);
    }
}

/// The field of Apple's that a rule comes from; none for those of prose.
fn field_of(rule: &Rule) -> Option<&'static str> {
    use apple::facts::Format::{HostName, Timestamp, Url};
    Some(match rule {
        Rule::Texts(_) | Rule::Integers(_) | Rule::Reals(_) => "rangelist",
        Rule::Range(..) => "range",
        Rule::Default(_) => "default",
        Rule::Format(Url | HostName | Timestamp) => "subtype",
        Rule::Format(_) => "format",
        Rule::Count(..) => "repetition",
        Rule::Combine(_) => "combinetype",
        Rule::Assets(_) => "assettypes",
        Rule::ContentTypes(_) => "asset-content-types",
        _ => return None,
    })
}
