//! The command channel: the device asks, is handed a command, answers, and goes on until the server has
//! nothing more.

use apple::{ErrorChainItem, Report, Status, content_type};

use super::AppleDevice;
use super::carry_out::Carried;
use super::failure::{Breach, Failure};
use super::handed::{Done, Handed};
use super::wire::Request;

/// No real queue is longer; a server that goes on hands over the same again and again under new names.
const MAX_COMMANDS: usize = 10_000;

impl AppleDevice {
    /// A whole conversation: first a result that the server may not have heard, then `Idle`; every command is
    /// carried out (or put off, or failed, as it was told) until the server answers with an empty body.
    ///
    /// # Errors
    /// The first [`Failure`]; what was done before it is done.
    pub async fn connect(&mut self) -> Result<Vec<Done>, Failure> {
        let mut done = Vec::new();
        if self.owed.is_some() {
            self.report_again().await?;
            self.work(&mut done).await?;
            if self.is_over() {
                return Ok(done);
            }
        }
        self.idle().await?;
        self.work(&mut done).await?;
        Ok(done)
    }

    /// Sends the last result again if its 200 never arrived. Answers the `RequestType` of the command that is
    /// handed over.
    ///
    /// # Errors
    /// Any [`Failure`]; the result is kept for another time.
    pub async fn report_again(&mut self) -> Result<Option<&str>, Failure> {
        match self.owed.clone() {
            Some(owed) => self.poll(&owed).await.map(name),
            None => Ok(None),
        }
    }

    /// Says `Idle`: a new conversation begins. Answers the `RequestType` of the command that is handed over.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn idle(&mut self) -> Result<Option<&str>, Failure> {
        let report = Report::idle(self.options.model.identifiers());
        self.poll(&report).await.map(name)
    }

    /// Carries the current command out and acknowledges it, with the answers of this device. Answers the
    /// `RequestType` of the next one, as the calls below do too.
    ///
    /// # Errors
    /// [`Failure::Impossible`] without a command, or for one that this device cannot acknowledge; nothing is
    /// sent then.
    pub async fn acknowledge(&mut self) -> Result<Option<&str>, Failure> {
        let handed = self.handed()?;
        let carried = self.carry_out(&handed).await?;
        match &carried.report {
            Some(report) if report.status != Status::Acknowledged => {
                let status = report.status.as_str();
                Err(Failure::Impossible(format!(
                    "{} comes to {status} {:?}",
                    handed.request_type, report.error_chain
                )))
            }
            _ => self.finish(&handed, carried).await,
        }
    }

    /// Puts the current command off.
    ///
    /// # Errors
    /// [`Failure::Impossible`] without a command; any other [`Failure`].
    pub async fn not_now(&mut self) -> Result<Option<&str>, Failure> {
        let handed = self.handed()?;
        let report = Report::not_now(self.options.model.identifiers(), &handed.command_uuid);
        self.report(&handed, &report).await
    }

    /// Fails at the current command, without trying.
    ///
    /// # Errors
    /// As [`not_now`](Self::not_now).
    pub async fn error(&mut self, chain: Vec<ErrorChainItem>) -> Result<Option<&str>, Failure> {
        let handed = self.handed()?;
        let report = Report::error(self.options.model.identifiers(), &handed.command_uuid, chain);
        self.report(&handed, &report).await
    }

    /// Claims that the current command cannot be read.
    ///
    /// # Errors
    /// As [`not_now`](Self::not_now).
    pub async fn command_format_error(&mut self) -> Result<Option<&str>, Failure> {
        let handed = self.handed()?;
        let report = Report::command_format_error(self.options.model.identifiers(), &handed.command_uuid);
        self.report(&handed, &report).await
    }

    /// Answers the current command as it was told to, or else truly.
    ///
    /// # Errors
    /// As [`not_now`](Self::not_now).
    pub async fn answer(&mut self) -> Result<Done, Failure> {
        let handed = self.handed()?;
        let done = |status| Done {
            command_uuid: handed.command_uuid.clone(),
            request_type: handed.request_type.clone(),
            status,
        };
        let ids = self.options.model.identifiers();
        let carried = if self.ledger.answer_already_given(&handed.command_uuid).is_some() {
            self.carry_out(&handed).await?
        } else if self.mood.puts_off(&handed.request_type) {
            Report::not_now(ids, &handed.command_uuid).into()
        } else if let Some(chain) = self.mood.fails(&handed.request_type) {
            Report::error(ids, &handed.command_uuid, chain).into()
        } else {
            self.carry_out(&handed).await?
        };
        let status = carried.report.as_ref().map_or(Status::Acknowledged, |report| report.status);
        self.finish(&handed, carried).await?;
        Ok(done(status))
    }

    /// Sends any report or poll as the device's own, and takes what is handed over.
    ///
    /// # Errors
    /// Any [`Failure`]; a command that may not be handed over now, or that nobody could answer, is a breach.
    pub async fn poll(&mut self, report: &Report) -> Result<Option<&Handed>, Failure> {
        let result = self.exchange(report).await;
        self.current = self.note(result)?;
        Ok(self.current.as_ref())
    }

    async fn exchange(&mut self, report: &Report) -> Result<Option<Handed>, Failure> {
        self.current = None;
        self.ledger.says(report);
        if report.status.is_final() {
            self.owed = Some(report.clone());
        }
        let url = &self.accepted.profile.mdm.server_url;
        let answer = self.deliver(Request::put(url, content_type::REPORT, report.encode())).await?;
        self.ledger.confirmed(report);
        if self.owed.as_ref().is_some_and(|owed| owed.command_uuid == report.command_uuid) {
            self.owed = None;
        }
        let Some(handed) = Handed::read(&answer)? else { return Ok(None) };
        self.ledger.handed_over(&handed.command_uuid, &answer.body)?;
        Ok(Some(handed))
    }

    async fn work(&mut self, done: &mut Vec<Done>) -> Result<(), Failure> {
        while self.current.is_some() {
            if done.len() == MAX_COMMANDS {
                let endless =
                    Breach::err(format!("the conversation does not end after {MAX_COMMANDS} commands"));
                return self.note(endless);
            }
            done.push(self.answer().await?);
        }
        Ok(())
    }

    /// Reports, and then leaves if that is what follows, whatever became of the report: a device sends such a
    /// one once only.
    async fn finish(&mut self, handed: &Handed, carried: Carried) -> Result<Option<&str>, Failure> {
        let reported = match &carried.report {
            Some(report) => self.report(handed, report).await.map(|_| ()),
            None => Ok(()),
        };
        let left = match carried.then {
            Some(departure) => self.depart(departure).await,
            None => Ok(()),
        };
        reported.and(left)?;
        Ok(name(self.current.as_ref()))
    }

    async fn report(&mut self, handed: &Handed, report: &Report) -> Result<Option<&str>, Failure> {
        match self.ledger.answer_already_given(&handed.command_uuid) {
            Some(given) if given != report => {
                return Err(Failure::Impossible("it has already answered this command differently".into()));
            }
            None if report.status != Status::Acknowledged => self.tell_done(handed, report.status),
            _ => {}
        }
        self.poll(report).await.map(name)
    }

    fn handed(&self) -> Result<Handed, Failure> {
        self.current.clone().ok_or_else(|| Failure::Impossible("no command waits for an answer".into()))
    }
}

fn name(handed: Option<&Handed>) -> Option<&str> {
    handed.map(|handed| handed.request_type.as_str())
}
