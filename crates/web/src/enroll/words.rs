//! What the pages say, in each language: what happened, why, and what to do.

use super::{Reason, language::Language};

/// The texts of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) remedy: &'static str,
    /// For those who run the server; empty where they have nothing to do.
    pub(super) administrators: &'static str,
}

impl Words {
    pub(super) fn of(reason: Reason, language: Language) -> Self {
        match language {
            Language::English => english(reason),
            Language::German => german(reason),
        }
    }
}

fn english(reason: Reason) -> Words {
    let (title, why, remedy, administrators) = match reason {
        Reason::Unknown => (
            "This enrollment link does not exist",
            "Perhaps a part of it was lost when it was copied, or it was withdrawn.",
            "Open the whole link as you received it, or ask your administrator for a new one.",
            "",
        ),
        Reason::Expired => (
            "This enrollment link has expired",
            "Enrollment links are good for a limited time only.",
            "Ask your administrator for a new one.",
            "",
        ),
        Reason::UsedUp => (
            "This enrollment link is used up",
            "It was made for a certain number of devices, and that many have used it.",
            "Ask your administrator for a new one. A device that is enrolled already needs none.",
            "",
        ),
        Reason::NoPushCertificate => (
            "This server cannot enroll devices yet",
            "It has no Apple push certificate for your organization, and without one it could not reach your device.",
            "Ask your administrator to finish setting up the server, then open this link again.",
            "“remuda push-certificate request” begins the way to a push certificate, and “remuda doctor” says what else \
             is missing.",
        ),
        Reason::NoDeviceUrl => (
            "This server cannot enroll devices yet",
            "It does not know the address under which your device will reach it, and that address can never change.",
            "Ask your administrator to finish setting up the server, then open this link again.",
            "The server needs --device-url with its public https:// address; “remuda doctor” says more.",
        ),
        Reason::Busy => (
            "The server is busy",
            "It cannot answer at the moment.",
            "Wait a minute, then open this link again.",
            "",
        ),
        Reason::Failed => (
            "Something went wrong on the server",
            "Your link is not the cause.",
            "Tell your administrator, and open this link again later.",
            "The server's log names the cause.",
        ),
    };
    Words { title, why, remedy, administrators }
}

fn german(reason: Reason) -> Words {
    let (title, why, remedy, administrators) = match reason {
        Reason::Unknown => (
            "Diesen Registrierungslink gibt es nicht",
            "Vielleicht ging beim Kopieren ein Teil verloren, oder er wurde zurückgezogen.",
            "Öffnen Sie den ganzen Link, wie Sie ihn erhalten haben, oder bitten Sie Ihre Administration um einen neuen.",
            "",
        ),
        Reason::Expired => (
            "Dieser Registrierungslink ist abgelaufen",
            "Registrierungslinks gelten nur für begrenzte Zeit.",
            "Bitten Sie Ihre Administration um einen neuen.",
            "",
        ),
        Reason::UsedUp => (
            "Dieser Registrierungslink ist aufgebraucht",
            "Er war für eine bestimmte Zahl von Geräten gedacht, und so viele haben ihn schon benutzt.",
            "Bitten Sie Ihre Administration um einen neuen. Ein Gerät, das schon registriert ist, braucht keinen.",
            "",
        ),
        Reason::NoPushCertificate => (
            "Dieser Server kann noch keine Geräte registrieren",
            "Ihm fehlt ein Push-Zertifikat von Apple für Ihre Organisation; ohne das könnte er Ihr Gerät nicht erreichen.",
            "Bitten Sie Ihre Administration, den Server fertig einzurichten, und öffnen Sie diesen Link dann noch einmal.",
            "Mit „remuda push-certificate request“ beginnt der Weg zum Push-Zertifikat, und „remuda doctor“ sagt, was \
             sonst noch fehlt.",
        ),
        Reason::NoDeviceUrl => (
            "Dieser Server kann noch keine Geräte registrieren",
            "Er kennt die Adresse nicht, unter der Ihr Gerät ihn erreichen wird, und die kann sich nie mehr ändern.",
            "Bitten Sie Ihre Administration, den Server fertig einzurichten, und öffnen Sie diesen Link dann noch einmal.",
            "Der Server braucht --device-url mit seiner öffentlichen https://-Adresse; „remuda doctor“ sagt mehr.",
        ),
        Reason::Busy => (
            "Der Server ist ausgelastet",
            "Er kann gerade nicht antworten.",
            "Warten Sie eine Minute, und öffnen Sie diesen Link dann noch einmal.",
            "",
        ),
        Reason::Failed => (
            "Auf dem Server ging etwas schief",
            "An Ihrem Link liegt es nicht.",
            "Sagen Sie es Ihrer Administration, und öffnen Sie diesen Link später noch einmal.",
            "Das Log des Servers nennt die Ursache.",
        ),
    };
    Words { title, why, remedy, administrators }
}
