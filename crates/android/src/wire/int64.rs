//! A 64-bit integer: a string in Google's JSON, though a plain number is read too.

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// For `#[serde(with)]` on an `Option<i64>`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_any(Reader)
}

/// Always a string.
#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(crate) fn serialize<S: Serializer>(number: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.collect_str(number),
        None => serializer.serialize_none(),
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a 64-bit integer as a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map(Some).map_err(|_| E::custom("not a 64-bit integer"))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        i64::try_from(number).map(Some).map_err(|_| E::custom("not a 64-bit integer"))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ram {
        #[serde(with = "super", default)]
        total: Option<i64>,
    }

    fn total(json: &str) -> Result<Option<i64>, serde_json::Error> {
        serde_json::from_str::<Ram>(json).map(|ram| ram.total)
    }

    #[test]
    fn a_string_a_number_and_nothing_are_read() {
        assert_eq!(total(r#"{"total":"8589934592"}"#).unwrap(), Some(8_589_934_592));
        assert_eq!(total(r#"{"total":"-1"}"#).unwrap(), Some(-1));
        assert_eq!(total(r#"{"total":17}"#).unwrap(), Some(17));
        assert_eq!(total(r#"{"total":null}"#).unwrap(), None);
        assert_eq!(total("{}").unwrap(), None);
    }

    #[test]
    fn what_is_no_such_integer_is_refused() {
        for bad in [r#""""#, r#""1.5""#, r#""9223372036854775808""#, "1.5", "18446744073709551615", "true"] {
            assert!(total(&format!(r#"{{"total":{bad}}}"#)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_string_is_written() {
        let json = serde_json::to_string(&Ram { total: Some(i64::MAX) }).unwrap();
        assert_eq!(json, r#"{"total":"9223372036854775807"}"#);
    }
}
