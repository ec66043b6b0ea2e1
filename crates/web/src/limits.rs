//! How much the device listener holds in memory and does at once, whoever asks.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// The longest body of a check-in or a SCEP message, in bytes.
pub(crate) const SMALL_BODY: usize = 1 << 20;

/// The longest body of a command report, in bytes: a Mac's list of applications is some megabytes.
pub(crate) const REPORT_BODY: usize = 16 << 20;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request may take in all, its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// How long one waits at a [`Gate`].
const GATE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bodies are accounted for in these units.
const UNIT: usize = 1024;

/// The bounds that hold for every route.
pub(crate) type Guard = (CatchPanicLayer<fn(Panic) -> Response>, TimeoutLayer);

/// What a panic left.
type Panic = Box<dyn Any + Send + 'static>;

/// A panic is a 500, and what hangs is a 503. To be put around a router together with its other layers: each time that
/// something is put around a router costs every request two allocations.
pub(crate) fn guard() -> Guard {
    (
        CatchPanicLayer::custom(after_panic),
        TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT),
    )
}

/// The process's panic hook has told what happened; here is only said that a request fell victim to it.
fn after_panic(_: Panic) -> Response {
    tracing::error!("a request was answered 500 after a panic");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// The memory for all bodies in flight. Bytes count when they arrive, not when they are announced, so that
/// nobody can reserve memory by a header; a body holds its share until it is dropped.
///
/// What a body has beyond [`SMALL_BODY`] may take at most half of it: few strangers with long bodies must not
/// keep the many short ones out.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    all: Arc<Semaphore>,
    long: Arc<Semaphore>,
    patience: Duration,
}

/// A body that was read whole, and its share of the budget.
#[derive(Debug, Default)]
pub(crate) struct HeldBody {
    bytes: Vec<u8>,
    _share: Share,
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the connection broke off within the body")]
    Broken,
    #[error("too many bodies are in flight")]
    OverBudget,
}

impl BodyBudget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            all: Arc::new(Semaphore::new(units)),
            long: Arc::new(Semaphore::new(units / 2)),
            patience: BODY_TIMEOUT,
        }
    }

    /// Reads a body of at most `limit` bytes.
    pub(crate) async fn read(&self, body: Body, limit: usize) -> Result<HeldBody, Unread> {
        timeout(self.patience, self.collect(body, limit)).await.unwrap_or(Err(Unread::TooSlow))
    }

    async fn collect(&self, mut body: Body, limit: usize) -> Result<HeldBody, Unread> {
        if body.size_hint().lower() > limit as u64 {
            return Err(Unread::TooLong(limit));
        }
        let mut bytes = Vec::new();
        let mut share = Share::default();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > limit {
                return Err(Unread::TooLong(limit));
            }
            share.grow(self, length).ok_or(Unread::OverBudget)?;
            bytes.extend_from_slice(&data);
        }
        Ok(HeldBody { bytes, _share: share })
    }
}

impl HeldBody {
    /// The body, byte for byte as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the bytes out; the share stays with `self`.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

#[derive(Debug, Default)]
struct Share {
    all: Option<OwnedSemaphorePermit>,
    long: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Makes the share large enough for a body of `length` bytes, if the budget allows.
    fn grow(&mut self, budget: &BodyBudget, length: usize) -> Option<()> {
        grow(&mut self.all, &budget.all, length.div_ceil(UNIT))?;
        grow(&mut self.long, &budget.long, length.saturating_sub(SMALL_BODY).div_ceil(UNIT))
    }
}

fn grow(held: &mut Option<OwnedSemaphorePermit>, budget: &Arc<Semaphore>, units: usize) -> Option<()> {
    let missing = units - held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits).min(units);
    if missing == 0 {
        return Some(());
    }
    let more = Arc::clone(budget).try_acquire_many_owned(u32::try_from(missing).ok()?).ok()?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Some(())
}

/// Lets a few at once do what costs much processor time, lets some more wait, and sends the rest away.
#[derive(Debug)]
pub(crate) struct Gate {
    admitted: Semaphore,
    working: Semaphore,
    patience: Duration,
}

/// The right to work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    _working: SemaphorePermit<'a>,
    _admitted: SemaphorePermit<'a>,
}

impl Gate {
    /// `workers` at once, and `waiting` behind them.
    pub(crate) fn new(workers: usize, waiting: usize) -> Self {
        Self {
            admitted: Semaphore::new(workers + waiting),
            working: Semaphore::new(workers),
            patience: GATE_TIMEOUT,
        }
    }

