//! How much Google is asked, and how soon again after it said no.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use domain::{AndroidMethod, Error, Mdm, NewAndroidEnrollment, ports::AndroidCall};
use serde_json::json;
use simulator::google::{AndroidDevice, Faults};
use testkit::server::Answer;
use tokio::task::JoinSet;

use super::{Office, Phone};

/// How many queries all nodes together make in a stretch of 100 seconds.
const MOST: usize = 450;

/// So many enrollment tokens are asked for at once, each by a query; how many were made.
async fn tokens(office: &Office, nodes: &[&Arc<Mdm>], count: usize) -> usize {
    let mut tasks = JoinSet::new();
    let mut made = 0;
    for number in 0..count {
        if tasks.len() == 16
            && let Some(done) = tasks.join_next().await
        {
            made += done.unwrap();
        }
        let (mdm, owner) = (Arc::clone(nodes[number % nodes.len()]), office.server.owner());
        tasks.spawn(async move {
            let new = NewAndroidEnrollment {
                method: AndroidMethod::FullyManaged,
                channel: None,
                user: None,
                many: true,
                lifetime: Duration::from_hours(1),
            };
            match mdm.add_android_enrollment(&owner, &new).await {
                Ok(_) => 1,
                Err(Error::Unavailable(_)) => 0,
                Err(error) => panic!("{error}"),
            }
        });
    }
    made + tasks.join_all().await.into_iter().sum::<usize>()
}

/// To where the next stretch of 100 seconds begins, less `before`.
fn next_stretch(office: &Office, before: Duration) {
    let clock = office.server.clock();
    let now = domain::ports::Clock::now(clock).0;
    let left = 100_000 - now.rem_euclid(100_000);
    clock.advance(Duration::from_millis(left.unsigned_abs()).saturating_sub(before));
}

fn queries(office: &Office) -> usize {
    let of_the_api = |path: &str| path.starts_with("/v1/") && !path.starts_with("/v1/projects/");
    office.google.arrivals().iter().filter(|arrival| of_the_api(&arrival.path)).count()
}

#[tokio::test]
async fn all_nodes_together_stay_within_googles_quota() {
    let office = Office::on_postgres().await;
    let node = office.server.another_node().await;
    let nodes = [office.server.mdm(), node.mdm()];
    office.server.clock().stop();
    next_stretch(&office, Duration::from_secs(1));
    let before = queries(&office);
    let made = tokens(&office, &nodes, MOST + 20).await;
    assert!(made <= MOST, "{made} in one stretch");
    // A second later the next stretch begins, and Google still counts the queries of this one.
    office.server.clock().advance(Duration::from_secs(2));
    let again = tokens(&office, &nodes, MOST + 20).await;
    let asked = queries(&office) - before;
    assert!((2 * MOST - 40..=2 * MOST).contains(&asked), "{asked}: all is used, and no more");
    assert!(made + again > 2 * MOST - 40, "{made} and {again}");
    let refused = office.google.arrivals().iter().filter(|arrival| arrival.status == 429).count();
    assert_eq!(refused, 0, "Google never had to say no");
    node.stop().await.unwrap();
}

#[tokio::test]
async fn a_comparison_leaves_queries_for_what_people_wait_for() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.compared().await;
    office.server.clock().stop();
    next_stretch(&office, Duration::ZERO);
    let before = office.arrivals("/devices", 200);
    assert_eq!(tokens(&office, &[office.server.mdm()], 260).await, 260);
    office.compare_now().await;
    assert!(!matches!(office.server.mdm().reconcile_android().await, Ok(true)), "its share is used up");
    office.ask(&phone, "lockscreen", json!({})).await;
    office.issued(&phone, 1).await;
    assert_eq!(office.arrivals("/devices", 200), before);
    office.server.clock().advance(Duration::from_secs(100));
    office.server.until(async |_| office.arrivals("/devices", 200) == before + 1).await;
}

#[tokio::test]
async fn a_comparison_goes_on_where_it_was_after_a_restart() {
    for mut office in [Office::open().await, Office::on_postgres().await] {
        office.compared().await;
        office.google.set_faults(Faults { lose_every: Some(1), ..Faults::default() });
        for number in 0..45 {
            let token = office.token(AndroidMethod::FullyManaged, None).await;
            let name = office.google.enroll(&token, AndroidDevice::phone(number)).unwrap();
            office.google.sync(&name);
        }
        office.server.clock().stop();
        next_stretch(&office, Duration::ZERO);
        let before = office.arrivals("/devices", 200);
        // One query of its share is left: a page of twenty devices.
        assert_eq!(tokens(&office, &[office.server.mdm()], 249).await, 249);
        office.compare_now().await;
        office.server.until(async |_| office.list().await.len() == 20).await;
        office.server.restart().await;
        office.server.clock().advance(Duration::from_secs(100));
        office.server.until(async |_| office.list().await.len() == 45).await;
        office.compared().await;
        assert_eq!(office.arrivals("/devices", 200) - before, 3, "no page was read twice");
    }
}

/// The one call of the phone.
async fn call_of(office: &Office, phone: &Phone) -> AndroidCall {
    let known = office.server.devices_of(office.server.tenant()).await;
    let device = known.iter().find(|device| device.key == phone.name).unwrap();
    office.server.records().await.android_calls(device.id).await.unwrap().remove(0)
}

/// How long the phone's call waits, in seconds, once it was tried so often.
async fn wait_after(office: &Office, phone: &Phone, attempts: u32) -> i64 {
    let tried = async |_: &testkit::server::TestServer| {
        let call = call_of(office, phone).await;
        call.attempts == attempts && call.said.is_some() && call.claimed_until.0 == 0
    };
    office.server.until(tried).await;
    (call_of(office, phone).await.due_at.0 - domain::ports::Clock::now(office.server.clock()).0) / 1000
}

