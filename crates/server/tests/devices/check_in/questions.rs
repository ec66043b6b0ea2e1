//! Check-ins that ask whether something may be: a user, a token of another service, an erasure.

use apple::checkin::{
    DigestChallenge, GetToken, ReturnToService, ReturnToServiceAnswer, TokenAnswer, TokenService,
    UserAuthenticate, WatchPairing,
};
use apple::{CheckIn, Identifiers};
use pki::PrivateKey;
use serde_json::Value;
use server::config::Settings;
use testkit::server::{Device, Options, TestServer};

use crate::speaker::{Reply, Speaker};

const SERVER_UUID: &str = "1f0e8a5e-9d52-4b1b-8c84-3c1f2e2a7b10";

/// 25
mod a_directory_user {
    use super::*;

    #[tokio::test]
    async fn is_not_managed_and_that_is_no_error() {
        let server = TestServer::start().await;
        let mut mac = server.enrolled_mac().await;
        let speaker = speaker(&server, &mac);
        assert_eq!(speaker.check_in(&login(&speaker, None)).await, Reply::refused(410));
        assert_eq!(mac.idle().await, Ok(None));
    }

    #[tokio::test]
    async fn is_managed_without_a_password_where_that_is_wanted() {
        let settings = Settings { manage_directory_users: Some(true.into()), ..Settings::default() };
        let server = TestServer::with(Options { settings, ..Options::default() }).await;
        let mac = server.enrolled_mac().await;
        let speaker = speaker(&server, &mac);
        let reply = speaker.check_in(&login(&speaker, None)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(DigestChallenge::parse(&reply.body), Ok(DigestChallenge::default()));
        let answered = speaker.check_in(&login(&speaker, Some("Digest of nothing"))).await;
        assert_eq!(answered, Reply::refused(410), "nobody was asked to prove anything");
    }

    fn login(speaker: &Speaker, response: Option<&str>) -> CheckIn {
        let ids = Identifiers { user_id: Some("6A8D1C70-0001".into()), ..speaker.ids() };
        let digest_response = response.map(str::to_owned);
        CheckIn::UserAuthenticate(UserAuthenticate { ids, digest_response })
    }
}

/// 53
mod a_token_of_a_service {
    use super::*;

    #[tokio::test]
    async fn is_refused_where_nothing_signs_it() {
        let server = TestServer::start().await;
        let mut mac = server.enrolled_mac().await;
        let speaker = speaker(&server, &mac);
        let pairing = WatchPairing {
            security_token: "S".into(),
            phone_udid: speaker.udid.clone(),
            watch_udid: "W".into(),
        };
        for service in [
            TokenService::Maid,
            TokenService::WatchPairing(pairing),
            TokenService::Other("com.example.x".into()),
        ] {
            assert_eq!(speaker.check_in(&ask(speaker.ids(), service)).await, Reply::refused(400));
        }
        assert_eq!(mac.idle().await, Ok(None));
    }

    /// A watch's token needs parameters; without them the message is not even one.
    #[tokio::test]
    async fn for_a_watch_is_refused_without_the_parameters_too() {
        let server = TestServer::start().await;
        let mut iphone = server.enrolled_iphone().await;
        let speaker = speaker(&server, &iphone);
        let pairing = WatchPairing {
            security_token: "S".into(),
            phone_udid: speaker.udid.clone(),
            watch_udid: "W".into(),
        };
        let whole = ask(speaker.ids(), TokenService::WatchPairing(pairing)).encode();
        let whole = String::from_utf8(whole).unwrap();
        for key in ["TokenParameters", "SecurityToken", "PhoneUDID", "WatchUDID"] {
            let without = whole.replace(&format!("<key>{key}</key>"), "<key>Other</key>");
            assert_ne!(without, whole, "{key}");
            let kind = apple::content_type::CHECK_IN;
            let reply = speaker.put("/checkin", Some(kind), without.into_bytes()).await;
            assert_eq!(reply, Reply::refused(400), "{key}");
        }
        assert_eq!(iphone.idle().await, Ok(None), "it goes on as before");
    }

