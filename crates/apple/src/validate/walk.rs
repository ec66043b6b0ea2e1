//! Goes through a message and the facts side by side, and notes every fault.

use std::fmt::Write as _;

use plist::{Dictionary, Value};

use super::fault::{Fault, Problem, Verdict, repeated, type_of};
use super::target::Target;
use super::terms::{Lacks, lacks, problems};
use super::value::{Notation, broken_rules, has_type, is_written};
use crate::enrollment::UrlPolicy;
use crate::facts::{Entry, Format, Key, Mode, Os, Presence, Rule, Since, Support, Terms, Type};

/// Where in the message the walk is; only a fault makes a text of it.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    outer: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Top,
    Key(&'a str),
    Item(usize),
}

impl<'a> Path<'a> {
    pub(super) const TOP: Path<'static> = Path { outer: None, step: Step::Top };

    pub(super) fn key(&'a self, name: &'a str) -> Path<'a> {
        Path { outer: Some(self), step: Step::Key(name) }
    }

    pub(super) fn item(&'a self, index: usize) -> Path<'a> {
        Path { outer: Some(self), step: Step::Item(index) }
    }

    fn write(&self, text: &mut String) {
        if let Some(outer) = self.outer {
            outer.write(text);
        }
        match self.step {
            Step::Top => {}
            Step::Key(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Item(index) => {
                let _ = write!(text, "[{index}]");
            }
        }
    }
}

/// What holds where the walk is: the terms as inherited, and what the device was already found to lack.
#[derive(Clone, Copy)]
pub(super) struct Ground {
    terms: Terms,
    lacks: Lacks,
}

/// A walk through one message.
pub(super) struct Walk<'t> {
    pub(super) target: &'t Target,
    pub(super) notation: Notation,
    /// Whether keys that Apple does not know are let pass.
    pub(super) unknown_keys: bool,
    pub(super) verdict: Verdict,
}