#[tokio::test]
async fn the_wait_after_each_failure_is_twice_as_long() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.server.clock().stop();
    for path in [":issueCommand", "/operations", "/operations", "/operations"] {
        office.google.refuse_next_at(path, 503, "UNAVAILABLE", None);
    }
    office.ask(&phone, "lockscreen", json!({})).await;
    for (attempts, expected) in [(1, 5), (2, 10), (3, 20), (4, 40)] {
        assert_eq!(wait_after(&office, &phone, attempts).await, expected, "after {attempts}");
        office.server.clock().advance(Duration::from_secs(expected.unsigned_abs()));
    }
    office.issued(&phone, 1).await;
    office.done(&phone, "lockscreen").await;
}

#[tokio::test]
async fn google_is_left_in_peace_for_as_long_as_it_says() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.server.clock().stop();
    office.google.refuse_next_at(":issueCommand", 429, "RESOURCE_EXHAUSTED", Some("120"));
    office.ask(&phone, "lockscreen", json!({})).await;
    assert_eq!(wait_after(&office, &phone, 1).await, 120);
    office.server.clock().advance(Duration::from_secs(119));
    assert_eq!(office.server.mdm().send_android_calls().await.unwrap(), 0);
    office.server.clock().advance(Duration::from_secs(1));
    office.issued(&phone, 1).await;
    assert_eq!(office.arrivals(":issueCommand", 429), 1);
}

#[tokio::test]
async fn an_account_that_may_not_is_told_and_its_calls_wait_for_somebody_to_mend_that() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.google.refuse_next_at(":issueCommand", 403, "PERMISSION_DENIED", None);
    office.ask(&phone, "lockscreen", json!({})).await;
    let waits = wait_after(&office, &phone, 1).await;
    assert!((290..=300).contains(&waits), "{waits}");
    let said = call_of(&office, &phone).await.said;
    assert!(said.as_ref().is_some_and(|why| why.contains("may not")), "{said:?}");
    assert_eq!(office.info(&phone).await["actions"]["lockscreen"]["status"], 1);
    office.server.clock().advance(Duration::from_mins(5));
    office.issued(&phone, 1).await;
    office.done(&phone, "lockscreen").await;
}

async fn page(office: &Office, token: &serde_json::Value, kind: &str) -> Answer {
    let api = office.server.api();
    let wish = json!({"token": token, "mdmtype": kind, "html": true});
    api.send(api.request(reqwest::Method::POST, "/api/mdm/v2/user/mdmprofile").json(&wish)).await
}

#[tokio::test]
async fn a_user_makes_so_many_tokens_a_day_and_no_more() {
    for office in [Office::open().await, Office::on_postgres().await] {
        let password = office.user("ann@example.com").await;
        let token = office.login("ann@example.com", &password).await;
        let password = office.user("bob@example.com").await;
        let other = office.login("bob@example.com", &password).await;
        // Not over midnight.
        office.server.clock().stop();
        let made = async || office.arrivals("/enrollmentTokens", 200);
        for _ in 0..20 {
            assert_eq!(page(&office, &token, "android").await.status, 200);
        }
        assert_eq!(made().await, 20);
        let refused = page(&office, &token, "android").await;
        assert_eq!(
            (refused.status, &refused.body["success"], &refused.body["errorcode"]),
            (429, &json!(false), &json!("TOO_MANY_ENROLLMENTS")),
            "{}",
            refused.text
        );
        let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=86_400).contains(&wait));
        assert_eq!(made().await, 20, "Google was not asked");
        assert_eq!(page(&office, &other, "android").await.status, 200, "each for themselves");
        assert_eq!(page(&office, &token, "apple").await.status, 429, "the same count for all platforms");
    }
}

#[tokio::test]
async fn a_users_unused_link_is_given_again() {
    for office in [Office::open().await, Office::on_postgres().await] {
        let password = office.user("ann@example.com").await;
        let token = office.login("ann@example.com", &password).await;
        let link = async |token: &serde_json::Value| {
            let page = page(&office, token, "apple").await;
            assert_eq!(page.status, 200, "{}", page.text);
            let rest = page.text.split("/enroll/").nth(1).unwrap();
            rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_".contains(*it)).collect::<String>()
        };
        let first = link(&token).await;
        for _ in 0..30 {
            assert_eq!(link(&token).await, first);
        }
        assert_eq!(office.server.count_events("link.added").await, 1);
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, first.as_bytes()).as_ref());
        let known = office.server.database().await.directory.link(&hash).await.unwrap().unwrap();
        assert_eq!((known.link.max_uses, known.link.used), (1, 0));
        // One that would soon be over is not given any more.
        office.server.clock().advance(Duration::from_hours(13));
        let token = office.login("ann@example.com", &password).await;
        assert_ne!(link(&token).await, first);
        assert_eq!(office.server.count_events("link.added").await, 2);
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_and_tokens_that_are_over_harm_nothing() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let grants =
        || office.google.arrivals().iter().filter(|it| it.path == "/token" && it.status == 200).count();
    for (number, offset) in [(1, 900), (2, -900), (3, 0)] {
        office.google.set_clock_offset(offset);
        let before = grants();
        // The token is over, or was called back.
        if number == 2 {
            office.google.revoke_tokens();
        } else {
            office.server.clock().advance(Duration::from_hours(2));
        }
        office.ask(&phone, "lockscreen", json!({})).await;
        office.issued(&phone, number).await;
        office.done(&phone, "lockscreen").await;
        assert!(grants() > before, "{offset}");
    }
    let other = office.enrolled(AndroidMethod::FullyManaged, AndroidDevice::phone(2)).await;
    assert_ne!(other.name, phone.name);
}
