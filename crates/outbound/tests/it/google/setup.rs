//! Setting up: sign-up, enterprise, policy, tokens, the way of notifications.

use std::time::Duration;

use android::device::SettableState;
use android::enrollment::{Channel, Provisioning};
use android::enterprise::WebTokenFeature;
use android::{
    EnrollmentTokenRequest, EnterprisePatch, Method, NotificationType, SubscriptionName, TokenData,
    TopicName, WebTokenRequest,
};
use outbound::android::{Delivery, Error, SignupRequest};
use simulator::google::AndroidDevice;

use super::{Office, Table};

#[tokio::test]
async fn an_administrator_signs_up_and_gets_an_enterprise_once() {
    let Table { google, pretend, .. } = Table::start().await;
    let request =
        SignupRequest { callback_url: "https://mdm.example/a?b=c&d", admin_email: Some("a+b@example.org") };
    let signup = google.create_signup_url(&request).await.unwrap();
    let nothing = EnterprisePatch::default();
    let early = google.create_enterprise(&signup.name, "guess", &nothing).await.unwrap_err();
    assert!(matches!(early, Error::Refused { status: 400, .. }), "{early}");
    let token = pretend.sign_up(&signup.url).unwrap();
    let patch = EnterprisePatch { enterprise_display_name: Some("Example".to_owned()), ..nothing.clone() };
    let made = google.create_enterprise(&signup.name, &token, &patch).await.unwrap();
    assert_eq!(made.enterprise_display_name.as_deref(), Some("Example"));
    assert_eq!(google.enterprise(&made.name).await.unwrap(), made);
    let all = google.enterprises(None).await.unwrap();
    assert_eq!(all.items.iter().map(|it| &it.name).collect::<Vec<_>>(), [&made.name]);
    let again = google.create_enterprise(&signup.name, &token, &nothing).await.unwrap_err();
    assert!(matches!(again, Error::NotFound { .. }), "{again}");
}

#[tokio::test]
async fn notifications_need_a_topic_where_google_may_publish() {
    let office = Office::open().await;
    let elsewhere = TopicName::parse("projects/pretend-project/topics/elsewhere").unwrap();
    let patch = EnterprisePatch::notifying(elsewhere.clone());
    let refused = office.google().patch_enterprise(&office.enterprise, &patch).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: 400, .. }), "{refused}");
    office.google().prepare_topic(&elsewhere).await.unwrap();
    let patched = office.google().patch_enterprise(&office.enterprise, &patch).await.unwrap();
    assert_eq!(patched.pubsub_topic.as_deref(), Some(elsewhere.as_str()));
    assert_eq!(patched.enabled_notification_types, NotificationType::WANTED);
}

#[tokio::test]
async fn preparing_twice_changes_nothing() {
    let office = Office::open().await;
    let topic = TopicName::parse("projects/pretend-project/topics/remuda").unwrap();
    office.google().prepare_topic(&topic).await.unwrap();
    office.google().prepare_subscription(&office.subscription, &topic, &Delivery::Pull).await.unwrap();
    assert_eq!(office.table.count(":setIamPolicy", 200), 1);
    assert_eq!(office.table.count("/topics/remuda", 409), 1);
    assert_eq!(office.table.count("/subscriptions/remuda", 409), 1);
}

#[tokio::test]
async fn a_subscription_of_no_topic_and_a_topic_of_another_project_are_refused() {
    let office = Office::open().await;
    let missing = TopicName::parse("projects/pretend-project/topics/missing").unwrap();
    let other = SubscriptionName::parse("projects/pretend-project/subscriptions/other").unwrap();
    let error = office.google().prepare_subscription(&other, &missing, &Delivery::Pull).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let foreign = TopicName::parse("projects/somebody/topics/t").unwrap();
    let error = office.google().prepare_topic(&foreign).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
}

#[tokio::test]
async fn a_policy_is_made_and_then_changed() {
    let office = Office::open().await;
    let policy = office.google().policy(&office.policy).await.unwrap();
    assert_eq!(policy.version, Some(1));
    let mut settings = policy.status_reporting_settings.unwrap();
    settings.network_info_enabled = false;
    let changed = office.google().set_reports(&office.policy, &settings).await.unwrap();
    assert_eq!(changed.version, Some(2));
    assert_eq!(changed.status_reporting_settings, Some(settings));
}

