//! Carries commands out, as far as a pretend device can: what does not need the server again is decided here.

mod applications;
mod clear_passcode;
mod device_information;
mod erase_device;
mod keys;
mod lost_mode;
mod secrets;
mod security_info;

use apple::command::{DeviceLock, InstallProfile, RemoveProfile};
use apple::enrollment::AccessRights;
use apple::validate::{self, Options, Problem, Target, TargetChannel};
use apple::{Command, Dictionary, ErrorChainItem, Malformed, Value};

use super::handed::Handed;
use super::model::DeviceModel;

pub(super) use applications::{installed as installed_applications, managed as managed_applications};
pub(super) use clear_passcode::clear_passcode;
pub(super) use erase_device::erase_device;
pub(super) use keys::shown;
pub(super) use lost_mode::{disable as disable_lost_mode, enable as enable_lost_mode, location};
pub(super) use secrets::secrets;

/// What a device reports of a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Done, with these answers.
    Acknowledged(Dictionary),
    /// Not done.
    Error(Vec<ErrorChainItem>),
    /// Not understood.
    CommandFormatError,
}

impl Outcome {
    /// Done, with nothing to tell.
    pub(super) fn done() -> Outcome {
        Outcome::Acknowledged(Dictionary::new())
    }

    /// Not done, for this reason.
    pub(super) fn error(code: i64, domain: &str, description: impl Into<String>) -> Outcome {
        let description = description.into();
        Outcome::Error(vec![ErrorChainItem {
            code,
            domain: domain.into(),
            us_english_description: Some(description.clone()),
            localized_description: description,
        }])
    }
}

/// The command, if this device may and can carry it out at all; else what it reports.
pub(super) fn readable<'a>(
    model: &DeviceModel,
    rights: AccessRights,
    handed: &'a Handed,
) -> Result<&'a Command, Outcome> {
    let command = match &handed.command {
        Ok(command) => command,
        Err(error) if matches!(error.cause, Malformed::Invalid { key: "RequestType", .. }) => {
            return Err(unknown_request_type(&handed.request_type));
        }
        Err(_) => return Err(Outcome::CommandFormatError),
    };
    let refused = refusal(model, rights, command).or_else(|| lost_mode::refusal(model, command));
    refused.map_or(Ok(command), Err)
}

/// What a device of this kind says to a command that Apple's facts do not allow it.
fn refusal(model: &DeviceModel, rights: AccessRights, command: &Command) -> Option<Outcome> {
    refused_keys(model, rights, command.request_type(), &keys_of(command)?)
}

/// The same of any command that Apple's facts know.
pub(super) fn refused_keys(
    model: &DeviceModel,
    rights: AccessRights,
    request_type: &str,
    keys: &Dictionary,
) -> Option<Outcome> {
    let target = Target {
        supervised: Some(model.supervised),
        user_enrollment: Some(model.is_user_enrolled()),
        rights: Some(rights),
        channel: Some(TargetChannel::Device),
        shared_ipad: Some(false),
        ..Target::of(model.platform.into(), model.os())
    };
    let verdict = validate::command(keys, &target, Options::default());
    // A device passes over queries that it does not know and answers the others; a profile fails on its own.
    let looked_at = |path: &str| !path.starts_with("Queries[") && !path.starts_with("Payload");
    let fault = verdict.faults.iter().find(|fault| looked_at(&fault.path))?;
    Some(match fault.problem {
        Problem::NeedsRight { .. } => {
            Outcome::error(12005, "MCMDMErrorDomain", "The profile does not give the right to do this.")
        }
        _ if fault.path == "RequestType" => unknown_request_type(request_type),
        _ => Outcome::CommandFormatError,
    })
}

/// What stands under `Command`, as it travelled.
fn keys_of(command: &Command) -> Option<Dictionary> {
    let document = apple::guard::parse(&command.encode(""), apple::Limits::server_answer()).ok()?;
    document.into_dictionary()?.remove("Command")?.into_dictionary()
}

/// `DeviceLock`.
pub(super) fn lock(model: &DeviceModel, lock: &DeviceLock) -> Outcome {
    if model.is_mac() {
        return match lock.pin {
            Some(_) => Outcome::done(),
            None => Outcome::error(7, "MDMClientError", "A Mac is locked with a PIN only."),
        };
    }
    if lock.message.is_none() && lock.phone_number.is_none() {
        return Outcome::done();
    }
    let result = match (&model.lost_mode, model.passcode_set) {
        (Some(_), _) => "DeviceInLostMode",
        (None, true) => "Success",
        (None, false) => "NoPasscodeSet",
    };
    Outcome::Acknowledged(Dictionary::from_iter([("MessageResult", Value::from(result))]))
}

/// `DeviceInformation`.
pub(super) fn device_information(model: &DeviceModel, queries: &[String]) -> Outcome {
    let answers = device_information::answers(model, queries);
    Outcome::Acknowledged(Dictionary::from_iter([("QueryResponses", Value::Dictionary(answers))]))
}

