//! The answer to `DeviceLocation`.

use plist::Value;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Answers;
use crate::report::Report;

/// Where a device in Lost Mode is, under Apple's names. `None` is unknown, which devices say by a negative
/// number.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceLocationReport {
    /// `Latitude` in degrees, -90 to 90.
    pub latitude: f64,
    /// `Longitude` in degrees, -180 to 180.
    pub longitude: f64,
    /// `HorizontalAccuracy`: the radius of uncertainty in meters.
    pub horizontal_accuracy: Option<f64>,
    /// `VerticalAccuracy`: of the altitude, in meters.
    pub vertical_accuracy: Option<f64>,
    /// `Altitude` in meters; Apple takes a negative one for an unknown one.
    pub altitude: Option<f64>,
    /// `Speed` in meters per second.
    pub speed: Option<f64>,
    /// `Course` in degrees from north, less than or equal to 360.
    pub course: Option<f64>,
    /// `Timestamp`: when the place was determined, an RFC 3339 text.
    pub timestamp: Option<SystemTime>,
}

impl DeviceLocationReport {
    /// Reads what a report answers; `None` if it names no place on Earth.
    pub fn from_report(report: &Report) -> Option<DeviceLocationReport> {
        let answers = Answers(Some(&report.body));
        let degrees = |key, limit: f64| answers.real(key).filter(|degrees| degrees.abs() <= limit);
        Some(DeviceLocationReport {
            latitude: degrees("Latitude", 90.0)?,
            longitude: degrees("Longitude", 180.0)?,
            horizontal_accuracy: answers.number("HorizontalAccuracy"),
            vertical_accuracy: answers.number("VerticalAccuracy"),
            altitude: answers.number("Altitude"),
            speed: answers.number("Speed"),
            course: answers.number("Course").filter(|course| *course <= 360.0),
            timestamp: timestamp(answers),
        })
    }
}

/// A text as Apple says; a property list's date is as good.
fn timestamp(answers: Answers<'_>) -> Option<SystemTime> {
    if let Some(date) = answers.value("Timestamp").and_then(Value::as_date) {
        return Some(date.into());
    }
    OffsetDateTime::parse(&answers.text("Timestamp")?, &Rfc3339).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{a_report, an_odd_value};
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn located(pairs: Vec<(&str, Value)>) -> Option<DeviceLocationReport> {
        DeviceLocationReport::from_report(&a_report(pairs))
    }

    fn place(latitude: impl Into<Value>, longitude: impl Into<Value>) -> Vec<(&'static str, Value)> {
        vec![("Latitude", latitude.into()), ("Longitude", longitude.into())]
    }

    #[test]
    fn an_iphone_tells_where_it_is() {
        let mut answers = place(52.520008, 13.404954);
        answers.extend([
            ("HorizontalAccuracy", Value::Real(35.0)),
            ("VerticalAccuracy", Value::Real(-1.0)),
            ("Altitude", Value::Real(34.25)),
            ("Speed", Value::Real(-1.0)),
            ("Course", Value::Real(-1.0)),
            ("Timestamp", "2026-03-01T11:20:32Z".into()),
        ]);
        let expected = DeviceLocationReport {
            latitude: 52.520008,
            longitude: 13.404954,
            horizontal_accuracy: Some(35.0),
            vertical_accuracy: None,
            altitude: Some(34.25),
            speed: None,
            course: None,
            timestamp: Some(UNIX_EPOCH + Duration::from_secs(1_772_364_032)),
        };
        assert_eq!(located(answers), Some(expected));
    }

    #[test]
    fn a_timestamp_may_have_an_offset_a_fraction_or_be_a_date() {
        let time = |timestamp: Value| {
            let mut answers = place(1.0, 1.0);
            answers.push(("Timestamp", timestamp));
            located(answers).unwrap().timestamp.map(|time| time.duration_since(UNIX_EPOCH).unwrap())
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(time("1970-01-01T02:00:10+02:00".into()), seconds(10));
        assert_eq!(time("1970-01-01T00:00:10.5Z".into()), Some(Duration::from_millis(10_500)));
        assert_eq!(time(Value::Date((UNIX_EPOCH + Duration::from_secs(10)).into())), seconds(10));
        assert_eq!(time("yesterday".into()), None);
        assert_eq!(time(10.into()), None);
    }

    #[test]
    fn whole_degrees_may_be_integers() {
        let read = located(place(-33, 151)).unwrap();
        assert_eq!((read.latitude, read.longitude), (-33.0, 151.0));
    }

    #[test]
    fn what_is_not_on_earth_is_no_place() {
        for (latitude, longitude) in [(90.5, 0.0), (0.0, -180.5), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(located(place(latitude, longitude)), None);
        }
        assert_eq!(located(vec![("Latitude", Value::Real(1.0))]), None);
        assert_eq!(located(place("52.5", "13.4")), None);
    }

    proptest! {
        #[test]
        fn odd_answers_never_panic(
            latitude in an_odd_value(), longitude in an_odd_value(), timestamp in an_odd_value(),
            course in an_odd_value(),
        ) {
            let answers = vec![
                ("Latitude", latitude), ("Longitude", longitude), ("Timestamp", timestamp),
                ("Course", course),
            ];
            if let Some(read) = located(answers) {
                prop_assert!(read.latitude.abs() <= 90.0 && read.longitude.abs() <= 180.0);
                prop_assert!(read.course.is_none_or(|course| (0.0..=360.0).contains(&course)));
            }
        }
    }
}
