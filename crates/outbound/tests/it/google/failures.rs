//! What goes wrong: quota, outages, answers that are none.

use std::time::Duration;

use android::{Command, CommandRequest};
use outbound::{Google, GoogleSettings, ServiceAccount, android::Error};
use simulator::google::Quota;

use super::{Office, Table, settings_for};

fn wait(error: &Error) -> u64 {
    error.retry_after().unwrap().as_secs()
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_told_and_then_left_in_peace() {
    let table = Table::with(|settings| {
        settings.quota = Quota { queries: 2, window: Duration::from_secs(100), retry_after: None };
    })
    .await;
    table.google.enterprises(None).await.unwrap();
    table.google.enterprises(None).await.unwrap();
    let used_up = table.google.enterprises(None).await.unwrap_err();
    assert!(matches!(used_up, Error::Quota { after: None, .. }), "{used_up}");
    // The next call does not even leave, until the pause is over.
    let held_back = table.google.enterprises(None).await.unwrap_err();
    assert!(matches!(held_back, Error::TryLater { maybe_done: false, .. }), "{held_back}");
    assert_eq!((wait(&held_back), table.count("/v1/enterprises", 429)), (1, 1));
    table.hands.pass(1);
    assert!(matches!(table.google.enterprises(None).await, Err(Error::Quota { .. })));
    assert_eq!(wait(&table.google.enterprises(None).await.unwrap_err()), 2);
    table.hands.pass(99);
    table.google.enterprises(None).await.unwrap();
}

#[tokio::test]
async fn google_may_say_how_long_to_wait() {
    let table = Table::start().await;
    table.google.authenticate().await.unwrap();
    table.pretend.refuse_next(503, "UNAVAILABLE", Some("30"));
    let away = table.google.enterprises(None).await.unwrap_err();
    assert!(matches!(away, Error::TryLater { maybe_done: true, .. }), "{away}");
    assert_eq!(wait(&away), 30);
    table.hands.pass(29);
    assert_eq!(wait(&table.google.enterprises(None).await.unwrap_err()), 1);
    table.hands.pass(1);
    table.google.enterprises(None).await.unwrap();
}

#[tokio::test]
async fn a_failure_inside_google_makes_nobody_else_wait() {
    let table = Table::start().await;
    table.google.authenticate().await.unwrap();
    table.pretend.refuse_next(500, "INTERNAL", None);
    let failed = table.google.enterprises(None).await.unwrap_err();
    assert!(matches!(failed, Error::TryLater { after: None, maybe_done: true, .. }), "{failed}");
    table.google.enterprises(None).await.unwrap();
}

#[tokio::test]
async fn each_refusal_is_sorted() {
    let table = Table::start().await;
    table.google.authenticate().await.unwrap();
    for (status, word) in
        [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (409, "ABORTED"), (400, "INVALID_ARGUMENT")]
    {
        table.pretend.refuse_next(status, word, None);
        let error = table.google.enterprises(None).await.unwrap_err();
        let sorted = match status {
            403 => matches!(error, Error::Forbidden { .. }),
            404 => matches!(error, Error::NotFound { .. }),
            409 => matches!(error, Error::Conflict { .. }),
            _ => matches!(&error, Error::Refused { status: 400, word, .. } if word == "INVALID_ARGUMENT"),
        };
        assert!(sorted && !error.is_passing(), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_an_alarm() {
    let table = Table::start().await;
    table.google.authenticate().await.unwrap();
    table.pretend.refuse_next(401, "UNAUTHENTICATED", None);
    table.pretend.refuse_next(401, "UNAUTHENTICATED", None);
    let error = table.google.enterprises(None).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error}");
    assert_eq!(table.count("/token", 200), 2);
}

#[tokio::test]
async fn a_google_that_is_away_and_one_that_is_not_there_can_be_tried_later() {
    let office = Office::open().await;
    office.pretend().set_away(true);
    let away = office.google().devices(&office.enterprise, None).await.unwrap_err();
    assert!(away.is_passing(), "{away}");
    let away = office.google().pull(&office.subscription, 10).await.unwrap_err();
    assert!(away.is_passing(), "Pub/Sub has a pause of its own: {away}");
    office.pretend().set_away(false);
    office.table.hands.pass(3600);
    office.google().devices(&office.enterprise, None).await.unwrap();

    let Office { table: Table { google, pretend, hands }, enterprise, .. } = office;
    drop(pretend);
    let gone = google.devices(&enterprise, None).await.unwrap_err();
    assert!(matches!(gone, Error::TryLater { .. }), "{gone}");
    hands.pass(1);
    let gone = google.devices(&enterprise, None).await.unwrap_err();
    assert!(matches!(gone, Error::TryLater { maybe_done: false, .. }), "nobody listens: {gone}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let office = Office::open().await;
    let device = office.enterprise.device("missing").unwrap();
    assert!(matches!(office.google().device(&device).await, Err(Error::NotFound { .. })));
    let policy = office.enterprise.policy("missing").unwrap();
    assert!(matches!(office.google().policy(&policy).await, Err(Error::NotFound { .. })));
    let stranger = android::EnterpriseName::parse("enterprises/LC99").unwrap();
    assert!(matches!(office.google().enterprise(&stranger).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_call_without_an_answer_ends_in_time_and_may_have_been_carried_out() {
    let office = Office::open().await;
    let (table, name) = (&office.table, office.phone().await);
    let account = ServiceAccount::parse(table.pretend.service_account().as_bytes()).unwrap();
    let settings =
        GoogleSettings { call_timeout: Duration::from_millis(300), ..settings_for(&table.pretend) };
    let hurried = Google::new(account, &settings, table.hands.clock()).unwrap();
    hurried.authenticate().await.unwrap();
    table.pretend.hold_commands(true);
    let given_up = hurried.issue_command(&name, &CommandRequest::new(Command::Lock)).await.unwrap_err();
    assert!(matches!(given_up, Error::TryLater { maybe_done: true, .. }), "{given_up}");
    table.pretend.hold_commands(false);
}
