//! Lost Mode: a device that is locked for its finder, and tells where it is (supervised iPhones and iPads
//! only).

use std::time::SystemTime;

use apple::command::EnableLostMode;
use apple::{Command, Dictionary, Value};

use super::Outcome;
use crate::apple_device::model::{DeviceModel, LostMode};

const DOMAIN: &str = "MCMDMErrorDomain";

/// `EnableLostMode`; for a device that is lost already it changes what stands on its screen.
pub(in crate::apple_device) fn enable(model: &mut DeviceModel, command: &EnableLostMode) -> Outcome {
    model.lost_mode = Some(LostMode {
        message: command.message.clone(),
        phone_number: command.phone_number.clone(),
        footnote: command.footnote.clone(),
    });
    Outcome::done()
}

/// `DisableLostMode`.
pub(in crate::apple_device) fn disable(model: &mut DeviceModel) -> Outcome {
    match model.lost_mode.take() {
        Some(_) => Outcome::done(),
        None => not_lost(),
    }
}

/// `DeviceLocation`: only in Lost Mode, and only if it knows.
pub(in crate::apple_device) fn location(model: &DeviceModel, now: SystemTime) -> Outcome {
    if model.lost_mode.is_none() {
        return not_lost();
    }
    let Some(place) = model.place else {
        return Outcome::error(12068, DOMAIN, "The location of the device is unknown.");
    };
    let mut answers = Dictionary::from_iter([
        ("Latitude", Value::Real(place.latitude)),
        ("Longitude", Value::Real(place.longitude)),
        ("HorizontalAccuracy", Value::Real(35.0)),
        ("VerticalAccuracy", Value::Real(12.0)),
        ("Altitude", Value::Real(34.0)),
        // It lies somewhere.
        ("Speed", Value::Real(-1.0)),
        ("Course", Value::Real(-1.0)),
    ]);
    // A property list writes dates as RFC 3339 does, but this one is a text.
    if let Some(date) = Value::Date(now.into()).as_date() {
        answers.insert("Timestamp".into(), Value::from(date.to_xml_format()));
    }
    Outcome::Acknowledged(answers)
}

/// What a device in Lost Mode does not do. Apple names the error and not the commands: this is the one that
/// would open the device to its finder.
pub(super) fn refusal(model: &DeviceModel, command: &Command) -> Option<Outcome> {
    let refused = model.lost_mode.is_some() && matches!(command, Command::ClearPasscode(_));
    refused.then(|| Outcome::error(12078, DOMAIN, "The command is invalid in Lost Mode."))
}

fn not_lost() -> Outcome {
    Outcome::error(12067, DOMAIN, "The device is not in Lost Mode.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::Report;
    use apple::inventory::DeviceLocationReport;
    use std::time::Duration;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
    }

    fn code(outcome: &Outcome) -> Option<i64> {
        match outcome {
            Outcome::Error(chain) => Some(chain[0].code),
            _ => None,
        }
    }

    fn lost(model: DeviceModel) -> DeviceModel {
        let mut model = model;
        let message = EnableLostMode { message: Some("Call us".into()), ..EnableLostMode::default() };
        assert_eq!(enable(&mut model, &message), Outcome::done());
        model
    }

    #[test]
    fn a_lost_device_tells_where_it_is_and_when() {
        let model = lost(DeviceModel::supervised_ipad(0));
        let Outcome::Acknowledged(answers) = location(&model, now()) else { panic!("it knows") };
        let report = Report::acknowledged(model.identifiers(), "c");
        let report = answers.into_iter().fold(report, |report, (key, value)| report.with(&key, value));
        let read = DeviceLocationReport::from_report(&Report::parse(&report.encode()).unwrap()).unwrap();
        let place = model.place.unwrap();
        assert_eq!((read.latitude, read.longitude), (place.latitude, place.longitude));
        assert_eq!((read.timestamp, read.speed), (Some(now()), None));
    }

    #[test]
    fn a_device_that_is_not_lost_tells_nobody_where_it_is() {
        let mut model = DeviceModel::supervised_ipad(0);
        assert_eq!(code(&location(&model, now())), Some(12067));
        assert_eq!(code(&disable(&mut model)), Some(12067));
    }

    #[test]
    fn a_device_in_a_cellar_does_not_know() {
        let model = DeviceModel { place: None, ..lost(DeviceModel::supervised_ipad(0)) };
        assert_eq!(code(&location(&model, now())), Some(12068));
    }

    #[test]
    fn a_found_device_is_as_before() {
        let mut model = lost(DeviceModel::supervised_ipad(0));
        assert_eq!(disable(&mut model), Outcome::done());
        assert_eq!(model, DeviceModel::supervised_ipad(0));
    }

    #[test]
    fn a_lost_device_keeps_its_passcode() {
        let clear = Command::from(apple::command::ClearPasscode { unlock_token: vec![1] });
        let model = lost(DeviceModel::supervised_ipad(0));
        assert_eq!(refusal(&model, &clear).as_ref().and_then(code), Some(12078));
        assert_eq!(refusal(&DeviceModel::supervised_ipad(0), &clear), None);
        assert_eq!(refusal(&model, &Command::from(apple::command::SecurityInfo)), None);
    }
}
