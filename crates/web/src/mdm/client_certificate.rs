//! A client certificate as a proxy hands it on in a header.

use percent_encoding::percent_decode_str;
use pki::Certificate;

use crate::base64_text;

/// The certificate of RFC 9440's `:base64:` (parameters behind it do not count), or of URL-escaped PEM as
/// nginx and others send it. `None` where the proxy says that there is none: nothing, or Apache's `(null)`.
pub(super) fn decode(value: &str) -> Result<Option<Certificate>, pki::Error> {
    match value.trim() {
        "" | "(null)" => Ok(None),
        value => match value.strip_prefix(':') {
            Some(rest) => byte_sequence(rest).map(Some),
            None => escaped_pem(value).map(Some),
        },
    }
}

/// A byte sequence of RFC 8941, 3.3.5, from behind its first colon.
fn byte_sequence(rest: &str) -> Result<Certificate, pki::Error> {
    const MALFORMED: pki::Error = pki::Error::Malformed("byte sequence");
    let (base64, after) = rest.split_once(':').ok_or(MALFORMED)?;
    if !after.is_empty() && !after.starts_with(';') {
        return Err(MALFORMED);
    }
    Certificate::from_der(&base64_text::decode(base64).ok_or(MALFORMED)?)
}

/// `+` stands for itself, since proxies escape as in paths and not as in forms.
fn escaped_pem(value: &str) -> Result<Certificate, pki::Error> {
    let pem = percent_decode_str(value).decode_utf8().map_err(|_| pki::Error::Malformed("escaped PEM"))?;
    Certificate::from_pem(&pem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mdm::identity::tests::device;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
    use proptest::prelude::*;

    #[test]
    fn both_forms_are_read() {
        let certificate = device("a").certificate;
        let base64 = STANDARD.encode(certificate.der());
        let pem = certificate.to_pem();
        let sparing = pem.replace('\n', "%0A").replace(' ', "%20");
        for value in [
            format!(":{base64}:"),
            format!(" :{base64}: "),
            format!(":{base64}:;v=1"),
            format!(":{}:", base64.trim_end_matches('=')),
            percent_encode(pem.as_bytes(), NON_ALPHANUMERIC).to_string(),
            sparing,
        ] {
            assert_eq!(decode(&value), Ok(Some(certificate.clone())), "{value}");
        }
    }

    #[test]
    fn a_proxy_may_say_that_there_is_none() {
        for value in ["", "  ", "(null)"] {
            assert_eq!(decode(value), Ok(None));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let base64 = STANDARD.encode(device("a").certificate.der());
        for value in [
            base64.clone(),
            format!(":{base64}"),
            format!(":{base64}:, :{base64}:"),
            format!(":{}:", &base64[..base64.len() / 2]),
            "::".into(),
            "-----BEGIN%20CERTIFICATE-----".into(),
            "%ff%fe".into(),
        ] {
            assert!(decode(&value).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_decoded_or_refused(value in ":?[ -~]{0,200}:?") {
            prop_assert!(!matches!(decode(&value), Ok(Some(_))));
        }

        #[test]
        fn arbitrary_bytes_are_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let value = format!(":{}:", STANDARD.encode(&bytes));
            prop_assert!(decode(&value).is_err());
        }
    }
}
