//! Which language an answer is in: `Accept-Language` (RFC 9110, section 12.5.4).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::{HeaderMap, header::ACCEPT_LANGUAGE, request::Parts};

/// A language that this API speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    /// English, where nothing else is asked for.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// As HTML's `lang` wants it.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The one of our languages that the caller likes best.
    ///
    /// Ranges such as `de-AT` count for their language and `*` for English; of two with the same weight the first one
    /// wins; weight 0 means "not this one".
    pub(super) fn preferred(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
        let ranges = lines.flat_map(|line| line.split(',')).filter_map(spoken);
        let best = ranges.fold(None, |best: Option<(Self, u16)>, (language, weight)| match best {
            Some((_, most)) if most >= weight => best,
            _ if weight == 0 => best,
            _ => Some((language, weight)),
        });
        best.map_or(Self::English, |(language, _)| language)
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::preferred(&parts.headers))
    }
}

/// Language and weight, in thousandths, of one range; `None` for a language that we do not speak, or no sense.
fn spoken(range: &str) -> Option<(Language, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next()?;
    let primary = tag.split('-').next()?;
    let language = match primary.to_ascii_lowercase().as_str() {
        "de" => Language::German,
        "en" | "*" => Language::English,
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((language, weight.map_or(Some(1000), thousandths)?))
}

/// A weight such as `0.8`: at most three decimals, at most 1.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let sound = decimals.len() <= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit());
    match whole {
        "0" if sound => format!("{decimals:0<3}").parse().ok(),
        "1" if sound && decimals.bytes().all(|digit| digit == b'0') => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn preferred(lines: &[&str]) -> Language {
        let headers =
            lines.iter().map(|line| (ACCEPT_LANGUAGE, HeaderValue::from_str(line).unwrap())).collect();
        Language::preferred(&headers)
    }

    #[test]
    fn german_is_spoken_to_who_asks_for_it() {
        for line in
            ["de", "DE", "de-AT", "de-DE,de;q=0.9,en;q=0.8", "fr, de;q=0.5", "en;q=0.5, de;q=0.501", "de, en"]
        {
            assert_eq!(preferred(&[line]), Language::German, "{line}");
        }
        assert_eq!(preferred(&["fr", "de"]), Language::German, "on a second line");
    }

    #[test]
    fn everybody_else_is_spoken_to_in_english() {
        for line in [
            "en",
            "fr",
            "",
            "*",
            "de;q=0",
            "de;q=0.8, en;q=0.9",
            "en-GB, de",
            "fr, de;q=0.5, *;q=0.6",
            "den",
            "de;q=2",
        ] {
            assert_eq!(preferred(&[line]), Language::English, "{line}");
        }
        assert_eq!(preferred(&[]), Language::English, "no header");
    }

    proptest! {
        #[test]
        fn any_header_is_answered_in_some_language(line in "[ -~]{0,80}") {
            let _ = preferred(&[&line]);
        }

        #[test]
        fn the_heavier_language_wins(german in 0u16..=1000, english in 0u16..=1000) {
            prop_assume!(german != english);
            let weight = |weight: u16| if weight == 1000 { "1".to_owned() } else { format!("0.{weight:03}") };
            let line = format!("en;q={}, de;q={}", weight(english), weight(german));
            prop_assert_eq!(preferred(&[&line]) == Language::German, german > english);
        }
    }
}
