//! The command channel: a device asks, is handed a command, answers, and goes on until there is nothing more.

mod inventory;
mod not_now;
mod polls;
mod results;

use apple::{Command, ErrorChainItem, Report, command};
use domain::CommandState;
use simulator::apple_device::LostAnswer;
use testkit::{on_both, server::TestServer};

on_both!(a_queue_is_worked_off_in_its_order_in_one_conversation);
async fn a_queue_is_worked_off_in_its_order_in_one_conversation(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    // 31: these are all of the same millisecond.
    let requests: Vec<_> = (0..40).map(|number| profile(&format!("wifi.{number}"))).collect();
    let queued = server.queue(&mac, &requests).await;
    let done = mac.connect().await.unwrap();
    let order: Vec<_> = done.iter().map(|done| done.command_uuid.to_lowercase()).collect();
    assert_eq!(order, queued.iter().map(ToString::to_string).collect::<Vec<_>>());
    server.settled().await;
    for id in queued {
        assert_eq!(server.command(&mac, id).await.state, CommandState::Acknowledged);
    }
}

on_both!(an_acknowledged_command_brings_the_next);
async fn an_acknowledged_command_brings_the_next(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.queue(&iphone, &[command::SecurityInfo.into(), profile("wifi"), lock("hello")]).await;
    assert_eq!(iphone.idle().await, Ok(Some("SecurityInfo")));
    assert_eq!(iphone.acknowledge().await, Ok(Some("InstallProfile")));
    assert_eq!(iphone.acknowledge().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(None));
    assert_eq!(iphone.idle().await, Ok(None));
}

on_both!(an_error_is_a_result_and_keeps_its_chain);
/// 27: whatever the device says of it, it has said it; and what follows goes on.
async fn an_error_is_a_result_and_keeps_its_chain(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let queued = server.queue(&iphone, &[lock("one"), profile("wifi"), lock("three")]).await;
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    let cause = |code, domain: &str| ErrorChainItem { code, domain: domain.into(), ..Default::default() };
    let chain = vec![cause(12021, "MCMDMErrorDomain"), cause(7, "MCProfileErrorDomain")];
    assert_eq!(iphone.error(chain).await, Ok(Some("InstallProfile")));
    assert_eq!(iphone.command_format_error().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(None));
    server.settled().await;

    let mut states = Vec::new();
    for id in &queued {
        states.push(server.command(&iphone, *id).await.state);
    }
    assert_eq!(states, [CommandState::Failed, CommandState::Failed, CommandState::Acknowledged]);
    let report = Report::parse(&server.command(&iphone, queued[0]).await.result.unwrap()).unwrap();
    assert_eq!(report.error_chain.len(), 2, "the report is kept as it came");
    let events = server.events(Some(iphone.id())).await;
    let of_first = serde_json::json!(queued[0]);
    let failed = events.iter().find(|event| event.details["command"] == of_first).unwrap();
    assert_eq!(failed.kind, "command.failed");
    assert_eq!(failed.details["errors"][0]["code"], 12021);
    assert_eq!(failed.details["errors"][1]["domain"], "MCProfileErrorDomain");
}

mod hand_over {
    use super::*;

    on_both!(what_was_not_answered_comes_again_at_the_next_idle);
    async fn what_was_not_answered_comes_again_at_the_next_idle(server: TestServer) {
        let mut iphone = server.enrolled_iphone().await;
        server.queue(&iphone, &[lock("one"), profile("wifi")]).await;
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        let first = iphone.current().unwrap().command_uuid.clone();
        // The device never got it, as far as the server knows: the same command, under the same name.
        for _ in 0..3 {
            assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
            assert_eq!(iphone.current().unwrap().command_uuid, first);
        }
        assert_eq!(iphone.acknowledge().await, Ok(Some("InstallProfile")));
    }

