//! `remuda enrollment`, `device` and `purge`, beside a server that has devices.

use domain::DeviceId;
use serde_json::{Value, json};
use simulator::apple_device::AppleDevice;
use testkit::server::TestServer;

use super::{Program, keys, text};

async fn beside(server: &TestServer) -> (Program, String) {
    (Program::beside(server).with("REMUDA_ALLOW_HTTP_LOOPBACK", "true"), server.tenant().to_string())
}

#[tokio::test]
async fn a_link_that_was_made_beside_the_server_enrolls_a_device() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let add = [
        "enrollment",
        "add",
        "--tenant",
        &tenant,
        "--device-url",
        server.device_url(),
        "--uses",
        "2",
        "--ttl",
        "1h",
    ];
    let added = program.json(&add).await;
    assert_eq!(keys(&added), ["url"]);
    let link = text(&added, "url");
    assert!(link.starts_with(&format!("{}/enroll/", server.device_url())), "{link}");
    let model = simulator::apple_device::DeviceModel::iphone(server.seed());
    let mut phone = server.enroll(server.options(link.to_owned(), model)).await;
    assert_eq!(phone.connect().await.unwrap().len(), 3, "inventory, security, declarations");

    let people = program.run(&add).await;
    assert!(
        people.stdout.starts_with(server.device_url()) && people.stdout.lines().count() == 1,
        "no QR code here"
    );
}

#[tokio::test]
async fn a_link_of_a_user_is_that_users_and_nobodys_are_refused() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let add = ["enrollment", "add", "--tenant", &tenant, "--device-url", server.device_url()];
    program.fails(&[&add[..], &["--user", "user@example.com"]].concat(), 1, "no such user").await;
    let user = program.json(&["user", "add", "user@example.com", "--tenant", &tenant]).await;
    let added = program.json(&[&add[..], &["--user", "user@example.com"]].concat()).await;
    let model = simulator::apple_device::DeviceModel::iphone(server.seed());
    let phone = server.enroll(server.options(text(&added, "url").to_owned(), model)).await;
    assert_eq!(server.api().info(&phone.client_id()).await["usersid"], user["id"]);
    let nobodys = "e60cf0e25e63430694441870c27a8b42";
    program.fails(&[&add[..], &["--device", nobodys]].concat(), 1, "no such device").await;
    program.fails(&[&add[..], &["--ttl", "7w"]].concat(), 2, "such as 7d").await;
    program.fails(&[&add[..], &["--uses", "0"]].concat(), 1, "at least one use").await;
}

#[tokio::test]
async fn no_link_is_made_until_the_address_of_devices_is_set() {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    let add = ["enrollment", "add", "--tenant", text(&made, "tenant")];
    program.fails(&add, 1, "set --device-url to the https:// address").await;
    let added = program.json(&[&add[..], &["--device-url", "https://mdm.example.com"]].concat()).await;
    assert!(text(&added, "url").starts_with("https://mdm.example.com/enroll/"));
}

#[tokio::test]
async fn devices_are_listed_and_get_an_external_id() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let (phone, pad) = (server.enrolled_iphone().await, server.enrolled_ipad().await);
    let list = program.json(&["device", "list", "--tenant", &tenant]).await;
    assert_eq!((keys(&list), &list["total"]), (vec!["devices", "total"], &json!(2)));
    let first = &list["devices"][0];
    let fields = ["clientid", "external_id", "last_contact", "pending", "product", "serialnumber", "state"];
    assert_eq!((keys(first), text(first, "state")), (fields.to_vec(), "managed"));
    let after =
        program.json(&["device", "list", "--tenant", &tenant, "--after", text(first, "clientid")]).await;
    assert_eq!(after["devices"].as_array().unwrap().len(), 1);

    let set = ["device", "set-external-id", "--tenant", &tenant];
    let named = program.json(&[&set[..], &[&phone.client_id(), "asset-7"]].concat()).await;
    assert_eq!(named, json!({ "clientid": phone.client_id() }));
    program.fails(&[&set[..], &[&pad.client_id(), "asset-7"]].concat(), 1, "another device has this").await;
    assert_eq!(external_ids(&program, &tenant).await, ["asset-7"]);
    program.json(&[&set[..], &[&phone.client_id()]].concat()).await;
    assert_eq!(external_ids(&program, &tenant).await, [""; 0]);
}

async fn external_ids(program: &Program, tenant: &str) -> Vec<String> {
    let list = program.json(&["device", "list", "--tenant", tenant]).await;
    let ids = list["devices"].as_array().unwrap().iter().filter_map(|device| device["external_id"].as_str());
    ids.map(str::to_owned).collect()
}

