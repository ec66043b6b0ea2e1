//! Identities of a company's own CA: trusted once an administrator says so, and never to claim what is another's.

use domain::Error;
use pki::Hash;
use testkit::{on_both, server::TestServer};

use crate::{
    check_in::count,
    speaker::{Reply, Speaker, foreign_ca},
};

const UDID: &str = "00008140-0123456789ABCDEF";

on_both!(an_identity_of_a_ca_that_was_added_enrolls);
async fn an_identity_of_a_ca_that_was_added_enrolls(server: TestServer) {
    let ca = foreign_ca(&server);
    let speaker = Speaker::issued_by(&server, &ca, "mac-17", UDID);
    assert_eq!(speaker.authenticate().await, Reply::refused(403));
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    assert_eq!(speaker.token_update().await, Reply::refused(403), "it has not authenticated");
    assert_eq!(speaker.authenticate().await, Reply::fine());
    assert_eq!(speaker.authenticate().await, Reply::fine());
    assert_eq!(speaker.token_update().await, Reply::fine());
    assert_eq!(count(&server).await, 1);
    assert!(speaker.idle().await.text().contains("DeviceInformation"));
    assert_eq!(speaker.check_out().await, Reply::fine());
    assert_eq!(speaker.idle().await, Reply::refused(403));
}

on_both!(it_enrolls_again_with_the_only_identity_that_it_has);
async fn it_enrolls_again_with_the_only_identity_that_it_has(server: TestServer) {
    let ca = foreign_ca(&server);
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    let speaker = Speaker::issued_by(&server, &ca, "mac-17", UDID);
    for _ in 0..2 {
        assert_eq!(speaker.authenticate().await, Reply::fine());
        assert_eq!(speaker.token_update().await, Reply::fine());
        assert!(speaker.idle().await.text().contains("DeviceInformation"));
        assert_eq!(speaker.check_out().await, Reply::fine());
        assert_eq!(speaker.idle().await, Reply::refused(403));
    }
    assert_eq!(count(&server).await, 1, "the same device");
    // Unless the device is another's by now.
    let next = Speaker::issued_by(&server, &ca, "mac-18", UDID);
    assert_eq!(next.authenticate().await, Reply::fine());
    assert_eq!(next.token_update().await, Reply::fine());
    assert_eq!(speaker.authenticate().await, Reply::refused(403));
}

on_both!(that_ca_renews_its_identities_itself);
async fn that_ca_renews_its_identities_itself(server: TestServer) {
    let ca = foreign_ca(&server);
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    let speaker = Speaker::issued_by(&server, &ca, "mac-17", UDID);
    assert_eq!(speaker.authenticate().await, Reply::fine());
    assert_eq!(speaker.token_update().await, Reply::fine());
    let ends = domain::Timestamp::from(speaker.credential.certificate.not_after());
    server.clock().advance(std::time::Duration::from_millis((ends.0 - server.mdm().now().0 - 1000) as u64));
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0);
    assert!(!speaker.idle().await.text().contains("InstallProfile"));
}

/// Old ones sign with SHA-1 still.
#[tokio::test]
async fn an_elliptic_key_may_sign_with_sha_1() {
    let server = TestServer::start().await;
    let ca = foreign_ca(&server);
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    let speaker = Speaker::issued_by(&server, &ca, "mac-17", UDID).signing_with(Hash::Sha1);
    assert_eq!(speaker.authenticate().await, Reply::fine());
    assert_eq!(speaker.token_update().await, Reply::fine());
    assert_eq!(speaker.idle().await.status, 200);
}

on_both!(only_subjects_like_the_pattern_are_trusted);
async fn only_subjects_like_the_pattern_are_trusted(server: TestServer) {
    let ca = foreign_ca(&server);
    let pem = ca.certificate().to_pem();
    server.mdm().add_device_ca(&server.owner(), &pem, Some("O=Acme,CN=mac-*")).await.unwrap();
    let other = Speaker::issued_by(&server, &ca, "printer-3", UDID);
    assert_eq!(other.authenticate().await, Reply::refused(403), "{}", other.credential.certificate.subject());
    let mac = Speaker::issued_by(&server, &ca, "mac-17", UDID);
    assert_eq!(mac.authenticate().await, Reply::fine(), "{}", mac.credential.certificate.subject());
}

