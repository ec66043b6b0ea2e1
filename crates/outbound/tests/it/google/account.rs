//! Access tokens: got, kept, renewed, replaced.

use super::Table;

#[tokio::test]
async fn one_token_serves_many_calls_until_shortly_before_its_end() {
    let table = Table::start().await;
    for _ in 0..3 {
        table.google.enterprises(None).await.unwrap();
    }
    assert_eq!(table.count("/token", 200), 1);
    table.hands.pass(3599 - 5 * 60 - 1);
    table.google.enterprises(None).await.unwrap();
    assert_eq!(table.count("/token", 200), 1);
    table.hands.pass(1);
    table.google.enterprises(None).await.unwrap();
    assert_eq!(table.count("/token", 200), 2);
}

#[tokio::test]
async fn calls_at_once_share_one_token() {
    let table = Table::start().await;
    let call = || table.google.enterprises(None);
    let answers = tokio::join!(call(), call(), call(), call());
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok() && answers.3.is_ok());
    assert_eq!(table.count("/token", 200), 1);
}

#[tokio::test]
async fn a_revoked_token_is_replaced_within_the_call() {
    let table = Table::start().await;
    table.google.enterprises(None).await.unwrap();
    table.pretend.revoke_tokens();
    table.google.enterprises(None).await.unwrap();
    assert_eq!(table.count("/v1/enterprises", 401), 1);
    assert_eq!(table.count("/token", 200), 2);
}

#[tokio::test]
async fn a_clock_that_goes_wrong_is_found_out_and_does_no_harm() {
    for offset in [-7200, 7200] {
        let table = Table::start().await;
        table.pretend.set_clock_offset(offset);
        table.google.authenticate().await.unwrap();
        assert_eq!(table.count("/token", 400), 1, "{offset}");
        assert_eq!(table.google.clock_offset(), offset);
        table.google.enterprises(None).await.unwrap();
        table.hands.pass(3600);
        table.google.enterprises(None).await.unwrap();
        assert_eq!(table.count("/token", 400), 1, "the offset is known by now");
    }
}

#[tokio::test]
async fn the_old_token_serves_while_no_new_one_can_be_had() {
    let table = Table::start().await;
    table.google.authenticate().await.unwrap();
    table.hands.pass(3500);
    table.pretend.set_away(true);
    // The old token is still good, so that this is not about the token.
    assert!(table.google.authenticate().await.is_ok());
    table.hands.pass(200);
    assert!(table.google.authenticate().await.unwrap_err().is_passing());
    table.pretend.set_away(false);
    table.hands.pass(200);
    table.google.authenticate().await.unwrap();
}

#[tokio::test]
async fn a_key_that_google_does_not_know_is_an_alarm() {
    let table = Table::start().await;
    let stranger =
        simulator::google::service_account("pretend-project", &format!("{}/token", table.pretend.url()));
    let stranger = outbound::ServiceAccount::parse(stranger.unwrap().as_bytes()).unwrap();
    let google =
        outbound::Google::new(stranger, &super::settings_for(&table.pretend), table.hands.clock()).unwrap();
    let error = google.enterprises(None).await.unwrap_err();
    assert!(matches!(error, outbound::android::Error::Unauthenticated { .. }), "{error}");
    assert!(!error.is_passing());
}
