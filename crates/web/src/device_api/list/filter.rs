//! The filter of a list.

use domain::{DeviceFilter, Span};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::{
    dates::GivenDate,
    error::Failure,
    fields::{Object, Scalar},
    messages::Expected,
};

/// Which devices to list: everything that is set must hold.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Filter)]
pub(in super::super) struct FilterFields {
    /// Managed devices only, or others only; also as a text.
    #[schema(value_type = Option<bool>)]
    managed: Scalar,
    /// Erased devices only, or others only; also as a text.
    #[schema(value_type = Option<bool>)]
    wiped: Scalar,
    /// When the device last spoke to the server.
    #[schema(value_type = Option<SpanFields>)]
    lastcontact: Object<SpanFields>,
    /// When the device was at its last known location; leaves out devices without one.
    #[schema(value_type = Option<SpanFields>)]
    locationtimestamp: Object<SpanFields>,
}

/// A stretch of time, both ends included.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Span)]
pub(in super::super) struct SpanFields {
    /// A day, or a day and a time; without a zone it is UTC.
    #[schema(value_type = Option<String>, example = "2025-01-06")]
    from: Scalar,
    /// A day, which counts to its end, or a day and a time; without a zone it is UTC.
    #[schema(value_type = Option<String>, example = "2025-08-08")]
    to: Scalar,
}

impl FilterFields {
    /// The filter, with every date read.
    pub(super) fn filter(self) -> Result<DeviceFilter, Failure> {
        let last_contact = self.lastcontact.fields("filter.lastcontact")?;
        let located = self.locationtimestamp.fields("filter.locationtimestamp")?;
        Ok(DeviceFilter {
            owner: None,
            managed: self.managed.flag("filter.managed")?,
            wiped: self.wiped.flag("filter.wiped")?,
            last_contact: last_contact.span("filter.lastcontact.from", "filter.lastcontact.to")?,
            located: located.span("filter.locationtimestamp.from", "filter.locationtimestamp.to")?,
        })
    }
}

impl SpanFields {
    fn span(self, from: &'static str, to: &'static str) -> Result<Span, Failure> {
        Ok(Span {
            from: date(self.from, from)?.map(|date| date.first),
            to: date(self.to, to)?.map(|date| date.last),
        })
    }
}

fn date(value: Scalar, field: &'static str) -> Result<Option<GivenDate>, Failure> {
    let Some(text) = value.text(field)? else { return Ok(None) };
    GivenDate::read(&text).map(Some).ok_or(Failure::invalid(field, Expected::Date))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::{super::super::fields::parse, *};

    /// 2025-01-06T00:00:00Z.
    const FROM: Timestamp = Timestamp(1_736_121_600_000);
    /// 2025-08-08T23:59:59.999Z.
    const TO: Timestamp = Timestamp(1_754_697_599_999);

    fn filter(body: &str) -> Result<DeviceFilter, &'static str> {
        let fields: FilterFields = parse(body.as_bytes()).unwrap();
        fields.filter().map_err(|failure| failure.field.unwrap())
    }

    #[test]
    fn the_published_example_is_read_to_the_end_of_its_last_day() {
        let days = r#"{"from":"2025-01-06","to":"2025-08-08"}"#;
        let body =
            format!(r#"{{"managed":true,"wiped":true,"lastcontact":{days},"locationtimestamp":{days}}}"#);
        let span = Span { from: Some(FROM), to: Some(TO) };
        let (managed, wiped) = (Some(true), Some(true));
        let expected = DeviceFilter { owner: None, managed, wiped, last_contact: span, located: span };
        assert_eq!(filter(&body), Ok(expected));
    }

    #[test]
    fn a_filter_with_nothing_in_it_lets_every_device_through() {
        for body in
            ["{}", r#"{"lastcontact":{}}"#, r#"{"managed":null,"lastcontact":{"from":null},"colour":"red"}"#]
        {
            assert_eq!(filter(body), Ok(DeviceFilter::default()), "{body}");
        }
    }

    #[test]
    fn an_open_end_stays_open() {
        let span = filter(r#"{"lastcontact":{"from":"2025-01-06"}}"#).unwrap().last_contact;
        assert_eq!(span, Span { from: Some(FROM), to: None });
        let span = filter(r#"{"locationtimestamp":{"to":"2025-08-08T23:59:59.999Z"}}"#).unwrap().located;
        assert_eq!(span, Span { from: None, to: Some(TO) });
    }

    #[test]
    fn a_time_as_the_end_is_not_stretched_to_its_day() {
        let span = filter(r#"{"lastcontact":{"to":"2025-01-06T00:00:00Z"}}"#).unwrap().last_contact;
        assert_eq!(span.to, Some(FROM));
    }

    #[test]
    fn a_zone_shifts_the_border() {
        let span =
            filter(r#"{"lastcontact":{"from":"2025-01-06T07:00:00.000+7","to":"2025-01-05T17:00:00-07"}}"#);
        assert_eq!(span.unwrap().last_contact, Span { from: Some(FROM), to: Some(FROM) });
    }

    #[test]
    fn flags_come_as_texts_too() {
        let filter = filter(r#"{"managed":"true","wiped":"false"}"#).unwrap();
        assert_eq!((filter.managed, filter.wiped), (Some(true), Some(false)));
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (body, field) in [
            (r#"{"managed":"maybe"}"#, "filter.managed"),
            (r#"{"wiped":1}"#, "filter.wiped"),
            (r#"{"lastcontact":"2025"}"#, "filter.lastcontact"),
            (r#"{"lastcontact":{"from":"soon"}}"#, "filter.lastcontact.from"),
            (r#"{"lastcontact":{"to":""}}"#, "filter.lastcontact.to"),
            (r#"{"locationtimestamp":{"from":20250106}}"#, "filter.locationtimestamp.from"),
            (r#"{"locationtimestamp":{"to":"2025-02-30"}}"#, "filter.locationtimestamp.to"),
        ] {
            assert_eq!(filter(body), Err(field), "{body}");
        }
    }
}
