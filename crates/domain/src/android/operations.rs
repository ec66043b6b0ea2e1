//! Following commands to their ends: told by a notification, or found by asking.

use std::time::Duration;

use ::android::{Operation, OperationName, Outcome};
use serde_json::json;

use super::{
    AndroidRequest,
    calls::{BATCH, CLAIM},
};
use crate::{
    Command, CommandId, CommandState, Device, DeviceId, EnrollmentId, Error, Event, Mdm, Result, TenantId,
    Timestamp,
    devices::AndroidManagement,
    enrollments::Leaving,
    ports::{AndroidCall, GoogleFailure, Tx, Worker},
};

/// The first wait between two looks; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

impl Mdm {
    /// Asks what became of commands of which Google has told nothing for a while; how many there were.
    pub async fn follow_android_operations(&self) -> Result<usize> {
        let now = self.clock.now();
        let claimed = self.outbox.claim_android_calls(true, now, now.plus(CLAIM), BATCH).await?;
        for (tenant, call) in &claimed {
            if let Err(error) = self.follow(*tenant, call.clone()).await {
                tracing::error!(call = %call.id, error = error.chain(), "a command could not be followed yet");
            }
        }
        Ok(claimed.len())
    }

    async fn follow(&self, tenant: TenantId, mut call: AndroidCall) -> Result<()> {
        let Some(place) = self.place(tenant).await? else { return Ok(()) };
        let name = call.operation.as_deref().unwrap_or_default();
        let name = OperationName::parse(name).map_err(Error::internal)?;
        match self.query(&place, self.google.operation(&place.account, &name)).await? {
            Ok(operation) if operation.outcome() != Outcome::Pending => {
                self.settle_operation(tenant, &operation).await
            }
            Ok(_) => {
                let now = self.clock.now();
                if call.ends_at.is_some_and(|end| end.plus(LONGEST_WAIT) < now) {
                    return self
                        .finish(tenant, &call, CommandState::Failed, Some("the device did not come for it"))
                        .await;
                }
                call.due_at =
                    now.plus(FIRST_WAIT.saturating_mul(1 << call.attempts.min(16)).min(LONGEST_WAIT));
                let mut tx = self.store.begin(tenant).await?;
                tx.set_android_call(&call).await?;
                tx.commit().await
            }
            // With the device, or forgotten: what Google says of the device decides.
            Err(GoogleFailure::Gone { .. }) => {
                match self.query(&place, self.google.device(&place.account, &name.device())).await? {
                    Ok(_) => {
                        self.finish(tenant, &call, CommandState::Failed, Some("Google has forgotten it"))
                            .await
                    }
                    Err(failure) => self.call_failed(tenant, call, &failure).await,
                }
            }
            Err(failure) => self.call_failed(tenant, call, &failure).await,
        }
    }

    /// Writes down what became of a command; nothing where it is known already, or none of ours.
    pub(super) async fn settle_operation(&self, tenant: TenantId, operation: &Operation) -> Result<()> {
        let (state, why) = match operation.outcome() {
            Outcome::Pending => return Ok(()),
            // It is over and nobody says how: what the device reports next shows what is so.
            Outcome::Succeeded | Outcome::Untold => (CommandState::Acknowledged, None),
            Outcome::Failed(failure) if failure.is_already_so() => {
                (CommandState::Acknowledged, Some(failure.word))
            }
            Outcome::Failed(failure) => (CommandState::Failed, Some(failure.word)),
            Outcome::Cancelled => (CommandState::Cancelled, None),
        };
        let told = operation.outcome() != Outcome::Untold;
        let mut tx = self.store.begin(tenant).await?;
        let Some(call) = tx.android_call_of(operation.name.as_str()).await? else { return Ok(()) };
        if let Some(device) = call.device {
            // Enrollment, device, commands, calls: always in this order.
            tx.devices_for_update(&[device]).await?;
            self.settle_android_command(&mut *tx, (device, call.id), (state, told), why.as_deref()).await?;
        }
        tx.remove_android_call(call.id).await?;
        tx.commit().await
    }

    async fn settle_android_command(
        &self,
        tx: &mut dyn Tx,
        (device, id): (DeviceId, CommandId),
        (state, told): (CommandState, bool),
        why: Option<&str>,
    ) -> Result<()> {
        let now = self.clock.now();
        if !tx.settle_command(device, id, state, now).await? {
            return Ok(());
        }
        let Some(command) = tx.command(device, id).await? else { return Ok(()) };
        tx.touch_device(device, now).await?;
        tx.record(&Event::android_command(&command, state, why, now)).await?;
        self.go_on_after(tx, &command, state).await?;
        if state == CommandState::Acknowledged && told {
            self.android_effect(tx, &command, now).await?;
        }
        Ok(())
    }

