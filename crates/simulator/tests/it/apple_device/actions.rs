//! What may be asked of a device beside its lock: Lost Mode, its passcode, its apps; and what its user's own
//! refuses.

use std::sync::{Arc, Mutex};

use apple::command::{
    ClearPasscode, DeviceInformation, DeviceLocation, DisableLostMode, EnableLostMode, EraseDevice,
    InstalledApplicationList, ManagedApplicationList, SecurityInfo,
};
use apple::inventory::{
    self, DeviceLocationReport, InstalledApplications, ManagedApplication, ManagedApplications,
};
use apple::{CheckIn, Report, Status};
use simulator::apple_device::{AppleDevice, DeviceModel, Done, Place};

use super::desk;
use super::server::Server;

async fn enrolled(server: &Server, model: DeviceModel) -> AppleDevice {
    AppleDevice::enroll(server.options(model)).await.unwrap()
}

fn statuses(done: &[Done]) -> Vec<Status> {
    done.iter().map(|done| done.status).collect()
}

/// All reports on commands that the server has heard.
fn reports(server: &Server) -> Vec<Report> {
    let heard = server.desk.heard();
    let said = ["Acknowledged", "Error", "CommandFormatError", "NotNow"];
    heard.iter().filter(|heard| said.contains(&heard.what.as_str())).map(desk::Heard::report).collect()
}

fn lost() -> EnableLostMode {
    EnableLostMode { message: Some("Call us".into()), ..EnableLostMode::default() }
}

#[tokio::test]
async fn a_lost_ipad_is_located_until_it_is_found() {
    let server = Server::start().await;
    let mut ipad = enrolled(&server, DeviceModel::supervised_ipad(0)).await;
    ipad.model_mut().place = Some(Place { latitude: -33.8568, longitude: 151.2153 });
    let asks = || DeviceInformation { queries: vec!["IsMDMLostModeEnabled".into()] };
    server.desk.hand_over("1", DeviceLocation);
    server.desk.hand_over("2", lost());
    server.desk.hand_over("3", DeviceLocation);
    server.desk.hand_over("4", asks());
    server.desk.hand_over("5", DisableLostMode);
    server.desk.hand_over("6", asks());
    server.desk.hand_over("7", DisableLostMode);

    let done = ipad.connect().await.unwrap();
    let (did, failed) = (Status::Acknowledged, Status::Error);
    assert_eq!(statuses(&done), [failed, did, did, did, did, did, failed]);
    let reports = reports(&server);
    assert_eq!((reports[0].error_chain[0].code, reports[6].error_chain[0].code), (12067, 12067));
    let place = DeviceLocationReport::from_report(&reports[2]).unwrap();
    assert_eq!((place.latitude, place.longitude), (-33.8568, 151.2153));
    assert_eq!(place.timestamp, Some(desk::now()));
    let is_lost = |report| inventory::DeviceInformation::from_report(report).is_mdm_lost_mode_enabled;
    assert_eq!((is_lost(&reports[3]), is_lost(&reports[5])), (Some(true), Some(false)));
    assert!(ipad.breaches().is_empty());
}

#[tokio::test]
async fn only_the_token_that_it_escrowed_clears_the_passcode() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let escrowed = |heard: &desk::Heard| match CheckIn::parse(&heard.body) {
        Ok(CheckIn::TokenUpdate(message)) => message.unlock_token,
        _ => None,
    };
    let update = server.desk.heard().into_iter().find(|heard| heard.what == "TokenUpdate").unwrap();
    let token = escrowed(&update).unwrap();
    let wrong: Vec<u8> = token.iter().rev().copied().collect();
    server.desk.hand_over("1", ClearPasscode { unlock_token: wrong });
    server.desk.hand_over("2", SecurityInfo);
    server.desk.hand_over("3", ClearPasscode { unlock_token: token });
    server.desk.hand_over("4", SecurityInfo);

    let done = iphone.connect().await.unwrap();
    let did = Status::Acknowledged;
    assert_eq!(statuses(&done), [Status::Error, did, did, did]);
    let reports = reports(&server);
    let has_passcode = |report| inventory::SecurityInfo::from_report(report).passcode_present;
    assert_eq!((has_passcode(&reports[1]), has_passcode(&reports[3])), (Some(true), Some(false)));
}