impl Walk<'_> {
    /// Notes whether the device knows `entry` at all, at `path`.
    pub(super) fn enter(&mut self, entry: &Entry, path: &Path<'_>) -> Ground {
        let outer = Ground { terms: Terms::SAME, lacks: Lacks::default() };
        let Some(os) = self.target.os else { return outer };
        let mut terms = entry.support[os];
        // An OS that the file does not name is not supported; a file that names none says nothing.
        if terms.introduced == Since::Same && *entry.support != Support::SAME {
            terms.introduced = Since::Never;
        }
        self.judge(terms, outer.lacks, path)
    }

    /// Checks a dictionary against keys, which may come from several lists: payloads have common keys.
    pub(super) fn dictionary(
        &mut self,
        lists: &[&'static [Key]],
        dictionary: &Dictionary,
        ground: &Ground,
        path: &Path<'_>,
    ) {
        for (name, value) in dictionary {
            let path = path.key(name);
            match lists.iter().find_map(|keys| find(keys, name)) {
                Some(key) => self.value(key, value, ground, &path),
                None if self.unknown_keys || lists.iter().all(|keys| keys.is_empty()) => {}
                None => {
                    let allowed = lists.iter().flat_map(|keys| keys.iter()).map(|key| key.name).collect();
                    self.fault(&path, Problem::UnknownKey { allowed });
                }
            }
        }
        let keys = lists.iter().flat_map(|keys| keys.iter()).filter(|key| !key.is_wildcard());
        for key in keys.filter(|key| !dictionary.contains_key(key.name)) {
            if self.is_required(key, ground) {
                self.fault(&path.key(key.name), Problem::Missing { of: key.is });
            }
        }
    }

    /// Checks rules about the keys of a dictionary together.
    pub(super) fn together(&mut self, rules: &'static [Rule], dictionary: &Dictionary, path: &Path<'_>) {
        for rule in rules {
            if let Some((key, problem)) = self.broken_together(rule, dictionary) {
                match key {
                    Some(key) => self.fault(&path.key(key), problem),
                    None => self.fault(path, problem),
                }
            }
        }
    }

    /// Checks a value against its key.
    pub(super) fn value(&mut self, key: &'static Key, value: &Value, ground: &Ground, path: &Path<'_>) {
        let ground = self.step_in(key, ground, path);
        let or_type = key.rules.iter().find_map(|rule| match rule {
            Rule::OrType(is) => Some(*is),
            _ => None,
        });
        if !has_type(value, key.is, self.notation) {
            if !or_type.is_some_and(|is| has_type(value, is, self.notation)) {
                self.fault(path, Problem::WrongType { found: type_of(value), allowed: key.is });
            }
            return;
        }
        for problem in broken_rules(key.rules, value) {
            match problem {
                Problem::Malformed { format: Format::HttpsUrl, .. } if is_loopback(value) => {
                    self.warn(path, Problem::Loopback);
                }
                problem => self.fault(path, problem),
            }
        }
        self.needs(key, path);
        match value {
            Value::Dictionary(inner) if key.is == Type::Dictionary => {
                self.dictionary(&[key.keys], inner, &ground, path);
                self.together(key.rules, inner, path);
                self.beside(key.keys, inner, path);
            }
            Value::Array(items) if key.is == Type::Array => self.array(key, items, &ground, path),
            Value::String(text) if !key.keys.is_empty() => self.named(key.keys, text, &ground, path, &mut 0),
            _ => {}
        }
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, path: &Path<'_>, problem: Problem) {
        let fault = Fault { path: text(path), problem };
        self.verdict.faults.push(fault);
    }

    /// Notes something that is no fault.
    pub(super) fn warn(&mut self, path: &Path<'_>, problem: Problem) {
        let warning = Fault { path: text(path), problem };
        self.verdict.warnings.push(warning);
    }

    fn array(&mut self, key: &'static Key, items: &[Value], ground: &Ground, path: &Path<'_>) {
        let Some(first) = key.keys.first() else { return };
        for rule in first.rules {
            if let Rule::Count(min, max) = *rule
                && !(min as usize..=max as usize).contains(&items.len())
            {
                self.fault(path, Problem::Count { found: items.len(), min, max });
            }
        }
        let mut cursor = 0;
        let plain = key.keys.len() == 1 && first.is == Type::String && !first.keys.is_empty();
        for (index, item) in items.iter().enumerate() {
            let path = path.item(index);
            match item {
                Value::String(text) if plain => self.named(first.keys, text, ground, &path, &mut cursor),
                _ if key.keys.len() == 1 => self.value(first, item, ground, &path),
                _ => self.one_of_several(key.keys, item, ground, &path),
            }
        }
    }

    /// A text that must be the name of a key, such as a query. Lists are mostly asked in Apple's order, so the
    /// search goes on where it last ended.
    fn named(
        &mut self,
        keys: &'static [Key],
        text: &str,
        ground: &Ground,
        path: &Path<'_>,
        cursor: &mut usize,
    ) {
        let (before, after) = keys.split_at(*cursor);
        let Some(place) = after.iter().chain(before).position(|key| key.name == text) else {
            let allowed = keys.iter().map(|key| key.name.to_owned()).collect();
            if !self.unknown_keys {
                self.fault(path, Problem::NotListed { found: repeated(&text.into()), allowed });
            }
            return;
        };
        let place = (*cursor + place) % keys.len();
        *cursor = (place + 1) % keys.len();
        let key = &keys[place];
        self.step_in(key, ground, path);
        self.needs(key, path);
    }

    /// An item of an array whose items are of several kinds, told apart by a key with one possible value.
    fn one_of_several(&mut self, kinds: &'static [Key], item: &Value, ground: &Ground, path: &Path<'_>) {
        let Some(dictionary) = item.as_dictionary() else {
            self.fault(path, Problem::WrongType { found: type_of(item), allowed: kinds[0].is });
            return;
        };
        let mut allowed = Vec::new();
        let mut mark = "";
        for kind in kinds {
            let Some((name, value)) = kind.keys.iter().find_map(constant) else {
                return self.value(kind, item, ground, path);
            };
            if is_written(dictionary.get(name), value) {
                return self.value(kind, item, ground, path);
            }
            mark = name;
            allowed.push(value.to_owned());
        }
        let problem = match dictionary.get(mark) {
            Some(found) => Problem::NotListed { found: repeated(found), allowed },
            None => Problem::Missing { of: Type::String },
        };
        self.fault(&path.key(mark), problem);
    }

    fn broken_together(
        &self,
        rule: &'static Rule,
        found: &Dictionary,
    ) -> Option<(Option<&'static str>, Problem)> {
        let lacks = |key: &str| !found.contains_key(key);
        match rule {
            Rule::AnyOf(keys) => {
                keys.iter().all(|key| lacks(key)).then_some((None, Problem::NoneOf { keys }))
            }
            Rule::AtMostOne(keys) => {
                let count = keys.iter().filter(|key| !lacks(key)).count();
                (count > 1).then_some((None, Problem::MoreThanOneOf { keys }))
            }
            Rule::Requires(key, value, needed) => (is_written(found.get(key), value) && lacks(needed))
                .then_some((Some(*needed), Problem::RequiredBy { key, value })),
            Rule::With(key, needed) => {
                (!lacks(key) && lacks(needed)).then_some((Some(*needed), Problem::RequiredWith { key }))
            }
            Rule::Excludes(key, value, other) => (is_written(found.get(key), value) && !lacks(other))
                .then_some((Some(*other), Problem::ExcludedBy { key, value })),
            Rule::OnlyWith(key, other, value) => (!lacks(key) && !is_written(found.get(other), value))
                .then_some((Some(*key), Problem::OnlyWith { key: other, value })),
            Rule::RequiredFor(device, key) => (self.target.has(*device) == Some(true) && lacks(key))
                .then_some((Some(*key), Problem::RequiredFor { device: *device })),
            Rule::RefusedBefore(os, before, device) => {
                let old = self.target.version.is_some_and(|version| version < *before);
                (self.target.os == Some(*os) && old && self.target.has(*device) == Some(true))
                    .then_some((None, Problem::Harmful { os: *os, before: *before, device: *device }))
            }
            _ => None,
        }
    }

    /// Rules about a key and those beside it.
    pub(super) fn beside(&mut self, keys: &'static [Key], dictionary: &Dictionary, path: &Path<'_>) {
        for key in keys.iter().filter(|key| dictionary.contains_key(key.name)) {
            for rule in key.rules {
                if let Rule::AloneBefore(os, before) = *rule
                    && self.target.os == Some(os)
                    && self.target.version.is_some_and(|version| version < before)
                    && keys.iter().filter(|other| dictionary.contains_key(other.name)).count() > 1
                {
                    self.fault(&path.key(key.name), Problem::NotAlone { os, before });
                }
            }
        }
    }

    fn is_required(&self, key: &'static Key, ground: &Ground) -> bool {
        let Some(os) = self.target.os else {
            return key.presence == Presence::Required && *key.support == Support::SAME;
        };
        if key.presence != Presence::Required && *key.support == Support::SAME {
            return false;
        }
        let terms = key.support[os].within(&ground.terms);
        let wanted = key.presence == Presence::Required
            || (terms.user_enrollment == Some(Mode::Required) && self.target.user_enrollment == Some(true));
        // Where the kind of enrollment is unknown, what only one kind has is not missed.
        let unknown = terms.user_enrollment != ground.terms.user_enrollment
            && matches!(terms.user_enrollment, Some(Mode::Required | Mode::Forbidden))
            && self.target.user_enrollment.is_none();
        wanted && !unknown && !lacks(&terms, os, self.target).beyond(ground.lacks).refuses()
    }

    fn step_in(&mut self, key: &'static Key, ground: &Ground, path: &Path<'_>) -> Ground {
        let Some(os) = self.target.os else { return *ground };
        let own = &key.support[os];
        if *own == Terms::SAME {
            return *ground;
        }
        self.judge(own.within(&ground.terms), ground.lacks.retold(own), path)
    }

    fn judge(&mut self, terms: Terms, known: Lacks, path: &Path<'_>) -> Ground {
        let Some(os) = self.target.os else { return Ground { terms, lacks: known } };
        let lacks = lacks(&terms, os, self.target);
        let new = lacks.beyond(known);
        if new != Lacks::default() {
            for problem in problems(new, &terms, os, self.target) {
                match problem {
                    Problem::Deprecated { .. } | Problem::Ignored => self.warn(path, problem),
                    problem => self.fault(path, problem),
                }
            }
        }
        Ground { terms, lacks }
    }

    /// Traits are of Macs; a key that other systems have as well asks for them on a Mac only.
    fn needs(&mut self, key: &'static Key, path: &Path<'_>) {
        for rule in key.rules {
            if let Rule::Needs(needed) = *rule
                && self.target.os == Some(Os::MacOs)
                && self.target.has(needed) == Some(false)
            {
                self.fault(path, Problem::NeedsTrait { needed });
            }
        }
    }
}

/// The key of that name, or the wildcard.
fn find(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name).or_else(|| keys.iter().find(|key| key.is_wildcard()))
}

/// A key that can have one value only, by which kinds of items are told apart.
fn constant(key: &'static Key) -> Option<(&'static str, &'static str)> {
    key.rules.iter().find_map(|rule| match rule {
        Rule::Texts([value]) if key.presence == Presence::Required => Some((key.name, *value)),
        _ => None,
    })
}

/// Whether it is a URL of the very machine, for demonstrations and tests: no real device is told one.
fn is_loopback(value: &Value) -> bool {
    value.as_string().is_some_and(|url| UrlPolicy::LoopbackHttpToo.allows(url))
}

fn text(path: &Path<'_>) -> String {
    let mut text = String::new();
    path.write(&mut text);
    text
}
