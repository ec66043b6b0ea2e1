//! The sentences of `errormessage`, in every language that this API speaks.

use super::{
    error::{ErrorCode, Failure},
    language::Language,
};

/// What a field should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Text,
    PlainText,
    Flag,
    Object,
    Date,
    SixDigits,
    PageSize,
    PageIndex,
    /// Something else than what it holds.
    AnotherValue,
}

/// One text in English and in German.
struct Said(&'static str, &'static str);

impl Said {
    fn in_language(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.0,
            Language::German => self.1,
        }
    }
}

/// The whole sentence about a failure.
pub(super) fn message(failure: &Failure, language: Language) -> String {
    let expected = expectation(failure.expected).in_language(language);
    sentence(failure.code, language)
        .replace("{field}", failure.field.unwrap_or_default())
        .replace("{expected}", expected)
}

/// The sentence about a code, with `{field}` and `{expected}` where they belong.
pub(super) fn sentence(code: ErrorCode, language: Language) -> &'static str {
    said(code).in_language(language)
}

/// Makes the look-up from the catalogue; a code that is missing there does not compile.
macro_rules! catalogue {
    ($($code:ident: $english:literal, $german:literal;)*) => {
        fn said(code: ErrorCode) -> Said {
            match code {
                $(ErrorCode::$code => Said($english, $german),)*
            }
        }
    };
}

catalogue! {
    InvalidBody:
        "The request body is not a JSON object.",
        "Der Inhalt der Anfrage ist kein JSON-Objekt.";
    InvalidField:
        "The field {field} has to hold {expected}.",
        "Das Feld {field} muss {expected} enthalten.";
    DeviceNotNamed:
        "The device is missing: send clientid, imei or serialnumber.",
        "Das Gerät fehlt: clientid, imei oder serialnumber angeben.";
    TenantNotNamed:
        "This API key has several tenants: send the one that is meant as mtcid.",
        "Dieser API-Schlüssel gilt für mehrere Mandanten: den gemeinten als mtcid angeben.";
    Unauthenticated:
        "The credentials are missing or wrong.",
        "Die Anmeldedaten fehlen oder sind falsch.";
    TokenInvalid:
        "The access token is invalid or has expired: log in again.",
        "Das Zugriffstoken ist ungültig oder abgelaufen: bitte erneut anmelden.";
    Forbidden:
        "Your role does not permit this.",
        "Ihre Rolle erlaubt das nicht.";
    DeviceNotFound:
        "There is no such device.",
        "Dieses Gerät gibt es nicht.";
    EntityNotFound:
        "What the request names does not exist.",
        "Was die Anfrage nennt, gibt es nicht.";
    UnknownPath:
        "There is no such call.",
        "Diesen Aufruf gibt es nicht.";
    MethodNotAllowed:
        "This call takes another HTTP method.",
        "Dieser Aufruf verlangt eine andere HTTP-Methode.";
    BodyTooSlow:
        "The request body took too long to arrive.",
        "Der Inhalt der Anfrage kam zu langsam an.";
    Conflict:
        "The request contradicts the present state.",
        "Die Anfrage widerspricht dem gegenwärtigen Zustand.";
    DeviceNotManaged:
        "The device is not managed; it has to enroll first.",
        "Das Gerät wird nicht verwaltet; es muss sich zuerst registrieren.";
    DeviceQuarantined:
        "The device is in quarantine until an administrator approves it.",
        "Das Gerät ist in Quarantäne, bis es freigegeben wird.";
    PlatformUnsupported:
        "Devices of this platform cannot do this.",
        "Geräte dieser Plattform können das nicht.";
    UserEnrollmentUnsupported:
        "A user enrollment does not allow this.",
        "Eine Benutzerregistrierung lässt das nicht zu.";
    MacosTooOld:
        "Before macOS 11.5 this would deactivate a Mac with Apple silicon: update it first.",
        "Vor macOS 11.5 würde das einen Mac mit Apple-Chip deaktivieren: zuerst aktualisieren.";
    BodyTooLarge:
        "The request body is too large.",
        "Der Inhalt der Anfrage ist zu groß.";
    UnsupportedMediaType:
        "The content type has to be application/json, without compression.",
        "Der Inhaltstyp muss application/json sein, ohne Komprimierung.";
    InternalError:
        "Something went wrong on the server.",
        "Auf dem Server ist etwas schiefgegangen.";
    Unavailable:
        "The server is busy: try again soon.",
        "Der Server ist ausgelastet: bald erneut versuchen.";
}

fn expectation(expected: Expected) -> Said {
    match expected {
        Expected::Text => Said("a text", "einen Text"),
        Expected::PlainText => Said(
            "a text of at most 1024 bytes without control characters",
            "einen Text von höchstens 1024 Bytes ohne Steuerzeichen",
        ),
        Expected::Flag => Said("true or false", "true oder false"),
        Expected::Object => Said("a JSON object", "ein JSON-Objekt"),
        Expected::Date => Said(
            "a date such as 2024-12-01 or 2024-12-01T07:00:00+07:00",
            "ein Datum wie 2024-12-01 oder 2024-12-01T07:00:00+07:00",
        ),
        Expected::SixDigits => Said("six digits", "sechs Ziffern"),
        Expected::PageSize => Said("a whole number from 1 to 1000", "eine ganze Zahl von 1 bis 1000"),
        Expected::PageIndex => Said("a whole number from 1", "eine ganze Zahl ab 1"),
        Expected::AnotherValue => Said("another value", "einen anderen Wert"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_sentence_in_every_language() {
        for code in ErrorCode::ALL {
            let Said(english, german) = said(*code);
            assert_ne!(english, german, "{}", code.word());
            for text in [english, german] {
                assert!(text.len() > 10 && text.ends_with('.'), "{text}");
            }
            for hole in ["{field}", "{expected}"] {
                assert_eq!(english.contains(hole), german.contains(hole), "{}", code.word());
            }
        }
    }

    #[test]
    fn a_fault_in_a_field_is_named_in_the_callers_language() {
        let failure = Failure::invalid("filter.lastcontact.to", Expected::Date);
        let english = message(&failure, Language::English);
        let german = message(&failure, Language::German);
        assert!(
            english.starts_with("The field filter.lastcontact.to has to hold a date such as 2024-12-01"),
            "{english}"
        );
        assert!(
            german.starts_with("Das Feld filter.lastcontact.to muss ein Datum wie 2024-12-01"),
            "{german}"
        );
    }

    #[test]
    fn no_sentence_leaves_a_hole() {
        for code in ErrorCode::ALL {
            let failure = Failure { field: Some("macpin"), ..Failure::new(*code) };
            for language in [Language::English, Language::German] {
                assert!(!message(&failure, language).contains(['{', '}']), "{}", code.word());
            }
        }
    }
}