/// A phone, and another one that claims to be it.
async fn claimed(server: &TestServer) -> (testkit::server::Device, DeviceId) {
    let phone = server.enrolled_iphone().await;
    AppleDevice::enroll(server.options(server.link().await, phone.model().clone())).await.unwrap();
    let page = domain::Page { after: None, skip: 0, limit: 9 };
    let devices =
        server.mdm().devices(&server.owner(), &domain::DeviceFilter::default(), page).await.unwrap();
    let claim = devices.iter().find(|view| view.device.quarantined).expect("a quarantined device").device.id;
    (phone, claim)
}

#[tokio::test]
async fn a_quarantined_device_is_approved() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let (phone, claim) = claimed(&server).await;
    let list = program.json(&["device", "list", "--tenant", &tenant]).await;
    let mut states: Vec<_> = list["devices"].as_array().unwrap().iter().map(|it| text(it, "state")).collect();
    states.sort_unstable();
    assert_eq!(states, ["managed", "quarantined"]);
    let approved = program.json(&["device", "approve", &claim.client_id(), "--tenant", &tenant]).await;
    assert_eq!(approved, json!({ "clientid": phone.client_id() }), "it takes the record over");
    assert_eq!(program.json(&["device", "list", "--tenant", &tenant]).await["total"], 1);
    program.fails(&["device", "approve", &claim.client_id(), "--tenant", &tenant], 1, "no such device").await;
}

#[tokio::test]
async fn a_quarantined_device_is_rejected_and_a_managed_one_cannot_be() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let (mut phone, claim) = claimed(&server).await;
    let reject = async |id: &str| program.run(&["device", "reject", id, "--tenant", &tenant, "--json"]).await;
    assert_eq!(reject(&phone.client_id()).await.code, Some(1));
    let rejected: Value = serde_json::from_str(&reject(&claim.client_id()).await.stdout).unwrap();
    assert_eq!(rejected, json!({ "clientid": claim.client_id(), "rejected": true }));
    assert_eq!(program.json(&["device", "list", "--tenant", &tenant]).await["total"], 1);
    assert!(phone.connect().await.unwrap().is_empty(), "the phone's own enrollment goes on");
}

#[tokio::test]
async fn a_pin_is_revealed_and_that_is_recorded() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let mac = server.enrolled_mac().await;
    let reveal = ["device", "reveal-pin", &mac.client_id(), "--tenant", &tenant];
    program.fails(&reveal, 1, "no such secret").await;
    let lock = json!({ "clientid": mac.client_id(), "macpin": "271828" });
    assert_eq!(server.api().device("lockscreen", lock).await.status, 200);
    let revealed = program.json(&reveal).await;
    let at = revealed["asked_at"].as_str().expect("a time");
    let expected = json!({
        "clientid": mac.client_id(), "pin": "271828", "action": "lockscreen", "asked_at": at, "state": "waiting",
        "current": true, "others": [],
    });
    assert_eq!(revealed, expected);
    let told = format!("271828 (unlocks the Mac; kept {at}; the device does not have it yet)\n");
    assert_eq!(program.run(&reveal).await.stdout, told);
    let events = server.events(Some(mac.id())).await;
    let looks: Vec<_> = events.iter().filter(|event| event.kind == "secret.revealed").collect();
    assert!(looks.len() == 2 && looks.iter().all(|event| event.actor == "local"), "{looks:?}");
}

#[tokio::test]
async fn purges_are_listed_and_shown_with_their_counts() {
    let server = TestServer::start().await;
    let (program, tenant) = beside(&server).await;
    let phone = server.enrolled_iphone().await;
    assert_eq!(program.json(&["purge", "list", "--tenant", &tenant]).await, json!({ "purges": [] }));
    let application = server.application().await;
    let token = server.token_of(&application).await;
    let body = json!({ "guids": [phone.id().to_string(), "nobody's", "nobody else's"] });
    assert_eq!(server.api().purge(&token, &tenant, body).await.status, 202);
    server.settled().await;

    let list = program.json(&["purge", "list", "--tenant", &tenant]).await;
    let job = &list["purges"][0];
    let fields = ["asked", "asked_at", "asked_by", "failed", "finished_at", "id", "purged", "skipped"];
    assert_eq!(keys(job), fields);
    let counts = ["asked", "purged", "skipped", "failed"].map(|name| job[name].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 2, 0]);
    assert_eq!(job["asked_by"], format!("application:{}", application.0));
    assert!(job["finished_at"].is_string());
    assert_eq!(program.json(&["purge", "show", text(job, "id"), "--tenant", &tenant]).await, *job);
    let nobodys = "4744defa-1042-4a85-9fff-763ae00c7584";
    program.fails(&["purge", "show", nobodys, "--tenant", &tenant], 1, "no such purge").await;
}
