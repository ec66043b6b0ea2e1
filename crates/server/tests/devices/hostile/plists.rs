//! Property lists that would exhaust a process: each of these did, without a guard.

use apple::content_type::{CHECK_IN, REPORT};
use testkit::{on_both, server::TestServer};

use super::Besieged;
use crate::speaker::{Reply, Speaker};

on_both!(bombs_are_bad_requests);
async fn bombs_are_bad_requests(server: TestServer) {
    let besieged = Besieged::of(server).await;
    let traitor = besieged.traitor();
    for (what, bomb) in bombs() {
        for (path, kind) in
            [("/mdm", Some(REPORT)), ("/mdm", Some(CHECK_IN)), ("/checkin", None), ("/mdm", None)]
        {
            assert_eq!(traitor.put(path, kind, bomb.clone()).await, Reply::refused(400), "{what} to {path}");
        }
    }
    besieged.still_stands().await;
}

/// The limits on bodies come first.
#[tokio::test]
async fn a_wide_bomb_is_too_long_for_a_check_in_and_has_too_many_elements_for_a_report() {
    let besieged = Besieged::new().await;
    let traitor = besieged.traitor();
    let wide = format!("<plist><array>{}</array></plist>", "<true/>".repeat(10 << 17)).into_bytes();
    assert_eq!(traitor.put("/checkin", Some(CHECK_IN), wide.clone()).await, Reply::refused(413));
    assert_eq!(traitor.put("/mdm", Some(REPORT), wide).await, Reply::refused(400));
    besieged.still_stands().await;
}

/// Anybody can sign; nobody is believed for that.
#[tokio::test]
async fn a_stranger_gets_no_further_with_them() {
    let besieged = Besieged::new().await;
    let ca = crate::speaker::foreign_ca(&besieged.server);
    let stranger = Speaker::issued_by(&besieged.server, &ca, "x", "00008140-0000000000000000");
    for (what, bomb) in bombs() {
        let reply = stranger.put("/mdm", Some(REPORT), bomb.clone()).await;
        assert_eq!(reply, Reply::refused(400), "{what}");
        assert_eq!(stranger.send("/mdm", &[], bomb).await, Reply::refused(400), "{what}, unsigned");
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn broken_property_lists_are_bad_requests() {
    let besieged = Besieged::new().await;
    let traitor = besieged.traitor();
    let whole = apple::Report::idle(traitor.ids()).encode();
    let text = String::from_utf8(whole.clone()).unwrap();
    for broken in [
        b"".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"<plist>".to_vec(),
        b"<plist><array/></plist>".to_vec(),
        b"bplist00".to_vec(),
        b"bplist0".to_vec(),
        b"{\"Status\":\"Idle\"}".to_vec(),
        whole[..whole.len() - 20].to_vec(),
        text.replace("<string>Idle</string>", "<string>Idle</strin>").into_bytes(),
        text.replace("UTF-8", "UTF-16").into_bytes(),
        [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat(),
        [&whole[..], &[0xff; 9]].concat(),
    ] {
        assert_eq!(
            traitor.put("/mdm", Some(REPORT), broken.clone()).await,
            Reply::refused(400),
            "{broken:?}"
        );
    }
    besieged.still_stands().await;
}

/// Nested arrays that overflow a stack; references that share and share; entities; a heap of small things.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let laughs: String = ('b'..='j')
        .zip('a'..='i')
        .map(|(entity, before)| format!("<!ENTITY {entity} \"{}\">", format!("&{before};").repeat(10)))
        .collect();
    vec![
        ("deep arrays", format!("<plist>{}", "<array>".repeat(4_000)).into_bytes()),
        ("deeper dictionaries", "<plist>".to_owned().into_bytes().into_iter().chain("<dict><key>a</key>".repeat(50_000).into_bytes()).collect()),
        ("deep and closed", format!("<plist>{}{}</plist>", "<array>".repeat(4_000), "</array>".repeat(4_000)).into_bytes()),
        ("shared references", shared_references()),
        ("a million laughs", format!("<!DOCTYPE plist [<!ENTITY a \"ha\">{laughs}]><plist><string>&j;</string></plist>").into_bytes()),
        ("a file", b"<!DOCTYPE plist [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><plist><string>&x;</string></plist>".to_vec()),
        ("an entity of nobody", b"<plist><dict><key>Status</key><string>&b;</string></dict></plist>".to_vec()),
        ("many elements", format!("<plist><array>{}</array></plist>", "<true/>".repeat(140_000)).into_bytes().into_iter().chain(*b" ").collect()),
    ]
}

/// Thirty arrays of the next one twice: 2^30 leaves in some two hundred bytes.
fn shared_references() -> Vec<u8> {
    const LEVELS: u8 = 30;
    let mut out = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for level in 0..LEVELS {
        offsets.push(u8::try_from(out.len()).unwrap());
        out.extend([0xa2, level + 1, level + 1]);
    }
    offsets.push(u8::try_from(out.len()).unwrap());
    out.push(0x09);
    let table = u8::try_from(out.len()).unwrap();
    out.extend(&offsets);
    out.extend([0; 6]);
    out.extend([1, 1]);
    out.extend([0; 7]);
    out.push(LEVELS + 1);
    out.extend([0; 15]);
    out.push(table);
    out
}
