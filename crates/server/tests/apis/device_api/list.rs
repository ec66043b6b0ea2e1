//! `device/list`: filters, pages, and everything at once.

use domain::{Device, Location, Timestamp};
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{TestServer, record},
};

use super::{refused, texts};

/// 2025-01-06T00:00:00Z.
const DAY: i64 = 1_736_121_600_000;
const HOUR: i64 = 3_600_000;

async fn listed(server: &TestServer, filter: Value) -> Vec<String> {
    let list = server.api().device("list", json!({ "filter": filter })).await;
    assert_eq!(list.status, 200, "{}", list.text);
    let serials = texts(&list.body, "serialnumber");
    assert_eq!(list.body["totalcount"], serials.len());
    serials.into_iter().map(|serial| serial.replace("SERIAL00000", "")).collect()
}

fn seen(number: u64, at: i64) -> Device {
    Device { last_contact: Some(Timestamp(at)), ..record(number) }
}

on_both!(a_filter_leaves_those_for_which_all_of_it_holds);

async fn a_filter_leaves_those_for_which_all_of_it_holds(server: TestServer) {
    let [mut gone, mut wiped] = [record(2), record(3)];
    gone.managed = false;
    (wiped.managed, wiped.wiped) = (false, true);
    server.add_records([record(1), gone, wiped]).await;
    for (filter, expected) in [
        (json!({}), "123"),
        (json!(null), "123"),
        (json!({ "managed": true }), "1"),
        (json!({ "managed": "false" }), "23"),
        (json!({ "wiped": "true" }), "3"),
        (json!({ "wiped": false }), "12"),
        (json!({ "managed": false, "wiped": false }), "2"),
        (json!({ "managed": true, "wiped": true }), ""),
    ] {
        assert_eq!(listed(&server, filter.clone()).await.concat(), expected, "{filter}");
    }
}

on_both!(a_filter_by_last_contact_includes_both_ends);

async fn a_filter_by_last_contact_includes_both_ends(server: TestServer) {
    server
        .add_records([
            seen(1, DAY - 1),
            seen(2, DAY),
            seen(3, DAY + 7 * HOUR),
            seen(4, DAY + 24 * HOUR - 1),
            seen(5, DAY + 24 * HOUR),
            record(6),
        ])
        .await;
    for (span, expected) in [
        (json!({ "from": "2025-01-06", "to": "2025-01-06" }), "234"),
        (json!({ "from": "2025-01-06T00:00:00.000Z" }), "2345"),
        (json!({ "from": "2025-01-06T00:00:00.001Z" }), "345"),
        (json!({ "to": "2025-01-06T07:00:00Z" }), "123"),
        (json!({ "from": "2025-01-06T14:00:00.000+7", "to": "2025-01-06T14:00:00.000+07:00" }), "3"),
        (json!({ "from": "2025-01-07T07:00:00+7" }), "5"),
        (json!({ "from": "2025-01-05T17:00:00.000-07", "to": "2025-01-06T00:00:00" }), "2"),
        (json!({ "from": "2025-01-07", "to": "2025-01-06" }), ""),
    ] {
        assert_eq!(listed(&server, json!({ "lastcontact": span })).await.concat(), expected, "{span}");
    }
}

on_both!(a_filter_by_location_leaves_out_devices_without_one);

async fn a_filter_by_location_leaves_out_devices_without_one(server: TestServer) {
    let placed = |number, at| {
        let mut device = record(number);
        device.facts.location = Some(Location { latitude: 52.5, longitude: 13.4, at: Timestamp(at) });
        device
    };
    server.add_records([placed(1, DAY), placed(2, DAY + 48 * HOUR), record(3)]).await;
    for (span, expected) in [
        (json!({ "from": "2000-01-01" }), "12"),
        (json!({ "to": "2025-01-06" }), "1"),
        (json!({ "from": "2025-01-08", "to": "2025-01-08" }), "2"),
        (json!({}), "123"),
    ] {
        assert_eq!(listed(&server, json!({ "locationtimestamp": span })).await.concat(), expected, "{span}");
    }
}

on_both!(every_published_form_of_a_date_is_exact_to_the_millisecond);

async fn every_published_form_of_a_date_is_exact_to_the_millisecond(server: TestServer) {
    server.add_records([seen(1, DAY - 1), seen(2, DAY), seen(3, DAY + 1)]).await;
    for form in [
        "2025-01-06T00:00:00.000Z",
        "2025-01-06T07:00:00.000+7",
        "2025-01-06T07:00:00.000+07",
        "2025-01-06T07:00:00.000+07:00",
        "2025-01-06T00:00:00Z",
        "2025-01-06T07:00:00+7",
        "2025-01-06T07:00:00+07",
        "2025-01-06T07:00:00+07:00",
        "20250106T000000Z",
        "2025-01-05T20:30:00-03:30",
    ] {
        for (span, expected) in [
            (json!({ "from": form, "to": form }), "2"),
            (json!({ "from": form }), "23"),
            (json!({ "to": form }), "12"),
        ] {
            assert_eq!(listed(&server, json!({ "lastcontact": span })).await.concat(), expected, "{span}");
        }
    }
    for (span, expected) in [(json!({ "from": "2025-01-06" }), "23"), (json!({ "to": "2025-01-05" }), "1")] {
        assert_eq!(listed(&server, json!({ "lastcontact": span })).await.concat(), expected, "{span}");
    }
}

