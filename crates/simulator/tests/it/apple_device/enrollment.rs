//! Enrollments: the proper one, and every way in which a server can spoil it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apple::{CheckIn, Platform};
use pki::cms::envelope::Cipher;
use simulator::apple_device::{
    AppleDevice, By, DeviceModel, EnrollError, EnrollOptions, Failure, HeaderForm, Identity, Request,
    ScepOptions, Step,
};

use super::desk::{Desk, Signer, TOPIC, now};
use super::issuing::Issue;
use super::server::Server;

const ENROLLMENT: [&str; 6] =
    ["profile", "GetCACert", "GetCACaps", "PKIOperation", "Authenticate", "TokenUpdate"];

async fn spoiled(spoil: impl FnOnce(&Desk)) -> EnrollError {
    let server = Server::start().await;
    spoil(&server.desk);
    match AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await {
        Ok(_) => panic!("the device enrolled all the same"),
        Err(error) => error,
    }
}

async fn is_breach(step: Step, sentence: &str, spoil: impl FnOnce(&Desk)) {
    let error = spoiled(spoil).await;
    assert!(matches!(error.cause, Failure::Breach(_)), "{error}");
    assert_eq!(error.step, step, "{error}");
    assert!(error.to_string().contains(sentence), "{error}");
}

#[tokio::test]
async fn every_kind_of_device_enrolls_and_signs_all_that_it_says() {
    for model in (0..3).map(DeviceModel::nth) {
        let server = Server::start().await;
        let device = AppleDevice::enroll(server.options(model.clone())).await.unwrap();
        assert!(device.is_enrolled() && device.breaches().is_empty());
        let asked = server.desk.asked();
        assert_eq!(asked[..ENROLLMENT.len()], ENROLLMENT);
        let more: &[&str] = if model.is_mac() { &["SetBootstrapToken"] } else { &[] };
        assert_eq!(asked[ENROLLMENT.len()..], *more);
        let heard = server.desk.heard();
        let fingerprint = device.credential().certificate.fingerprint();
        for message in &heard[4..] {
            assert_eq!((message.method.as_str(), message.signer), ("PUT", Some(fingerprint)));
            assert_eq!(message.content_type.as_deref(), Some("application/x-apple-aspen-mdm-checkin"));
        }
        let CheckIn::Authenticate(authenticate) = CheckIn::parse(&heard[4].body).unwrap() else { panic!() };
        assert_eq!((authenticate.topic.as_str(), authenticate.platform()), (TOPIC, model.platform));
        assert_eq!(authenticate.serial_number, Some(model.serial_number));
        let CheckIn::TokenUpdate(update) = CheckIn::parse(&heard[5].body).unwrap() else { panic!() };
        assert_eq!(update.token, device.push_address().token);
        assert_eq!(update.unlock_token.is_none(), model.platform == Platform::MacOs);
    }
}

#[tokio::test]
async fn an_enrollment_is_told_after_the_token_update() {
    let server = Server::start().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    let options = server.options(DeviceModel::mac(0));
    let serial_number = options.model.serial_number.clone();
    let options = options.listener(Arc::new(move |event| lines.lock().unwrap().push(event.to_string())));
    let mut device = AppleDevice::install(options).await.unwrap();
    device.authenticate().await.unwrap();
    assert!(!device.is_enrolled() && told.lock().unwrap().is_empty());
    device.token_update().await.unwrap();
    device.token_update().await.unwrap();
    assert!(device.is_enrolled());
    assert_eq!(*told.lock().unwrap(), [format!("device {serial_number} enrolled")]);
}

#[tokio::test]
async fn a_profile_of_another_content_type_is_a_breach() {
    is_breach(Step::Profile, "content type", |desk| {
        desk.twist("profile", |reply| reply.content_type = Some("application/xml".into()));
    })
    .await;
    is_breach(Step::Profile, "content type", |desk| desk.twist("profile", |reply| reply.content_type = None))
        .await;
}

#[tokio::test]
async fn a_page_that_says_why_there_is_no_profile_is_a_refusal() {
    let error = spoiled(|desk| {
        desk.twist("profile", |reply| {
            (reply.status, reply.body) = (410, b"this link has expired".to_vec());
        });
    })
    .await;
    assert_eq!(error.cause, Failure::Refused { status: 410, body: "this link has expired".into() });
}

#[tokio::test]
async fn a_profile_that_nobody_or_a_stranger_signed_is_a_breach() {
    is_breach(Step::Profile, "not signed", |desk| desk.conduct(|conduct| conduct.signer = Signer::Nobody))
        .await;
    is_breach(Step::Profile, "signed by somebody who is not trusted", |desk| {
        let root = desk.tls.certificate().der().to_vec();
        desk.conduct(|conduct| {
            conduct.signer = Signer::Stranger;
            conduct.edit_profile = Box::new(move |profile| profile.tls_root = Some(root.clone()));
        });
    })
    .await;
}

#[tokio::test]
async fn a_profile_that_was_changed_on_its_way_is_a_breach() {
    is_breach(Step::Profile, "signature", |desk| {
        desk.twist("profile", |reply| {
            let at = reply.body.windows(9).position(|part| part == b"challenge").unwrap();
            reply.body[at] ^= 1;
        });
    })
    .await;
}

