//! Over TLS, trusting only what the profile carries.

use pki::{Hash, TlsAuthority};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure, Identity, Step, Trust};

use super::desk::now;
use super::server::Server;

#[tokio::test]
async fn the_root_in_the_profile_is_all_that_is_trusted() {
    let server = Server::start_tls().await;
    let device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    assert_eq!(device.trusted_roots(), [server.desk.tls.certificate().clone()]);
    assert!(server.desk.heard().iter().all(|heard| heard.tls.is_none()));
}

#[tokio::test]
async fn a_tls_certificate_proves_who_a_device_is_and_is_renewed() {
    let server = Server::start_tls().await;
    let options = server.options(DeviceModel::mac(0)).identity(Identity::TlsClientCertificate);
    let mut device = AppleDevice::enroll(options).await.unwrap();
    let shown = |place: usize| server.desk.heard()[place].tls.clone();
    assert_eq!((shown(3), shown(4)), (None, Some(device.credential().certificate.clone())));
    assert!(!server.desk.heard()[4].headers.contains_key("Mdm-Signature"));
    device.renew_by_request().await.unwrap();
    device.idle().await.unwrap();
    assert_eq!(server.desk.heard().pop().unwrap().tls, Some(device.credential().certificate.clone()));
}

#[tokio::test]
async fn a_root_that_does_not_answer_for_its_own_server_is_a_breach() {
    let server = Server::start_tls().await;
    let stranger = TlsAuthority::generate("Stranger", now()).unwrap().certificate().der().to_vec();
    server.desk.conduct(|conduct| {
        conduct.edit_profile = Box::new(move |profile| profile.tls_root = Some(stranger.clone()));
    });
    // Both the signer and the server are the stranger's to vouch for.
    let error = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.map(|_| ()).unwrap_err();
    assert_eq!(error.step, Step::Profile);
    assert!(matches!(error.cause, Failure::Breach(_)), "{error}");
}

#[tokio::test]
async fn a_profile_without_a_root_is_no_reason_to_trust() {
    let server = Server::start_tls().await;
    server.desk.conduct(|conduct| conduct.edit_profile = Box::new(|profile| profile.tls_root = None));
    let error = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("carries no root"), "{error}");
}

#[tokio::test]
async fn given_roots_are_trusted_for_server_and_signer_and_no_others() {
    let server = Server::start_tls().await;
    let trusting = |authority: &TlsAuthority| {
        server.options(DeviceModel::iphone(0)).trust(Trust::Roots(vec![authority.certificate().clone()]))
    };
    AppleDevice::enroll(trusting(&server.desk.tls)).await.unwrap();
    let stranger = TlsAuthority::generate("Stranger", now()).unwrap();
    let error = AppleDevice::enroll(trusting(&stranger)).await.map(|_| ()).unwrap_err();
    assert!(matches!(error.cause, Failure::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn rsa_does_not_sign_with_sha_1_any_more() {
    let server = Server::start_tls().await;
    let options = server.options(DeviceModel::iphone(0)).identity(Identity::Signature(Hash::Sha1));
    let error = AppleDevice::enroll(options).await.map(|_| ()).unwrap_err();
    assert!(matches!((error.step, error.cause), (Step::Authenticate, Failure::Impossible(_))));
}
