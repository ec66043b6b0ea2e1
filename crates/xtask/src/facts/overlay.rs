//! Our overlay: what newer versions of Apple's schema say, what its errata and its prose say, each with its source.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::schema::{File, Key, ListId, Reader, Schema, read_payload, read_rules, yaml_files};
use super::yaml::{Graph, Yaml};

/// Applies every file of `folder`, in the order of their names, each from its top.
pub fn apply(schema: &mut Schema, folder: &Path) -> Result<usize> {
    let mut entries = 0;
    for path in yaml_files(folder)? {
        let text = std::fs::read_to_string(folder.join(&path))?;
        let graph = Graph::parse(&text).with_context(|| path.clone())?;
        for item in graph.root().items()? {
            let change = Change::read(item).with_context(|| path.clone())?;
            change.apply(schema).with_context(|| format!("{path}: {}", change.file))?;
            entries += 1;
        }
    }
    Ok(entries)
}

/// One entry of the overlay.
struct Change<'a> {
    source: &'a str,
    file: &'a str,
    steps: Vec<(&'a str, Yaml<'a>)>,
}

impl<'a> Change<'a> {
    fn read(yaml: Yaml<'a>) -> Result<Change<'a>> {
        let mut change = Change { source: "", file: "", steps: Vec::new() };
        for (field, value) in yaml.pairs()? {
            match field {
                "source" => change.source = value.text()?,
                "file" => change.file = value.text()?,
                _ => change.steps.push((field, value)),
            }
        }
        ensure!(!change.file.is_empty(), "an entry without its file");
        ensure!(!change.source.is_empty(), "{}: an entry without its source", change.file);
        ensure!(!change.steps.is_empty(), "{}: an entry that changes nothing", change.file);
        Ok(change)
    }

    fn apply(&self, schema: &mut Schema) -> Result<()> {
        if let [("new", entry)] = self.steps[..] {
            ensure!(!schema.files.contains_key(self.file), "the schema has it: drop it from the overlay");
            let mut file = Reader::new(&mut schema.lists).entry(entry)?;
            file.sources.push(self.source.to_owned());
            schema.files.insert(self.file.to_owned(), file);
            return Ok(());
        }
        let Schema { files, lists } = schema;
        let file = files.get_mut(self.file).context("the schema has no such file")?;
        for (step, value) in &self.steps {
            take_step(file, lists, step, *value)?;
        }
        if !file.sources.iter().any(|known| known == self.source) {
            file.sources.push(self.source.to_owned());
        }
        Ok(())
    }
}

fn take_step(file: &mut File, lists: &mut Vec<Vec<Key>>, step: &str, value: Yaml<'_>) -> Result<()> {
    match step {
        "payload" => read_payload(file, value),
        "rules" => read_rules(&mut file.rules, value),
        "keys" => patch_all(lists, file.keys, value),
        "answer" => patch_all(lists, file.answer, value),
        "add" => add_all(lists, &mut file.keys, value),
        "add-answer" => add_all(lists, &mut file.answer, value),
        other => bail!("unknown step {other}"),
    }
}

/// Changes fields of keys that are there: `Queries/QueriesItem/IMEI: {…}`.
fn patch_all(lists: &mut Vec<Vec<Key>>, top: Option<ListId>, patches: Yaml<'_>) -> Result<()> {
    for (path, fields) in patches.pairs()? {
        let (list, index) = find(lists, top, path).with_context(|| format!("no key {path}"))?;
        let mut key = lists[list][index].clone();
        for (field, value) in fields.pairs()? {
            if field == "add-values" {
                extend_values(&mut key, value)?;
            } else {
                Reader::new(lists).set(&mut key, field, value).with_context(|| path.to_owned())?;
            }
        }
        lists[list][index] = key;
    }
    Ok(())
}

fn extend_values(key: &mut Key, values: Yaml<'_>) -> Result<()> {
    let (_, known) =
        key.rules.0.iter_mut().find(|(field, _)| field == "rangelist").context("no rangelist")?;
    for value in values.texts()? {
        ensure!(!known.contains(&value), "{value} is there");
        known.push(value);
    }
    Ok(())
}

/// Adds keys at the end of a list: `ReturnToService: [{key: …}]`, at the top by the path `.`.
fn add_all(lists: &mut Vec<Vec<Key>>, top: &mut Option<ListId>, additions: Yaml<'_>) -> Result<()> {
    for (path, keys) in additions.pairs()? {
        let added = Reader::new(lists).list(keys)?;
        if path == "." && top.is_none() {
            *top = Some(added);
            continue;
        }
        let list = if path == "." {
            *top
        } else {
            let (list, index) = find(lists, *top, path).with_context(|| format!("no key {path}"))?;
            lists[list][index].keys
        };
        let list = list.with_context(|| format!("{path} has no keys"))?;
        let added = lists[added].clone();
        for key in &added {
            ensure!(lists[list].iter().all(|old| old.name != key.name), "{path}/{} is there", key.name);
        }
        lists[list].extend(added);
    }
    Ok(())
}

/// The list and the place in it of the key at `path`. Where a list has several keys of a name, as the items
/// of `Settings`, the first that leads on is meant.
fn find(lists: &[Vec<Key>], top: Option<ListId>, path: &str) -> Option<(ListId, usize)> {
    let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let list = top?;
    let mut named = lists[list].iter().enumerate().filter(|(_, key)| key.name == name);
    match rest {
        None => named.next().map(|(index, _)| (list, index)),
        Some(rest) => named.find_map(|(_, key)| find(lists, key.keys, rest)),
    }
}
