//! The command channel: a device reports and gets its next command.

use std::{str::FromStr, sync::Arc};

use super::{enqueue::plain_payload, outcome::error_chain, result::stored};
use crate::{
    CommandId, CommandState, Credential, Installation, Mdm, Refusal, Rejection,
    enrollments::{Admission, admit, channel_key},
    ports::{Answer, HandedOver, Poll, PollAnswer, ReportStep, Worker},
};

/// What a device is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Polled {
    /// An empty 200: nothing more to do.
    Nothing,
    /// The plist of its next command.
    Command(Vec<u8>),
}

/// What a report was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// `Idle`: nothing is reported.
    Idle,
    /// A command that this server made.
    Of(CommandId),
    /// A command id that is none of ours.
    Foreign,
}

impl Mdm {
    /// Takes a device's report, which came as `body`, and hands over its next command.
    ///
    /// When this returns, the report is durably stored. A report of an unknown command is logged and harms nothing
    /// (`protocol-subtleties` 34). An expired certificate gets its renewal and nothing else.
    pub async fn poll(
        &self,
        credential: &Credential,
        report: &apple::Report,
        body: Vec<u8>,
    ) -> Result<Polled, Rejection> {
        let polled = self.serve(credential, report, body).await;
        self.unless_purged(credential, polled).await
    }

    async fn serve(
        &self,
        credential: &Credential,
        report: &apple::Report,
        body: Vec<u8>,
    ) -> Result<Polled, Rejection> {
        let standing = self.judge(credential).await?;
        let step = Arc::new(Poll {
            fingerprint: credential.fingerprint(),
            key: report.ids.device_key().to_owned(),
            channel: channel_key(&report.ids),
            report: report_step(&self.installation, report, body)?,
            renewal_only: standing.expired,
            now: self.clock.now(),
        });
        let answer = self.road.poll(Arc::clone(&step)).await?;
        let served = match answer {
            Answer { served: Some(served), .. } => served,
            Answer { identity: None, .. } => return Err(Refusal::Unknown.into()),
            Answer { identity: Some(identity), .. } => match admit(&identity, &step.key)? {
                Admission::Wait => return Ok(Polled::Nothing),
                // What was never used before it expired is no identity: only a pinned one may fetch its renewal.
                Admission::Pin if standing.expired => return Err(Refusal::Expired.into()),
                Admission::Pin => {
                    Box::pin(self.pin_now(credential, &identity)).await?;
                    let Answer { identity, served } = self.road.poll(Arc::clone(&step)).await?;
                    served.ok_or(identity.map_or(Refusal::Unknown, |_| Refusal::NotEnrolled))?
                }
            },
        };
        self.answer(credential, &step, served).await
    }

    async fn answer(
        &self,
        credential: &Credential,
        step: &Arc<Poll>,
        served: PollAnswer,
    ) -> Result<Polled, Rejection> {
        if let Some(report) = &step.report {
            if !served.report_known {
                tracing::info!(command = %report.command, certificate = %step.fingerprint,
                    "a report of a command that is not open here");
            } else if served.leaves_outcome {
                self.wake.wake(Worker::Outcomes);
            }
        }
        match served.next {
            Some(next) => Ok(self.unsealed(next)?),
            None if step.renewal_only && step.report.is_none() => {
                Box::pin(self.late_renewal(credential, step)).await
            }
            None => Ok(Polled::Nothing),
        }
    }

    /// An expired certificate whose renewal was not queued yet: it is now, and handed over at once.
    async fn late_renewal(&self, credential: &Credential, step: &Arc<Poll>) -> Result<Polled, Rejection> {
        let identity = self.directory.identity(&credential.fingerprint()).await?.ok_or(Refusal::Unknown)?;
        self.queue_renewal(identity.tenant, identity.enrollment).await?;
        let again = self.road.poll(Arc::clone(step)).await?.served.and_then(|served| served.next);
        again.map_or(Err(Refusal::Expired.into()), |next| Ok(self.unsealed(next)?))
    }

    fn unsealed(&self, next: HandedOver) -> crate::Result<Polled> {
        plain_payload(&self.installation, next.command, next.payload, next.sealed).map(Polled::Command)
    }
}

/// What the store is to write down: final results as they came, sealed where they tell secrets, `NotNow` without its body, `Idle` not at all.
fn report_step(
    installation: &Installation,
    report: &apple::Report,
    body: Vec<u8>,
) -> crate::Result<Option<ReportStep>> {
    let ReportOutcome::Of(command) = subject(report) else {
        if report.status != apple::Status::Idle {
            tracing::info!(
                command = report.command_uuid,
                "a report of a command that this server did not make"
            );
        }
        // Nothing is stored, but what was put off must not come back on this connection.
        return Ok((report.status != apple::Status::Idle).then(foreign));
    };
    let (state, result) = match report.status {
        apple::Status::Idle => return Ok(None),
        apple::Status::NotNow => (CommandState::NotNow, Vec::new()),
        apple::Status::Acknowledged => (CommandState::Acknowledged, body),
        apple::Status::Error | apple::Status::CommandFormatError => (CommandState::Failed, body),
    };
    let (result, sealed) = match state {
        CommandState::NotNow => (result, false),
        _ => stored(installation, command, report, result)?,
    };
    Ok(Some(ReportStep { command, state, result, sealed, errors: error_chain(report) }))
}

fn foreign() -> ReportStep {
    ReportStep {
        command: CommandId(uuid::Uuid::nil()),
        state: CommandState::NotNow,
        result: Vec::new(),
        sealed: false,
        errors: serde_json::Value::Null,
    }
}

fn subject(report: &apple::Report) -> ReportOutcome {
    match report.command_uuid.as_deref() {
        None => ReportOutcome::Idle,
        Some(text) => CommandId::from_str(text).map_or(ReportOutcome::Foreign, ReportOutcome::Of),
    }
}
