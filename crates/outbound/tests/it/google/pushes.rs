//! Notifications by push: who sent them.

use android::notification::PushBody;
use android::{Notification, SubscriptionName};
use outbound::PushTokens;
use outbound::android::{Delivery, Refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Office, Table, settings_for};

const AUDIENCE: &str = "https://mdm.example/android";

/// Judges pushes for [`AUDIENCE`].
struct Judge(PushTokens);

impl Judge {
    async fn sender(&self, authorization: &str) -> Result<String, Refused> {
        self.0.sender(authorization, AUDIENCE).await
    }
}

fn judge(table: &Table) -> Judge {
    Judge(PushTokens::new(&settings_for(&table.pretend), table.hands.clock()).unwrap())
}

fn google(table: &Table) -> Result<String, Refused> {
    Ok(table.pretend.service_account_email())
}

#[tokio::test]
async fn a_push_of_google_is_taken_and_its_keys_are_fetched_once() {
    let table = Table::start().await;
    let judge = judge(&table);
    for _ in 0..3 {
        let token = table.pretend.push_token(AUDIENCE, |_| ());
        assert_eq!(judge.sender(&format!("Bearer {token}")).await, google(&table));
    }
    assert_eq!(table.count("/oauth2/v3/certs", 200), 1);
}

#[tokio::test]
async fn each_claim_that_is_not_as_it_should_be_is_refused() {
    let table = Table::start().await;
    let judge = judge(&table);
    let now = 1_700_000_000_u64;
    let claims: [(&str, serde_json::Value); 7] = [
        ("iss", "https://accounts.example".into()),
        ("aud", "https://other.example".into()),
        ("email_verified", false.into()),
        ("exp", (now - 60).into()),
        ("iat", (now + 61).into()),
        ("exp", u64::MAX.to_string().into()),
        ("aud", serde_json::json!([AUDIENCE])),
    ];
    for (claim, value) in claims {
        let token = table.pretend.push_token(AUDIENCE, |claims| claims[claim] = value.clone());
        let verdict = judge.sender(&format!("Bearer {token}")).await;
        assert!(matches!(verdict, Err(Refused::NotGenuine(_))), "{claim} {value}: {verdict:?}");
    }
    let far = table.pretend.push_token(AUDIENCE, |claims| claims["exp"] = u64::MAX.into());
    assert_eq!(judge.sender(&format!("bearer {far}")).await, google(&table));
    let other = table.pretend.push_token(AUDIENCE, |claims| claims["email"] = "other@example.org".into());
    assert_eq!(judge.sender(&format!("Bearer {other}")).await, Ok("other@example.org".to_owned()));
    let other_spelling =
        table.pretend.push_token(AUDIENCE, |claims| claims["iss"] = "accounts.google.com".into());
    assert_eq!(judge.sender(&format!("Bearer {other_spelling}")).await, google(&table));
}

#[tokio::test]
async fn what_google_has_not_signed_is_refused() {
    let (table, forger) = (Table::start().await, Table::start().await);
    let judge = judge(&table);
    let forged = forger.pretend.push_token(AUDIENCE, |_| ());
    let genuine = table.pretend.push_token(AUDIENCE, |_| ());
    let (_, rest) = genuine.split_once('.').unwrap();
    // {"alg":"none"} and {"alg":"HS256"} before genuine claims.
    let bare = format!("eyJhbGciOiJub25lIn0.{}.", rest.split('.').next().unwrap());
    let keyed = format!("eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.{rest}");
    let half = genuine[..genuine.len() / 2].to_owned();
    for bad in [forged, bare, keyed, half, String::new(), "a".repeat(10_000)] {
        let verdict = judge.sender(&format!("Bearer {bad}")).await;
        assert!(matches!(verdict, Err(Refused::NotGenuine(_))), "{bad}: {verdict:?}");
    }
    for header in ["", "Bearer", &genuine, &format!("Basic {genuine}")] {
        assert!(matches!(judge.sender(header).await, Err(Refused::NotGenuine(_))), "{header}");
    }
    let asked = table.count("/oauth2/v3/certs", 200);
    assert!(asked <= 1, "strangers cannot make us ask Google again and again: {asked}");
}

#[tokio::test]
async fn while_google_is_away_known_keys_serve_and_unknown_ones_wait() {
    let table = Table::start().await;
    let (fresh, seasoned) = (judge(&table), judge(&table));
    let token = || format!("Bearer {}", table.pretend.push_token(AUDIENCE, |_| ()));
    seasoned.sender(&token()).await.unwrap();
    table.pretend.set_away(true);
    table.hands.pass(2 * 3600);
    assert_eq!(seasoned.sender(&token()).await, google(&table));
    assert!(matches!(fresh.sender(&token()).await, Err(Refused::Unknown(_))));
    assert!(
        matches!(fresh.sender(&token()).await, Err(Refused::Unknown(_))),
        "not asked again, but still not known"
    );
    table.pretend.set_away(false);
    table.hands.pass(60);
    assert_eq!(fresh.sender(&token()).await, google(&table));
}

/// Takes one HTTP request off a socket, answers it, and gives back its `Authorization` and its body.
async fn take(listener: &TcpListener, status: &str) -> (String, Vec<u8>) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let text = request(&mut socket).await;
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    socket.write_all(answer.as_bytes()).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let line = head.lines().find(|line| line.to_lowercase().starts_with("authorization:")).unwrap();
    (line.split_once(": ").unwrap().1.to_owned(), body.as_bytes().to_vec())
}

async fn request(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            length.is_some_and(|length: usize| body.len() >= length)
        });
        if whole || read == 0 {
            return text;
        }
    }
}

#[tokio::test]
async fn a_push_comes_again_until_it_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/android", listener.local_addr().unwrap());
    let table = Table::start().await;
    let service_account = table.pretend.service_account_email();
    let delivery = Delivery::Push { endpoint, service_account, audience: AUDIENCE.to_owned() };
    let office = Office::with(table, delivery).await;
    let judge = judge(&office.table);
    office.pretend().publish_test(office.enterprise.as_str());
    let (first_header, first) = take(&listener, "503 Service Unavailable").await;
    let (second_header, second) = take(&listener, "204 No Content").await;
    assert_eq!(judge.sender(&first_header).await, google(&office.table));
    assert_eq!(judge.sender(&second_header).await, google(&office.table));
    assert_eq!(first, second);
    let push = PushBody::decode(&second).unwrap();
    assert_eq!(push.subscription, office.subscription.as_str());
    assert_eq!(Notification::read(&push.message), Ok(Notification::Test));
    while office.pretend().waiting(office.subscription.as_str()) > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_subscription_learns_another_way_to_bring_its_messages() {
    let office = Office::open().await;
    let service_account = office.pretend().service_account_email();
    // Nobody listens there: what is posted to it waits.
    let endpoint = "http://127.0.0.1:9/android".to_owned();
    let push = Delivery::Push { endpoint, service_account, audience: AUDIENCE.to_owned() };
    office.google().set_delivery(&office.subscription, &push).await.unwrap();
    office.google().set_delivery(&office.subscription, &push).await.unwrap();
    office.pretend().publish_test(office.enterprise.as_str());
    assert!(office.google().pull(&office.subscription, 10).await.is_err(), "it is posted");
    office.google().set_delivery(&office.subscription, &Delivery::Pull).await.unwrap();
    assert_eq!(office.google().pull(&office.subscription, 10).await.unwrap().len(), 1);
    let nowhere = SubscriptionName::parse("projects/pretend-project/subscriptions/nowhere").unwrap();
    assert!(office.google().set_delivery(&nowhere, &Delivery::Pull).await.is_err());
}
