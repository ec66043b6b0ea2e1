//! Builds examples that a device must take, from what the facts say of each key.

use apple::facts::{Entry, Format, Key, Literal, Mode, Presence, Rule, Terms, Type};
use apple::validate::{Target, meets};
use apple::{Dictionary, Value};

/// Which of the optional keys an example has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// None.
    Minimal,
    /// All that the device supports.
    Full,
    /// Some, by a seed.
    Random(u64),
}

/// How deep a list that contains itself is followed.
const DEPTH: usize = 6;

/// An example of `entry` for `target`, without the name of the entry where no key of its own has it.
pub fn example(entry: &'static Entry, target: &Target, choice: Choice) -> Dictionary {
    let mut builder = Builder { target, choice, step: 0 };
    let terms = target.os.map_or(Terms::SAME, |os| entry.support[os]);
    let mut example = builder.dictionary(entry.keys, entry.rules, &terms, DEPTH);
    if entry.name == "InstallProfile" {
        let mut bytes = Vec::new();
        let written = Value::Dictionary(profile(Vec::new())).to_writer_xml(&mut bytes);
        written.expect("a profile without payloads can be written");
        example.insert("Payload".into(), Value::Data(bytes));
    }
    example
}

/// A configuration profile with these payloads.
pub fn profile(payloads: Vec<Dictionary>) -> Dictionary {
    Dictionary::from_iter([
        ("PayloadType", Value::from("Configuration")),
        ("PayloadIdentifier", "com.example.profile".into()),
        ("PayloadUUID", "0123ABCD-0123-0123-0123-0123456789AC".into()),
        ("PayloadVersion", 1.into()),
        ("PayloadContent", Value::Array(payloads.into_iter().map(Value::Dictionary).collect())),
    ])
}

/// An item, or a value below an array.
pub struct Builder<'t> {
    target: &'t Target,
    choice: Choice,
    step: u64,
}