#[tokio::test]
async fn a_profile_that_no_device_would_install_is_a_breach() {
    is_breach(Step::Profile, "Topic", |desk| {
        desk.conduct(|conduct| conduct.edit_profile = Box::new(|profile| profile.mdm.topic = "push".into()));
    })
    .await;
    is_breach(Step::Profile, "signed messages", |desk| {
        desk.conduct(|conduct| conduct.edit_profile = Box::new(|profile| profile.mdm.sign_message = false));
    })
    .await;
    is_breach(Step::Profile, "ServerURL", |desk| {
        desk.conduct(|conduct| {
            conduct.edit_profile =
                Box::new(|profile| profile.mdm.server_url = "http://mdm.example.com/".into());
        });
    })
    .await;
}

#[tokio::test]
async fn a_ca_certificate_comes_alone_and_as_exactly_its_content_type() {
    is_breach(Step::CaCertificate, "exactly", |desk| {
        desk.twist("GetCACert", |reply| {
            reply.content_type = Some("application/x-x509-ca-cert; charset=binary".into());
        });
    })
    .await;
    is_breach(Step::CaCertificate, "not one certificate", |desk| {
        desk.twist("GetCACert", |reply| reply.body.extend_from_within(..));
    })
    .await;
}

#[tokio::test]
async fn a_ca_of_another_fingerprint_is_a_breach() {
    is_breach(Step::CaCertificate, "fingerprint", |desk| {
        desk.conduct(|conduct| {
            conduct.edit_profile = Box::new(|profile| profile.scep.ca_fingerprint[0] ^= 1);
        });
    })
    .await;
}

