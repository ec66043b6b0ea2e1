//! Commands on their way to Google: each is given once, as it was last asked for, and can be taken back until then.

use std::time::Duration;

use domain::{CommandFilter, CommandId, CommandState, CommandView, Error};
use serde_json::json;
use simulator::google::AndroidDevice;

use super::{Office, Phone};

const LOST: &str = "enablelostmode";

/// The commands of a phone, oldest first.
async fn commands(office: &Office) -> Vec<CommandView> {
    let (mdm, owner) = (office.server.mdm(), office.server.owner());
    let mut found = mdm.commands(&owner, &CommandFilter::default(), None, 100).await.unwrap();
    found.sort_by_key(|command| command.id);
    found
}

async fn states(office: &Office) -> Vec<CommandState> {
    commands(office).await.iter().map(|command| command.state).collect()
}

async fn cancel(office: &Office, id: CommandId) -> Result<CommandView, Error> {
    office.server.mdm().cancel_command(&office.server.owner(), id).await
}

/// Asks, and waits until Google has said that it has no time now; it is asked again in ten minutes.
async fn ask_in_vain(office: &Office, phone: &Phone, call: &str, more: serde_json::Value) {
    let refused = office.arrivals(":issueCommand", 429);
    office.google.refuse_next_at(":issueCommand", 429, "RESOURCE_EXHAUSTED", Some("600"));
    office.ask(phone, call, more).await;
    office.server.until(async |_| office.arrivals(":issueCommand", 429) > refused).await;
    let waits = async |_: &testkit::server::TestServer| calls_waiting(office).await;
    office.server.until(waits).await;
}

/// Whether every call that is not behind another waits for its time, and no worker has it.
async fn calls_waiting(office: &Office) -> bool {
    let device = office.server.devices_of(office.server.tenant()).await[0].id;
    let calls = office.server.records().await.android_calls(device).await.unwrap();
    calls.iter().filter(|call| call.after.is_none()).all(|call| call.said.is_some() && !call.asked)
}

async fn no_calls_left(office: &Office) -> bool {
    let device = office.server.devices_of(office.server.tenant()).await[0].id;
    office.server.records().await.android_calls(device).await.unwrap().is_empty()
}

async fn both(test: impl AsyncFn(Office)) {
    test(Office::open().await).await;
    test(Office::on_postgres().await).await;
}

#[tokio::test]
async fn what_is_on_its_way_to_google_is_not_replaced() {
    both(async |office| {
        let phone = office.phone().await;
        office.google.hold_commands(true);
        office.ask(&phone, "resetpasscode", json!({"password": "111111"})).await;
        office.server.until(async |_| office.google.held_commands() == 1).await;
        office.ask(&phone, "resetpasscode", json!({"password": "222222"})).await;
        assert_eq!(office.server.count_events("action.asked").await, 1, "the second changed nothing");
        assert_eq!(states(&office).await, [CommandState::HandedOver]);
        office.google.hold_commands(false);
        office.issued(&phone, 1).await;
        office.done(&phone, "resetpasscode").await;
        assert_eq!(office.google.password(&phone.name).as_deref(), Some("111111"));
    })
    .await;
}

