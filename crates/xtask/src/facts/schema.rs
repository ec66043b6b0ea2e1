//! Apple's schema in memory: every file, every key, without a word of its prose.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::yaml::{Graph, Yaml};

/// Fields that hold Apple's prose, or labels of it. They are passed over, here and nowhere else.
const PROSE: [&str; 5] = ["title", "description", "content", "notes", "subkeytype"];

/// The operating systems, in the order in which they are written.
pub const SYSTEMS: [&str; 5] = ["iOS", "macOS", "tvOS", "visionOS", "watchOS"];

/// The whole schema.
#[derive(Debug, Default)]
pub struct Schema {
    /// In the order of their paths.
    pub files: BTreeMap<String, File>,
    /// Lists of keys; two places that share an anchor share a list.
    pub lists: Vec<Vec<Key>>,
}

/// The number of a list in [`Schema::lists`].
pub type ListId = usize;

/// One file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// `requesttype` and its like.
    pub name: String,
    pub support: Support,
    pub apply: Option<String>,
    pub beta: bool,
    pub keys: Option<ListId>,
    pub answer: Option<ListId>,
    pub reasons: Vec<Reason>,
    pub related: Vec<String>,
    /// Rules of the overlay about the keys together.
    pub rules: Rules,
    /// Where the overlay has its changes from.
    pub sources: Vec<String>,
}

/// An error code: what it is called, and its details with their types.
#[derive(Clone, Debug)]
pub struct Reason {
    pub code: String,
    pub details: Vec<(String, String)>,
}

/// One key.
#[derive(Clone, Debug, Default)]
pub struct Key {
    pub name: String,
    /// Without its angle brackets.
    pub is: String,
    pub presence: Option<bool>,
    pub support: Support,
    pub rules: Rules,
    pub keys: Option<ListId>,
}

/// For each OS, fields with their values; fields of inner mappings as `userenrollment.mode`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Support(pub BTreeMap<String, BTreeMap<String, String>>);

impl Support {
    /// Takes over what `other` says.
    pub fn merge(&mut self, other: Support) {
        for (os, fields) in other.0 {
            self.0.entry(os).or_default().extend(fields);
        }
    }
}

/// What else is said of a value: the field that says it, and its values.
#[derive(Clone, Debug, Default)]
pub struct Rules(pub Vec<(String, Vec<String>)>);

impl Rules {
    /// Sets a field that can be said once.
    pub fn set(&mut self, field: &str, values: Vec<String>) {
        match self.0.iter_mut().find(|(name, _)| name == field) {
            Some((_, old)) => *old = values,
            None => self.0.push((field.to_owned(), values)),
        }
    }
}

impl Schema {
    /// Reads every YAML file below `folder` but Apple's grammar in `docs`.
    pub fn read(folder: &Path) -> Result<Schema> {
        let mut schema = Schema::default();
        for path in yaml_files(folder)? {
            let text = std::fs::read_to_string(folder.join(&path))?;
            let file = Reader::new(&mut schema.lists).file(&text).with_context(|| path.clone())?;
            schema.files.insert(path.trim_end_matches(".yaml").to_owned(), file);
        }
        ensure!(!schema.files.is_empty(), "{} holds no schema", folder.display());
        Ok(schema)
    }
}

/// The paths of all schema files, relative to `folder`, sorted.
pub fn yaml_files(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    let relative = |path: &Path| Some(path.strip_prefix(folder).ok()?.to_str()?.to_owned());
    let mut paths: Vec<_> = found.iter().filter_map(|path| relative(path)).collect();
    paths.retain(|path| !path.starts_with("docs/"));
    paths.sort();
    Ok(paths)
}

/// Reads one document; lists that it has read are known by their nodes.
pub struct Reader<'a> {
    lists: &'a mut Vec<Vec<Key>>,
    read: HashMap<usize, ListId>,
}