on_both!(it_may_not_claim_a_udid_that_another_enrollment_holds);
async fn it_may_not_claim_a_udid_that_another_enrollment_holds(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let ca = foreign_ca(&server);
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    let thief = Speaker::issued_by(&server, &ca, "mac-17", &iphone.model().udid);
    assert_eq!(thief.authenticate().await, Reply::refused(403));
    assert_eq!(thief.token_update().await, Reply::refused(403));
    assert_eq!(thief.idle().await, Reply::refused(403));
    assert_eq!(count(&server).await, 1, "and it is not even in quarantine");
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    // Nor may one of that CA from another of that CA.
    let (first, second) =
        (Speaker::issued_by(&server, &ca, "mac-1", UDID), Speaker::issued_by(&server, &ca, "mac-2", UDID));
    assert_eq!(first.authenticate().await, Reply::fine());
    assert_eq!(second.authenticate().await, Reply::refused(403));
}

on_both!(it_may_claim_one_whose_enrollment_is_over);
async fn it_may_claim_one_whose_enrollment_is_over(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    iphone.check_out().await.unwrap();
    let ca = foreign_ca(&server);
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    let heir = Speaker::issued_by(&server, &ca, "mac-17", &iphone.model().udid);
    assert_eq!(heir.authenticate().await, Reply::fine());
    assert_eq!(heir.token_update().await, Reply::fine());
    assert_eq!(server.id_of(&iphone).await, Some(iphone.id()), "the same device");
    assert_eq!(count(&server).await, 1);
}

on_both!(it_joins_the_tenant_that_trusts_it);
async fn it_joins_the_tenant_that_trusts_it(server: TestServer) {
    let (other, _) = server.another_tenant("Other").await;
    let ca = foreign_ca(&server);
    let actor = domain::Actor::local(other);
    server.mdm().add_device_ca(&actor, &ca.certificate().to_pem(), None).await.unwrap();
    let speaker = Speaker::issued_by(&server, &ca, "mac-17", UDID);
    assert_eq!(speaker.authenticate().await, Reply::fine());
    assert_eq!(speaker.token_update().await, Reply::fine());
    assert_eq!((count(&server).await, server.devices_of(other).await.len()), (0, 1));
}

