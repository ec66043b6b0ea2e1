//! The sentences of `errormessage`, in every language that this API speaks.

use super::{
    error::{ErrorCode, Failure},
    language::Language,
};

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

/// The sentence about something that a call did not do, though it succeeded.
pub(super) fn notice(notice: Notice, language: Language) -> &'static str {
    noted(notice).in_language(language)
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
        "You have several tenants: send the one that is meant as mtcid.",
        "Sie haben mehrere Mandanten: den gemeinten als mtcid angeben.";
    AppNotNamed:
        "The app is missing: send its id.",
        "Die App fehlt: ihre id angeben.";
    NothingToShow:
        "The lost mode has to show something to a finder: send message or phonenumber.",
        "Der Verloren-Modus muss einem Finder etwas anzeigen: message oder phonenumber angeben.";
    Unauthenticated:
        "The credentials are missing or wrong.",
        "Die Anmeldedaten fehlen oder sind falsch.";
    TokenInvalid:
        "The access token is invalid or has expired: log in again.",
        "Das Zugriffstoken ist ungültig oder abgelaufen: bitte erneut anmelden.";
    Forbidden:
        "Your role does not permit this.",
        "Ihre Rolle erlaubt das nicht.";
    AdministratorsOnly:
        "Only administrators may do this.",
        "Das dürfen nur Administratoren.";
    UserTokenNeeded:
        "Only users can do this, for themselves: log in as a user and send the access token.",
        "Das können nur Benutzer für sich selbst: als Benutzer anmelden und das Zugriffstoken senden.";
    AccessTokenNeeded:
        "An API key cannot do this: log in and send the access token.",
        "Mit einem API-Schlüssel geht das nicht: anmelden und das Zugriffstoken senden.";
    DeviceNotFound:
        "There is no such device.",
        "Dieses Gerät gibt es nicht.";
    AppNotFound:
        "The device has reported no such app.",
        "Das Gerät hat keine solche App gemeldet.";
    UserNotFound:
        "There is no such user.",
        "Diesen Benutzer gibt es nicht.";
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
    EmailTaken:
        "Somebody has this e-mail address already.",
        "Diese E-Mail-Adresse ist schon vergeben.";
    EnrollmentNotSetUp:
        "This server cannot enroll devices yet: an administrator has to finish its setup.",
        "Dieser Server kann noch keine Geräte registrieren: erst muss seine Einrichtung abgeschlossen werden.";
    ByodUnsupported:
        "Since iOS 18 and macOS 15 personal devices no longer enroll with a profile; this server has no other way yet.",
        "Seit iOS 18 und macOS 15 registrieren sich private Geräte nicht mehr per Profil; einen anderen Weg hat dieser Server noch nicht.";
    AndroidNotSetUp:
        "This server is not set up for Android devices.",
        "Dieser Server ist nicht für Android-Geräte eingerichtet.";
    DeviceNotManaged:
        "The device is not managed; it has to enroll first.",
        "Das Gerät wird nicht verwaltet; es muss sich zuerst registrieren.";
    DeviceQuarantined:
        "The device is in quarantine until an administrator approves it.",
        "Das Gerät ist in Quarantäne, bis es freigegeben wird.";
    PlatformUnsupported:
        "Devices of this platform cannot do this.",
        "Geräte dieser Plattform können das nicht.";
    FullyManagedUnsupported:
        "A fully managed device can only be wiped as a whole.",
        "Ein vollständig verwaltetes Gerät kann nur als Ganzes gelöscht werden.";
    PersonalDeviceUnsupported:
        "A personal device with a work profile does not allow this.",
        "Ein privates Gerät mit Arbeitsprofil lässt das nicht zu.";
    UserEnrollmentUnsupported:
        "A user enrollment does not allow this.",
        "Eine Benutzerregistrierung lässt das nicht zu.";
    MacosTooOld:
        "Before macOS 11.5 this would deactivate a Mac with Apple silicon: update it first.",
        "Vor macOS 11.5 würde das einen Mac mit Apple-Chip deaktivieren: zuerst aktualisieren.";
    OsTooOld:
        "The device's operating system is too old for this: update it first.",
        "Das Betriebssystem des Geräts ist zu alt dafür: zuerst aktualisieren.";
    DeviceNotSupervised:
        "Only a supervised device can do this: supervise it through Automated Device Enrollment or Apple Configurator.",
        "Das kann nur ein betreutes Gerät: mit automatischer Geräteregistrierung oder Apple Configurator betreuen.";
    SharedIpadUnsupported:
        "A shared iPad cannot do this.",
        "Ein geteiltes iPad kann das nicht.";
    AccessRightMissing:
        "The device's enrollment does not give the right to do this: enroll the device again.",
        "Die Registrierung des Geräts gibt nicht das Recht dazu: das Gerät neu registrieren.";
    NotInLostMode:
        "The device is not in lost mode: enable it first.",
        "Das Gerät ist nicht im Verloren-Modus: diesen zuerst einschalten.";
    AlreadyInLostMode:
        "The device is in lost mode already: disable it first.",
        "Das Gerät ist schon im Verloren-Modus: diesen zuerst ausschalten.";
    UnlockTokenMissing:
        "The device has not sent the token that clears its passcode: enroll the device again.",
        "Das Gerät hat den Schlüssel zum Löschen seines Codes nicht gesendet: das Gerät neu registrieren.";
    CommandRefused:
        "The device would refuse this, by Apple's rules for its system and its enrollment.",
        "Das Gerät würde das nach Apples Regeln für sein System und seine Registrierung ablehnen.";
    BodyTooLarge:
        "The request body is too large.",
        "Der Inhalt der Anfrage ist zu groß.";
    UnsupportedMediaType:
        "The content type has to be application/json, without compression.",
        "Der Inhaltstyp muss application/json sein, ohne Komprimierung.";
    TooManyAttempts:
        "There were too many wrong credentials: try again later.",
        "Es gab zu viele falsche Anmeldedaten: später erneut versuchen.";
    TooManyEnrollments:
        "Too many links and profiles for own devices were asked for today: try again later.",
        "Heute wurden zu viele Links und Profile für eigene Geräte angefordert: später erneut versuchen.";
    InternalError:
        "Something went wrong on the server.",
        "Auf dem Server ist etwas schiefgegangen.";
    Unavailable:
        "The server is busy: try again soon.",
        "Der Server ist ausgelastet: bald erneut versuchen.";
}

