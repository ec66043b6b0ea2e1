//! JSON bodies of requests, read whole within the API listener's bounds; what is in them is the face's to judge.

use axum::body::Body;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};

use crate::limits::{BodyBudget, HeldBody, Unread};

/// The longest body of a call about a few things, bytes.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// Why a body was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyRefusal {
    /// It does not say that it is `application/json`, or it is compressed.
    MediaType,
    /// It was not read.
    Unread(Unread),
}

/// Reads a JSON body of at most `limit` bytes.
pub(crate) async fn read(
    budget: &BodyBudget,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<HeldBody, BodyRefusal> {
    if !is_json(headers) {
        return Err(BodyRefusal::MediaType);
    }
    if announced_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(BodyRefusal::Unread(Unread::TooLong(limit)));
    }
    budget.read(body, limit).await.map_err(BodyRefusal::Unread)
}

/// Whether the one `Content-Type` is `application/json`, whatever its parameters, and the body is not compressed.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let plain = codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    plain && essence.trim().eq_ignore_ascii_case("application/json")
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    async fn read_ten(headers: &HeaderMap, length: usize) -> Result<usize, BodyRefusal> {
        let body = Body::from(vec![b' '; length]);
        read(&BodyBudget::new(1 << 20), headers, body, 10).await.map(|body| body.bytes().len())
    }

    #[tokio::test]
    async fn json_with_any_parameters_is_read() {
        for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/json;v=1"] {
            assert_eq!(read_ten(&headers(&[(CONTENT_TYPE, content_type)]), 2).await, Ok(2), "{content_type}");
        }
    }

    #[tokio::test]
    async fn another_content_type_two_of_them_and_compression_are_refused() {
        for headers in [
            headers(&[]),
            headers(&[(CONTENT_TYPE, "text/plain")]),
            headers(&[(CONTENT_TYPE, "application/jsonx")]),
            headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_TYPE, "text/plain")]),
            headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")]),
        ] {
            assert_eq!(read_ten(&headers, 2).await, Err(BodyRefusal::MediaType), "{headers:?}");
        }
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_byte_more_is_not() {
        let json = headers(&[(CONTENT_TYPE, "application/json")]);
        assert_eq!(read_ten(&json, 10).await, Ok(10));
        assert_eq!(read_ten(&json, 11).await, Err(BodyRefusal::Unread(Unread::TooLong(10))));
    }

    #[tokio::test]
    async fn a_body_that_announces_too_much_is_not_waited_for() {
        let headers = headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, "11")]);
        assert_eq!(read_ten(&headers, 0).await, Err(BodyRefusal::Unread(Unread::TooLong(10))));
    }
}