on_both!(two_that_authenticate_at_once_are_one);
async fn two_that_authenticate_at_once_are_one(server: TestServer) {
    let ca = foreign_ca(&server);
    server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
    let speaker = Speaker::issued_by(&server, &ca, "mac-17", UDID);
    let replies = tokio::join!(speaker.authenticate(), speaker.authenticate(), speaker.authenticate());
    for reply in [replies.0, replies.1, replies.2] {
        assert_eq!(reply, Reply::fine());
    }
    assert_eq!(speaker.token_update().await, Reply::fine());
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn what_is_no_ca_cannot_be_added() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let ours = pki::Certificate::from_der(server.mdm().device_ca_certificate()).unwrap();
    for pem in [iphone.credential().certificate.to_pem(), ours.to_pem(), "nonsense".into()] {
        let refused = server.mdm().add_device_ca(&server.owner(), &pem, None).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
}

/// 16: an identity that enrolls again, since it is the only one that its device has, is a new enrollment all the same.
mod one_that_enrolls_again {
    use apple::{
        CheckIn, Identifiers, TokenUpdate,
        checkin::{BootstrapToken, GetBootstrapToken, SetBootstrapToken},
    };
    use domain::{ChannelKey, EnrollmentId, NewCommand, Schedule};
    use testkit::server::TOPIC;

    use super::*;

    /// With an unlock token, a bootstrap token, and a user; it has fetched its declarations.
    async fn with_everything(server: &TestServer) -> Speaker {
        let ca = foreign_ca(server);
        server.mdm().add_device_ca(&server.owner(), &ca.certificate().to_pem(), None).await.unwrap();
        let speaker = Speaker::issued_by(server, &ca, "mac-17", UDID);
        assert_eq!(speaker.authenticate().await, Reply::fine());
        let own = TokenUpdate {
            topic: TOPIC.into(),
            ids: speaker.ids(),
            token: vec![7; 32],
            push_magic: "magic".into(),
            unlock_token: Some(vec![4; 20]),
            ..TokenUpdate::default()
        };
        let ids = Identifiers { user_id: Some("6A8D1C70-0001".into()), ..speaker.ids() };
        let user = TokenUpdate { ids, unlock_token: None, ..own.clone() };
        let left = SetBootstrapToken {
            ids: speaker.ids(),
            token: Some(b"bootstrap".to_vec()),
            awaiting_configuration: None,
        };
        for message in
            [CheckIn::TokenUpdate(own), CheckIn::TokenUpdate(user), CheckIn::SetBootstrapToken(left)]
        {
            assert_eq!(speaker.check_in(&message).await, Reply::fine());
        }
        speaker
    }

    async fn enrollment(server: &TestServer) -> EnrollmentId {
        server.devices_of(server.tenant()).await[0].enrollment
    }

    async fn has_nothing_of(server: &TestServer, speaker: &Speaker, before: EnrollmentId) {
        let now = enrollment(server).await;
        assert_ne!(now, before);
        let own = server.records().await.channel(now, &ChannelKey::default()).await.unwrap().unwrap();
        assert_eq!(own.unlock_token, None);
        let user = ChannelKey("6A8D1C70-0001".into());
        assert_eq!(server.records().await.channel(now, &user).await.unwrap(), None);
        let get = GetBootstrapToken { ids: speaker.ids(), awaiting_configuration: None };
        let reply = speaker.check_in(&CheckIn::GetBootstrapToken(get)).await;
        assert_eq!(BootstrapToken::parse(&reply.body), Ok(BootstrapToken::default()));
        let mut queued =
            server.records().await.open_commands(server.devices_of(server.tenant()).await[0].id).await;
        let queued: Vec<_> =
            queued.iter_mut().flatten().map(|command| command.request_type.as_str()).collect();
        assert_eq!(
            queued,
            ["DeviceInformation", "SecurityInfo", "DeclarativeManagement"],
            "declarative management is switched on again (55)"
        );
        let archived = server.records().await.bootstrap_token(before).await.unwrap();
        let unlock = server.records().await.channel(before, &ChannelKey::default()).await.unwrap().unwrap();
        assert!(archived.is_some() && unlock.unlock_token.is_some(), "what was is kept with what was");
    }

    on_both!(inherits_nothing_of_before);
    async fn inherits_nothing_of_before(server: TestServer) {
        let speaker = with_everything(&server).await;
        let before = enrollment(&server).await;
        assert_eq!(speaker.check_out().await, Reply::fine());
        assert_eq!(speaker.authenticate().await, Reply::fine());
        assert_eq!(speaker.authenticate().await, Reply::fine(), "again, since the answer was lost");
        assert_eq!(speaker.token_update().await, Reply::fine());
        assert_eq!(count(&server).await, 1, "the same device");
        has_nothing_of(&server, &speaker, before).await;
        assert!(speaker.idle().await.text().contains("DeviceInformation"));
    }

    on_both!(need_not_have_told_that_it_erased_itself);
    async fn need_not_have_told_that_it_erased_itself(server: TestServer) {
        let speaker = with_everything(&server).await;
        let before = enrollment(&server).await;
        while speaker.idle().await.text().contains("CommandUUID") {
            let device = server.devices_of(server.tenant()).await[0].id;
            let open = server.records().await.open_commands(device).await.unwrap();
            for command in open.iter().filter(|command| command.handed_over_at.is_some()) {
                let uuid = command.id.to_string().to_uppercase();
                speaker.report(&apple::Report::acknowledged(speaker.ids(), &uuid)).await;
            }
        }
        server.settled().await;
        let erase = serde_json::json!({ "RequestType": "EraseDevice" });
        let request = apple::command::RawCommand::from_json(&erase).unwrap();
        let erase = NewCommand { request, schedule: Schedule::default(), dedupe: None, user: None };
        let names = [format!("udid:{UDID}")];
        let sent = server.mdm().send_command(&server.owner(), &erase, &names).await.unwrap();
        let id = sent[0].clone().unwrap();
        // Live: an Authenticate that is said again changes nothing.
        assert_eq!(speaker.authenticate().await, Reply::fine());
        assert_eq!(enrollment(&server).await, before);
        assert!(speaker.idle().await.text().contains("EraseDevice"));
        assert_eq!(speaker.authenticate().await, Reply::fine());
        assert_eq!(speaker.token_update().await, Reply::fine());
        assert_eq!(count(&server).await, 1);
        let command = server.records().await.find_command(id).await.unwrap().unwrap();
        assert_eq!(command.state, domain::CommandState::Acknowledged);
        has_nothing_of(&server, &speaker, before).await;
    }

    on_both!(at_once_is_one_enrollment);
    async fn at_once_is_one_enrollment(server: TestServer) {
        let speaker = with_everything(&server).await;
        let before = enrollment(&server).await;
        assert_eq!(speaker.check_out().await, Reply::fine());
        let replies = tokio::join!(speaker.authenticate(), speaker.authenticate(), speaker.authenticate());
        for reply in [replies.0, replies.1, replies.2] {
            assert_eq!(reply, Reply::fine());
        }
        assert_eq!(speaker.token_update().await, Reply::fine());
        has_nothing_of(&server, &speaker, before).await;
    }
}
