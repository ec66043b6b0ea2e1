//! Connections that are too many, or that never say what they want.

use std::time::Duration;

use server::config::Settings;
use simulator::apple_device::AppleDevice;
use testkit::server::{Options, TestServer};

use super::{Besieged, bodies::pass, raw_http::Raw};

#[tokio::test]
async fn hundreds_that_say_nothing_keep_nobody_out() {
    let besieged = Besieged::new().await;
    let mut idlers = Vec::new();
    for number in 0..400 {
        let mut raw = Raw::open(&besieged.server).await;
        if number % 2 == 0 {
            raw.write(b"PUT /mdm HTTP/1.1\r\nHost: x\r\nX-Half: ").await;
        }
        idlers.push(raw);
    }
    besieged.still_stands().await;
}

/// Those beyond the cap wait until another has gone; none is turned away.
#[tokio::test]
async fn beyond_the_cap_one_waits_for_a_place() {
    const PLACES: usize = 4;
    let settings = Settings { max_connections: Some(PLACES.into()), ..Settings::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    let mut seats = Vec::new();
    for _ in 0..PLACES {
        let mut raw = Raw::head(&server, "GET /healthz", &[]).await;
        assert_eq!(raw.status().await, Some(200), "it has a place, and keeps it");
        seats.push(raw);
    }
    let mut late = Raw::head(&server, "GET /healthz", &[]).await;
    // The server goes on meanwhile, at its other listener.
    assert_eq!(reqwest::get(format!("{}/healthz", server.api_url())).await.unwrap().status(), 200);
    tokio::select! {
        biased;
        _ = late.status() => panic!("there was no place"),
        () = std::future::ready(()) => {}
    }
    seats.pop();
    assert_eq!(late.status().await, Some(200));
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let besieged = Besieged::new().await;
    let mut raw = Raw::head(&besieged.server, "GET /healthz", &[]).await;
    assert_eq!(raw.status().await, Some(200));
    raw.write(b"PUT /mdm HTTP/1.1\r\nHost: x\r\nX-Half: ").await;
    pass(Duration::from_secs(61)).await;
    raw.rest().await;
    besieged.still_stands().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let server = TestServer::with(Options { tls: true, ..Options::default() }).await;
    let iphone = server.enrolled_iphone().await;
    let mut silent = Raw::open(&server).await;
    let mut half = Raw::open(&server).await;
    half.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").await;
    let mut plain = Raw::head(&server, "GET /healthz", &[]).await;
    assert_eq!(plain.status().await, None, "no HTTP on a port of TLS");
    // Once the last of them is accepted, so are those before.
    assert!(server.enrolled_mac().await.is_enrolled());
    pass(Duration::from_secs(11)).await;
    assert_eq!((silent.rest().await.len(), half.rest().await.len()), (0, 0));
    Besieged { server, iphone }.still_stands().await;
}

#[tokio::test]
async fn many_devices_at_once_are_all_served() {
    const DEVICES: u32 = 24;
    let server = TestServer::start().await;
    let link = server.link_for(None, None, DEVICES).await;
    let mut enrolling = tokio::task::JoinSet::new();
    for seed in 0..DEVICES {
        let model = simulator::apple_device::DeviceModel::nth(seed.into());
        enrolling.spawn(AppleDevice::enroll(server.options(link.clone(), model)));
    }
    while let Some(enrolled) = enrolling.join_next().await {
        assert!(enrolled.unwrap().unwrap().is_enrolled());
    }
    assert_eq!(server.devices_of(server.tenant()).await.len(), DEVICES as usize);
}

#[tokio::test]
async fn a_flood_of_garbage_for_scep_is_answered_and_over() {
    let besieged = Besieged::new().await;
    let url = format!("{}/scep?operation=PKIOperation", besieged.server.device_url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut flood = tokio::task::JoinSet::new();
    for number in 0..500_u32 {
        let body = [&[0x30, 0x82, 0x01, 0x00][..], &number.to_be_bytes().repeat(64)].concat();
        flood.spawn(client.post(&url).body(body).send());
    }
    while let Some(answer) = flood.join_next().await {
        let status = answer.unwrap().unwrap().status().as_u16();
        assert!(matches!(status, 400 | 503), "{status}");
    }
    besieged.still_stands().await;
}

/// A stop does not wait for those who hang around.
#[tokio::test]
async fn a_stop_ends_idle_connections() {
    let mut besieged = Besieged::new().await;
    let mut idle = Raw::head(&besieged.server, "GET /healthz", &[]).await;
    assert_eq!(idle.status().await, Some(200));
    besieged.server.restart().await;
    idle.rest().await;
    besieged.still_stands().await;
}
