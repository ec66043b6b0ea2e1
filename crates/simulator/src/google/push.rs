//! Posts messages to those who do not pull, signed as Google would, until they are taken.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, redirect};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use super::desk::Desk;
use super::pubsub::Posting;

/// For one post.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts until the pretend Google is dropped.
pub(super) async fn run(desk: Arc<Desk>, mut stopped: watch::Receiver<()>) {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().timeout(TIMEOUT).build();
    let Ok(client) = client else { return };
    let mut changes = desk.changes();
    loop {
        for posting in desk.world(|world| world.pubsub.postings()) {
            let taken = post(&desk, &client, &posting).await;
            desk.world(|world| world.pubsub.settle(&posting, taken));
            if !taken {
                tokio::spawn(again(Arc::clone(&desk)));
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            _ = stopped.changed() => return,
        }
    }
}

/// After a while the message is looked at again.
async fn again(desk: Arc<Desk>) {
    sleep(desk.settings.push_retry).await;
    desk.change(|_| ());
}

async fn post(desk: &Desk, client: &Client, posting: &Posting) -> bool {
    let token = desk.google.jwt(&desk.push_claims(&posting.audience, &posting.account));
    let body = json!({"message": posting.message, "subscription": posting.subscription});
    let request = client.post(&posting.endpoint).bearer_auth(token).json(&body);
    request.send().await.is_ok_and(|response| response.status().is_success())
}