#[tokio::test]
async fn what_google_has_not_taken_is_replaced_and_goes_as_it_was_last_asked_for() {
    both(async |office| {
        let phone = office.phone().await;
        ask_in_vain(&office, &phone, "resetpasscode", json!({"password": "111111"})).await;
        assert_eq!(states(&office).await, [CommandState::Queued]);
        office.ask(&phone, "resetpasscode", json!({"password": "222222"})).await;
        assert_eq!(office.server.count_events("action.asked").await, 2);
        office.server.clock().advance(Duration::from_mins(11));
        office.issued(&phone, 1).await;
        office.done(&phone, "resetpasscode").await;
        assert_eq!(office.google.password(&phone.name).as_deref(), Some("222222"));
        assert_eq!(states(&office).await, [CommandState::Acknowledged]);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_found_again_and_nothing_is_issued_twice() {
    both(async |office| {
        let phone = office.phone().await;
        office.google.lose_answers(1);
        office.ask(&phone, "lockscreen", json!({})).await;
        office.server.until(async |_| office.arrivals(":issueCommand", 503) == 1).await;
        let listed = format!("{}/operations", phone.name);
        office
            .server
            .until(async |server| {
                server.clock().advance(Duration::from_secs(10));
                office.arrivals(&listed, 200) == 1
            })
            .await;
        office.done(&phone, "lockscreen").await;
        assert_eq!(
            office.arrivals(":issueCommand", 200),
            0,
            "its first and only issue was answered with 503"
        );
        assert_eq!(states(&office).await, [CommandState::Acknowledged]);
    })
    .await;
}

#[tokio::test]
async fn an_older_command_of_the_same_kind_is_not_taken_for_a_newer_one() {
    both(async |office| {
        // By Google's clock, which is ahead, the older command is from the future.
        office.google.set_clock_offset(3600);
        let phone = office.phone().await;
        office.ask(&phone, "lockscreen", json!({})).await;
        office.issued(&phone, 1).await;
        office.done(&phone, "lockscreen").await;
        office.google.set_clock_offset(0);
        office.google.refuse_next_at(":issueCommand", 503, "UNAVAILABLE", None);
        office.ask(&phone, "lockscreen", json!({})).await;
        office.server.until(async |_| office.arrivals(":issueCommand", 503) == 1).await;
        office
            .server
            .until(async |server| {
                server.clock().advance(Duration::from_secs(10));
                office.arrivals(":issueCommand", 200) == 2
            })
            .await;
        assert_eq!(states(&office).await[1], CommandState::HandedOver, "not done with the older one");
        office.done(&phone, "lockscreen").await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_is_off_for_days_still_does_what_it_was_told() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.ask(&phone, "lockscreen", json!({})).await;
    office.issued(&phone, 1).await;
    office.server.clock().advance(Duration::from_hours(5 * 24));
    office.done(&phone, "lockscreen").await;
    assert_eq!(states(&office).await, [CommandState::Acknowledged]);
}

#[tokio::test]
async fn what_a_device_never_came_for_fails_after_its_time() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.ask(&phone, "lockscreen", json!({})).await;
    office.issued(&phone, 1).await;
    office.server.clock().advance(Duration::from_hours(8 * 24));
    office.done(&phone, "lockscreen").await;
    assert_eq!(states(&office).await, [CommandState::Failed]);
}

#[tokio::test]
async fn a_cancelled_lost_mode_takes_its_password_along_and_blocks_nothing() {
    both(async |office| {
        let phone = office.phone().await;
        ask_in_vain(&office, &phone, LOST, json!({"message": "Lost", "password": "847362"})).await;
        let first = commands(&office).await[0].id;
        cancel(&office, first).await.unwrap();
        assert_eq!(states(&office).await, [CommandState::Cancelled; 2]);
        assert!(no_calls_left(&office).await);
        assert_eq!(office.info(&phone).await["actions"][LOST]["status"], 0);

        office.server.clock().advance(Duration::from_mins(11));
        office.ask(&phone, LOST, json!({"message": "Lost again", "password": "112233"})).await;
        office.issued(&phone, 1).await;
        office.google.sync(&phone.name);
        office.issued(&phone, 2).await;
        office.done(&phone, LOST).await;
        assert_eq!(office.google.password(&phone.name).as_deref(), Some("112233"));
    })
    .await;
}

#[tokio::test]
async fn what_google_has_is_not_cancelled_and_what_waits_behind_it_is() {
    both(async |office| {
        let phone = office.phone().await;
        office.google.hold_commands(true);
        office.ask(&phone, LOST, json!({"message": "Lost", "password": "847362"})).await;
        office.server.until(async |_| office.google.held_commands() == 1).await;
        let found = commands(&office).await;
        let refused = cancel(&office, found[0].id).await;
        assert!(matches!(&refused, Err(Error::Conflict(why)) if why.contains("Google")), "{refused:?}");
        cancel(&office, found[1].id).await.unwrap();
        office.google.hold_commands(false);
        office.issued(&phone, 1).await;
        let again = cancel(&office, found[0].id).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
        office.google.sync(&phone.name);
        office.until(&phone.client_id, |info| info["lostmodeenabled"] == true).await;
        // What became of the command is told by another notification than how the phone is.
        let told = [CommandState::Acknowledged, CommandState::Cancelled];
        office.server.until(async |_| states(&office).await == told).await;
        assert!(no_calls_left(&office).await);
        assert_eq!(office.google.password(&phone.name), None);
    })
    .await;
}

#[tokio::test]
async fn a_lost_mode_asked_for_anew_is_the_one_that_comes_with_or_without_a_password() {
    both(async |office| {
        let phone = office.phone().await;
        ask_in_vain(&office, &phone, LOST, json!({"message": "Lost", "password": "111111"})).await;
        office.ask(&phone, LOST, json!({"message": "Lost", "password": "222222"})).await;
        assert_eq!(states(&office).await, [CommandState::Queued; 2]);
        office.ask(&phone, LOST, json!({"message": "Lost"})).await;
        assert_eq!(states(&office).await, [CommandState::Queued, CommandState::Cancelled]);
        office.ask(&phone, LOST, json!({"message": "Lost", "password": "333333"})).await;
        office.server.clock().advance(Duration::from_mins(11));
        office.issued(&phone, 1).await;
        office.google.sync(&phone.name);
        office.issued(&phone, 2).await;
        office.done(&phone, LOST).await;
        assert_eq!(office.google.password(&phone.name).as_deref(), Some("333333"));
        assert!(no_calls_left(&office).await);
    })
    .await;
}

#[tokio::test]
async fn a_password_that_waits_goes_behind_the_lost_mode_that_is_asked_for_next() {
    both(async |office| {
        let phone = office.phone().await;
        office.ask(&phone, LOST, json!({"message": "Lost", "password": "111111"})).await;
        office.issued(&phone, 1).await;
        office.google.refuse_next_at(":issueCommand", 429, "RESOURCE_EXHAUSTED", Some("600"));
        office.google.sync(&phone.name);
        office.server.until(async |_| office.arrivals(":issueCommand", 429) == 1).await;
        office.until(&phone.client_id, |info| info["lostmodeenabled"] == true).await;
        // Its user has found it; then it is lost once more, before the first password has gone.
        assert!(office.google.end_lost_mode_by_user(&phone.name));
        office.until(&phone.client_id, |info| info["lostmodeenabled"] == false).await;
        office.server.until(async |_| calls_waiting(&office).await).await;
        office.ask(&phone, LOST, json!({"message": "Lost", "password": "222222"})).await;
        let device = office.server.devices_of(office.server.tenant()).await[0].id;
        let calls = office.server.records().await.android_calls(device).await.unwrap();
        let new = commands(&office).await.last().unwrap().id;
        let behind: Vec<_> = calls.iter().map(|call| call.after).collect();
        assert!(calls.len() == 2 && behind.contains(&Some(new)) && behind.contains(&None), "{calls:?}");
    })
    .await;
}

#[tokio::test]
async fn two_nodes_make_each_call_once() {
    let office = Office::on_postgres().await;
    let phone = office.phone().await;
    office.google.hold_commands(true);
    office.ask(&phone, "lockscreen", json!({})).await;
    office.server.until(async |_| office.google.held_commands() == 1).await;
    // A second node starts while the first is in the middle of the call.
    let node = office.server.another_node().await;
    office.server.clock().advance(Duration::from_mins(2));
    assert_eq!(node.mdm().send_android_calls().await.unwrap(), 0, "the first node lives, and has it");
    assert_eq!(office.google.held_commands(), 1);
    office.google.hold_commands(false);
    office.issued(&phone, 1).await;
    office.done(&phone, "lockscreen").await;
    assert_eq!(office.arrivals(":issueCommand", 200), 1);
    node.stop().await.unwrap();
}

#[tokio::test]
async fn what_comes_of_a_command_takes_its_locks_in_the_order_of_everything_else() {
    let office = Office::on_postgres().await;
    let phone = office.phone().await;
    office.ask(&phone, "lockscreen", json!({})).await;
    office.issued(&phone, 1).await;
    let device = office.server.devices_of(office.server.tenant()).await[0].id;
    let calls = async || office.server.records().await.android_calls(device).await.unwrap();
    office.server.until(async |_| calls().await[0].operation.is_some()).await;
    let id = calls().await[0].id;

    let store = &office.server.database().await.store;
    let mut tx = store.begin(office.server.tenant()).await.unwrap();
    tx.devices_for_update(&[device]).await.unwrap();
    office.google.sync(&phone.name);
    // Longer than PostgreSQL waits before it looks for a deadlock: if there will be one, this transaction is its victim.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(tx.android_call(id).await.unwrap().is_some(), "who waits for the device holds no call of it");
    drop(tx);
    office.done(&phone, "lockscreen").await;
}

#[tokio::test]
async fn one_slow_call_holds_up_no_other() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let other = office.enrolled(domain::AndroidMethod::FullyManaged, AndroidDevice::phone(2)).await;
    office.google.hold_commands(true);
    office.ask(&phone, "lockscreen", json!({})).await;
    office.ask(&other, "lockscreen", json!({})).await;
    office.server.until(async |_| office.google.held_commands() == 2).await;
    office.ask(&phone, "requestapplist", json!({})).await;
    office.server.until(async |server| server.count_events("command.done").await == 1).await;
    assert_eq!(office.google.held_commands(), 2);
    office.google.hold_commands(false);
    office.issued(&phone, 1).await;
    office.issued(&other, 1).await;
}
