//! Five in any second and ten thousand in any day. The clock stands still, so that waits are exact to the millisecond.

use std::time::Duration;

use domain::{LimitedRequest, PER_DAY, Timestamp, ports::Clock};
use serde_json::json;
use testkit::{on_both, server::TestServer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{Program, Request, WAIT, wait};

const BOTH: [Request; 2] = [Request::Login, Request::Purge];

fn pass(server: &TestServer, millis: u64) {
    server.clock().advance(Duration::from_millis(millis));
}

on_both!(the_sixth_in_a_second_waits_exactly_as_long_as_it_is_told);

async fn the_sixth_in_a_second_waits_exactly_as_long_as_it_is_told(server: TestServer) {
    server.clock().stop();
    let api = server.api();
    for request in BOTH {
        for early in [50, 0] {
            let program = Program::new(&server).await;
            for _ in 0..5 {
                assert_eq!(program.ask(&api, request).await, None);
                pass(&server, 100);
            }
            // It counts too: the next may come a second behind the second one.
            assert_eq!(program.ask(&api, request).await, Some(600), "{request:?}");
            pass(&server, 600 - early);
            // Whoever comes too soon uses up the place, and has to come a second behind the third one.
            let again = (early > 0).then_some(early + 100);
            assert_eq!(program.ask(&api, request).await, again, "{request:?}, {early} ms before");
        }
    }
}

on_both!(a_millisecond_too_soon_is_too_soon);

async fn a_millisecond_too_soon_is_too_soon(server: TestServer) {
    server.clock().stop();
    let api = server.api();
    for request in BOTH {
        let [early, exact] = [Program::new(&server).await, Program::new(&server).await];
        for program in [&early, &exact] {
            for _ in 0..5 {
                assert_eq!(program.ask(&api, request).await, None);
            }
            assert_eq!(program.ask(&api, request).await, Some(1000));
        }
        pass(&server, 999);
        assert_eq!(early.ask(&api, request).await, Some(1));
        pass(&server, 1);
        assert_eq!(exact.ask(&api, request).await, None);
    }
}

on_both!(blocked_requests_count);

async fn blocked_requests_count(server: TestServer) {
    server.clock().stop();
    let api = server.api();
    let program = Program::new(&server).await;
    let mut passed = 0;
    let mut last = None;
    for _ in 0..30 {
        last = program.ask(&api, Request::Purge).await;
        passed += u32::from(last.is_none());
        pass(&server, 100);
    }
    assert_eq!(passed, 5, "ten in a second never stop being too many");
    pass(&server, last.unwrap() - 100);
    assert_eq!(program.ask(&api, Request::Purge).await, None);
}

#[tokio::test]
async fn ten_thousand_in_a_day_are_the_end_of_it() {
    let server = TestServer::start().await;
    server.clock().stop();
    let api = server.api();
    let program = Program::new(&server).await;
    let hour = 3_600_000;
    let first = server.clock().now().0 - 20 * hour;
    let times = (0..i64::from(PER_DAY)).map(|n| Timestamp(first + n * 1000));
    server.add_requests(program.id, LimitedRequest::Purge, times).await;

    // The second of the ring leaves the day in four hours and a second.
    let told = program.ask(&api, Request::Purge).await.unwrap();
    assert_eq!(i64::try_from(told).unwrap(), 4 * hour + 1000);
    pass(&server, told - 50);
    let too_soon = program.login(&api).await;
    assert_eq!(too_soon.status, 200, "logins are counted apart");
    // It has used up the place of the next second.
    let token = too_soon.body["token"].as_str().unwrap().to_owned();
    let program = Program { token, ..program };
    assert_eq!(program.ask(&api, Request::Purge).await, Some(50 + 1000));
    pass(&server, 50 + 1000 - 1);
    assert_eq!(program.ask(&api, Request::Purge).await, Some(1 + 1000));
    pass(&server, 1001);
    assert_eq!(program.ask(&api, Request::Purge).await, None);
}

on_both!(a_restart_forgets_nothing);

async fn a_restart_forgets_nothing(mut server: TestServer) {
    server.clock().stop();
    let program = Program::new(&server).await;
    for request in BOTH {
        for _ in 0..5 {
            assert_eq!(program.ask(&server.api(), request).await, None);
        }
    }
    server.restart().await;
    pass(&server, 999);
    for request in BOTH {
        assert_eq!(program.ask(&server.api(), request).await, Some(1), "{request:?}");
    }
    pass(&server, 1);
    for request in BOTH {
        assert_eq!(program.ask(&server.api(), request).await, None, "{request:?}");
    }
}

on_both!(logins_purges_and_applications_are_counted_apart);

async fn logins_purges_and_applications_are_counted_apart(server: TestServer) {
    server.clock().stop();
    let api = server.api();
    let [one, other] = [Program::new(&server).await, Program::new(&server).await];
    for (program, request) in
        [(&one, Request::Login), (&one, Request::Purge), (&other, Request::Purge), (&other, Request::Login)]
    {
        for _ in 0..5 {
            assert_eq!(program.ask(&api, request).await, None, "{request:?}");
        }
        assert!(program.ask(&api, request).await.is_some(), "{request:?}");
    }
}

on_both!(only_who_has_proven_who_it_is_is_counted);

async fn only_who_has_proven_who_it_is_is_counted(server: TestServer) {
    server.clock().stop();
    let api = server.api();
    let program = Program::new(&server).await;
    let (other_tenant, _) = server.another_tenant("other").await;
    for _ in 0..10 {
        assert_eq!(api.login(&program.id.to_string(), "wrong").await.status, 403);
        let forged = format!("{}x", program.token);
        assert_eq!(api.purge(&forged, &program.customer, json!({})).await.status, 403);
        assert_eq!(api.purge(&program.token, &other_tenant.to_string(), json!({})).await.status, 403);
    }
    for request in BOTH {
        for _ in 0..5 {
            assert_eq!(program.ask(&api, request).await, None, "{request:?}");
        }
    }
}

on_both!(of_twenty_at_once_five_pass);

async fn of_twenty_at_once_five_pass(server: TestServer) {
    server.clock().stop();
    let api = server.api();
    let program = Program::new(&server).await;
    for request in BOTH {
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            calls.spawn(program.request(&api, request).send());
        }
        let mut waits = Vec::new();
        while let Some(answer) = calls.join_next().await {
            waits.extend(answer.unwrap().unwrap().headers().get(WAIT).cloned());
        }
        assert_eq!(waits, ["1000"; 15], "{request:?}");
    }
}

#[tokio::test]
async fn a_purge_counts_whatever_its_body_is() {
    let server = TestServer::start().await;
    server.clock().stop();
    let api = server.api();
    let program = Program::new(&server).await;
    let request = || program.purge_request(&api);
    for (request, status) in [
        (request(), 415),
        (request().json(&json!({})), 400),
        (request().json(&json!({ "guids": vec!["x"; 501] })), 400),
        (request().json(&json!({ "guids": ["x".repeat(1 << 20)] })), 413),
        (request().header("content-type", "application/json").body("{"), 400),
    ] {
        assert_eq!(api.send(request).await.status, status);
    }
    assert_eq!(wait(&program.purge(&api).await, 202), Some(1000));
}

#[tokio::test]
async fn a_blocked_purge_is_answered_before_its_body_is_read() {
    let server = TestServer::start().await;
    server.clock().stop();
    let program = Program::new(&server).await;
    for _ in 0..5 {
        assert_eq!(program.ask(&server.api(), Request::Purge).await, None);
    }
    let address = server.api_url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let (path, token) = (program.path(), &program.token);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
}