impl Builder<'_> {
    fn dictionary(
        &mut self,
        keys: &'static [Key],
        rules: &'static [Rule],
        terms: &Terms,
        depth: usize,
    ) -> Dictionary {
        let mut dictionary = Dictionary::new();
        for key in keys {
            let own = self.terms(key, terms);
            if meets(self.target, &own) && self.takes(key, &own, depth) && self.has_traits(key) {
                let name = if key.is_wildcard() { "com.example.any" } else { key.name };
                dictionary.insert(name.to_owned(), self.value(key, &own, depth));
            }
        }
        for rule in rules {
            self.keep(rule, keys, terms, &mut dictionary, depth);
        }
        dictionary
    }

    /// Makes the dictionary keep a rule about its keys together.
    fn keep(
        &mut self,
        rule: &'static Rule,
        keys: &'static [Key],
        terms: &Terms,
        dictionary: &mut Dictionary,
        depth: usize,
    ) {
        let written = |dictionary: &Dictionary, key: &str, value: &str| match dictionary.get(key) {
            Some(Value::String(text)) => text == value,
            Some(Value::Boolean(truth)) => value == if *truth { "true" } else { "false" },
            _ => false,
        };
        let mut add = Vec::new();
        match rule {
            Rule::AnyOf(names) if !names.iter().any(|name| dictionary.contains_key(name)) => {
                let known = |name: &&&str| {
                    keys.iter().any(|key| key.name == **name && meets(self.target, &self.terms(key, terms)))
                };
                add.extend(names.iter().find(known).copied());
            }
            Rule::Requires(key, value, needed) => {
                let absent = *value == "false" && !dictionary.contains_key(key);
                if (absent || written(dictionary, key, value)) && !dictionary.contains_key(needed) {
                    add.push(*needed);
                }
            }
            Rule::OnlyWith(key, other, value) if !written(dictionary, other, value) => {
                dictionary.remove(key);
            }
            Rule::AtMostOne(names) => {
                let present = names.iter().filter(|name| dictionary.contains_key(name)).skip(1);
                for name in present.copied().collect::<Vec<_>>() {
                    dictionary.remove(name);
                }
            }
            Rule::With(key, needed) if dictionary.contains_key(key) && !dictionary.contains_key(needed) => {
                add.push(*needed);
            }
            Rule::Excludes(key, value, other) if written(dictionary, key, value) => {
                dictionary.remove(other);
            }
            Rule::RequiredFor(device, key)
                if self.target.has(*device) == Some(true) && !dictionary.contains_key(key) =>
            {
                add.push(*key);
            }
            _ => {}
        }
        for name in add {
            if let Some(key) = keys.iter().find(|key| key.name == name) {
                let own = self.terms(key, terms);
                dictionary.insert(name.to_owned(), self.value(key, &own, depth));
            }
        }
    }

    fn value(&mut self, key: &'static Key, terms: &Terms, depth: usize) -> Value {
        match key.is {
            Type::String if !key.keys.is_empty() => self.names(key.keys, terms).remove(0).into(),
            Type::String | Type::Any => text(key).into(),
            Type::Integer => integer(key).into(),
            Type::Real => real(key).into(),
            Type::Boolean => Value::Boolean(!matches!(key.default(), Some(Literal::Boolean(true)))),
            Type::Date => Value::Date(std::time::UNIX_EPOCH.into()),
            Type::Data => Value::Data(vec![1, 2, 3]),
            Type::Array => Value::Array(self.items(key, terms, depth)),
            Type::Dictionary => {
                Value::Dictionary(self.dictionary(key.keys, key.rules, terms, depth.saturating_sub(1)))
            }
        }
    }

    fn items(&mut self, key: &'static Key, terms: &Terms, depth: usize) -> Vec<Value> {
        let item_of = |builder: &mut Self, item: &'static Key| {
            let own = builder.terms(item, terms);
            meets(builder.target, &own).then(|| builder.value(item, &own, depth.saturating_sub(1)))
        };
        match key.keys {
            [] => Vec::new(),
            [item] if item.is == Type::String && !item.keys.is_empty() => {
                let own = self.terms(item, terms);
                self.names(item.keys, &own).into_iter().map(Value::from).collect()
            }
            [item] => {
                let count = item.rules.iter().find_map(|rule| match rule {
                    Rule::Count(min, _) => Some((*min).max(1)),
                    _ => None,
                });
                (0..count.unwrap_or(1)).filter_map(|_| item_of(self, item)).collect()
            }
            kinds => kinds.iter().filter_map(|item| item_of(self, item)).collect(),
        }
    }

    /// The names below a text that this device knows; at least one.
    fn names(&self, keys: &'static [Key], terms: &Terms) -> Vec<&'static str> {
        let known = |key: &&Key| meets(self.target, &self.terms(key, terms)) && self.has_traits(key);
        let mut names: Vec<_> = keys.iter().filter(known).map(|key| key.name).collect();
        if self.choice == Choice::Minimal {
            names.truncate(1);
        }
        names
    }

    fn terms(&self, key: &Key, outer: &Terms) -> Terms {
        self.target.os.map_or(*outer, |os| key.support[os].within(outer))
    }

    fn has_traits(&self, key: &Key) -> bool {
        let silicon = key.rules.iter().any(|rule| matches!(rule, Rule::Needs(_)));
        !silicon || self.target.apple_silicon != Some(false)
    }

    fn takes(&mut self, key: &Key, terms: &Terms, depth: usize) -> bool {
        let required = key.presence == Presence::Required
            || (terms.user_enrollment == Some(Mode::Required) && self.target.user_enrollment == Some(true));
        if required || depth == 0 {
            return required && !key.is_wildcard();
        }
        let alone = key.rules.iter().any(|rule| matches!(rule, Rule::AloneBefore(..)));
        if alone && self.target.version.is_some_and(|version| version.major < 14) {
            return false;
        }
        match self.choice {
            Choice::Minimal => false,
            Choice::Full => true,
            Choice::Random(seed) => {
                self.step += 1;
                (seed ^ self.step).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1
            }
        }
    }
}

fn text(key: &Key) -> &'static str {
    for rule in key.rules {
        match rule {
            Rule::Texts(texts) => return texts[0],
            Rule::Format(format) => {
                return match format {
                    Format::MacAddress => "00:1B:44:11:3A:B7",
                    Format::Uuid => "0123ABCD-0123-0123-0123-0123456789AB",
                    Format::HttpsUrl | Format::Url => "https://example.com/a",
                    Format::RoamingConsortium => "001BC5",
                    Format::SixDigits => "012345",
                    Format::HostName => "example.com",
                    Format::Timestamp => "2026-01-02T03:04:05Z",
                    Format::MdmTopic => "com.apple.mgmt.External.1",
                };
            }
            _ => {}
        }
    }
    "text"
}

fn integer(key: &Key) -> i64 {
    for rule in key.rules {
        match rule {
            Rule::Integers(numbers) => return numbers[0],
            Rule::Range(min, max) => return if min.is_finite() { *min as i64 } else { *max as i64 },
            _ => {}
        }
    }
    if let Some(Literal::Integer(number)) = key.default() { number } else { 7 }
}

fn real(key: &Key) -> f64 {
    for rule in key.rules {
        match rule {
            Rule::Reals(numbers) => return numbers[0],
            Rule::Range(min, max) => return if min.is_finite() { *min } else { *max },
            _ => {}
        }
    }
    0.5
}

/// The same in JSON: data in base64, dates as text.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => number.as_signed().unwrap_or_default().into(),
        Value::Real(number) => (*number).into(),
        Value::Boolean(truth) => (*truth).into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Dictionary(pairs) => {
            serde_json::Value::Object(pairs.iter().map(|(key, value)| (key.clone(), json(value))).collect())
        }
        Value::Data(_) => "AQID".into(),
        _ => "2026-01-01T00:00:00Z".into(),
    }
}
