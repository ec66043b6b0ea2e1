//! The page of a link that does not enroll.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, VARY},
};

use super::{Reason, language::Language, words::Words};
use crate::{
    enrolling::{self, STYLE},
    failure::RETRY_SECONDS,
};

#[derive(Template)]
#[template(path = "enroll.html")]
struct Page {
    language: &'static str,
    style: &'static str,
    words: Words,
    for_administrators: &'static str,
}

/// The page in this language. Its address is a secret, so that it is neither kept nor told to other sites.
pub(super) fn render(reason: Reason, language: Language) -> Response {
    let page = Page {
        language: language.tag(),
        style: STYLE,
        words: Words::of(reason, language),
        for_administrators: match language {
            Language::English => "For administrators:",
            Language::German => "Für die Administration:",
        },
    };
    let Ok(html) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = enrolling::page(status(reason), language.tag(), html);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    if reason == Reason::Busy {
        headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    }
    response
}

fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::Unknown => StatusCode::NOT_FOUND,
        Reason::Expired | Reason::UsedUp => StatusCode::GONE,
        Reason::NoPushCertificate | Reason::NoDeviceUrl | Reason::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Reason::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use http::header::{
        CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    };
    use http_body_util::BodyExt;

    const REASONS: [(Reason, u16); 7] = [
        (Reason::Unknown, 404),
        (Reason::Expired, 410),
        (Reason::UsedUp, 410),
        (Reason::NoPushCertificate, 503),
        (Reason::NoDeviceUrl, 503),
        (Reason::Busy, 503),
        (Reason::Failed, 500),
    ];

    async fn html(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn every_page_says_why_and_what_to_do_in_both_languages() {
        for (reason, status) in REASONS {
            for language in [Language::English, Language::German] {
                let response = render(reason, language);
                assert_eq!(response.status(), status, "{reason:?}");
                assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
                let words = Words::of(reason, language);
                let html = html(response).await.replace("&#39;", "'");
                assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{html}");
                for text in [words.title, words.why, words.remedy, words.administrators] {
                    assert!(html.contains(text), "{text}\n{html}");
                }
            }
        }
    }

    #[test]
    fn no_page_is_left_untranslated() {
        for (reason, _) in REASONS {
            let (english, german) =
                (Words::of(reason, Language::English), Words::of(reason, Language::German));
            assert_ne!(english.title, german.title);
            assert_ne!(english.why, german.why);
            assert_ne!(english.remedy, german.remedy);
            assert_eq!(english.administrators.is_empty(), german.administrators.is_empty());
        }
    }

    #[tokio::test]
    async fn the_policy_allows_the_very_style_of_the_page_and_nothing_else() {
        let response = render(Reason::Expired, Language::English);
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let html = html(response).await;
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(pki::sha256(style.as_bytes()));
        assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}';")), "{policy}");
        assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("src="));
    }

    #[test]
    fn a_page_is_kept_nowhere_and_tells_no_other_site_its_address() {
        let response = render(Reason::Busy, Language::German);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(response.headers()[CONTENT_LANGUAGE], "de");
        assert_eq!(response.headers()[RETRY_AFTER], RETRY_SECONDS);
    }
}
