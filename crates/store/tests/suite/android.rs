use std::time::Duration;

use domain::{
    Command, CommandId, CommandState, Timestamp,
    ports::{AndroidCall, AndroidCallKind, AndroidEnterprise, Comparison, RawNotification, Worker},
};

use super::world::{NOW, Phone, World, id, later};

fn enterprise() -> AndroidEnterprise {
    AndroidEnterprise {
        sealed_account: vec![0, 0, 0, 1, 9],
        project: "project".into(),
        signup: None,
        name: Some("enterprises/E".into()),
        subscription: Some("projects/project/subscriptions/s".into()),
        compare_at: NOW,
        pulled_at: None,
        query_trouble: None,
        delivery_trouble: None,
    }
}

fn call(due: i64) -> AndroidCall {
    AndroidCall {
        id: CommandId(id()),
        kind: AndroidCallKind::Delete,
        device: None,
        resource: "enterprises/E/devices/D".into(),
        after: None,
        operation: None,
        ends_at: None,
        due_at: later(due),
        attempts: 0,
        asked: false,
        claimed_until: Timestamp(0),
        said: None,
    }
}

fn notification(message_id: &str) -> RawNotification {
    let (message_id, resource) = (message_id.into(), Some("enterprises/E/devices/D".into()));
    RawNotification { message_id, resource, body: "{}".into(), received_at: NOW }
}

#[tokio::test]
async fn an_enterprise_is_kept_with_what_google_last_said() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    assert_eq!(tx.android_enterprise().await.unwrap(), None);
    tx.set_android_enterprise(&enterprise()).await.unwrap();
    tx.note_delivery(Some("away"), Some(later(1))).await.unwrap();
    tx.note_delivery(Some("still away"), None).await.unwrap();
    tx.commit().await.unwrap();
    let known = world.tx().await.android_enterprise().await.unwrap().unwrap();
    assert_eq!((known.trouble(), known.pulled_at), (Some("still away"), Some(later(1))));
    let all = world.db.outbox.android_enterprises().await.unwrap();
    assert_eq!(all, [(world.tenant, known)]);
}

#[tokio::test]
async fn notifications_that_come_do_not_hide_that_queries_are_refused() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    tx.set_android_enterprise(&enterprise()).await.unwrap();
    tx.note_query(Some("no permission")).await.unwrap();
    tx.note_delivery(None, Some(later(1))).await.unwrap();
    assert_eq!(tx.android_enterprise().await.unwrap().unwrap().trouble(), Some("no permission"));
    tx.note_query(None).await.unwrap();
    tx.note_delivery(Some("away"), None).await.unwrap();
    assert_eq!(tx.android_enterprise().await.unwrap().unwrap().trouble(), Some("away"));
}

