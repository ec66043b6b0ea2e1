//! The live enrollment goes on untouched, whoever else claims to be its device.

use domain::CommandState;
use testkit::{on_both, server::TestServer};

use super::{claimant, iphone_of, record};
use crate::check_in::tokens::channel;

on_both!(a_claim_changes_nothing_before_its_first_token);
async fn a_claim_changes_nothing_before_its_first_token(server: TestServer) {
    let mut iphone = iphone_of(&server, "anna@example.com").await;
    let command = server.lock(&iphone).await;
    let (before, channel_before) = (record(&server, &iphone).await, channel(&server, &iphone).await);

    // A good claim, even: the same user's.
    let link = server.link_for(Some("anna@example.com"), None, 1).await;
    let mut claimant = claimant(&server, &iphone, link).await;
    assert_eq!(claimant.idle().await, Ok(None), "it is handed nothing");
    claimant.authenticate().await.unwrap();

    let mut now = record(&server, &iphone).await;
    now.last_contact = before.last_contact;
    assert_eq!(now, before);
    assert_eq!(channel(&server, &iphone).await, channel_before);
    let state = server.records().await.command(iphone.id(), command).await.unwrap().unwrap().state;
    assert_eq!(state, CommandState::Queued);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(None));
    iphone.rotate_push_address().await.unwrap();
}

on_both!(a_claim_that_is_not_good_changes_nothing_after_it_either);
async fn a_claim_that_is_not_good_changes_nothing_after_it_either(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let channel_before = channel(&server, &iphone).await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    assert_eq!(claimant.idle().await, Ok(None));
    assert_eq!(channel(&server, &iphone).await, channel_before);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(None));
    iphone.token_update().await.unwrap();
}

on_both!(a_claimant_that_leaves_takes_nothing_with_it);
async fn a_claimant_that_leaves_takes_nothing_with_it(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    for says_token_update in [false, true] {
        let mut claimant = claimant(&server, &iphone, server.link().await).await;
        if says_token_update {
            claimant.token_update().await.unwrap();
        }
        claimant.check_out().await.unwrap();
        let record = record(&server, &iphone).await;
        assert!(record.managed && !record.profile_removed);
        assert_eq!(iphone.idle().await, Ok(None));
    }
}