/// One of four digits; each of its bits says for one part of the filter whether the device fits.
fn fitting(number: u64) -> Device {
    let bit = |bit: u64| number & bit != 0;
    let mut device = seen(number, if bit(4) { DAY } else { DAY - 1 });
    (device.managed, device.wiped) = (bit(1), bit(2));
    let place = Location { latitude: 52.5, longitude: 13.4, at: Timestamp(DAY) };
    device.facts.location = bit(8).then_some(place);
    device.facts.serial_number = Some(format!("{number:02}"));
    device
}

on_both!(all_parts_of_a_filter_combine);

async fn all_parts_of_a_filter_combine(server: TestServer) {
    server.add_records((0..16).map(fitting)).await;
    let day = json!({ "from": "2025-01-06", "to": "2025-01-06" });
    for asked in 0..16_u64 {
        for wanted in [true, false] {
            let mut filter = json!({});
            for (bit, field, value) in [
                (1, "managed", json!(wanted)),
                (2, "wiped", json!(wanted.to_string())),
                (4, "lastcontact", day.clone()),
                (8, "locationtimestamp", day.clone()),
            ] {
                if asked & bit != 0 {
                    filter[field] = value;
                }
            }
            let fits = |number: &u64| {
                let flags = if wanted { *number & 3 } else { !*number & 3 };
                let times = *number & 12;
                asked & !(flags | times) == 0
            };
            let expected: Vec<_> = (0..16).filter(fits).map(|number| format!("{number:02}")).collect();
            assert_eq!(listed(&server, filter.clone()).await, expected, "{filter}");
        }
    }
}

#[tokio::test]
async fn a_date_that_cannot_be_read_is_refused_by_the_name_of_its_field() {
    let server = TestServer::start().await;
    for span in ["lastcontact", "locationtimestamp"] {
        for end in ["from", "to"] {
            for date in ["2025-02-30", "yesterday", "10000-01-01", "2025-01-06T00:00:00+24:00", ""] {
                let answer = server.api().device("list", json!({ "filter": { span: { end: date } } })).await;
                refused(&answer, 400, "INVALID_FIELD");
                let field = format!("filter.{span}.{end}");
                assert!(answer.body["errormessage"].as_str().unwrap().contains(&field), "{}", answer.text);
            }
        }
    }
}

on_both!(pages_follow_each_other_without_gap_or_overlap);

async fn pages_follow_each_other_without_gap_or_overlap(server: TestServer) {
    server.add_records((1..=25).map(record)).await;
    let page = async |body: Value| server.api().device("list", body).await.body;
    let mut all = Vec::new();
    for (index, count) in [(1, 10), (2, 10), (3, 5), (4, 0)] {
        let page = page(json!({ "pagesize": 10, "pageindex": index })).await;
        let devices = texts(&page, "serialnumber");
        assert_eq!(devices.len(), count);
        let paging = [&page["pagecount"], &page["pageindex"], &page["totalcount"]];
        assert_eq!(paging, [&json!(3), &json!(index), &json!(25)]);
        all.extend(devices);
    }
    assert_eq!(all, (1..=25).map(|n| format!("SERIAL{n:06}")).collect::<Vec<_>>());

    let first = page(json!({ "pagesize": 7 })).await;
    assert_eq!([&first["pagecount"], &first["pageindex"]], [&json!(4), &json!(1)]);
    let filtered = page(json!({ "pagesize": 10, "filter": { "managed": false } })).await;
    assert_eq!([&filtered["pagecount"], &filtered["totalcount"]], [&json!(0), &json!(0)]);
    let far = page(json!({ "pagesize": 1000, "pageindex": u32::MAX })).await;
    assert_eq!([&far["data"], &far["totalcount"]], [&json!([]), &json!(25)]);
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused() {
    let server = TestServer::start().await;
    for body in [
        json!({ "pagesize": 0 }),
        json!({ "pagesize": 1001 }),
        json!({ "pagesize": -1 }),
        json!({ "pageindex": 0 }),
        json!({ "pageindex": "first" }),
        json!({ "pageindex": 4_294_967_296_u64 }),
    ] {
        refused(&server.api().device("list", body).await, 400, "INVALID_FIELD");
    }
}

on_both!(without_pages_a_list_of_thousands_comes_whole_and_in_order);

async fn without_pages_a_list_of_thousands_comes_whole_and_in_order(server: TestServer) {
    // Not in the order of their ids.
    server.add_records((1..=2500).rev().map(record)).await;
    let list = server.api().device("list", json!({})).await;
    assert_eq!(list.headers["transfer-encoding"], "chunked", "its length is not known when it begins");
    let ids = texts(&list.body, "clientid");
    assert!(ids.is_sorted_by(|a, b| a < b), "in order, none twice");
    let numbers = [&list.body["totalcount"], &list.body["pagecount"], &list.body["pageindex"]];
    assert_eq!((ids.len(), numbers), (2500, [&json!(2500), &json!(1), &json!(1)]));

    let some = server.api().device("list", json!({ "filter": { "managed": true } })).await;
    assert_eq!(some.body["totalcount"], 2500);
}

on_both!(a_lists_actions_say_which_of_its_devices_have_one_pending);

async fn a_lists_actions_say_which_of_its_devices_have_one_pending(server: TestServer) {
    let mut locked = server.enrolled_iphone().await;
    let _other = server.enrolled_ipad().await;
    server.api().device("lockscreen", json!({ "clientid": locked.client_id() })).await;
    let pending = async || {
        let list = server.api().device("list", json!({})).await.body;
        let devices = list["data"].as_array().unwrap().iter();
        let pending = devices.filter(|device| device["actions"]["lockscreen"]["status"] == 1);
        pending.map(|device| device["clientid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pending().await, [locked.client_id()]);
    locked.connect().await.unwrap();
    assert_eq!(pending().await, [""; 0]);
}
