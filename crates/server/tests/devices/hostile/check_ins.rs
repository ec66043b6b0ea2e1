//! Check-ins whose keys are odd: each kind of message, each key, each type that it should not have.

use apple::checkin::{
    DeclarativeManagement, Endpoint, GetBootstrapToken, GetToken, ReturnToService, SetBootstrapToken,
    TokenService, UserAuthenticate, WatchPairing,
};
use apple::content_type::CHECK_IN;
use apple::{CheckIn, Identifiers};
use testkit::on_both;
use testkit::server::TestServer;

use super::Besieged;
use crate::speaker::{Reply, Speaker};

on_both!(a_key_of_another_type_is_a_bad_request);
async fn a_key_of_another_type_is_a_bad_request(server: TestServer) {
    let besieged = Besieged::of(server).await;
    let traitor = besieged.traitor();
    for (message, keys) in messages(&traitor) {
        let whole = String::from_utf8(message.encode()).unwrap();
        for key in keys {
            for odd in ["<real>1.5</real>", "<array/>", "<date>2026-01-02T03:04:05Z</date>"] {
                let spoilt = with(&whole, key, odd);
                let reply = traitor.put("/checkin", Some(CHECK_IN), spoilt.into_bytes()).await;
                assert_eq!(reply, Reply::refused(400), "{} {key} {odd}", message.message_type());
            }
        }
    }
    besieged.still_stands().await;
}

/// Longer than any device would send, and still within the body that is read.
#[tokio::test]
async fn what_is_too_long_is_a_bad_request() {
    let besieged = Besieged::new().await;
    let traitor = besieged.traitor();
    let text = format!("<string>{}</string>", "x".repeat(500_000));
    let data = format!("<data>{}</data>", "AAAA".repeat(100_000));
    for (message, keys) in messages(&traitor) {
        let whole = String::from_utf8(message.encode()).unwrap();
        // The report of a status may be long; that this one is none is told as well.
        for key in keys {
            let long = if matches!(*key, "BootstrapToken" | "Data") { &data } else { &text };
            let reply = traitor.put("/checkin", Some(CHECK_IN), with(&whole, key, long).into_bytes()).await;
            assert_eq!(reply, Reply::refused(400), "{} {key}", message.message_type());
        }
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn a_stranger_gets_no_answer_to_any_of_them() {
    let besieged = Besieged::new().await;
    let ca = crate::speaker::foreign_ca(&besieged.server);
    let stranger = Speaker::issued_by(&besieged.server, &ca, "x", &besieged.iphone.model().udid);
    for (message, _) in messages(&besieged.traitor()) {
        assert_eq!(stranger.check_in(&message).await, Reply::refused(403), "{}", message.message_type());
        let unsigned = stranger.send("/checkin", &[], message.encode()).await;
        assert_eq!(unsigned, Reply::refused(400), "{}", message.message_type());
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn another_device_gets_no_answer_to_any_of_them() {
    let besieged = Besieged::new().await;
    let other = besieged.server.enrolled_mac().await;
    let thief =
        Speaker::new(&besieged.server, other.credential().clone(), besieged.iphone.model().udid.clone());
    for (message, _) in messages(&besieged.traitor()) {
        assert_eq!(thief.check_in(&message).await, Reply::refused(403), "{}", message.message_type());
    }
    besieged.still_stands().await;
}

/// Each message that asks for something or leaves something, and its keys that are not the sender's names.
fn messages(sender: &Speaker) -> Vec<(CheckIn, &'static [&'static str])> {
    let ids = sender.ids();
    let user = Identifiers { user_id: Some("U-1".into()), ..sender.ids() };
    let pairing =
        WatchPairing { security_token: "S".into(), phone_udid: sender.udid.clone(), watch_udid: "W".into() };
    let status = Some(br#"{"StatusItems":{}}"#.to_vec());
    vec![
        (
            CheckIn::SetBootstrapToken(SetBootstrapToken {
                ids: ids.clone(),
                token: Some(vec![1]),
                awaiting_configuration: Some(true),
            }),
            &["BootstrapToken"],
        ),
        (
            CheckIn::GetBootstrapToken(GetBootstrapToken { ids: ids.clone(), awaiting_configuration: None }),
            &["UDID"],
        ),
        (
            CheckIn::GetToken(GetToken { ids: ids.clone(), service: TokenService::WatchPairing(pairing) }),
            &["TokenServiceType", "SecurityToken", "PhoneUDID", "WatchUDID"],
        ),
        (
            CheckIn::DeclarativeManagement(DeclarativeManagement {
                ids: ids.clone(),
                endpoint: Endpoint::Status,
                data: status,
            }),
            &["Endpoint", "Data"],
        ),
        (CheckIn::ReturnToService(ReturnToService { ids }), &["UDID"]),
        (
            CheckIn::UserAuthenticate(UserAuthenticate { ids: user, digest_response: Some("d".into()) }),
            &["UserID", "DigestResponse"],
        ),
    ]
}

/// The document with another value for `key`.
fn with(document: &str, key: &str, value: &str) -> String {
    let name = format!("<key>{key}</key>");
    let (before, rest) = document.split_once(&name).unwrap_or_else(|| panic!("{key} is not in {document}"));
    let start = rest.find("</").unwrap();
    let end = start + rest[start..].find('>').unwrap() + 1;
    format!("{before}{name}{value}{}", &rest[end..])
}
