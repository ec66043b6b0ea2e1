use std::time::Duration;

use domain::{
    CommandId,
    ports::{AndroidCall, AndroidCallKind, AndroidEnterprise, RawNotification},
};

use super::world::{NOW, World, id, later};

fn enterprise() -> AndroidEnterprise {
    AndroidEnterprise {
        sealed_account: vec![0, 0, 0, 1, 9],
        project: "project".into(),
        signup: None,
        name: Some("enterprises/E".into()),
        subscription: Some("projects/project/subscriptions/s".into()),
        compare_at: NOW,
        pulled_at: None,
        trouble: None,
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
    tx.note_google(Some("away"), Some(later(1))).await.unwrap();
    tx.note_google(Some("still away"), None).await.unwrap();
    tx.commit().await.unwrap();
    let known = world.tx().await.android_enterprise().await.unwrap().unwrap();
    assert_eq!((known.trouble.as_deref(), known.pulled_at), (Some("still away"), Some(later(1))));
    let all = world.db.outbox.android_enterprises().await.unwrap();
    assert_eq!(all, [(world.tenant, known)]);
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
