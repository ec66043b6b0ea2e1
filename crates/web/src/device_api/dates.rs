//! Dates, as the published API reads and writes them.

use std::{borrow::Cow, time::Duration};

use domain::Timestamp;
use jiff::civil;
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// The longest text that is looked at.
const LONGEST: usize = 64;

/// In nanoseconds.
const MILLISECOND: i128 = 1_000_000;

/// A time in an answer: `/Date(1608564096937)/`, milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WireDate(pub(super) Timestamp);

impl Serialize for WireDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/Date({})/", self.0.0))
    }
}

impl PartialSchema for WireDate {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Milliseconds since 1970 UTC"))
            .pattern(Some(r"^/Date\(-?\d+\)/$"))
            .examples(["/Date(1608564096937)/"])
            .into()
    }
}

impl ToSchema for WireDate {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Date")
    }
}

/// A date in a request, and all the time that it stands for: a day, or a single instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GivenDate {
    /// Its first millisecond.
    pub(super) first: Timestamp,
    /// Its last millisecond.
    pub(super) last: Timestamp,
}

impl GivenDate {
    /// Reads every form that the published API lists, and a bit more of ISO 8601: a day, or a day and a time, with or
    /// without hyphens, colons, fractions and a zone; an offset of one digit (`+7`) is hours. Without a zone it is UTC.
    pub(super) fn read(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-+:.,".contains(&byte);
        if text.len() > LONGEST || !text.bytes().all(plain) {
            return None;
        }
        match text.split_once(['T', 't']) {
            None => day(text),
            Some((date, time)) => instant(date, time),
        }
    }
}

fn day(text: &str) -> Option<GivenDate> {
    let first = milliseconds(since_epoch(calendar_date(text)?.at(0, 0, 0, 0)))?;
    Some(GivenDate { first, last: first.plus(Duration::from_hours(24)).minus(Duration::from_millis(1)) })
}

/// `2024-12-01` or `20241201`.
fn calendar_date(text: &str) -> Option<civil::Date> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let shaped = match text.len() {
        8 => digits == 8,
        10 => digits == 8 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-',
        _ => false,
    };
    shaped.then(|| text.parse().ok()).flatten()
}

fn instant(date: &str, time: &str) -> Option<GivenDate> {
    calendar_date(date)?;
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let local: civil::DateTime = format!("{date}T{clock}").parse().ok()?;
    let at = since_epoch(local) - offset(zone)?;
    // Of a time between two milliseconds, the devices seen from it on begin with the later one.
    Some(GivenDate { first: milliseconds(at + MILLISECOND - 1)?, last: milliseconds(at)? })
}

/// Nanoseconds from the beginning of 1970, counted without zones, so that the last day of the calendar counts too.
fn since_epoch(local: civil::DateTime) -> i128 {
    civil::date(1970, 1, 1).at(0, 0, 0, 0).duration_until(local).as_nanos()
}

fn milliseconds(nanoseconds: i128) -> Option<Timestamp> {
    i64::try_from(nanoseconds.div_euclid(MILLISECOND)).ok().map(Timestamp)
}

