//! Rules about one value: what may be written in it.

use plist::Value;

use super::fault::{Problem, listed_values, repeated};
use crate::facts::{Format, Rule, Type};

/// In which notation a message is written: in JSON there is neither data nor date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    PropertyList,
    Json,
}

/// Whether a value has a type.
pub(super) fn has_type(value: &Value, is: Type, notation: Notation) -> bool {
    match (is, value) {
        (Type::Any, _)
        | (Type::String, Value::String(_))
        | (Type::Integer, Value::Integer(_))
        | (Type::Real, Value::Real(_) | Value::Integer(_))
        | (Type::Boolean, Value::Boolean(_))
        | (Type::Array, Value::Array(_))
        | (Type::Dictionary, Value::Dictionary(_)) => true,
        (Type::Data, Value::Data(_)) | (Type::Date, Value::Date(_)) => notation == Notation::PropertyList,
        (Type::Data, Value::String(text)) => notation == Notation::Json && is_base64(text),
        (Type::Date, Value::String(_)) => notation == Notation::Json,
        _ => false,
    }
}

/// Which of the rules about a value itself it breaks. Where there is a list of numbers and a range as well, one
/// of the two is enough: a timer of 1 to 180 minutes, or 0 for never.
pub(super) fn broken_rules(rules: &'static [Rule], value: &Value) -> impl Iterator<Item = Problem> {
    let listed = |rule: &Rule| matches!(rule, Rule::Integers(_) | Rule::Reals(_));
    let either = rules.iter().any(listed) && rules.iter().any(|rule| matches!(rule, Rule::Range(..)));
    let good = either
        && rules
            .iter()
            .any(|rule| (listed(rule) || matches!(rule, Rule::Range(..))) && broken(rule, value).is_none());
    rules
        .iter()
        .filter(move |rule| !(good && (listed(rule) || matches!(rule, Rule::Range(..)))))
        .filter_map(|rule| broken(rule, value))
}

fn broken(rule: &Rule, value: &Value) -> Option<Problem> {
    match rule {
        Rule::Texts(allowed) => {
            let text = value.as_string()?;
            (!allowed.contains(&text)).then(|| not_listed(rule, value))
        }
        Rule::Integers(allowed) => {
            let number = value.as_signed_integer();
            (!number.is_some_and(|number| allowed.contains(&number))).then(|| not_listed(rule, value))
        }
        Rule::Reals(allowed) => {
            let number = number(value)?;
            (!allowed.contains(&number)).then(|| not_listed(rule, value))
        }
        Rule::Range(min, max) => {
            let found = number(value)?;
            (!(*min..=*max).contains(&found)).then_some(Problem::OutOfRange { found, min: *min, max: *max })
        }
        Rule::Format(format) => {
            let text = value.as_string()?;
            let length = || text.chars().count();
            (!is_formatted(text, *format)).then(|| Problem::Malformed { length: length(), format: *format })
        }
        Rule::MaxBytes(max) => {
            let found = size(value)?;
            (found > *max as usize).then_some(Problem::TooLong { found, max: *max })
        }
        Rule::BitNeeds(bit, needed) => {
            let found = value.as_unsigned_integer()?;
            let has = |bits: u32| found & u64::from(bits) == u64::from(bits);
            (has(*bit) && !has(*needed)).then_some(Problem::BitWithout { bit: *bit, needed: *needed })
        }
        Rule::NotEmpty => (size(value)? == 0).then_some(Problem::Empty),
        _ => None,
    }
}

/// Whether a value is what a rule writes as text.
pub(super) fn is_written(value: Option<&Value>, text: &str) -> bool {
    match value {
        Some(Value::String(found)) => found == text,
        Some(Value::Boolean(found)) => text == if *found { "true" } else { "false" },
        Some(Value::Integer(found)) => found.to_string() == text,
        // What is absent and a truth value, is false.
        None => text == "false",
        _ => false,
    }
}