    #[tokio::test]
    async fn is_signed_by_the_key_that_apple_knows() {
        let server = TestServer::start().await;
        let key = PrivateKey::generate_rsa_2048().unwrap();
        server.mdm().set_maid_key(&server.owner(), SERVER_UUID, &key).await.unwrap();
        let mac = server.enrolled_mac().await;
        let speaker = speaker(&server, &mac);
        let user = Identifiers { user_id: Some("6A8D1C70-0001".into()), ..speaker.ids() };
        let mut ids_of_tokens = Vec::new();
        for ids in [speaker.ids(), user] {
            let reply = speaker.check_in(&ask(ids, TokenService::Maid)).await;
            assert_eq!(reply.status, 200);
            let token = String::from_utf8(TokenAnswer::parse(&reply.body).unwrap().data).unwrap();
            let claims = claims(&token, &key);
            assert_eq!(claims["iss"], SERVER_UUID);
            assert_eq!(claims["service_type"], "com.apple.maid");
            let now = server.mdm().now().seconds();
            assert_eq!(claims["iat"], now);
            ids_of_tokens.push(claims["jti"].as_str().unwrap().to_owned());
        }
        assert_ne!(ids_of_tokens[0], ids_of_tokens[1]);
    }

    #[tokio::test]
    async fn is_signed_by_the_newest_key_and_for_its_tenant_alone() {
        let server = TestServer::start().await;
        let newest = PrivateKey::generate_rsa_2048().unwrap();
        for key in [&PrivateKey::generate_rsa_2048().unwrap(), &newest] {
            server.mdm().set_maid_key(&server.owner(), SERVER_UUID, key).await.unwrap();
        }
        let (other, _) = server.another_tenant("Other").await;
        let foreign = PrivateKey::generate_rsa_2048().unwrap();
        server.mdm().set_maid_key(&domain::Actor::local(other), SERVER_UUID, &foreign).await.unwrap();
        let mac = server.enrolled_mac().await;
        let speaker = speaker(&server, &mac);
        let reply = speaker.check_in(&ask(speaker.ids(), TokenService::Maid)).await;
        let token = String::from_utf8(TokenAnswer::parse(&reply.body).unwrap().data).unwrap();
        assert_eq!(claims(&token, &newest)["iss"], SERVER_UUID);
    }

    #[tokio::test]
    async fn is_not_signed_by_a_key_that_apple_cannot_know() {
        let server = TestServer::start().await;
        let curve = PrivateKey::generate_p256().unwrap();
        assert!(server.mdm().set_maid_key(&server.owner(), SERVER_UUID, &curve).await.is_err());
        let rsa = PrivateKey::generate_rsa_2048().unwrap();
        assert!(server.mdm().set_maid_key(&server.owner(), "my server", &rsa).await.is_err());
    }

    fn ask(ids: Identifiers, service: TokenService) -> CheckIn {
        CheckIn::GetToken(GetToken { ids, service })
    }

    /// What a token says that this key has signed.
    fn claims(token: &str, key: &PrivateKey) -> Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let header: Value = serde_json::from_slice(&part(header)).unwrap();
        assert_eq!(header["alg"], "RS256");
        let again = pki::Signer::sign(key, pki::Hash::Sha256, signed.as_bytes()).unwrap();
        assert_eq!(part(signature), again, "PKCS #1 v1.5 signs the same alike");
        serde_json::from_slice(&part(claims)).unwrap()
    }
}

/// 54: a yes would erase the device.
#[tokio::test]
async fn no_device_is_erased_because_it_asked() {
    let server = TestServer::start().await;
    let mut ipad = server.enrolled_ipad().await;
    let speaker = speaker(&server, &ipad);
    let question = CheckIn::ReturnToService(ReturnToService { ids: speaker.ids() });
    let reply = speaker.check_in(&question).await;
    assert_eq!(reply.status, 200);
    assert_eq!(ReturnToServiceAnswer::parse(&reply.body), Ok(ReturnToServiceAnswer { enabled: false }));
    let ids = Identifiers { user_id: Some("U".into()), ..speaker.ids() };
    let of_a_user = CheckIn::ReturnToService(ReturnToService { ids });
    assert_eq!(speaker.check_in(&of_a_user).await, Reply::refused(400));
    assert_eq!(ipad.idle().await, Ok(None));
}

fn speaker(server: &TestServer, device: &Device) -> Speaker {
    Speaker::new(server, device.credential().clone(), device.model().udid.clone())
}
