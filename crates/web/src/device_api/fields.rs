//! Fields of a request: of any type until a handler asks for one, so that the answer can name the field at fault.

use std::{fmt, marker::PhantomData, ops::RangeInclusive};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    error::{ErrorCode, Failure},
    messages::Expected,
};

/// Reads a body's JSON object; fields that `T` does not have are passed over without being kept.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let object = body.trim_ascii_start().starts_with(b"{");
    let read = object.then(|| serde_json::from_slice(body).ok()).flatten();
    read.ok_or(Failure::new(ErrorCode::InvalidBody))
}

/// A field that holds one plain value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar {
    /// Not there, or null.
    #[default]
    Absent,
    Flag(bool),
    Whole(u64),
    Text(String),
    /// A list, an object, or another number.
    Other,
}

impl Scalar {
    /// The text in it. `field` is the way to it, such as `filter.managed`.
    pub(super) fn text(self, field: &'static str) -> Result<Option<String>, Failure> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Flag(_) | Self::Whole(_) | Self::Other => Err(Failure::invalid(field, Expected::Text)),
        }
    }

    /// The text in it, where there has to be one.
    pub(super) fn needed_text(self, field: &'static str) -> Result<String, Failure> {
        self.text(field)?.ok_or(Failure::invalid(field, Expected::Text))
    }

    /// A truth value, as `true` or as `"true"`: clients of the published API send both.
    pub(super) fn flag(&self, field: &'static str) -> Result<Option<bool>, Failure> {
        match self {
            Self::Absent => Ok(None),
            Self::Flag(flag) => Ok(Some(*flag)),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Self::Text(_) | Self::Whole(_) | Self::Other => Err(Failure::invalid(field, Expected::Flag)),
        }
    }

    /// A whole number within `range`.
    pub(super) fn whole(
        &self,
        field: &'static str,
        range: RangeInclusive<u64>,
        expected: Expected,
    ) -> Result<Option<u64>, Failure> {
        match self {
            Self::Absent => Ok(None),
            Self::Whole(number) if range.contains(number) => Ok(Some(*number)),
            Self::Whole(_) | Self::Flag(_) | Self::Text(_) | Self::Other => {
                Err(Failure::invalid(field, expected))
            }
        }
    }
}

/// A field that holds an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Object<T> {
    /// Not there, or null.
    #[default]
    Absent,
    Fields(T),
    /// Something else.
    Other,
}

impl<T: Default> Object<T> {
    /// Its fields; all of them are absent where it is.
    pub(super) fn fields(self, field: &'static str) -> Result<T, Failure> {
        match self {
            Self::Absent => Ok(T::default()),
            Self::Fields(fields) => Ok(fields),
            Self::Other => Err(Failure::invalid(field, Expected::Object)),
        }
    }
}

/// Asked for as an option: so a field that is not there is read as null.
impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Scalar, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Scalar, A::Error> {
        skip_list(list)?;
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Scalar, A::Error> {
        skip_object(object)?;
        Ok(Scalar::Other)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Object<T>, E> {
        Ok(Object::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Object<T>, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Object<T>, E> {
        Ok(Object::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Object<T>, E> {
        Ok(Object::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Object<T>, E> {
        Ok(Object::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Object<T>, E> {
        Ok(Object::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Object<T>, E> {
        Ok(Object::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Object<T>, A::Error> {
        skip_list(list)?;
        Ok(Object::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Object::Fields)
    }
}

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Request {
        one: Scalar,
        nested: Object<Nested>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Nested {
        two: Scalar,
    }

    fn one(json: &str) -> Scalar {
        parse::<Request>(format!(r#"{{"one":{json}}}"#).as_bytes()).unwrap().one
    }

    #[test]
    fn a_body_that_is_no_json_object_is_refused() {
        for body in [
            "",
            "nothing",
            "[]",
            r#"["text"]"#,
            "null",
            "1",
            r#"{"one":"#,
            r#"{} {}"#,
            r#"{"one":1,"one":2}"#,
        ] {
            let failure = parse::<Request>(body.as_bytes()).unwrap_err();
            assert_eq!(failure.code, ErrorCode::InvalidBody, "{body}");
        }
        assert!(parse::<Request>(&[b'{', 0xff, b'}']).is_err(), "not UTF-8");
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_end_the_process() {
        let bomb = format!(r#"{{"one":{}"#, "[".repeat(500_000));
        assert!(parse::<Request>(bomb.as_bytes()).is_err());
        let unknown = format!(r#"{{"unknown":{}{}}}"#, "[".repeat(500_000), "]".repeat(500_000));
        let _ = parse::<Request>(unknown.as_bytes());
    }

    #[test]
    fn unknown_fields_are_passed_over() {
        assert_eq!(parse::<Request>(br#" {"three":[{"four":5}]}"#).unwrap(), Request::default());
    }

    #[test]
    fn a_text_is_a_text_and_null_is_nothing() {
        assert_eq!(one(r#""hello""#).text("one").unwrap().as_deref(), Some("hello"));
        assert_eq!(one("null").text("one").unwrap(), None);
        for wrong in ["1", "true", "1.5", "-1", "[]", "{}"] {
            let failure = one(wrong).text("one").unwrap_err();
            assert_eq!((failure.code, failure.field), (ErrorCode::InvalidField, Some("one")), "{wrong}");
        }
    }

    #[test]
    fn a_flag_is_taken_as_a_flag_and_as_a_text() {
        for (json, flag) in [
            ("true", true),
            (r#""true""#, true),
            (r#""True""#, true),
            ("false", false),
            (r#""false""#, false),
        ] {
            assert_eq!(one(json).flag("one").unwrap(), Some(flag), "{json}");
        }
        for wrong in ["1", r#""yes""#, r#""""#, "[true]", "{}"] {
            assert!(one(wrong).flag("one").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_whole_number_stays_within_its_range() {
        let whole = |json| one(json).whole("one", 1..=1000, Expected::PageSize);
        assert_eq!(whole("1").unwrap(), Some(1));
        assert_eq!(whole("1000").unwrap(), Some(1000));
        assert_eq!(whole("null").unwrap(), None);
        for wrong in ["0", "1001", "-1", "1.0", "1e2", r#""5""#, "true", "99999999999999999999999"] {
            assert!(whole(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_object_has_its_fields_and_nothing_else_will_do() {
        let nested =
            |json: &str| parse::<Request>(format!(r#"{{"nested":{json}}}"#).as_bytes()).unwrap().nested;
        assert_eq!(
            nested(r#"{"two":7,"three":8}"#).fields("nested").unwrap(),
            Nested { two: Scalar::Whole(7) }
        );
        assert_eq!(nested("null").fields("nested").unwrap(), Nested::default());
        for wrong in [r#""text""#, "[]", "[7]", "1", "-1", "1.5", "true"] {
            assert_eq!(nested(wrong).fields("nested").unwrap_err().field, Some("nested"), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<Request>(&body);
        }

        #[test]
        fn texts_like_json_are_read_or_refused(body in r#"\{("one"|"nested"|[\[\]{}",:0-9truefalsn])*"#) {
            let _ = parse::<Request>(body.as_bytes());
        }

        #[test]
        fn every_text_comes_through(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(one(&json), Scalar::Text(text));
        }
    }
}