    on_both!(an_answer_to_something_else_does_not_bring_it_again);
    async fn an_answer_to_something_else_does_not_bring_it_again(server: TestServer) {
        let mut iphone = server.enrolled_iphone().await;
        let queued = server.queue(&iphone, &[lock("one"), profile("wifi"), lock("three")]).await;
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        // The strict device calls it a breach if the first were handed over again after this.
        let other = queued[1].to_string().to_uppercase();
        let report = Report::acknowledged(iphone.model().identifiers(), &other);
        let next = iphone.poll(&report).await.unwrap().unwrap();
        assert_eq!(next.command_uuid.to_lowercase(), queued[2].to_string());
        assert_eq!(iphone.acknowledge().await, Ok(None));
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")), "the first, at last");
        assert_eq!(iphone.acknowledge().await, Ok(None));
    }

    on_both!(survives_a_restart_of_the_server);
    async fn survives_a_restart_of_the_server(mut server: TestServer) {
        // The profile says where the server is, so that it has to come back to the same place.
        let mut iphone = server.enrolled_iphone().await;
        server.lock(&iphone).await;
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        let uuid = iphone.current().unwrap().command_uuid.clone();
        server.restart().await;
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        assert_eq!(iphone.current().unwrap().command_uuid, uuid);
        assert_eq!(iphone.acknowledge().await, Ok(None));
        server.restart().await;
        assert_eq!(iphone.idle().await, Ok(None));
    }

    on_both!(whose_answer_is_lost_is_repeated_and_done_once);
    async fn whose_answer_is_lost_is_repeated_and_done_once(server: TestServer) {
        let mut iphone = server.enrolled_iphone().await;
        let id = server.lock(&iphone).await;
        iphone.lose_next_answer(LostAnswer::ForGood);
        assert!(iphone.idle().await.is_err(), "the command was on its way, and lost");
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        iphone.lose_next_answer(LostAnswer::ForGood);
        assert!(
            iphone.acknowledge().await.is_err(),
            "done, but the device does not know that the server knows"
        );
        server.settled().await;
        assert_eq!(server.command(&iphone, id).await.state, CommandState::Acknowledged);
        assert_eq!(iphone.connect().await, Ok(vec![]), "it says so again, and is asked nothing more");
    }
}

on_both!(two_connections_at_once_get_one_command_and_no_two);
/// 32: both may be handed the same command, under one name, so that the device does it once.
async fn two_connections_at_once_get_one_command_and_no_two(server: TestServer) {
    use crate::speaker::Speaker;
    let iphone = server.enrolled_iphone().await;
    let queued = server.queue(&iphone, &[lock("one"), lock("two")]).await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let replies = tokio::join!(speaker.idle(), speaker.idle(), speaker.idle(), speaker.idle());
    let first = queued[0].to_string().to_uppercase();
    for reply in [replies.0, replies.1, replies.2, replies.3] {
        assert_eq!(reply.status, 200);
        assert!(reply.text().contains(&first), "{reply:?}");
    }
    let report = Report::acknowledged(speaker.ids(), &first);
    let replies = tokio::join!(speaker.report(&report), speaker.report(&report), speaker.report(&report));
    for reply in [replies.0, replies.1, replies.2] {
        assert_eq!(reply.status, 200);
        assert!(!reply.text().contains(&first));
    }
    server.settled().await;
    let events = server.events(Some(iphone.id())).await;
    let of_first = |event: &&domain::Event| event.details["command"] == queued[0].to_string();
    assert_eq!(events.iter().filter(of_first).count(), 1, "its effects are applied once");
}

/// A lock with a message.
pub fn lock(message: &str) -> Command {
    command::DeviceLock { message: Some(message.into()), ..command::DeviceLock::default() }.into()
}

/// A profile that every device installs.
pub fn profile(identifier: &str) -> Command {
    let payload = format!(
        "<plist><dict><key>PayloadType</key><string>Configuration</string><key>PayloadUUID</key>\
         <string>u</string><key>PayloadIdentifier</key><string>{identifier}</string></dict></plist>"
    );
    command::InstallProfile { payload: payload.into_bytes() }.into()
}
