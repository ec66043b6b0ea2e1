//! Commands are judged by Apple's facts when they are queued, and again when their device changes its OS.

use apple::command::DeviceInformation;
use domain::CommandState;
use testkit::{on_both, server::TestServer};

fn ask(queries: &[&str]) -> apple::Command {
    DeviceInformation { queries: queries.iter().map(|query| (*query).to_owned()).collect() }.into()
}

on_both!(a_command_is_stored_with_the_facts_that_it_was_judged_by);
async fn a_command_is_stored_with_the_facts_that_it_was_judged_by(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let lock = server.lock(&iphone).await;
    let judged = server.command(&iphone, lock).await.judged.expect("it is judged");
    assert_eq!(judged.faults, None);
    let revision = judged.facts_revision;
    assert!(revision.starts_with(apple::facts::REVISION), "{revision}");
    assert!(revision.contains(&format!("iOS {}", iphone.model().os())), "{revision}");
}

on_both!(what_a_new_os_no_longer_knows_is_taken_back);
async fn what_a_new_os_no_longer_knows_is_taken_back(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let queued = server.queue(&iphone, &[ask(&["IMEI"]), ask(&["OSVersion"]), ask(&["UDID"])]).await;
    // Put off: they still wait while the device says that it was updated.
    iphone.model_mut().os_version = "26.0".into();
    assert_eq!(iphone.idle().await, Ok(Some("DeviceInformation")));
    assert_eq!(iphone.not_now().await, Ok(Some("DeviceInformation")));
    assert_eq!(iphone.acknowledge().await, Ok(Some("DeviceInformation")));
    assert_eq!(iphone.not_now().await, Ok(None));
    server.settled().await;

    let gone = server.command(&iphone, queued[0]).await;
    assert_eq!(gone.state, CommandState::Cancelled);
    let judged = gone.judged.expect("it is judged");
    assert!(judged.facts_revision.contains("iOS 26.0"), "{}", judged.facts_revision);
    let fault = "Queries[0]: found iOS 26.0; allowed: before iOS 26.0, which removed it";
    assert_eq!(judged.faults.as_deref(), Some(fault));
    let events = server.events(Some(iphone.id())).await;
    let event = events.iter().find(|event| event.kind == "command.taken_back").expect("it is told");
    assert_eq!(event.details["faults"], fault);

    // The device had the third one in its hands meanwhile; it is still good.
    assert_eq!(server.command(&iphone, queued[2]).await.state, CommandState::NotNow);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceInformation")));
    assert_eq!(iphone.acknowledge().await, Ok(None), "the one that was taken back does not come");
}

on_both!(what_an_enrollment_grants_is_kept_with_the_device);
async fn what_an_enrollment_grants_is_kept_with_the_device(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let lock = server.lock(&iphone).await;
    let judged = server.command(&iphone, lock).await.judged.expect("it is judged");
    assert!(judged.facts_revision.contains(" rights=8191"), "as its profile says: {}", judged.facts_revision);
}