/// `SecurityInfo`.
pub(super) fn security_info(model: &DeviceModel) -> Outcome {
    let answers = security_info::answers(model);
    Outcome::Acknowledged(Dictionary::from_iter([("SecurityInfo", Value::Dictionary(answers))]))
}

/// `RemoveProfile` of a profile that is not the enrollment's.
pub(super) fn remove_profile(installed: &mut Vec<String>, command: &RemoveProfile) -> Outcome {
    let before = installed.len();
    installed.retain(|identifier| *identifier != command.identifier);
    if installed.len() < before {
        return Outcome::done();
    }
    Outcome::error(12064, "MCMDMErrorDomain", "The profile is not installed.")
}

/// `InstallProfile` of a profile that is not the enrollment's.
pub(super) fn install_profile(installed: &mut Vec<String>, identifier: Option<String>) -> Outcome {
    let Some(identifier) = identifier else {
        return Outcome::error(1000, "MCProfileErrorDomain", "The profile is invalid.");
    };
    installed.retain(|known| *known != identifier);
    installed.push(identifier);
    Outcome::done()
}

/// The `PayloadIdentifier` of a profile, signed or not; `None` for what is no profile.
pub(super) fn payload_identifier(command: &InstallProfile) -> Option<String> {
    let signed = pki::cms::verify_attached(&command.payload).ok();
    let plain = signed.as_ref().map_or(command.payload.as_slice(), |signed| signed.content.as_slice());
    let profile = apple::guard::parse(plain, apple::Limits::server_answer()).ok()?;
    let text = |key| profile.as_dictionary()?.get(key)?.as_string().filter(|text| !text.is_empty());
    text("PayloadUUID")?;
    text("PayloadIdentifier").filter(|_| text("PayloadType") == Some("Configuration")).map(str::to_owned)
}

