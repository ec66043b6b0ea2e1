//! What a device does with a command: carries it out once, and knows what is to be reported and what follows.

use apple::command::InstallProfile;
use apple::enrollment::AccessRights;
use apple::{Command, Dictionary, Report, Status};

use super::AppleDevice;
use super::departure::Departure;
use super::event::Happening;
use super::execute::{self, Outcome};
use super::failure::Failure;
use super::handed::Handed;

/// A command that was carried out, or could not be.
pub(super) struct Carried {
    /// What is to be said of it; `None` where the device is gone before it can say anything.
    pub(super) report: Option<Report>,
    /// What follows, whether the report arrived or not.
    pub(super) then: Option<Departure>,
}

impl From<Report> for Carried {
    fn from(report: Report) -> Carried {
        Carried { report: Some(report), then: None }
    }
}

impl AppleDevice {
    /// Does what the command says, unless it was done before.
    pub(super) async fn carry_out(&mut self, handed: &Handed) -> Result<Carried, Failure> {
        if let Some(report) = self.ledger.answer_already_given(&handed.command_uuid) {
            return Ok(report.clone().into());
        }
        let rights = self.accepted.profile.mdm.access_rights;
        let (outcome, then) = match self.set_or_told(rights, handed) {
            Some(outcome) => (outcome, None),
            None => match execute::readable(&self.options.model, rights, handed) {
                Err(outcome) => (outcome, None),
                Ok(command) => self.execute(command).await?,
            },
        };
        let ids = self.options.model.identifiers();
        let report = match outcome {
            Outcome::Acknowledged(answers) => {
                answered(Report::acknowledged(ids, &handed.command_uuid), answers)
            }
            Outcome::Error(chain) => Report::error(ids, &handed.command_uuid, chain),
            Outcome::CommandFormatError => Report::command_format_error(ids, &handed.command_uuid),
        };
        if report.status == Status::Acknowledged {
            self.ledger.carried_out(&report);
            self.tell_done(handed, Status::Acknowledged);
        }
        let is_silent = then == Some(Departure::Erased) && self.mood.erase_before_answering;
        Ok(Carried { report: (!is_silent).then_some(report), then })
    }

    /// What it reports of a command that sets or tells a secret; `None` for all others.
    fn set_or_told(&mut self, rights: AccessRights, handed: &Handed) -> Option<Outcome> {
        let raw = handed.raw.as_ref()?;
        let mut after = self.options.model.clone();
        let outcome = execute::secrets(&mut after, self.push.unlock_token.as_deref(), raw)?;
        let refused = execute::refused_keys(&self.options.model, rights, raw.request_type(), raw.keys());
        if refused.is_none() {
            self.options.model = after;
        }
        Some(refused.unwrap_or(outcome))
    }

    pub(super) fn tell_done(&self, handed: &Handed, status: Status) {
        let request_type = handed.request_type.clone();
        self.teller.tell(Happening::Did { request_type, status, keys: execute::shown(handed) });
    }

    async fn execute(&mut self, command: &Command) -> Result<(Outcome, Option<Departure>), Failure> {
        let model = &mut self.options.model;
        let outcome = match command {
            Command::EraseDevice(command) => {
                let (outcome, erases) = execute::erase_device(model, command, self.mood.fail_erase_preflight);
                return Ok((outcome, erases.then_some(Departure::Erased)));
            }
            Command::RemoveProfile(command) if command.identifier == self.accepted.profile.identifier => {
                return Ok((Outcome::done(), Some(Departure::ProfileRemoved)));
            }
            Command::RemoveProfile(command) => execute::remove_profile(&mut self.profiles, command),
            Command::InstallProfile(command) => self.install_profile(command).await?,
            Command::DeviceLock(command) => execute::lock(model, command),
            Command::DeviceInformation(command) => execute::device_information(model, &command.queries),
            Command::SecurityInfo(_) => execute::security_info(model),
            Command::EnableLostMode(command) => execute::enable_lost_mode(model, command),
            Command::DisableLostMode(_) => execute::disable_lost_mode(model),
            Command::DeviceLocation(_) => execute::location(model, (self.options.transport.clock())()),
            Command::ClearPasscode(command) => {
                execute::clear_passcode(model, self.push.unlock_token.as_deref(), command)
            }
            Command::InstalledApplicationList(command) => execute::installed_applications(model, command),
            Command::ManagedApplicationList(command) => execute::managed_applications(model, command),
            Command::DeviceConfigured(_) | Command::UserConfigured(_) => Outcome::done(),
            Command::DeclarativeManagement(command) => self.declare(command).await?,
        };
        Ok((outcome, None))
    }

    async fn install_profile(&mut self, command: &InstallProfile) -> Result<Outcome, Failure> {
        let identifier = execute::payload_identifier(command);
        if identifier.as_ref() == Some(&self.accepted.profile.identifier) {
            return self.renew(&command.payload).await;
        }
        Ok(execute::install_profile(&mut self.profiles, identifier))
    }
}

fn answered(report: Report, answers: Dictionary) -> Report {
    answers.into_iter().fold(report, |report, (key, value)| report.with(&key, value))
}