/// How far a zone is ahead of UTC, nanoseconds: `Z` or none, `+7`, `+07`, `+0730`, `+7:30`, `-07:30`.
fn offset(zone: &str) -> Option<i128> {
    let (sign, distance) = match zone.split_at_checked(1).unwrap_or(("Z", "")) {
        ("Z" | "z", "") => return Some(0),
        ("+", distance) => (1, distance),
        ("-", distance) => (-1, distance),
        _ => return None,
    };
    let (hours, minutes) = match distance.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        None if distance.len() == 4 => distance.split_at(2),
        None => (distance, "0"),
        Some(_) => return None,
    };
    let below = |text: &str, limit| {
        let sound = matches!(text.len(), 1 | 2) && text.bytes().all(|digit| digit.is_ascii_digit());
        sound.then(|| text.parse::<i128>().ok()).flatten().filter(|number| *number < limit)
    };
    Some(sign * (below(hours, 24)? * 60 + below(minutes, 60)?) * 60_000 * MILLISECOND)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2024-12-01T00:00:00Z.
    const MIDNIGHT: i64 = 1_733_011_200_000;
    const DAY: i64 = 86_400_000;

    fn read(text: &str) -> Option<(i64, i64)> {
        GivenDate::read(text).map(|date| (date.first.0, date.last.0))
    }

    #[test]
    fn every_form_of_the_published_examples_is_read() {
        for text in [
            "2024-12-01T00:00:00.000Z",
            "2024-12-01T07:00:00.000+7",
            "2024-12-01T07:00:00.000+07",
            "2024-12-01T07:00:00.000+07:00",
            "2024-12-01T00:00:00Z",
            "2024-12-01T07:00:00+7",
            "2024-12-01T07:00:00+07",
            "2024-12-01T07:00:00+07:00",
            "20241201T000000Z",
        ] {
            assert_eq!(read(text), Some((MIDNIGHT, MIDNIGHT)), "{text}");
        }
        assert_eq!(read("2024-12-01"), Some((MIDNIGHT, MIDNIGHT + DAY - 1)), "a date alone is its whole day");
    }

    /// Each published form at the last moment of a day, a month and a year, and one step further.
    #[test]
    fn every_form_is_exact_to_the_millisecond_at_the_turn_of_a_year() {
        // 2025-01-01T00:00:00Z.
        let new_year = 1_735_689_600_000;
        for (text, at) in [
            ("2024-12-31T23:59:59.999Z", new_year - 1),
            ("2025-01-01T00:00:00.000Z", new_year),
            ("2025-01-01T06:59:59.999+7", new_year - 1),
            ("2025-01-01T07:00:00.000+7", new_year),
            ("2025-01-01T06:59:59.999+07", new_year - 1),
            ("2025-01-01T07:00:00.000+07", new_year),
            ("2025-01-01T06:59:59.999+07:00", new_year - 1),
            ("2025-01-01T07:00:00.000+07:00", new_year),
            ("2024-12-31T23:59:59Z", new_year - 1000),
            ("2025-01-01T00:00:00Z", new_year),
            ("2025-01-01T06:59:59+7", new_year - 1000),
            ("2025-01-01T07:00:00+7", new_year),
            ("2025-01-01T06:59:59+07", new_year - 1000),
            ("2025-01-01T07:00:00+07", new_year),
            ("2025-01-01T06:59:59+07:00", new_year - 1000),
            ("2025-01-01T07:00:00+07:00", new_year),
            ("20241231T235959Z", new_year - 1000),
            ("20250101T000000Z", new_year),
            ("2024-12-31T12:00:00-12", new_year),
            ("2024-12-31T20:30:00.000-03:30", new_year),
            ("2024-12-31T16:00:00-8", new_year),
        ] {
            assert_eq!(read(text), Some((at, at)), "{text}");
        }
        assert_eq!(read("2024-12-31"), Some((new_year - DAY, new_year - 1)));
        assert_eq!(read("2025-01-01"), Some((new_year, new_year + DAY - 1)));
    }

    #[test]
    fn a_leap_day_is_there_in_leap_years_alone() {
        // 2024-02-29T00:00:00Z.
        let leap_day = 1_709_164_800_000;
        assert_eq!(read("2024-02-29"), Some((leap_day, leap_day + DAY - 1)));
        assert_eq!(read("20240229T235959Z"), Some((leap_day + DAY - 1000, leap_day + DAY - 1000)));
        assert_eq!(read("2024-03-01T00:00:00+1").map(|(first, _)| first), Some(leap_day + DAY - 3_600_000));
        assert!(read("2000-02-29").is_some());
        for text in ["2023-02-29", "1900-02-29", "2100-02-29", "20230229T000000Z", "2024-02-30", "2024-04-31"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn relatives_of_those_forms_are_read_too() {
        for text in [
            "2024-12-01T00:00:00",
            "2024-12-01t00:00:00z",
            "2024-12-01T00:00",
            "2024-12-01T00:00:00.0000000",
            "2024-11-30T17:00:00-7",
            "2024-12-01T05:30:00+5:30",
            "20241201T000000",
            "20241201T070000+0700",
        ] {
            assert_eq!(read(text), Some((MIDNIGHT, MIDNIGHT)), "{text}");
        }
        assert_eq!(read("20241201"), read("2024-12-01"));
    }

    #[test]
    fn a_time_between_milliseconds_takes_in_neither_neighbour() {
        assert_eq!(read("2024-12-01T00:00:00.0005Z"), Some((MIDNIGHT + 1, MIDNIGHT)));
        assert_eq!(read("1969-12-31T23:59:59.9995Z"), Some((0, -1)));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in [
            "",
            "yesterday",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "2024-1-1",
            "01.12.2024",
            "2024-12-01Z",
            "2024-12-01T",
            "2024-12-01TZ",
            "2024-12-01T25:00:00Z",
            "2024-12-01T00:00:00+",
            "2024-12-01T00:00:00+99",
            "2024-12-01T00:00:00+24:00",
            "2024-12-01T00:00:00+07:60",
            "2024-12-01T00:00:00+07:0",
            "2024-12-01T00:00:00+070",
            "2024-12-01T00:00:00+-7",
            "2024-12-01T00:00:00+7:",
            "2024-12-01T00:00:00Z+7",
            "2024-12-01T00:00:00Z[UTC]",
            "2024-12-01 00:00:00",
            "-002024-12-01",
            "+002024-12-01",
            "10000-01-01",
            "-0001-12-31T00:00:00Z",
            "99999-01-01T00:00:00Z",
            "2024-00-01",
            "2024-12-00",
            "2024-12-32T00:00:00Z",
            "2024-12-01T24:00:00Z",
            "2024-12-01T00:60:00Z",
            "2024-12-01T00:00:61Z",
            "2024-12-01T07:00:00-24",
            "2024-12-01T07:00:00.Z",
            "20241201T0000000Z",
            "1733011200000",
            "2024-12-01T00:00:00.0000000000000000000000000000000000000000000000000000Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_trap() {
        let last_second = 253_402_300_799_000;
        assert_eq!(read("9999-12-31").map(|(_, last)| last), Some(last_second + 999));
        assert_eq!(read("9999-12-31T23:59:59Z"), Some((last_second, last_second)));
        assert!(read("9999-12-31T23:59:59.9999999-14:00").is_some());
        assert!(read("0001-01-01").is_some());
        assert!(read("0000-01-01T00:00:00+14:00").is_some());
    }

    #[test]
    fn an_answer_counts_milliseconds() {
        let json = serde_json::to_string(&WireDate(Timestamp(1_608_564_096_937))).unwrap();
        assert_eq!(json, r#""/Date(1608564096937)/""#);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,70}") {
            let _ = GivenDate::read(&text);
        }

        #[test]
        fn texts_like_dates_are_read_or_refused(text in "[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt]?[0-9:.,]{0,15}[Zz+-]?[0-9:]{0,6}") {
            let _ = GivenDate::read(&text);
        }

        #[test]
        fn whatever_zone_it_is_written_in_the_instant_is_the_same(hours in 0i64..=23, milliseconds in 0..DAY) {
            let at = jiff::Timestamp::from_millisecond(MIDNIGHT + milliseconds).unwrap();
            let local = jiff::Timestamp::from_millisecond(MIDNIGHT + milliseconds + hours * 3_600_000).unwrap();
            let text = format!("{local:.3}+{hours}").replace('Z', "");
            prop_assert_eq!(read(&text), Some((at.as_millisecond(), at.as_millisecond())), "{}", text);
        }
    }
}