/// Makes [`Notice`] and the look-up of its sentences from one table.
macro_rules! notices {
    ($($name:ident = $english:literal, $german:literal;)*) => {
        /// What a call that succeeded did not do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Notice {
            $($name,)*
        }

        impl Notice {
            /// All of them, in the order of the table.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];
        }

        fn noted(notice: Notice) -> Said {
            match notice {
                $(Notice::$name => Said($english, $german),)*
            }
        }
    };
}

notices! {
    PasswordMissing =
        "The user has no password, and cannot log in until an administrator sets one.",
        "Der Benutzer hat kein Kennwort und kann sich erst anmelden, wenn eines gesetzt wird.";
    MailNotSent =
        "No e-mail was sent, since this server sends none.",
        "Es wurde keine E-Mail gesendet, da dieser Server keine sendet.";
    GroupTemplateIgnored =
        "No group template was applied, since this server has none.",
        "Es wurde keine Gruppenvorlage angewendet, da dieser Server keine hat.";
}

/// Makes [`Expected`] and the look-up of its words from one table.
macro_rules! expectations {
    ($($(#[$doc:meta])* $name:ident = $english:literal, $german:literal;)*) => {
        /// What a field should hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Expected {
            $($(#[$doc])* $name,)*
        }

        impl Expected {
            /// All of them, in the order of the table.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];
        }

        fn expectation(expected: Expected) -> Said {
            match expected {
                $(Expected::$name => Said($english, $german),)*
            }
        }
    };
}

expectations! {
    Text = "a text", "einen Text";
    PlainText =
        "a text of at most 1024 bytes without control characters",
        "einen Text von höchstens 1024 Bytes ohne Steuerzeichen";
    Flag = "true or false", "true oder false";
    Object = "a JSON object", "ein JSON-Objekt";
    Date =
        "a date such as 2024-12-01 or 2024-12-01T07:00:00+07:00",
        "ein Datum wie 2024-12-01 oder 2024-12-01T07:00:00+07:00";
    SixDigits = "six digits", "sechs Ziffern";
    Basic = "the word basic", "das Wort basic";
    UserOrAdmin = "user or admin", "user oder admin";
    AppleOrAndroid = "apple or android", "apple oder android";
    Email = "an e-mail address", "eine E-Mail-Adresse";
    Name =
        "a text of at most 200 bytes without control characters",
        "einen Text von höchstens 200 Bytes ohne Steuerzeichen";
    NewPassword =
        "a password of at least 8 characters and at most 1024 bytes",
        "ein Kennwort von mindestens 8 Zeichen und höchstens 1024 Bytes";
    PresentPassword = "the present password", "das jetzige Kennwort";
    SameAsNewPassword = "the same as newpassword", "dasselbe wie newpassword";
    PageSize = "a whole number from 1 to 1000", "eine ganze Zahl von 1 bis 1000";
    PageIndex = "a whole number from 1", "eine ganze Zahl ab 1";
    /// Something else than what it holds.
    AnotherValue = "another value", "einen anderen Wert";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between braces, sorted.
    fn holes(sentence: &str) -> Vec<&str> {
        let pieces = sentence.split('{').skip(1);
        let mut holes: Vec<_> =
            pieces.map(|piece| piece.split_once('}').expect("a closed brace").0).collect();
        holes.sort_unstable();
        holes
    }

    #[test]
    fn every_code_has_a_sentence_in_every_language() {
        for code in ErrorCode::ALL {
            let Said(english, german) = said(*code);
            assert_ne!(english, german, "{}", code.word());
            for text in [english, german] {
                assert!(text.len() > 10 && text.ends_with('.'), "{text}");
            }
            assert_eq!(holes(english), holes(german), "{}", code.word());
            assert!(holes(english).iter().all(|hole| ["expected", "field"].contains(hole)), "{english}");
        }
    }

    #[test]
    fn every_expectation_has_words_in_every_language() {
        for expected in Expected::ALL {
            let Said(english, german) = expectation(*expected);
            assert_ne!(english, german, "{expected:?}");
            for text in [english, german] {
                assert!(text.len() > 3 && !text.ends_with('.') && !text.contains(['{', '}']), "{text}");
            }
        }
    }

    #[test]
    fn every_notice_is_a_sentence_in_every_language() {
        for it in Notice::ALL {
            let sentences = [Language::English, Language::German].map(|language| notice(*it, language));
            assert_ne!(sentences[0], sentences[1]);
            assert!(sentences.iter().all(|text| text.ends_with('.')), "{sentences:?}");
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