fn not_listed(rule: &Rule, value: &Value) -> Problem {
    Problem::NotListed { found: repeated(value), allowed: listed_values(rule) }
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_real()
        .or_else(|| value.as_signed_integer().map(|number| number as f64))
        .or_else(|| value.as_unsigned_integer().map(|number| number as f64))
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Data(data) => Some(data.len()),
        Value::Array(items) => Some(items.len()),
        _ => None,
    }
}

fn is_formatted(text: &str, format: Format) -> bool {
    let alphanumeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match format {
        Format::MacAddress => {
            let pair = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            text.split(':').count() == 6 && text.split(':').all(pair)
        }
        Format::Uuid => {
            text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(alphanumeric)
        }
        Format::HttpsUrl => text.starts_with("https://"),
        // The schema says six or nine, in an expression that does not say it well; five bytes have ten digits.
        Format::RoamingConsortium => matches!(text.len(), 6 | 9 | 10) && alphanumeric(text),
        Format::SixDigits => text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()),
        Format::Url => {
            text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
        }
        Format::HostName => {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_');
            (1..=253).contains(&text.len()) && text.bytes().all(known)
        }
        Format::Timestamp => is_timestamp(text),
        Format::MdmTopic => text.strip_prefix("com.apple.mgmt.").is_some_and(|rest| !rest.is_empty()),
    }
}

/// `2021-06-02T01:28:00Z`, or with an offset, whose colon Apple does not insist on.
fn is_timestamp(text: &str) -> bool {
    let shaped = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            })
    };
    let Some((time, zone)) = text.split_at_checked("0000-00-00T00:00:00".len()) else { return false };
    let offset = zone.strip_prefix(['+', '-']);
    let known = zone == "Z" || offset.is_some_and(|zone| shaped(zone, "00:00") || shaped(zone, "0000"));
    known && shaped(time, "0000-00-00T00:00:00")
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Standard base64, with its padding.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        for (format, good, bad) in [
            (Format::MacAddress, "00:1B:44:11:3A:b7", "00:1B:44:11:3A"),
            (Format::Uuid, "0123abcd-0123-0123-0123-0123456789ab", "0123abcd-0123-0123-0123"),
            (Format::HttpsUrl, "https://example.com", "http://example.com"),
            (Format::RoamingConsortium, "001BC5", "001BC"),
            (Format::SixDigits, "012345", "01234a"),
            (Format::Url, "mailto:a@example.com", "example.com"),
            (Format::HostName, "mail.example.com", "mail example"),
            (Format::Timestamp, "2021-06-02T01:28:00Z", "2021-06-02T01:28:00.5Z"),
            (Format::Timestamp, "2021-06-02T01:28:00-0500", "2021-06-02 01:28:00Z"),
            (Format::Timestamp, "2021-06-02T01:28:00+05:00", "2021-06-02T01:28:00+5"),
            (Format::MdmTopic, "com.apple.mgmt.External.1", "com.apple.mgmt."),
        ] {
            assert!(is_formatted(good, format), "{good}");
            assert!(!is_formatted(bad, format), "{bad}");
            assert!(!is_formatted("", format), "{format:?}");
        }
    }

    #[test]
    fn data_is_base64_in_json_and_only_there() {
        let text = Value::from("aGVsbG8=");
        assert!(has_type(&text, Type::Data, Notation::Json));
        assert!(!has_type(&text, Type::Data, Notation::PropertyList));
        assert!(!has_type(&Value::from("no base64!"), Type::Data, Notation::Json));
        assert!(!has_type(&Value::Data(vec![1]), Type::Data, Notation::Json));
    }

    #[test]
    fn an_integer_is_a_real_and_not_the_other_way_round() {
        assert!(has_type(&Value::from(3), Type::Real, Notation::PropertyList));
        assert!(!has_type(&Value::from(3.0), Type::Integer, Notation::PropertyList));
    }

    #[test]
    fn bounds_are_included() {
        let rule = Rule::Range(1.0, 90.0);
        assert_eq!(broken(&rule, &Value::from(1)), None);
        assert_eq!(broken(&rule, &Value::from(90)), None);
        assert!(broken(&rule, &Value::from(91)).is_some() && broken(&rule, &Value::from(u64::MAX)).is_some());
        assert!(broken(&rule, &Value::from(f64::NAN)).is_some());
    }
}