#[tokio::test]
async fn an_old_token_does_not_clear_the_passcode_any_more() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let unlock_token = iphone.push_address().unlock_token.clone().unwrap();
    iphone.rotate_push_address().await.unwrap();
    server.desk.hand_over("1", ClearPasscode { unlock_token });
    assert_eq!(statuses(&iphone.connect().await.unwrap()), [Status::Error]);
    assert!(iphone.model().passcode_set);
}

#[tokio::test]
async fn a_device_tells_of_its_apps() {
    let server = Server::start().await;
    for (uuid, model) in [("phone", DeviceModel::iphone(0)), ("mac", DeviceModel::mac(0))] {
        let mut device = enrolled(&server, model.clone()).await;
        server.desk.hand_over(&format!("{uuid}-1"), InstalledApplicationList::default());
        server.desk.hand_over(&format!("{uuid}-2"), ManagedApplicationList::default());
        device.connect().await.unwrap();
        let reports = reports(&server);
        let [.., installed, managed] = reports.as_slice() else { panic!("{reports:?}") };
        let installed = InstalledApplications::from_report(installed).unwrap();
        assert_eq!(installed.applications.len(), model.installed_applications().len());
        let managed = ManagedApplications::from_report(managed).unwrap();
        assert_eq!(managed.applications.len(), 3);
        assert!(managed.applications.values().all(ManagedApplication::is_managed));
    }
}

#[tokio::test]
async fn a_users_own_iphone_is_known_by_its_enrollment_id_only() {
    let server = Server::start().await;
    let mut own = enrolled(&server, DeviceModel::user_enrolled_iphone(0)).await;
    server.desk.hand_over("1", DeviceInformation { queries: vec!["UDID".into(), "OSVersion".into()] });
    own.connect().await.unwrap();

    let model = own.model().clone();
    for heard in server.desk.heard() {
        let said = String::from_utf8_lossy(&heard.body);
        for number in [&model.udid, &model.serial_number, &model.modems[0].imei, &model.wifi_mac] {
            assert!(!said.contains(number.as_str()), "{}: {said}", heard.what);
        }
    }
    let id = model.user_enrollment.unwrap().enrollment_id;
    let ids = &reports(&server)[0].ids;
    assert_eq!((ids.enrollment_id.as_ref(), ids.udid.as_ref()), (Some(&id), None));

    own.re_enroll(None).await.unwrap();
    assert_ne!(own.model().identifiers().enrollment_id, Some(id));
}

#[tokio::test]
async fn a_users_own_iphone_refuses_what_would_reach_beyond_the_enrollment() {
    let server = Server::start().await;
    let mut own = enrolled(&server, DeviceModel::user_enrolled_iphone(0)).await;
    assert_eq!(own.push_address().unlock_token, None);
    server.desk.hand_over("1", EraseDevice::default());
    server.desk.hand_over("2", ClearPasscode { unlock_token: vec![1] });
    server.desk.hand_over("3", lost());
    server.desk.hand_over("4", SecurityInfo);
    let done = own.connect().await.unwrap();
    assert_eq!(statuses(&done), [Status::Error, Status::Error, Status::Error, Status::Acknowledged]);
    let reports = reports(&server);
    assert!(reports[..3].iter().all(|report| report.error_chain[0].code == 12021));
    let security = inventory::SecurityInfo::from_report(&reports[3]);
    assert_eq!(security.management_status.is_user_enrollment, Some(true));
    assert_eq!(security.passcode_present, None);
    assert!(own.is_enrolled() && !own.is_erased());
}

#[tokio::test]
async fn what_a_device_did_is_told_without_secrets() {
    let server = Server::start().await;
    let mut ipad = enrolled(&server, DeviceModel::supervised_ipad(0)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    ipad.subscribe(Arc::new(move |event| lines.lock().unwrap().push(event.to_string())));
    let unlock_token = ipad.push_address().unlock_token.clone().unwrap();
    server.desk.hand_over("1", ClearPasscode { unlock_token });
    server.desk.hand_over("2", lost());
    server.desk.hand_over("3", DeviceLocation);
    ipad.connect().await.unwrap();
    let serial_number = &ipad.model().serial_number;
    let expected = [
        r#"ClearPasscode {"UnlockToken":"(hidden)"}"#,
        r#"EnableLostMode {"Message":"Call us"}"#,
        "DeviceLocation {}",
    ];
    assert_eq!(*told.lock().unwrap(), expected.map(|did| format!("device {serial_number} did {did}")));
}
