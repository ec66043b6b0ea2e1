//! UTCTime and GeneralizedTime, as certificates and signed attributes write them (RFC 5280, 4.1.2.5).

use std::time::{SystemTime, UNIX_EPOCH};

use der::DateTime;

use super::{Element, GENERALIZED_TIME, UTC_TIME, write};
use crate::{Error, Result};

/// Reads a time to the second, in UTC; years before 1970 are refused.
pub(crate) fn read(element: Element<'_>) -> Result<SystemTime> {
    const MALFORMED: Error = Error::Malformed("time");
    let digits = element.value.strip_suffix(b"Z").ok_or(MALFORMED)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(MALFORMED);
    }
    let pairs: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, b| sum * 10 + (b - b'0'))).collect();
    let (year, rest) = match (element.tag, digits.len(), pairs.as_slice()) {
        (UTC_TIME, 12, [year @ 50..=99, rest @ ..]) => (1900 + u16::from(*year), rest),
        (UTC_TIME, 12, [year, rest @ ..]) => (2000 + u16::from(*year), rest),
        (GENERALIZED_TIME, 14, [century, year, rest @ ..]) => {
            (u16::from(*century) * 100 + u16::from(*year), rest)
        }
        _ => return Err(MALFORMED),
    };
    let [month, day, hour, minute, second] = *rest else { return Err(MALFORMED) };
    let time = DateTime::new(year, month, day, hour, minute, second).map_err(|_| MALFORMED)?;
    Ok(UNIX_EPOCH + time.unix_duration())
}

/// Writes UTCTime until 2049, GeneralizedTime from 2050 on. Fractions of a second are cut off.
pub(crate) fn to_der(at: SystemTime) -> Result<Vec<u8>> {
    let since_1970 = at.duration_since(UNIX_EPOCH).map_err(|_| Error::Malformed("time"))?;
    let whole = DateTime::from_unix_duration(since_1970).map_err(|_| Error::Malformed("time"))?;
    let (month, day) = (whole.month(), whole.day());
    let (hour, minute, second) = (whole.hour(), whole.minutes(), whole.seconds());
    let tail = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    Ok(match whole.year() {
        year @ ..2050 => write::element(UTC_TIME, format!("{:02}{tail}", year % 100).as_bytes()),
        year => write::element(GENERALIZED_TIME, format!("{year:04}{tail}").as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::asn1::Reader;

    #[test]
    fn times_change_their_form_in_2050() {
        let in_2049 = UNIX_EPOCH + Duration::from_secs(2_524_607_999);
        let in_2050 = in_2049 + Duration::from_secs(1);
        assert_eq!(&to_der(in_2049).unwrap()[2..], b"491231235959Z");
        assert_eq!(&to_der(in_2050).unwrap()[2..], b"20500101000000Z");
        for at in [UNIX_EPOCH, in_2049, in_2050] {
            let der = to_der(at).unwrap();
            assert_eq!(read(Reader::new(&der).any().unwrap()), Ok(at));
        }
    }

    #[test]
    fn times_that_are_none_are_refused() {
        for (tag, value) in [
            (UTC_TIME, "491231235959"),
            (UTC_TIME, "4912312359Z"),
            (UTC_TIME, "491331235959Z"),
            (UTC_TIME, "20491231235959Z"),
            (UTC_TIME, "49123123595+Z"),
            (GENERALIZED_TIME, "19691231235959Z"),
            (GENERALIZED_TIME, "20490231235959Z"),
            (0x04, "491231235959Z"),
        ] {
            assert!(read(Element { tag, value: value.as_bytes(), raw: &[] }).is_err(), "{value}");
        }
    }
}
