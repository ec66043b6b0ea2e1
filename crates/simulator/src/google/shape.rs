//! Strict reading of bodies: known fields only, each of its JSON type (64-bit integers are strings).

use serde_json::Value;

use super::refusal::Refusal;
use super::time;

/// What a field may hold.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    /// A string of digits.
    Int64,
    /// Such as `600s`.
    Span,
    Word(&'static [&'static str]),
    Words(&'static [&'static str]),
    Texts,
    Object(Shape),
    Objects(Shape),
    /// An object whose fields are texts.
    TextMap,
    Anything,
}

/// The fields of an object.
pub(super) type Shape = &'static [(&'static str, Kind)];

/// A text for users, with translations.
pub(super) const MESSAGE: Shape = &[("defaultMessage", Kind::Text), ("localizedMessages", Kind::TextMap)];

/// Checks an object against its shape; `at` says where it stands.
pub(super) fn check(shape: Shape, value: &Value, at: &str) -> Result<(), Refusal> {
    let fields = value.as_object().ok_or_else(|| wrong(at, "an object"))?;
    for (name, value) in fields {
        let at = format!("{at}.{name}");
        let known = shape.iter().find(|(known, _)| known == name);
        let (_, kind) =
            known.ok_or_else(|| Refusal::invalid(format!("Unknown name {at:?}: Cannot find field.")))?;
        check_field(*kind, value, &at)?;
    }
    Ok(())
}

fn check_field(kind: Kind, value: &Value, at: &str) -> Result<(), Refusal> {
    let good = |good: bool, what: &str| if good { Ok(()) } else { Err(wrong(at, what)) };
    let is_word = |words: &[&str], value: &Value| value.as_str().is_some_and(|it| words.contains(&it));
    match kind {
        Kind::Text => good(value.is_string(), "a string"),
        Kind::Flag => good(value.is_boolean(), "a boolean"),
        Kind::Number => good(value.is_number(), "a number"),
        Kind::Int64 => {
            good(value.as_str().is_some_and(|it| it.parse::<i64>().is_ok()), "an int64 as a string")
        }
        Kind::Span => good(value.as_str().and_then(time::span).is_some(), "a duration such as \"600s\""),
        Kind::Word(words) => good(is_word(words, value), "one of the enum's words"),
        Kind::Words(words) => each(value, at, |it, at| {
            if is_word(words, it) { Ok(()) } else { Err(wrong(at, "one of the enum's words")) }
        }),
        Kind::Texts => each(value, at, |it, at| check_field(Kind::Text, it, at)),
        Kind::Object(shape) => check(shape, value, at),
        Kind::Objects(shape) => each(value, at, |it, at| check(shape, it, at)),
        Kind::TextMap => {
            good(value.as_object().is_some_and(|map| map.values().all(Value::is_string)), "a map of strings")
        }
        Kind::Anything => Ok(()),
    }
}

fn each(value: &Value, at: &str, check: impl Fn(&Value, &str) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let list = value.as_array().ok_or_else(|| wrong(at, "a list"))?;
    list.iter().enumerate().try_for_each(|(index, it)| check(it, &format!("{at}[{index}]")))
}

fn wrong(at: &str, what: &str) -> Refusal {
    Refusal::invalid(format!("Invalid value at {at:?}: not {what}"))
}

/// `updateMask` as field names; each must be one that can be set, and the body may hold no other. Without a
/// mask everything that can be set is meant.
pub(super) fn mask(mask: Option<&str>, settable: &[&str], body: &Value) -> Result<Vec<String>, Refusal> {
    let Some(mask) = mask else { return Ok(settable.iter().map(|it| (*it).to_owned()).collect()) };
    let fields: Vec<String> = mask.split(',').map(str::to_owned).collect();
    if let Some(bad) = fields.iter().find(|it| !settable.contains(&it.as_str())) {
        return Err(Refusal::invalid(format!("updateMask names {bad:?}, which cannot be set")));
    }
    let stray = body.as_object().and_then(|body| body.keys().find(|it| !fields.contains(it)));
    match stray {
        Some(stray) => Err(Refusal::invalid(format!("{stray:?} is in the body, but not in updateMask"))),
        None => Ok(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CAR: Shape = &[
        ("name", Kind::Text),
        ("mileage", Kind::Int64),
        ("pause", Kind::Span),
        ("doors", Kind::Objects(&[("open", Kind::Flag)])),
        ("colours", Kind::Words(&["RED"])),
    ];

    fn refused(value: &Value) -> String {
        check(CAR, value, "car").unwrap_err().body["error"]["message"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_body_as_google_wants_it_passes() {
        let car = json!({"name": "a", "mileage": "1", "pause": "5s", "doors": [{"open": true}], "colours": ["RED"]});
        assert!(check(CAR, &car, "car").is_ok());
    }

    #[test]
    fn each_wrong_type_is_named() {
        assert!(refused(&json!({"mileage": 1})).contains("car.mileage"));
        assert!(refused(&json!({"pause": 5})).contains("car.pause"));
        assert!(refused(&json!({"pause": "5"})).contains("car.pause"));
        assert!(refused(&json!({"doors": [{"open": "true"}]})).contains("car.doors[0].open"));
        assert!(refused(&json!({"colours": ["BLUE"]})).contains("car.colours[0]"));
        assert!(refused(&json!({"wheels": 4})).contains("Cannot find field"));
    }

    #[test]
    fn a_mask_names_what_can_be_set_and_covers_the_body() {
        let body = json!({"state": "ACTIVE"});
        assert_eq!(mask(Some("state"), &["state", "name"], &body).unwrap(), ["state"]);
        assert!(mask(Some("name"), &["state", "name"], &body).is_err());
        assert!(mask(Some("state,colour"), &["state"], &body).is_err());
        assert_eq!(mask(None, &["state", "name"], &body).unwrap(), ["state", "name"]);
    }
}
