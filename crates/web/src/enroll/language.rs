//! Which of our languages a browser wants.

/// The languages that pages for people are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    /// The best of an `Accept-Language` header (RFC 9110, 12.5.4), the first among equals; English if none is
    /// wanted.
    pub(super) fn preferred(header: &str) -> Self {
        let mut best = (Self::English, 0.0);
        for range in header.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let Some(language) = Self::of_tag(tag.trim()) else { continue };
            let weight = weight(parameters);
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// As HTML's `lang` wants it.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        if primary == "*" {
            return Some(Self::English);
        }
        [Self::English, Self::German]
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }
}

fn weight(parameters: &str) -> f32 {
    let quality = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
    quality.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_language_of_the_greatest_weight_is_preferred() {
        for (header, language) in [
            ("de-DE,de;q=0.9,en;q=0.8", Language::German),
            ("en-US,en;q=0.9,de;q=0.8", Language::English),
            ("fr, DE-at;q=0.4, en;q=0.3", Language::German),
            ("en;q=0.2, de ; q=0.3", Language::German),
            ("de;q=0, fr", Language::English),
            ("de;q=nonsense", Language::English),
            ("*, de;q=0.5", Language::English),
            ("fr,es", Language::English),
            ("deutsch", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::preferred(header), language, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_has_a_language(header in "([a-z*-]{0,4}[,;= q0-9.]{0,4}|.){0,30}") {
            Language::preferred(&header);
        }
    }
}
