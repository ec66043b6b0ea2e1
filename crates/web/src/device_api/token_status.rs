//! How the access token of the call at hand stands: noted when the token is judged, told by every answer of the call.
//!
//! Kept beside the call and not handed through it, so that no answer, whichever file makes it, can forget it.

use std::cell::Cell;

use serde::Serialize;
use utoipa::ToSchema;

/// How an access token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) enum TokenStatus {
    /// It is in the last quarter of its life: renew it.
    ExpiresSoon,
    /// It is over, or is none: log in again.
    Expired,
}

tokio::task_local! {
    static OF_THIS_CALL: Cell<Option<TokenStatus>>;
}

/// Carries out a call; what is noted in it is told in it, and nowhere else.
pub(super) async fn in_a_call<F: Future>(call: F) -> F::Output {
    OF_THIS_CALL.scope(Cell::new(None), call).await
}

/// Notes how the token of this call stands.
pub(super) fn note(status: Option<TokenStatus>) {
    // Outside of any call there is nobody to tell.
    let _ = OF_THIS_CALL.try_with(|noted| noted.set(status));
}

/// What this call noted; `None` while the token is good, or where there is none.
pub(super) fn current() -> Option<TokenStatus> {
    OF_THIS_CALL.try_with(Cell::get).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_call_tells_what_it_noted() {
        let told = in_a_call(async {
            note(Some(TokenStatus::ExpiresSoon));
            let other = in_a_call(async { current() }).await;
            tokio::task::yield_now().await;
            (other, current())
        });
        assert_eq!(told.await, (None, Some(TokenStatus::ExpiresSoon)));
        note(Some(TokenStatus::Expired));
        assert_eq!(current(), None, "outside of any call");
    }
}
