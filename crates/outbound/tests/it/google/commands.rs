//! Commands and their ends.

use std::time::Duration;

use android::command::{LostMode, NewPassword};
use android::{Command, CommandRequest, DeviceName, Method, Outcome, ResetPasswordFlag};
use outbound::android::Error;
use simulator::google::AndroidDevice;

use super::Office;

/// Issues a command, lets the device be in touch, and asks what came of it.
async fn done(office: &Office, name: &DeviceName, command: Command) -> Outcome {
    let issued = office.google().issue_command(name, &CommandRequest::new(command)).await.unwrap();
    assert_eq!(issued.outcome(), Outcome::Pending);
    office.pretend().sync(name.as_str()).unwrap();
    office.google().operation(&issued.name).await.unwrap().outcome()
}

fn failed(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Failed(failure) => Some(&failure.word),
        _ => None,
    }
}

fn lost() -> Command {
    Command::StartLostMode(LostMode::new(Some("Please call"), Some("+49 30 1"), None).unwrap())
}

fn password(text: &str) -> Command {
    let flags = vec![ResetPasswordFlag::RequireEntry, ResetPasswordFlag::LockNow];
    Command::ResetPassword { new_password: Some(NewPassword::new(text)), flags }
}

#[tokio::test]
async fn a_lock_and_a_restart_succeed() {
    let office = Office::open().await;
    let name = office.phone().await;
    assert_eq!(done(&office, &name, Command::Lock).await, Outcome::Succeeded);
    assert_eq!(done(&office, &name, Command::Reboot).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_password_is_set_or_refused_by_the_device() {
    let office = Office::open().await;
    let name = office.phone().await;
    assert_eq!(failed(&done(&office, &name, password("1234")).await), Some("INVALID_VALUE"));
    assert_eq!(office.pretend().password(name.as_str()), None);
    assert_eq!(done(&office, &name, password("123456")).await, Outcome::Succeeded);
    assert_eq!(office.pretend().password(name.as_str()).as_deref(), Some("123456"));
}

#[tokio::test]
async fn no_answer_ever_shows_a_password() {
    let office = Office::open().await;
    let name = office.phone().await;
    let request = CommandRequest::new(password("847362"));
    office.google().issue_command(&name, &request).await.unwrap();
    let listed = office.google().operations(&name, None).await.unwrap();
    assert!(!format!("{listed:?}").contains("847362"));
}

#[tokio::test]
async fn lost_mode_comes_before_a_password_and_not_after_it() {
    let office = Office::open().await;
    let good = office.enrolled(Method::FullyManaged, AndroidDevice::phone(1)).await;
    assert_eq!(done(&office, &good, lost()).await, Outcome::Succeeded);
    assert_eq!(done(&office, &good, password("123456")).await, Outcome::Succeeded);
    let device = office.google().device(&good).await.unwrap();
    assert_eq!(device.is_lost(), Some(true));

    let bad = office.enrolled(Method::FullyManaged, AndroidDevice::phone(2)).await;
    assert_eq!(done(&office, &bad, password("123456")).await, Outcome::Succeeded);
    assert_eq!(failed(&done(&office, &bad, lost()).await), Some("RESET_PASSWORD_RECENTLY"));
}

#[tokio::test]
async fn lost_mode_twice_and_its_end_twice_are_failures_that_change_nothing() {
    let office = Office::open().await;
    let name = office.phone().await;
    let is_already_so = |outcome| matches!(outcome, Outcome::Failed(failure) if failure.is_already_so());
    assert!(is_already_so(done(&office, &name, Command::StopLostMode).await));
    assert_eq!(done(&office, &name, lost()).await, Outcome::Succeeded);
    assert!(is_already_so(done(&office, &name, lost()).await));
    assert_eq!(done(&office, &name, Command::StopLostMode).await, Outcome::Succeeded);
    assert!(is_already_so(done(&office, &name, Command::StopLostMode).await));
}

#[tokio::test]
async fn lost_mode_is_not_for_a_personal_device() {
    let office = Office::open().await;
    let name = office.enrolled(Method::WorkProfile, AndroidDevice::personal_phone(1)).await;
    assert_eq!(failed(&done(&office, &name, lost()).await), Some("MANAGEMENT_MODE"));
    assert_eq!(failed(&done(&office, &name, Command::RelinquishOwnership).await), Some("MANAGEMENT_MODE"));
}

#[tokio::test]
async fn a_wipe_ends_the_device_and_what_is_known_of_it() {
    let office = Office::open().await;
    let name = office.phone().await;
    let wipe = CommandRequest::new(Command::Wipe { flags: Vec::new(), reason: None });
    let issued = office.google().issue_command(&name, &wipe).await.unwrap();
    office.pretend().sync(name.as_str());
    assert!(office.pretend().is_wiped(name.as_str()));
    assert!(matches!(office.google().device(&name).await, Err(Error::NotFound { .. })));
    assert!(matches!(office.google().operation(&issued.name).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_work_profile_on_a_company_device_is_given_back_without_a_wipe() {
    let office = Office::open().await;
    let name = office.enrolled(Method::CompanyOwnedWorkProfile, AndroidDevice::phone(1)).await;
    let request = CommandRequest::new(Command::RelinquishOwnership);
    office.google().issue_command(&name, &request).await.unwrap();
    office.pretend().sync(name.as_str());
    assert!(!office.pretend().is_wiped(name.as_str()));
    assert!(matches!(office.google().device(&name).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_command_waits_for_its_device_a_week_and_no_longer() {
    let office = Office::open().await;
    let name = office.phone().await;
    let issue = || async { office.google().issue_command(&name, &CommandRequest::new(Command::Lock)).await };
    let issued = issue().await.unwrap();
    let ends = issued.ends().unwrap();
    assert_eq!(ends, (office.table.hands.clock())() + CommandRequest::WEEK);
    office.table.hands.pass(CommandRequest::WEEK.as_secs() - 1);
    office.pretend().sync(name.as_str());
    assert_eq!(office.google().operation(&issued.name).await.unwrap().outcome(), Outcome::Succeeded);

    let issued = issue().await.unwrap();
    office.table.hands.pass(CommandRequest::WEEK.as_secs());
    office.pretend().sync(name.as_str());
    let outcome = office.google().operation(&issued.name).await.unwrap().outcome();
    assert_eq!(failed(&outcome), Some("RPC_4"));
}

#[tokio::test]
async fn a_command_is_called_off_while_nobody_has_fetched_it() {
    let office = Office::open().await;
    let name = office.phone().await;
    let request = CommandRequest { command: Command::Lock, duration: Duration::from_secs(600) };
    let issued = office.google().issue_command(&name, &request).await.unwrap();
    office.google().cancel_operation(&issued.name).await.unwrap();
    assert_eq!(office.google().operation(&issued.name).await.unwrap().outcome(), Outcome::Cancelled);
    assert_eq!(office.pretend().sync(name.as_str()), Some(0));
}

#[tokio::test]
async fn the_commands_of_a_device_are_listed_newest_first() {
    let office = Office::open().await;
    let name = office.phone().await;
    let first = office.google().issue_command(&name, &CommandRequest::new(Command::Lock)).await.unwrap();
    let second = office.google().issue_command(&name, &CommandRequest::new(Command::Reboot)).await.unwrap();
    let listed = office.google().operations(&name, None).await.unwrap();
    let names: Vec<_> = listed.items.iter().map(|it| &it.name).collect();
    assert_eq!(names, [&second.name, &first.name]);
}

#[tokio::test]
async fn applications_are_emptied_one_by_one() {
    let office = Office::open().await;
    let name = office.phone().await;
    let clear = |names: &[&str]| Command::ClearAppData {
        package_names: names.iter().map(|it| (*it).to_owned()).collect(),
    };
    assert_eq!(done(&office, &name, clear(&["com.android.chrome"])).await, Outcome::Succeeded);
    let outcome = done(&office, &name, clear(&["com.android.chrome", "com.example"])).await;
    assert_eq!(failed(&outcome), Some("APP_NOT_FOUND"));
}