#[tokio::test]
async fn a_call_is_claimed_when_it_is_due_and_by_one_only() {
    let world = World::new().await;
    let (now, soon) = (call(0), call(5));
    let behind = AndroidCall { after: Some(now.id), ..call(0) };
    let mut tx = world.tx().await;
    for call in [&now, &soon, &behind] {
        tx.add_android_call(call).await.unwrap();
    }
    tx.commit().await.unwrap();
    let claim = async |at, until| {
        let claimed = world.db.outbox.claim_android_calls(false, later(at), later(until), 10).await.unwrap();
        claimed.into_iter().map(|(_, call)| (call.id, call.attempts)).collect::<Vec<_>>()
    };
    assert_eq!(claim(1, 3).await, [(now.id, 1)]);
    assert_eq!(claim(2, 4).await, []);
    assert_eq!(claim(3, 4).await, [(now.id, 2)], "who died with it loses nothing");
    let mut tx = world.tx().await;
    let operation = "enterprises/E/devices/D/operations/1";
    tx.set_android_call(&AndroidCall { operation: Some(operation.into()), due_at: later(9), ..now.clone() })
        .await
        .unwrap();
    assert_eq!(tx.android_call_of(operation).await.unwrap().map(|call| call.id), Some(now.id));
    assert!(tx.is_given_up("enterprises/E/devices/D").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(claim(9, 10).await, [(soon.id, 1)]);
    let followed = world.db.outbox.claim_android_calls(true, later(9), later(10), 10).await.unwrap();
    assert_eq!(followed.len(), 1);
}

#[tokio::test]
async fn a_notification_is_kept_once_and_applied_once() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    assert!(tx.add_notification(&notification("1")).await.unwrap());
    assert!(!tx.add_notification(&notification("1")).await.unwrap());
    tx.commit().await.unwrap();
    let claimed = world.db.outbox.claim_notifications(later(1), later(2), 10).await.unwrap();
    assert_eq!(claimed, [(world.tenant, notification("1"), 1)]);
    assert_eq!(world.db.outbox.android_backlog().await.unwrap(), (0, 1));
    let mut tx = world.tx().await;
    assert!(tx.finish_notification("1").await.unwrap());
    assert!(!tx.finish_notification("1").await.unwrap());
    assert!(!tx.add_notification(&notification("1")).await.unwrap(), "a repetition is known");
    tx.commit().await.unwrap();
    assert_eq!(world.db.outbox.claim_notifications(later(9), later(10), 10).await.unwrap(), []);
    assert_eq!(world.db.outbox.sweep_notifications(later(1)).await.unwrap(), 1);
    assert!(world.tx().await.add_notification(&notification("1")).await.unwrap());
}

#[tokio::test]
async fn all_nodes_share_the_queries_of_a_project() {
    let world = World::new().await;
    let take = async |stretch| world.db.outbox.take_query("project", stretch, 2).await.unwrap();
    assert_eq!([take(1).await, take(1).await, take(1).await], [true, true, false]);
    assert!(take(2).await, "the next stretch begins anew");
    assert!(take(1).await, "a slow clock counts towards it");
    assert!(!take(2).await);
    assert!(world.db.outbox.take_query("another", 2, 2).await.unwrap());
}

#[tokio::test]
async fn a_comparison_is_claimed_by_one() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    tx.set_android_enterprise(&enterprise()).await.unwrap();
    tx.commit().await.unwrap();
    let next = NOW.plus(Duration::from_mins(10));
    assert_eq!(world.db.outbox.claim_comparison(NOW, next).await.unwrap(), Some(world.tenant));
    assert_eq!(world.db.outbox.claim_comparison(NOW, next).await.unwrap(), None);
    assert_eq!(world.db.outbox.claim_comparison(next, later(99)).await.unwrap(), Some(world.tenant));
}

#[tokio::test]
async fn only_who_has_the_claim_asks_google_and_a_start_of_another_node_ends_no_claim() {
    let world = World::new().await;
    let call = call(0);
    let mut tx = world.tx().await;
    tx.add_android_call(&call).await.unwrap();
    tx.commit().await.unwrap();
    let claim = async |at, until| {
        let claimed = world.db.outbox.claim_android_calls(false, later(at), later(until), 10).await.unwrap();
        claimed.into_iter().next().map(|(_, call)| call)
    };
    let first = claim(0, 10).await.unwrap();
    assert_eq!((first.asked, first.claimed_until), (false, later(10)));
    world.db.outbox.release_claims(Worker::Android).await.unwrap();
    world.db.outbox.release_claims(Worker::AndroidNotifications).await.unwrap();
    assert_eq!(claim(9, 20).await, None, "its worker lives");

    let second = claim(10, 20).await.unwrap();
    let mut tx = world.tx().await;
    assert!(!tx.ask_google(&first, later(15)).await.unwrap(), "its claim is over");
    assert!(tx.ask_google(&second, later(30)).await.unwrap());
    assert!(!tx.ask_google(&second, later(40)).await.unwrap(), "prolonged, by this very word");
    tx.commit().await.unwrap();
    assert_eq!(claim(29, 50).await, None);
    let third = claim(30, 50).await.unwrap();
    assert!(third.asked, "whoever comes next looks first");
    let mut tx = world.tx().await;
    tx.set_android_call(&AndroidCall { asked: false, ..third.clone() }).await.unwrap();
    let kept = tx.android_call(call.id).await.unwrap().unwrap();
    assert_eq!((kept.asked, kept.claimed_until), (false, Timestamp(0)));
    assert!(!tx.ask_google(&third, later(60)).await.unwrap());
}

