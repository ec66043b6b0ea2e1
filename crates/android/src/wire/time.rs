//! A time as Google writes it: RFC 3339.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer};

/// For `#[serde(deserialize_with)]` on an `Option<SystemTime>`. What is no time is unknown: one odd time must
/// not hide the rest of a device.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SystemTime>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(parse))
}

/// Reads RFC 3339 with any offset; `None` if it is none, or a time before 1970.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let time: jiff::Timestamp = text.parse().ok()?;
    (time >= jiff::Timestamp::UNIX_EPOCH).then(|| time.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_read_with_its_fraction_and_offset() {
        let at = |millis| Some(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(parse("2024-11-19T07:06:40Z"), at(1_732_000_000_000));
        assert_eq!(parse("2024-11-19T07:06:40.123Z"), at(1_732_000_000_123));
        assert_eq!(parse("2024-11-19T08:06:40+01:00"), at(1_732_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_unknown() {
        for text in ["", "yesterday", "2024-11-19", "2024-13-01T00:00:00Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