impl<'a> Reader<'a> {
    /// Puts what it reads into `lists`.
    pub fn new(lists: &'a mut Vec<Vec<Key>>) -> Reader<'a> {
        Reader { lists, read: HashMap::new() }
    }

    fn file(&mut self, text: &str) -> Result<File> {
        self.entry(Graph::parse(text)?.root())
    }

    /// A whole file, in Apple's grammar.
    pub fn entry(&mut self, yaml: Yaml<'_>) -> Result<File> {
        let mut file = File::default();
        for (field, value) in yaml.pairs()? {
            match field {
                "payload" => read_payload(&mut file, value)?,
                "payloadkeys" => file.keys = Some(self.list(value)?),
                "responsekeys" => file.answer = Some(self.list(value)?),
                "reasons" => file.reasons = value.items()?.map(read_reason).collect::<Result<_>>()?,
                "related-status-items" => file.related = read_related(value)?,
                prose if PROSE.contains(&prose) => {}
                other => bail!("unknown field {other}"),
            }
        }
        if file.name.is_empty() {
            file.name = self.error_code(&file).context("it has no name")?;
        }
        Ok(file)
    }

    /// Errors are named by the one value of their key `code`.
    fn error_code(&self, file: &File) -> Option<String> {
        let code = self.lists[file.keys?].iter().find(|key| key.name == "code")?;
        let (_, codes) = code.rules.0.iter().find(|(field, _)| field == "rangelist")?;
        codes.first().cloned()
    }

    /// A list of keys, read once however often it is named.
    pub fn list(&mut self, yaml: Yaml<'_>) -> Result<ListId> {
        if let Some(&known) = self.read.get(&yaml.identity()) {
            return Ok(known);
        }
        let id = self.lists.len();
        self.lists.push(Vec::new());
        self.read.insert(yaml.identity(), id);
        let keys = yaml.items()?.map(|item| self.key(item)).collect::<Result<_>>()?;
        self.lists[id] = keys;
        Ok(id)
    }

    fn key(&mut self, yaml: Yaml<'_>) -> Result<Key> {
        let mut key = Key::default();
        for (field, value) in yaml.pairs()? {
            self.set(&mut key, field, value).with_context(|| format!("{} of key {}", field, key.name))?;
        }
        ensure!(!key.name.is_empty() && !key.is.is_empty(), "a key without name or type");
        Ok(key)
    }

    /// Sets one field of a key, as Apple's files and the overlay write it.
    pub fn set(&mut self, key: &mut Key, field: &str, value: Yaml<'_>) -> Result<()> {
        match field {
            "key" => key.name = value.text()?.to_owned(),
            "type" => key.is = value.text()?.trim_matches(['<', '>']).to_owned(),
            "presence" => key.presence = Some(read_presence(value.text()?)?),
            "supportedOS" => key.support.merge(read_support(value)?),
            "subkeys" => key.keys = Some(self.list(value)?),
            "rangelist" | "assettypes" | "asset-content-types" => key.rules.set(field, value.texts()?),
            "default" | "format" | "combinetype" => key.rules.set(field, vec![value.text()?.to_owned()]),
            "subtype" => key.rules.set(field, vec![value.text()?.trim_matches(['<', '>']).to_owned()]),
            "range" | "repetition" => key.rules.set(field, read_bounds(value)?),
            "rules" => read_rules(&mut key.rules, value)?,
            prose if PROSE.contains(&prose) => {}
            other => bail!("unknown field {other}"),
        }
        Ok(())
    }
}

/// `payload`: the entry's name, where it is supported, how it is applied.
pub fn read_payload(file: &mut File, yaml: Yaml<'_>) -> Result<()> {
    for (field, value) in yaml.pairs()? {
        match field {
            "payloadtype" | "requesttype" | "declarationtype" | "statusitemtype" | "credentialtype" => {
                value.text()?.clone_into(&mut file.name);
            }
            "supportedOS" => file.support.merge(read_support(value)?),
            "apply" => file.apply = Some(value.text()?.to_owned()),
            "beta" => file.beta = value.boolean()?,
            prose if PROSE.contains(&prose) => {}
            other => bail!("unknown field payload.{other}"),
        }
    }
    Ok(())
}

/// Rules of the overlay: `- any-of: [Message, PhoneNumber]`.
pub fn read_rules(rules: &mut Rules, yaml: Yaml<'_>) -> Result<()> {
    for item in yaml.items()? {
        for (rule, value) in item.pairs()? {
            let values = value.texts().or_else(|_| value.text().map(|text| vec![text.to_owned()]))?;
            rules.0.push((rule.to_owned(), values));
        }
    }
    Ok(())
}

fn read_presence(text: &str) -> Result<bool> {
    match text {
        "required" => Ok(true),
        "optional" => Ok(false),
        other => bail!("unknown presence {other}"),
    }
}

fn read_support(yaml: Yaml<'_>) -> Result<Support> {
    let mut support = Support::default();
    for (os, terms) in yaml.pairs()? {
        ensure!(SYSTEMS.contains(&os), "unknown system {os}");
        let mut fields = BTreeMap::new();
        for (field, value) in terms.pairs()? {
            read_term(&mut fields, field, value)?;
        }
        support.0.insert(os.to_owned(), fields);
    }
    Ok(support)
}

fn read_term(fields: &mut BTreeMap<String, String>, field: &str, value: Yaml<'_>) -> Result<()> {
    if let Ok(text) = value.text() {
        fields.insert(field.to_owned(), text.to_owned());
    } else if let Ok(texts) = value.texts() {
        fields.insert(field.to_owned(), texts.join(" "));
    } else {
        for (inner, value) in value.pairs()? {
            read_term(fields, &format!("{field}.{inner}"), value)?;
        }
    }
    Ok(())
}

/// Lower and upper bound; an empty text where there is none.
fn read_bounds(yaml: Yaml<'_>) -> Result<Vec<String>> {
    let mut bounds = vec![String::new(), String::new()];
    for (end, value) in yaml.pairs()? {
        let place = ["min", "max"].iter().position(|name| *name == end).context("unknown bound")?;
        value.text()?.clone_into(&mut bounds[place]);
    }
    Ok(bounds)
}

fn read_reason(yaml: Yaml<'_>) -> Result<Reason> {
    let mut reason = Reason { code: String::new(), details: Vec::new() };
    for (field, value) in yaml.pairs()? {
        match field {
            "value" => value.text()?.clone_into(&mut reason.code),
            "details" => {
                reason.details = value.items()?.map(read_detail).collect::<Result<_>>()?;
            }
            prose if PROSE.contains(&prose) => {}
            other => bail!("unknown field reasons.{other}"),
        }
    }
    Ok(reason)
}

fn read_detail(yaml: Yaml<'_>) -> Result<(String, String)> {
    let mut detail = (String::new(), String::new());
    for (field, value) in yaml.pairs()? {
        match field {
            "key" => value.text()?.clone_into(&mut detail.0),
            "type" => value.text()?.trim_matches(['<', '>']).clone_into(&mut detail.1),
            prose if PROSE.contains(&prose) => {}
            other => bail!("unknown field details.{other}"),
        }
    }
    Ok(detail)
}

fn read_related(yaml: Yaml<'_>) -> Result<Vec<String>> {
    let mut related = Vec::new();
    for item in yaml.items()? {
        for (field, value) in item.pairs()? {
            match field {
                "status-items" => related.extend(value.texts()?),
                "note" => {}
                other => bail!("unknown field related-status-items.{other}"),
            }
        }
    }
    Ok(related)
}