    /// What waits for the success of `command` may go now; or never, with all that waits behind it. The device's rows are
    /// locked.
    pub(crate) async fn go_on_after(
        &self,
        tx: &mut dyn Tx,
        command: &Command,
        state: CommandState,
    ) -> Result<()> {
        let now = self.clock.now();
        let device = command.device;
        let mut over = vec![command.id];
        let mut calls = tx.android_calls(device).await?;
        let waits = |calls: &[AndroidCall], over: &[CommandId]| {
            calls.iter().position(|call| call.after.is_some_and(|before| over.contains(&before)))
        };
        while let Some(place) = waits(&calls, &over) {
            let mut call = calls.swap_remove(place);
            if state == CommandState::Acknowledged {
                call.after = None;
                call.due_at = now;
                tx.set_android_call(&call).await?;
                self.wake.wake(Worker::Android);
                continue;
            }
            over.push(call.id);
            if tx.settle_command(device, call.id, CommandState::Cancelled, now).await?
                && let Some(command) = tx.command(device, call.id).await?
            {
                let why = Some("what it waited for was not done");
                tx.record(&Event::android_command(&command, CommandState::Cancelled, why, now)).await?;
            }
            tx.remove_android_call(call.id).await?;
        }
        Ok(())
    }

    /// What the device did, written down; nothing where it belongs to another enrollment by now.
    async fn android_effect(&self, tx: &mut dyn Tx, command: &Command, now: Timestamp) -> Result<()> {
        let (_, request) = self.android_request(command)?;
        let Some(enrollment) = tx.enrollment_for_update(command.enrollment).await? else { return Ok(()) };
        let Some(mut device) = tx.device_for_update(command.device).await? else { return Ok(()) };
        if device.enrollment != enrollment.id {
            return Ok(());
        }
        match request {
            AndroidRequest::StartLostMode { .. } => {
                device.lost_mode_is(true, command.handed_over_at.unwrap_or(now));
            }
            AndroidRequest::StopLostMode => {
                device.lost_mode_is(false, command.handed_over_at.unwrap_or(now));
                end_location(tx, &device, CommandState::Cancelled, now).await?;
            }
            AndroidRequest::ResetPassword { .. } => device.facts.passcode_present = Some(true),
            AndroidRequest::Wipe => return self.android_leaves(tx, &device, enrollment.id, true).await,
            AndroidRequest::RelinquishOwnership => {
                return self.android_leaves(tx, &device, enrollment.id, false).await;
            }
            AndroidRequest::Lock | AndroidRequest::Location | AndroidRequest::Report => return Ok(()),
        }
        tx.set_device(&device).await
    }

    /// The device is managed no more; `wiped` says that a wipe is why.
    pub(super) async fn android_leaves(
        &self,
        tx: &mut dyn Tx,
        device: &Device,
        enrollment: EnrollmentId,
        wiped: bool,
    ) -> Result<()> {
        let Some(enrollment) = tx.enrollment_for_update(enrollment).await? else { return Ok(()) };
        // Of somebody's own device nothing but the work profile goes.
        let personal = device.android_management() == Some(AndroidManagement::WorkProfile);
        let leaving = if wiped && !personal { Leaving::Wiped } else { Leaving::ProfileRemoved };
        tx.drop_android_calls(device.id).await?;
        self.leave(tx, enrollment, leaving).await
    }
}

/// Ends the wait for a place.
pub(super) async fn end_location(
    tx: &mut dyn Tx,
    device: &Device,
    state: CommandState,
    now: Timestamp,
) -> Result<()> {
    let Some(waits) = tx.open_command(device.id, crate::ActionKind::RequestLocation.name()).await? else {
        return Ok(());
    };
    tx.settle_command(device.id, waits.id, state, now).await.map(|_| ())
}

impl Event {
    /// What became of a command of an Android device; `why` is Google's word.
    pub(super) fn android_command(
        command: &Command,
        state: CommandState,
        why: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let kind = match state {
            CommandState::Acknowledged => "command.done",
            CommandState::Cancelled => "command.cancelled",
            _ => "command.failed",
        };
        let details = json!({ "command": command.id, "request_type": command.request_type, "google": why });
        Self::of_device(kind, command.device, details, now)
    }
}