#[tokio::test]
async fn a_ca_must_know_sha_256() {
    is_breach(Step::CaCapabilities, "SHA-256", |desk| {
        desk.twist("GetCACaps", |reply| reply.body = b"DES3\nSHA-1\n".to_vec());
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_is_not_for_this_device_is_a_breach() {
    for (issue, sentence) in [
        (Issue::ForAnotherKey, "no certificate for the key"),
        (Issue::AnAuthority, "a CA"),
        (Issue::AServer, "client's identity"),
        (Issue::Expired, "not valid by the device's clock"),
        (Issue::FromAnotherCa, "not the CA's"),
        (Issue::ByAnotherCa, "not signed by the CA"),
        (Issue::ReplayOf([7; 16]), "another nonce"),
    ] {
        is_breach(Step::Certificate, sentence, |desk| desk.conduct(|conduct| conduct.issue = issue)).await;
    }
}

#[tokio::test]
async fn a_pki_message_has_its_content_type() {
    is_breach(Step::Certificate, "x-pki-message", |desk| {
        desk.twist("PKIOperation", |reply| reply.content_type = Some("application/octet-stream".into()));
    })
    .await;
}

#[tokio::test]
async fn a_ca_may_refuse() {
    let error = spoiled(|desk| desk.conduct(|conduct| conduct.issue = Issue::Refusal)).await;
    assert!(matches!(error.cause, Failure::CertificateRefused(_)), "{error}");
    assert_eq!(error.step, Step::Certificate);
}

#[tokio::test]
async fn a_check_in_is_answered_with_exactly_200_and_nothing() {
    for (step, what) in [(Step::Authenticate, "Authenticate"), (Step::TokenUpdate, "TokenUpdate")] {
        is_breach(step, "not an empty one", |desk| desk.twist(what, |reply| reply.body = b"ok".to_vec()))
            .await;
        is_breach(step, "204", |desk| desk.twist(what, |reply| reply.status = 204)).await;
    }
}

#[tokio::test]
async fn other_answers_to_a_check_in_are_what_they_are() {
    let answered =
        |status: u16| spoiled(move |desk| desk.twist("Authenticate", move |reply| reply.status = status));
    assert!(matches!(answered(400).await.cause, Failure::Refused { status: 400, .. }));
    assert!(matches!(answered(503).await.cause, Failure::Unavailable { status: 503, .. }));
    assert!(matches!(answered(401).await.cause, Failure::NotEnrolled(_)));
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_sent_again_with_the_same_csr() {
    let server = Server::start().await;
    let scep = ScepOptions { lose_answer: true, ..ScepOptions::default() };
    AppleDevice::enroll(server.options(DeviceModel::iphone(0)).scep(scep)).await.unwrap();
    let heard = server.desk.heard();
    let requests: Vec<_> = heard.iter().filter(|heard| heard.what == "PKIOperation").collect();
    let open = |message: &[u8]| pki::scep::open(message, server.desk.authority, false).unwrap();
    let [first, second] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    let (first, second) = (open(&first.body), open(&second.body));
    assert_eq!(first.csr.digest(), second.csr.digest());
    assert_eq!(first.transaction.id, second.transaction.id);
    assert_ne!(first.transaction.sender_nonce, second.transaction.sender_nonce);
}

#[tokio::test]
async fn a_patient_device_sends_the_same_request_until_it_is_answered() {
    let server = Server::start().await;
    let refusals = AtomicU32::new(2);
    server.desk.twist("PKIOperation", move |reply| {
        let refuse = |left: u32| left.checked_sub(1);
        if refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuse).is_ok() {
            reply.status = 503;
        }
    });
    let scep = ScepOptions { patience: Duration::from_mins(1), ..ScepOptions::default() };
    AppleDevice::enroll(server.options(DeviceModel::iphone(0)).scep(scep)).await.unwrap();
    let heard = server.desk.heard();
    let requests: Vec<_> = heard.iter().filter(|heard| heard.what == "PKIOperation").collect();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.body == requests[0].body));
}

#[tokio::test]
async fn scep_may_be_spoken_by_get_and_in_old_algorithms() {
    let server = Server::start().await;
    let scep = ScepOptions { by_get: true, cipher: Some(Cipher::TripleDes), ..ScepOptions::default() };
    AppleDevice::enroll(server.options(DeviceModel::iphone(0)).scep(scep)).await.unwrap();
    let heard = server.desk.heard();
    let request = heard.iter().find(|heard| heard.what == "PKIOperation").unwrap();
    assert_eq!(request.method, "GET");
    let opened = pki::scep::open(&request.pki_message(), server.desk.authority, false).unwrap();
    assert_eq!(opened.cipher, Cipher::TripleDes);
}

#[tokio::test]
async fn a_ca_without_post_is_asked_by_get() {
    let server = Server::start().await;
    server.desk.twist("GetCACaps", |reply| reply.body = b"AES\r\nSHA-256\r\n".to_vec());
    AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    assert!(server.desk.heard().iter().all(|heard| heard.method != "POST"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_less_than_a_day_does_no_harm() {
    let behind = |hours: u64| {
        let time = now() - Duration::from_hours(hours);
        move || time
    };
    let server = Server::start().await;
    let options =
        |clock| EnrollOptions::new(format!("{}/enroll/token", server.desk.url), DeviceModel::mac(0), clock);
    let mut device = AppleDevice::enroll(options(Arc::new(behind(23)))).await.unwrap();
    let error = AppleDevice::enroll(options(Arc::new(behind(48)))).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("not valid by the device's clock"), "{error}");
    device.set_clock(Arc::new(behind(48))).unwrap();
    assert_eq!(device.idle().await, Ok(None));
}

#[tokio::test]
async fn a_proxy_may_say_who_a_device_is() {
    for (name, form) in [("Client-Cert", HeaderForm::Rfc9440), ("X-Client-Cert", HeaderForm::EscapedPem)] {
        let server = Server::start().await;
        let identity = Identity::Header { name: name.into(), form };
        let device =
            AppleDevice::enroll(server.options(DeviceModel::mac(0)).identity(identity)).await.unwrap();
        let heard = server.desk.heard();
        assert_eq!(heard[4].signer, None);
        let value = heard[4].headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(value, form.write(&device.credential().certificate));
    }
}

#[tokio::test]
async fn a_test_may_send_as_somebody_else_or_sign_another_body() {
    let server = Server::start().await;
    let one = AppleDevice::enroll(server.options(DeviceModel::mac(0))).await.unwrap();
    let other = AppleDevice::enroll(server.options(DeviceModel::mac(1))).await.unwrap();
    let body = CheckIn::CheckOut(one.check_out_message()).encode();
    let request = || {
        Request::put(&one.profile().mdm.check_in_url, "application/x-apple-aspen-mdm-checkin", body.clone())
    };
    one.send(request(), By::Other(other.credential())).await.unwrap();
    one.send(request(), By::Nobody).await.unwrap();
    one.send(request(), By::SignedOver(b"another body")).await.unwrap();
    let signers: Vec<_> = server.desk.heard().iter().rev().take(3).rev().map(|heard| heard.signer).collect();
    assert_eq!(signers, [Some(other.credential().certificate.fingerprint()), None, None]);
    let last = server.desk.heard().pop().unwrap();
    assert!(last.headers.contains_key("Mdm-Signature") && one.is_enrolled());
}

#[tokio::test]
async fn a_device_enrolls_anew_with_another_key_and_another_address() {
    let server = Server::start().await;
    let mut device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    let (certificate, token) = (device.credential().certificate.clone(), device.push_address().token.clone());
    device.check_out().await.unwrap();
    assert!(!device.is_enrolled());
    assert!(matches!(device.idle().await, Err(Failure::NotEnrolled(_))));
    device.re_enroll(None).await.unwrap();
    assert!(device.is_enrolled());
    assert_ne!(device.credential().certificate.public_key_spki(), certificate.public_key_spki());
    assert_ne!(device.push_address().token, token);
}

#[tokio::test]
async fn a_device_that_is_not_asked_to_check_out_leaves_without_a_word() {
    let server = Server::start().await;
    server.desk.conduct(|conduct| {
        conduct.edit_profile = Box::new(|profile| profile.mdm.check_out_when_removed = false);
    });
    let mut device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    device.check_out().await.unwrap();
    assert!(!device.is_enrolled() && !server.desk.asked().contains(&"CheckOut".to_owned()));
}