    /// Waits for one's turn; `None` where there are too many before, or it takes too long.
    pub(crate) async fn enter(&self) -> Option<Pass<'_>> {
        let admitted = self.admitted.try_acquire().ok()?;
        let working = timeout(self.patience, self.working.acquire()).await.ok()?.ok()?;
        Some(Pass { _working: working, _admitted: admitted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, routing::get};
    use bytes::Bytes;
    use futures_util::{StreamExt, stream};
    use http::Request;
    use http_body_util::Full;
    use std::convert::Infallible;
    use tower::ServiceExt;

    fn budget(bytes: usize) -> BodyBudget {
        BodyBudget { patience: Duration::from_millis(20), ..BodyBudget::new(bytes) }
    }

    /// A body that does not say how long it will be.
    fn body(frames: Vec<&'static [u8]>) -> Body {
        Body::from_stream(stream::iter(frames.into_iter().map(Ok::<_, Infallible>)))
    }

    #[tokio::test]
    async fn a_body_is_read_byte_for_byte() {
        let mut held = budget(UNIT).read(body(vec![b"one ", b"", b"two\r\n"]), SMALL_BODY).await.unwrap();
        assert_eq!(held.bytes(), b"one two\r\n");
        assert_eq!(held.take(), b"one two\r\n");
    }

    #[tokio::test]
    async fn a_body_that_announces_too_much_is_refused_at_once() {
        let body = Body::new(Full::new(Bytes::from_static(&[0; 11])));
        assert_eq!(budget(0).read(body, 10).await.unwrap_err(), Unread::TooLong(10));
    }

    #[tokio::test]
    async fn a_body_that_grows_too_long_is_refused() {
        let body = body(vec![&[0; 10], &[0]]);
        assert_eq!(budget(UNIT).read(body, 10).await.unwrap_err(), Unread::TooLong(10));
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_given_up() {
        let begun = stream::iter([Ok::<_, Infallible>("x")]).chain(stream::pending());
        assert_eq!(budget(UNIT).read(Body::from_stream(begun), 10).await.unwrap_err(), Unread::TooSlow);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let broken = stream::iter([Ok("x"), Err("connection reset")]);
        assert_eq!(budget(UNIT).read(Body::from_stream(broken), 10).await.unwrap_err(), Unread::Broken);
    }

    #[tokio::test]
    async fn bodies_in_flight_share_the_budget_and_give_it_back() {
        let budget = budget(4 * UNIT);
        let read = |length: usize| budget.read(Body::from(vec![0; length]), SMALL_BODY);
        let first = read(3 * UNIT).await.unwrap();
        assert_eq!(read(2 * UNIT).await.unwrap_err(), Unread::OverBudget);
        let second = read(1).await.unwrap();
        drop(first);
        assert!(read(3 * UNIT).await.is_ok());
        drop(second);
        assert!(read(4 * UNIT).await.is_ok());
    }

    #[tokio::test]
    async fn a_taken_body_keeps_its_share_until_it_is_dropped() {
        let budget = budget(UNIT);
        let mut held = budget.read(Body::from("x"), 1).await.unwrap();
        let _bytes = held.take();
        assert_eq!(budget.read(Body::from("y"), 1).await.unwrap_err(), Unread::OverBudget);
        drop(held);
        assert!(budget.read(Body::from("y"), 1).await.is_ok());
    }

    #[tokio::test]
    async fn long_bodies_leave_room_for_short_ones() {
        let budget = budget(8 * SMALL_BODY);
        let read = |length: usize| budget.read(Body::from(vec![0; length]), REPORT_BODY);
        let long = read(5 * SMALL_BODY).await.unwrap();
        assert_eq!(read(SMALL_BODY + 1).await.unwrap_err(), Unread::OverBudget);
        assert!(read(SMALL_BODY).await.is_ok());
        drop(long);
        assert!(read(SMALL_BODY + 1).await.is_ok());
    }

    #[tokio::test]
    async fn a_gate_lets_some_work_some_wait_and_sends_the_rest_away() {
        let gate = Gate { patience: Duration::from_millis(20), ..Gate::new(1, 1) };
        let working = gate.enter().await.unwrap();
        let (waiting, refused) = tokio::join!(gate.enter(), gate.enter());
        assert!(waiting.is_none() && refused.is_none());
        let (waiting, ()) = tokio::join!(gate.enter(), async { drop(working) });
        assert!(waiting.is_some());
    }

    #[tokio::test]
    async fn a_panic_is_a_500_without_a_body() {
        async fn panics() -> StatusCode {
            panic!("on purpose")
        }
        let router = Router::new().route("/", get(panics)).layer(guard());
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }

    #[tokio::test]
    async fn no_route_and_no_method_are_never_a_401_or_a_redirect() {
        let router = Router::new().route("/mdm", get(|| async {})).layer(guard());
        for (method, path, status) in
            [("GET", "/mdm/", 404), ("PUT", "/mdm", 405), ("GET", "/", 404), ("PUT", "//mdm", 404)]
        {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status, "{method} {path}");
        }
    }
}
