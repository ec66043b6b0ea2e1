//! Credentials in the `Authorization` header (RFC 9110, section 11.6.2).

use http::{HeaderMap, header::AUTHORIZATION};

use crate::base64_text;

/// What follows `scheme` in the `Authorization` header; the scheme's case does not count.
///
/// `None` without such credentials, and where the header comes twice: whoever reads the other one would be deceived.
pub(crate) fn authorization<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (named, credentials) = value.to_str().ok()?.trim().split_once(' ')?;
    let credentials = credentials.trim();
    (named.eq_ignore_ascii_case(scheme) && !credentials.is_empty()).then_some(credentials)
}

/// User and password of `Authorization: Basic` (RFC 7617).
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let decoded = base64_text::decode(authorization(headers, "Basic")?)?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn the_scheme_is_read_whatever_its_case() {
        for value in ["Api-Key secret", "api-key secret", "API-KEY   secret "] {
            assert_eq!(authorization(&headers(&[value]), "Api-Key"), Some("secret"), "{value}");
        }
    }

    #[test]
    fn other_schemes_and_two_headers_are_no_credentials() {
        for values in [
            &[][..],
            &["secret"],
            &["Api-Key"],
            &["Api-Key "],
            &["Bearer secret"],
            &["Api-Key a", "Api-Key b"],
        ] {
            assert_eq!(authorization(&headers(values), "Api-Key"), None, "{values:?}");
        }
    }

    #[test]
    fn basic_credentials_are_split_at_the_first_colon() {
        let read = basic(&headers(&["Basic YWxhZGRpbjpvcGVuOnNlc2FtZQ=="]));
        assert_eq!(read, Some(("aladdin".into(), "open:sesame".into())));
        assert_eq!(basic(&headers(&["Basic YWxhZGRpbg=="])), None, "no colon");
        assert_eq!(basic(&headers(&["Basic ????"])), None, "no base64");
        assert_eq!(basic(&headers(&["Basic //8="])), None, "no UTF-8");
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic(value in "[ -~]{0,60}") {
            let headers = headers(&[&value]);
            let _ = (authorization(&headers, "Bearer"), basic(&headers));
        }
    }
}
