//! JSON documents, as the values of property lists that the facts speak of.

use plist::{Dictionary, Value};

use super::fault::Problem;
use super::walk::{Path, Walk};

/// The same value; a null is a fault, and is left out.
pub(super) fn value(json: &serde_json::Value, walk: &mut Walk<'_>, path: &Path<'_>) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => {
            walk.fault(path, Problem::Null);
            return None;
        }
        serde_json::Value::Bool(truth) => Value::Boolean(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            (None, None) => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => {
            let items = items.iter().enumerate();
            Value::Array(items.filter_map(|(index, item)| value(item, walk, &path.item(index))).collect())
        }
        serde_json::Value::Object(_) => Value::Dictionary(dictionary(json, walk, path)?),
    })
}

/// The same for an object; `None` where it is something else.
pub(super) fn dictionary(
    json: &serde_json::Value,
    walk: &mut Walk<'_>,
    path: &Path<'_>,
) -> Option<Dictionary> {
    let object = json.as_object()?;
    let mut dictionary = Dictionary::new();
    for (name, item) in object {
        if let Some(item) = value(item, walk, &path.key(name)) {
            dictionary.insert(name.clone(), item);
        }
    }
    Some(dictionary)
}
