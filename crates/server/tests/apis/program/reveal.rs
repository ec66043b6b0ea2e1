//! `remuda device reveal` and `remuda tenant set-maid-key`: secrets that go out and come in by the command line.

use apple::CheckIn;
use apple::checkin::{GetToken, TokenAnswer, TokenService};
use base64::{Engine, engine::general_purpose::STANDARD};
use pki::PrivateKey;
use testkit::server::TestServer;

use super::{Program, text};

#[tokio::test]
async fn a_token_is_shown_in_base64_and_the_look_is_written_down() {
    let server = TestServer::start().await;
    let (iphone, mut mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    let remuda = Program::beside(&server);
    let tenant = server.tenant().to_string();
    for (device, secret, expected) in [
        (iphone.client_id(), "unlock-token", iphone.push_address().unlock_token.clone()),
        (mac.client_id(), "bootstrap-token", mac.bootstrap_token().await.unwrap()),
    ] {
        let shown =
            remuda.json(&["device", "reveal", &device, "--secret", secret, "--tenant", &tenant]).await;
        assert_eq!(STANDARD.decode(text(&shown, "value")).ok(), expected);
        assert_eq!((text(&shown, "clientid"), text(&shown, "secret")), (device.as_str(), secret));
        let standing = (&shown["state"], &shown["current"], &shown["others"]);
        assert_eq!(standing, (&"confirmed".into(), &true.into(), &serde_json::json!([])));
        assert!(shown["kept_at"].is_string() && shown["enrollment"].is_string(), "{shown}");
    }
    assert_eq!(server.count_events("secret.revealed").await, 2);
}

#[tokio::test]
async fn a_pin_is_shown_with_what_else_it_may_be() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    let remuda = Program::beside(&server);
    let (device, tenant) = (mac.client_id(), server.tenant().to_string());
    for (pin, fails) in [("111111", false), ("222222", true)] {
        let lock = domain::Lock::new(None, None, Some(pin.into())).unwrap();
        server.mdm().act(&server.owner(), mac.id(), &domain::Action::Lock(lock)).await.unwrap();
        if fails {
            mac.fail_next(vec![]);
        }
        mac.connect().await.unwrap();
        server.settled().await;
    }
    for reveal in [
        vec!["device", "reveal", &device, "--secret", "lock-pin", "--tenant", &tenant],
        vec!["device", "reveal-pin", &device, "--tenant", &tenant],
    ] {
        let ran = remuda.run(&reveal).await;
        let (first, second) = (ran.stdout.find("111111").unwrap(), ran.stdout.find("222222").unwrap());
        assert!(first == 0 && first < second, "{}", ran.stdout);
        assert!(ran.stdout.contains("the device has it") && ran.stdout.contains("it did not take it"));
        let shown = remuda.json(&reveal).await;
        assert_eq!((&shown["state"], &shown["others"][0]["state"]), (&"confirmed".into(), &"refused".into()));
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_shown() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    let remuda = Program::beside(&server);
    let (device, tenant) = (mac.client_id(), server.tenant().to_string());
    let reveal = |secret| vec!["device", "reveal", &device, "--tenant", &tenant, "--secret", secret];
    for none in
        ["unlock-token", "lock-pin", "erase-pin", "activation-lock-bypass-code", "filevault-recovery-key"]
    {
        remuda.fails(&reveal(none), 1, "there is no such secret").await;
    }
    remuda.fails(&reveal("password"), 2, "bootstrap-token").await;
    assert_eq!(server.count_events("secret.revealed").await, 0);
}

#[tokio::test]
async fn a_key_for_managed_apple_accounts_signs_from_then_on() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    let remuda = Program::beside(&server);
    let tenant = server.tenant().to_string();
    let key = |name, key: PrivateKey| remuda.write(name, key.to_pem().unwrap().as_bytes());
    key("rsa.pem", PrivateKey::generate_rsa_2048().unwrap());
    key("curve.pem", PrivateKey::generate_p256().unwrap());
    let uuid = "1F0E8A5E-9D52-4B1B-8C84-3C1F2E2A7B10";
    let set = |file, uuid| vec!["tenant", "set-maid-key", file, "--server-uuid", uuid, "--tenant", &tenant];
    remuda.fails(&set("curve.pem", uuid), 1, "an RSA private key").await;
    remuda.fails(&set("rsa.pem", "my server"), 1, "a UUID").await;
    remuda.fails(&set("none.pem", uuid), 1, "none.pem").await;
    remuda.json(&set("rsa.pem", uuid)).await;

    let ids = mac.model().identifiers();
    let question = CheckIn::GetToken(GetToken { ids, service: TokenService::Maid });
    let answer = mac.ask(&question).await.unwrap();
    let token = TokenAnswer::parse(&answer.body).unwrap().data;
    assert_eq!(token.split(|byte| *byte == b'.').count(), 3);
    assert_eq!(server.count_events("maid_key.set").await, 1);
}