#[tokio::test]
async fn what_google_has_not_taken_waits_again() {
    let world = World::new().await;
    let phone = world.phone().await;
    let command = phone.command();
    let mut tx = world.tx().await;
    tx.add_commands(std::slice::from_ref(&command)).await.unwrap();
    assert!(!tx.hand_back(phone.device, command.id).await.unwrap(), "it was never handed over");
    assert!(tx.hand_over(phone.device, command.id, later(1)).await.unwrap());
    assert!(!tx.replace_command(&command).await.unwrap());
    assert!(tx.hand_back(phone.device, command.id).await.unwrap());
    let waits = tx.command(phone.device, command.id).await.unwrap().unwrap();
    assert_eq!((waits.state, waits.handed_over_at), (CommandState::Queued, None));
    assert!(tx.replace_command(&command).await.unwrap());
    let over = Command { state: CommandState::Cancelled, ..phone.command() };
    tx.add_commands(std::slice::from_ref(&over)).await.unwrap();
    assert!(!tx.hand_back(phone.device, over.id).await.unwrap());
}

#[tokio::test]
async fn a_comparison_keeps_its_place_and_knows_what_was_listed() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    tx.set_android_enterprise(&enterprise()).await.unwrap();
    let mut phones = Vec::new();
    for number in 0..3 {
        let phone = Phone { key: format!("enterprises/E/devices/{number}"), ..Phone::new(world.tenant) };
        phone.enroll(&mut *tx).await;
        phones.push(phone);
    }
    let elsewhere = Phone { key: "enterprises/E2/devices/1".into(), ..Phone::new(world.tenant) };
    elsewhere.enroll(&mut *tx).await;
    Phone::new(world.tenant).enroll(&mut *tx).await;

    assert_eq!(tx.comparison().await.unwrap(), None);
    let begun = Comparison { since: later(1), page: Some("next".into()) };
    tx.set_comparison(Some(&begun), later(2)).await.unwrap();
    assert_eq!(tx.comparison().await.unwrap(), Some(begun));
    let listed = Comparison { since: later(1), page: None };
    tx.set_comparison(Some(&listed), later(2)).await.unwrap();
    assert_eq!(tx.comparison().await.unwrap(), Some(listed));
    let unlisted =
        |found: Vec<(domain::DeviceId, String)>| found.into_iter().map(|it| it.1).collect::<Vec<_>>();
    let keys: Vec<String> = phones.iter().map(|phone| phone.key.clone()).collect();
    tx.mark_listed(&["enterprises/E/devices/unknown".into(), keys[1].clone()], later(1)).await.unwrap();
    tx.mark_listed(&[keys[0].clone()], NOW).await.unwrap();
    let found = tx.unlisted("enterprises/E", later(1), 10).await.unwrap();
    assert_eq!(found[0].0, phones[0].device, "listed, but in an earlier comparison");
    assert_eq!(unlisted(found), [keys[0].clone(), keys[2].clone()]);
    assert_eq!(tx.unlisted("enterprises/E", later(1), 1).await.unwrap().len(), 1);
    tx.mark_listed(&keys, later(1)).await.unwrap();
    assert_eq!(unlisted(tx.unlisted("enterprises/E", later(1), 10).await.unwrap()), [""; 0]);
    tx.set_comparison(None, later(9)).await.unwrap();
    assert_eq!(tx.comparison().await.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!(world.db.outbox.claim_comparison(later(8), later(99)).await.unwrap(), None);
    assert_eq!(world.db.outbox.claim_comparison(later(9), later(99)).await.unwrap(), Some(world.tenant));
}
