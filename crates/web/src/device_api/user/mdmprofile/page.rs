//! The page that explains the profile and offers it.

use askama::Template;
use axum::response::Response;
use domain::Error;
use http::StatusCode;

use super::super::super::{error::Failure, language::Language};
use crate::enrolling::{self, STYLE};

#[derive(Template)]
#[template(path = "mdmprofile.html")]
struct Page<'a> {
    language: &'static str,
    style: &'static str,
    words: Words,
    url: &'a str,
}

/// The texts of the page.
struct Words {
    title: &'static str,
    meaning: &'static str,
    download: &'static str,
    install: &'static str,
    once: &'static str,
}

/// What the page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An iPhone or iPad.
    Phone,
    /// A Mac.
    Mac,
    /// An Android device.
    Android,
}

/// The page; `url` is a link for one device, `kind` says how it is told to use it.
pub(super) fn render(url: &str, kind: Kind, language: Language) -> Result<Response, Failure> {
    let words = match (language, kind) {
        (Language::English, Kind::Android) => english_android(),
        (Language::German, Kind::Android) => german_android(),
        (Language::English, _) => english(kind == Kind::Mac),
        (Language::German, _) => german(kind == Kind::Mac),
    };
    let page = Page { language: language.tag(), style: STYLE, words, url };
    let html = page.render().map_err(|error| Failure::from(Error::internal(error)))?;
    Ok(enrolling::page(StatusCode::OK, language.tag(), html))
}

fn english(is_mac: bool) -> Words {
    Words {
        title: "Let your organization manage this device",
        meaning: "With the profile below, your organization can set up this device, lock it, find it when it is lost, \
                  and erase it. You can see at any time what it may do, and remove the profile again.",
        download: "Download the profile",
        install: if is_mac {
            "Then open System Settings, General, Device Management, and install the profile there."
        } else {
            "Then open Settings, “Profile Downloaded”, and install the profile there."
        },
        once: "The profile is good for this one device, and for a day. Do not pass it on.",
    }
}

fn german(is_mac: bool) -> Words {
    Words {
        title: "Dieses Gerät von Ihrer Organisation verwalten lassen",
        meaning: "Mit dem Profil unten kann Ihre Organisation dieses Gerät einrichten, sperren, bei Verlust finden und \
                  löschen. Sie können jederzeit sehen, was sie darf, und das Profil wieder entfernen.",
        download: "Das Profil laden",
        install: if is_mac {
            "Öffnen Sie dann Systemeinstellungen, Allgemein, Geräteverwaltung, und installieren Sie das Profil dort."
        } else {
            "Öffnen Sie dann Einstellungen, „Profil geladen“, und installieren Sie das Profil dort."
        },
        once: "Das Profil gilt für dieses eine Gerät und für einen Tag. Geben Sie es nicht weiter.",
    }
}

fn english_android() -> Words {
    Words {
        title: "Let your organization manage a work profile",
        meaning: "With the link below, your device gets a work profile of its own. Your organization can set that up, \
                  lock it and remove it; what is personal on the device stays yours.",
        download: "Set up the work profile",
        install: "Open the link on the device itself, and do what it asks.",
        once: "The link is good for this one device, and for a day. Do not pass it on.",
    }
}

fn german_android() -> Words {
    Words {
        title: "Ein Arbeitsprofil von Ihrer Organisation verwalten lassen",
        meaning: "Mit dem Link unten bekommt Ihr Gerät ein eigenes Arbeitsprofil. Ihre Organisation kann es einrichten, \
                  sperren und entfernen; was auf dem Gerät privat ist, bleibt Ihres.",
        download: "Das Arbeitsprofil einrichten",
        install: "Öffnen Sie den Link auf dem Gerät selbst, und folgen Sie ihm.",
        once: "Der Link gilt für dieses eine Gerät und für einen Tag. Geben Sie ihn nicht weiter.",
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    const URL: &str = "https://mdm.example.com/enroll/abc";

    async fn html(kind: Kind, language: Language) -> String {
        let response = render(URL, kind, language).unwrap();
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_page_offers_the_link_in_both_languages() {
        for language in [Language::English, Language::German] {
            let page = html(Kind::Phone, language).await;
            assert!(page.contains(&format!("<html lang=\"{}\">", language.tag())), "{page}");
            assert!(page.contains(&format!("href=\"{URL}\"")), "{page}");
            for other in [Kind::Mac, Kind::Android] {
                assert_ne!(page, html(other, language).await, "{other:?} uses it in another way");
            }
            assert!(!page.contains("<script") && !page.contains("src="));
        }
    }

    #[tokio::test]
    async fn a_link_cannot_break_out_of_the_page() {
        let response = render("https://x/\"><script>", Kind::Phone, Language::English).unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("<script>"));
    }
}
