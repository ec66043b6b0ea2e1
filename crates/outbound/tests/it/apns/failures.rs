//! A network and servers that do not work.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::*;

/// A client of whatever `serve` makes of each TCP connection, and the count of these.
async fn client_of<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> (Apns, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let apns = Apns::new(ApnsSettings::new(format!("https://{}", listener.local_addr().unwrap()))).unwrap();
    let connected = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connected);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            serve(stream).await;
        }
    });
    (apns, connected)
}

async fn why_not(apns: &Apns) -> String {
    reason_to_wait(apns.push(&credentials(TOPIC, 1), push_to(&token(0)), now()).await)
}

#[tokio::test]
async fn a_network_that_is_down_means_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let apns = Apns::new(ApnsSettings::new(format!("https://{address}"))).unwrap();
    let why = why_not(&apns).await;
    assert!(why.starts_with("no connection to APNs: ") && why.contains("refused"), "{why}");
}

#[tokio::test]
async fn a_server_that_hangs_up_means_later() {
    let (apns, _) = client_of(|stream| async { drop(stream) }).await;
    let why = why_not(&apns).await;
    assert!(why.starts_with("no connection to APNs: "), "{why}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_means_later() {
    let (apns, _) = client_of(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    })
    .await;
    let why = why_not(&apns).await;
    assert!(why.starts_with("no connection to APNs: "), "{why}");
}

#[tokio::test]
async fn a_server_that_shows_a_foreign_certificate_means_later() {
    let world = World::with(|_| {}, |client| client.extra_roots.clear()).await;
    let why = reason_to_wait(world.push(push_to(&token(0))).await);
    assert!(why.contains("UnknownIssuer"), "{why}");
    assert_eq!(world.pretend.counters().arrived, 0);
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_means_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = ApnsSettings::new(format!("https://{}", listener.local_addr().unwrap()));
    settings.connect_timeout = Duration::from_millis(100);
    assert_eq!(why_not(&Apns::new(settings).unwrap()).await, "no connection to APNs within 100ms");
}

#[tokio::test]
async fn a_push_without_an_answer_means_later_and_a_new_connection() {
    let world = World::with(|_| {}, |client| client.request_timeout = Duration::from_millis(300)).await;
    let _device = world.pretend.register(&token(0), MAGIC);
    world.pretend.hold();
    let why = reason_to_wait(world.push(push_to(&token(0))).await);
    assert_eq!(why, "no answer from APNs within 300ms");
    world.pretend.release();
    // On a machine that is busy enough, this one is late too.
    while !matches!(world.push(push_to(&token(0))).await, Outcome::Accepted { .. }) {}
    assert!(world.pretend.counters().opened >= 2);
}

#[tokio::test]
async fn a_stream_refused_untouched_is_sent_again_on_the_same_connection() {
    const REFUSED_STREAM: u32 = 7;
    let world = World::start().await;
    let _device = world.pretend.register(&token(0), MAGIC);
    world.pretend.reset_next(REFUSED_STREAM);
    world.pretend.reset_next(REFUSED_STREAM);
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_eq!(world.pretend.counters().opened, 1);
}

#[tokio::test]
async fn a_stream_that_fails_means_later_and_leaves_the_connection_to_the_others() {
    const INTERNAL_ERROR: u32 = 2;
    let world = World::start().await;
    let _device = world.pretend.register(&token(0), MAGIC);
    world.pretend.reset_next(INTERNAL_ERROR);
    let why = reason_to_wait(world.push(push_to(&token(0))).await);
    assert!(why.contains("internal error"), "{why}");
    assert_accepted(&world.push(push_to(&token(0))).await);
    assert_eq!(world.pretend.counters().opened, 1);
}

#[tokio::test]
async fn all_who_wait_for_a_connection_share_its_failure() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let (apns, connected) = client_of(move |stream| {
        let gate = Arc::clone(&gate);
        async move {
            let _ = gate.acquire().await;
            drop(stream);
        }
    })
    .await;
    let (credentials, token) = (credentials(TOPIC, 1), token(0));
    let mut pushes: Vec<Pin<Box<_>>> =
        (0..100).map(|_| Box::pin(apns.push(&credentials, push_to(&token), now()))).collect();
    for push in &mut pushes {
        assert!(push.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    opened.close();
    for push in pushes {
        reason_to_wait(push.await);
    }
    assert_eq!(connected.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_caller_who_gives_up_takes_nobody_elses_connection_away() {
    let world = World::start().await;
    let _device = world.pretend.register(&token(0), MAGIC);
    let token = token(0);
    let mut hasty = Box::pin(world.push(push_to(&token)));
    assert!(hasty.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let mut patient = Box::pin(world.push(push_to(&token)));
    assert!(patient.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(hasty);
    assert_accepted(&patient.await);
    let counters = world.pretend.counters();
    assert_eq!((counters.opened, counters.arrived), (1, 1));
}

#[tokio::test]
async fn a_key_of_another_certificate_is_told() {
    let world = World::start().await;
    let mut mixed = credentials(TOPIC, 1);
    mixed.key = credentials(TOPIC, 2).key;
    let why = reason_to_wait(world.apns.push(&mixed, push_to(&token(0)), now()).await);
    assert!(why.starts_with("the push certificate cannot be used: "), "{why}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_asking() {
    let world = World::start().await;
    let outcome = world.push(push_to(&[])).await;
    assert_eq!(outcome, Outcome::Refused { status: 400, reason: "MissingDeviceToken".to_owned() });
    assert_eq!(world.pretend.counters().opened, 0);
}

#[test]
fn an_address_that_is_none_is_no_setting() {
    let error = Apns::new(ApnsSettings::new("http://api.push.apple.com")).err().unwrap();
    assert!(error.to_string().contains(r#""http://api.push.apple.com""#), "{error}");
}