#[tokio::test]
async fn each_method_of_enrollment_makes_its_kind_of_device() {
    use android::Management::{CompanyOwnedWorkProfile, FullyManaged, WorkProfile};
    let office = Office::open().await;
    for (number, (method, device, management)) in [
        (Method::WorkProfile, AndroidDevice::personal_phone(1), WorkProfile),
        (Method::CompanyOwnedWorkProfile, AndroidDevice::phone(2), CompanyOwnedWorkProfile),
        (Method::FullyManaged, AndroidDevice::phone(3), FullyManaged),
        (Method::Dedicated, AndroidDevice::phone(4), FullyManaged),
    ]
    .into_iter()
    .enumerate()
    {
        let serial = device.serial_number.clone();
        let name = office.enrolled(method, device).await;
        let device = office.google().device(&name).await.unwrap();
        assert_eq!(device.management(), Some(management), "{method:?}");
        // A personal device keeps its serial number to itself.
        assert_eq!(device.serial_number() == Some(&serial), number != 0);
    }
}

#[tokio::test]
async fn a_token_says_by_which_way_its_devices_came() {
    let office = Office::open().await;
    let data = TokenData::new(Channel::ZeroTouch).with_reference("link-7").unwrap();
    let request =
        EnrollmentTokenRequest::new(office.policy.clone(), Method::FullyManaged, Duration::from_secs(3600));
    let request = request.for_many().with_data(data.clone());
    let token = office.google().create_enrollment_token(&office.enterprise, &request).await.unwrap();
    let value = token.value.unwrap();
    for number in 1..=2 {
        let name = office.pretend().enroll(&value, AndroidDevice::phone(number)).unwrap();
        let name = android::DeviceName::parse(&name).unwrap();
        assert_eq!(office.google().device(&name).await.unwrap().token_data(), Some(data.clone()));
    }
    let ours: serde_json::Value = serde_json::from_str(&Provisioning::default().qr_text(&value)).unwrap();
    let googles: serde_json::Value = serde_json::from_str(&token.qr_code.unwrap()).unwrap();
    assert_eq!(ours, googles);
}

#[tokio::test]
async fn a_token_that_was_used_deleted_or_outlived_enrolls_nobody() {
    let office = Office::open().await;
    let used = office.token(Method::FullyManaged).await;
    office.pretend().enroll(&used, AndroidDevice::phone(1)).unwrap();
    assert!(office.pretend().enroll(&used, AndroidDevice::phone(2)).is_err());

    let request =
        EnrollmentTokenRequest::new(office.policy.clone(), Method::FullyManaged, Duration::from_secs(60));
    let deleted = office.google().create_enrollment_token(&office.enterprise, &request).await.unwrap();
    office.google().delete_enrollment_token(&deleted.name).await.unwrap();
    assert!(office.pretend().enroll(&deleted.value.unwrap(), AndroidDevice::phone(2)).is_err());
    let again = office.google().delete_enrollment_token(&deleted.name).await.unwrap_err();
    assert!(matches!(again, Error::NotFound { .. }), "{again}");

    let outlived = office.google().create_enrollment_token(&office.enterprise, &request).await.unwrap();
    office.table.hands.pass(60);
    assert!(office.pretend().enroll(&outlived.value.unwrap(), AndroidDevice::phone(2)).is_err());
}

#[tokio::test]
async fn a_web_token_is_for_one_page() {
    let office = Office::open().await;
    let request = |url: &str| WebTokenRequest {
        parent_frame_url: url.to_owned(),
        enabled_features: vec![WebTokenFeature::ZeroTouchCustomerManagement],
    };
    let token = office.google().create_web_token(&office.enterprise, &request("https://mdm.example")).await;
    assert!(!token.unwrap().value.is_empty());
    let open = office.google().create_web_token(&office.enterprise, &request("http://mdm.example")).await;
    assert!(matches!(open.unwrap_err(), Error::Refused { status: 400, .. }));
}

#[tokio::test]
async fn a_policy_that_is_not_there_cannot_be_given() {
    let office = Office::open().await;
    let device = office.phone().await;
    let policy_name = Some(office.enterprise.policy("missing").unwrap());
    let patch =
        android::DevicePatch { policy_name, state: Some(SettableState::Active), disabled_reason: None };
    let error = office.google().patch_device(&device, &patch).await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 400, .. }), "{error}");
}
