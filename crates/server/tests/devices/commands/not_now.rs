//! `NotNow`: what a device puts off waits for its next connection, and stands in nobody's way.

use domain::CommandState;
use testkit::{on_both, server::TestServer};

use super::{lock, profile};

on_both!(a_command_put_off_waits_for_the_next_idle);
/// 28
async fn a_command_put_off_waits_for_the_next_idle(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    server.lock(&mac).await;
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    let uuid = mac.current().unwrap().command_uuid.clone();
    // 29: an answer that is not empty would have the device loop.
    assert_eq!(mac.not_now().await, Ok(None));
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(mac.current().unwrap().command_uuid, uuid);
    assert_eq!(mac.acknowledge().await, Ok(None));
    assert_eq!(mac.idle().await, Ok(None));
}

on_both!(a_command_put_off_makes_room_for_the_next);
/// 28: on the same connection comes another command.
async fn a_command_put_off_makes_room_for_the_next(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.queue(&iphone, &[profile("wifi"), lock("two"), profile("mail")]).await;
    assert_eq!(iphone.idle().await, Ok(Some("InstallProfile")));
    assert_eq!(iphone.not_now().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(Some("InstallProfile")));
    assert_eq!(iphone.not_now().await, Ok(None));
}

on_both!(a_device_that_puts_everything_off_is_left_in_peace);
/// 29
async fn a_device_that_puts_everything_off_is_left_in_peace(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.queue(&iphone, &[profile("wifi"), lock("two"), profile("mail")]).await;
    iphone.put_off_everything(true);
    for _ in 0..3 {
        assert_eq!(iphone.connect().await.unwrap().len(), 3);
    }
    iphone.put_off_everything(false);
    let done: Vec<_> = iphone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(done, ["InstallProfile", "DeviceLock", "InstallProfile"], "in their old order");
}

on_both!(what_is_put_off_does_not_block_what_comes_later);
/// 30
async fn what_is_put_off_does_not_block_what_comes_later(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.queue(&iphone, &[profile("wifi")]).await;
    iphone.put_off("InstallProfile", true);
    iphone.connect().await.unwrap();
    server.lock(&iphone).await;
    let done = iphone.connect().await.unwrap();
    let lock = done.iter().find(|done| done.request_type == "DeviceLock").unwrap();
    assert_eq!(lock.status, apple::Status::Acknowledged);
}

on_both!(not_now_is_no_result);
async fn not_now_is_no_result(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let id = server.lock(&iphone).await;
    iphone.put_off_next(1);
    iphone.connect().await.unwrap();
    server.settled().await;
    let command = server.command(&iphone, id).await;
    assert_eq!((command.state, command.result, command.finished_at), (CommandState::NotNow, None, None));
    assert_eq!(server.api().info(&iphone.client_id()).await["actions"]["lockscreen"]["status"], 1);
    iphone.connect().await.unwrap();
    server.settled().await;
    assert_eq!(server.api().info(&iphone.client_id()).await["actions"]["lockscreen"]["status"], 0);
}

on_both!(a_command_put_off_may_fail_in_the_end);
async fn a_command_put_off_may_fail_in_the_end(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let id = server.lock(&iphone).await;
    for _ in 0..2 {
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        assert_eq!(iphone.not_now().await, Ok(None));
    }
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.error(vec![]).await, Ok(None));
    assert_eq!(iphone.idle().await, Ok(None));
    assert_eq!(server.command(&iphone, id).await.state, CommandState::Failed);
}

#[tokio::test]
async fn what_is_put_off_and_acknowledged_without_being_asked_again_is_done() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    let id = server.lock(&iphone).await;
    iphone.idle().await.unwrap();
    let uuid = iphone.current().unwrap().command_uuid.clone();
    iphone.not_now().await.unwrap();
    let late = apple::Report::acknowledged(iphone.model().identifiers(), &uuid);
    assert_eq!(iphone.poll(&late).await.unwrap(), None);
    assert_eq!(iphone.idle().await, Ok(None));
    assert_eq!(server.command(&iphone, id).await.state, CommandState::Acknowledged);
}