/// What a device says to a command that it does not know.
pub(super) fn unknown_request_type(request_type: &str) -> Outcome {
    let description = format!("“{request_type}” is not a valid request type.");
    Outcome::error(12021, "MCMDMErrorDomain", description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::Envelope;
    use apple::command::{
        ClearPasscode, DeviceLocation, DisableLostMode, EnableLostMode, EraseDevice,
        InstalledApplicationList, Pin, SecurityInfo,
    };

    fn handed(command: impl Into<Command>) -> Handed {
        let command = command.into();
        let Envelope { command_uuid, command } = Envelope::parse(&command.encode("c")).unwrap();
        Handed { command_uuid, request_type: command.request_type().into(), command: Ok(command), raw: None }
    }

    fn lock_with(pin: Option<&str>) -> DeviceLock {
        DeviceLock {
            message: Some("hi".into()),
            pin: pin.map(|pin| Pin::new(pin).unwrap()),
            phone_number: None,
        }
    }

    fn read(model: &DeviceModel, handed: &Handed) -> Option<Outcome> {
        readable(model, AccessRights::ALL, handed).err()
    }

    #[test]
    fn a_pin_is_for_macs_and_a_mac_needs_one() {
        let (iphone, mac) = (DeviceModel::iphone(0), DeviceModel::mac(0));
        assert_eq!(read(&iphone, &handed(lock_with(Some("123456")))), Some(Outcome::CommandFormatError));
        assert_eq!(read(&mac, &handed(lock_with(Some("123456")))), None);
        assert_eq!(lock(&mac, &lock_with(Some("123456"))), Outcome::done());
        assert!(matches!(lock(&mac, &lock_with(None)), Outcome::Error(_)));
    }

    #[test]
    fn a_message_is_not_shown_without_a_passcode() {
        let result =
            |passcode_set| lock(&DeviceModel { passcode_set, ..DeviceModel::iphone(0) }, &lock_with(None));
        let answered =
            |text: &str| Outcome::Acknowledged(Dictionary::from_iter([("MessageResult", Value::from(text))]));
        assert_eq!(result(true), answered("Success"));
        assert_eq!(result(false), answered("NoPasscodeSet"));
        assert_eq!(lock(&DeviceModel::iphone(0), &DeviceLock::default()), Outcome::done());
    }

    #[test]
    fn the_screen_of_a_lost_device_shows_another_message() {
        let lost = DeviceModel { lost_mode: Some(Default::default()), ..DeviceModel::supervised_ipad(0) };
        let result = Dictionary::from_iter([("MessageResult", "DeviceInLostMode")]);
        assert_eq!(lock(&lost, &lock_with(None)), Outcome::Acknowledged(result));
    }

    fn is_unknown(model: &DeviceModel, command: impl Into<Command>) -> bool {
        match read(model, &handed(command)) {
            None => false,
            Some(Outcome::Error(chain)) => chain[0].code == 12021,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_supervised_iphone_or_ipad_knows_lost_mode() {
        let enable = EnableLostMode { message: Some("Call us".into()), ..EnableLostMode::default() };
        let unknown = |model: &DeviceModel| {
            [
                is_unknown(model, enable.clone()),
                is_unknown(model, DisableLostMode),
                is_unknown(model, DeviceLocation),
            ]
        };
        assert_eq!(unknown(&DeviceModel::supervised_ipad(0)), [false; 3]);
        for model in [DeviceModel::iphone(0), DeviceModel::mac(0), DeviceModel::user_enrolled_iphone(0)] {
            assert_eq!(unknown(&model), [true; 3], "{model:?}");
        }
    }

    #[test]
    fn a_users_own_device_is_not_erased_nor_opened() {
        let clear = || ClearPasscode { unlock_token: vec![1] };
        let own = DeviceModel::user_enrolled_iphone(0);
        assert!(is_unknown(&own, EraseDevice::default()) && is_unknown(&own, clear()));
        assert!(!is_unknown(&own, DeviceLock::default()) && !is_unknown(&own, SecurityInfo));
        let phone = DeviceModel::iphone(0);
        assert!(!is_unknown(&phone, EraseDevice::default()) && !is_unknown(&phone, clear()));
        assert!(is_unknown(&DeviceModel::mac(0), clear()));
    }

    #[test]
    fn what_another_platform_knows_of_an_erasure_is_a_format_error() {
        let pin = EraseDevice { pin: Some(Pin::new("482913").unwrap()), ..EraseDevice::default() };
        assert_eq!(read(&DeviceModel::iphone(0), &handed(pin.clone())), Some(Outcome::CommandFormatError));
        assert_eq!(read(&DeviceModel::mac(0), &handed(pin)), None);
        let plan = EraseDevice { preserve_data_plan: true, ..EraseDevice::default() };
        assert_eq!(read(&DeviceModel::mac(0), &handed(plan.clone())), Some(Outcome::CommandFormatError));
        assert_eq!(read(&DeviceModel::iphone(0), &handed(plan)), None);
        let items = InstalledApplicationList { items: vec!["Name".into()], ..Default::default() };
        assert_eq!(read(&DeviceModel::mac(0), &handed(items.clone())), Some(Outcome::CommandFormatError));
        assert_eq!(read(&DeviceModel::iphone(0), &handed(items)), None);
    }

    #[test]
    fn an_old_mac_does_not_know_new_keys() {
        let old = DeviceModel { os_version: "10.13.6".into(), ..DeviceModel::mac(0) };
        assert_eq!(read(&old, &handed(lock_with(Some("123456")))), Some(Outcome::CommandFormatError));
    }

    #[test]
    fn a_command_without_its_right_fails() {
        let rights = AccessRights::new(1).unwrap();
        let outcome = readable(&DeviceModel::iphone(0), rights, &handed(SecurityInfo)).unwrap_err();
        assert!(matches!(outcome, Outcome::Error(_)));
    }

    #[test]
    fn what_nobody_knows_fails_with_apples_code_and_what_nobody_can_read_is_a_format_error() {
        let of = |body: &str| {
            let error = Envelope::parse(body.as_bytes()).unwrap_err();
            let request_type = error.request_type.clone().unwrap_or_default();
            read(
                &DeviceModel::mac(0),
                &Handed { command_uuid: "c".into(), request_type, command: Err(error), raw: None },
            )
        };
        let envelope = |inner: &str| {
            format!(
                "<plist><dict><key>CommandUUID</key><string>c</string><key>Command</key><dict>{inner}</dict></dict></plist>"
            )
        };
        let unknown = of(&envelope("<key>RequestType</key><string>Dance</string>"));
        let Some(Outcome::Error(chain)) = unknown else { panic!("{unknown:?}") };
        assert_eq!(chain[0].code, 12021);
        let odd = "<key>RequestType</key><string>SecurityInfo</string><key>Odd</key><true/>";
        assert_eq!(of(&envelope(odd)), Some(Outcome::CommandFormatError));
    }

    #[test]
    fn profiles_come_and_go() {
        let mut installed = Vec::new();
        assert_eq!(install_profile(&mut installed, Some("wifi".into())), Outcome::done());
        assert!(matches!(install_profile(&mut installed, None), Outcome::Error(_)));
        let remove = RemoveProfile { identifier: "wifi".into() };
        assert_eq!(remove_profile(&mut installed, &remove), Outcome::done());
        assert!(matches!(remove_profile(&mut installed, &remove), Outcome::Error(_)));
    }

    #[test]
    fn what_is_no_profile_has_no_identifier() {
        let of = |payload: &[u8]| payload_identifier(&InstallProfile { payload: payload.to_vec() });
        assert_eq!(of(b"hello"), None);
        let profile =
            b"<plist><dict><key>PayloadType</key><string>Configuration</string><key>PayloadUUID</key>\
            <string>u</string><key>PayloadIdentifier</key><string>wifi</string></dict></plist>";
        assert_eq!(of(profile).as_deref(), Some("wifi"));
    }
}
