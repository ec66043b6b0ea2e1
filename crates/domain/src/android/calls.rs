//! Making the calls to Google that wait.

use std::time::Duration;

use ::android::{CommandRequest, DeviceName};

use super::place::retry_at;
use crate::{
    Command, CommandState, DeviceId, Error, Event, Mdm, Result, TenantId, Timestamp,
    ports::{AndroidCall, AndroidCallKind, GoogleFailure, Tx},
};

/// How long a worker has a call to itself: twice as long as one query of Google can take, token and all. Before each query that
/// must not be made twice the claim begins anew.
pub(super) const CLAIM: Duration = Duration::from_mins(3);

/// How many calls a worker claims: one, so that none waits behind another while its claim runs out.
pub(super) const BATCH: u32 = 1;

impl Mdm {
    /// Makes a call that is due, if there is one; how many there were. One that fails for now waits, longer each time. Any
    /// number of workers may do so side by side.
    pub async fn send_android_calls(&self) -> Result<usize> {
        let now = self.clock.now();
        let claimed = self.outbox.claim_android_calls(false, now, now.plus(CLAIM), BATCH).await?;
        for (tenant, call) in &claimed {
            if let Err(error) = self.make_call(*tenant, call.clone()).await {
                tracing::error!(call = %call.id, error = error.chain(), "a call to Google could not be made yet");
            }
        }
        Ok(claimed.len())
    }

    async fn make_call(&self, tenant: TenantId, call: AndroidCall) -> Result<()> {
        let Some(place) = self.place(tenant).await? else { return Ok(()) };
        let resource = DeviceName::parse(&call.resource).map_err(Error::internal)?;
        match call.kind {
            AndroidCallKind::Delete => {
                let deleted =
                    self.query(&place, self.google.delete_device(&place.account, &resource, &[])).await?;
                match deleted {
                    Ok(()) | Err(GoogleFailure::Gone { .. }) => self.end_call(tenant, &call).await,
                    Err(failure) => self.call_failed(tenant, call, &failure).await,
                }
            }
            AndroidCallKind::Report => {
                match self.query(&place, self.google.device(&place.account, &resource)).await? {
                    Ok(told) => {
                        self.take_report(&place, told).await?;
                        self.finish(tenant, &call, CommandState::Acknowledged, None).await
                    }
                    Err(failure) => self.call_failed(tenant, call, &failure).await,
                }
            }
            AndroidCallKind::Issue => self.issue_for_android(&place, call, &resource).await,
        }
    }

    /// Removes a call whose command is over, or that never had one; what waits behind it goes as its command went.
    pub(super) async fn end_call(&self, tenant: TenantId, call: &AndroidCall) -> Result<()> {
        let mut tx = self.store.begin(tenant).await?;
        if let Some(device) = call.device {
            tx.devices_for_update(&[device]).await?;
            let command = tx.command(device, call.id).await?;
            tx.remove_android_call(call.id).await?;
            if let Some(command) = command.filter(|command| !command.state.is_open()) {
                self.go_on_after(&mut *tx, &command, command.state).await?;
            }
        } else {
            tx.remove_android_call(call.id).await?;
        }
        tx.commit().await
    }

    /// Lets a call wait, or ends it with its command; a device that Google has no more is not managed any more.
    pub(super) async fn call_failed(
        &self,
        tenant: TenantId,
        mut call: AndroidCall,
        failure: &GoogleFailure,
    ) -> Result<()> {
        let now = self.clock.now();
        if let GoogleFailure::Gone { .. } = failure {
            return self.device_is_gone(tenant, &call.resource).await;
        }
        let Some(due_at) = retry_at(failure, call.attempts, now) else {
            return self.finish(tenant, &call, CommandState::Failed, Some(&failure.to_string())).await;
        };
        if call.kind == AndroidCallKind::Delete {
            tracing::warn!(call = %call.id, why = %failure, "a device could not be given up at Google yet");
        }
        call.due_at = due_at;
        call.said = Some(failure.to_string());
        let mut tx = self.store.begin(tenant).await?;
        tx.set_android_call(&call).await?;
        tx.commit().await
    }

    /// Ends a call and its command without any effect on the device.
    pub(super) async fn finish(
        &self,
        tenant: TenantId,
        call: &AndroidCall,
        state: CommandState,
        why: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.store.begin(tenant).await?;
        let now = self.clock.now();
        if let Some(device) = call.device {
            tx.devices_for_update(&[device]).await?;
            if let Some(command) = settled(&mut *tx, (device, call), state, now).await? {
                tx.record(&Event::android_command(&command, state, why, now)).await?;
                self.go_on_after(&mut *tx, &command, state).await?;
            }
        } else if call.kind == AndroidCallKind::Delete {
            let details = serde_json::json!({ "why": why });
            tx.record(&Event::of_tenant("android.delete_refused", details, now)).await?;
        }
        tx.remove_android_call(call.id).await?;
        tx.commit().await
    }
}

/// The command of a call, if this settles it.
async fn settled(
    tx: &mut dyn Tx,
    (device, call): (DeviceId, &AndroidCall),
    state: CommandState,
    now: Timestamp,
) -> Result<Option<Command>> {
    match tx.settle_command(device, call.id, state, now).await? {
        true => tx.command(device, call.id).await,
        false => Ok(None),
    }
}

/// The request of a command, with a mark by which Google's copy of it is known again.
///
/// Google takes no name of ours for a command, and tells of it neither who asked nor with which password. What it does tell is
/// how long the command waits for its device: a week, less up to a day that a digest of command and parameters says, to the
/// second. So no other command, and no other parameters of this one, are taken for it.
pub(super) fn marked(command: &Command, plain: &[u8], request: ::android::Command) -> CommandRequest {
    const DAY: u32 = 24 * 60 * 60;
    let digest = crate::secrets::sha256(&[command.id.0.as_bytes(), plain].concat());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let less = Duration::from_secs(u64::from(number % DAY));
    CommandRequest { command: request, duration: CommandRequest::WEEK.saturating_sub(less) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelKey, CommandId, EnrollmentId, Schedule};

    fn command(id: u128) -> Command {
        Command {
            id: CommandId(uuid::Uuid::from_u128(id)),
            device: DeviceId(uuid::Uuid::nil()),
            enrollment: EnrollmentId(uuid::Uuid::nil()),
            channel: ChannelKey::default(),
            request_type: "LOCK".into(),
            action: None,
            dedupe: None,
            payload: Vec::new(),
            sealed: false,
            judged: None,
            schedule: Schedule::default(),
            put_off: 0,
            wake_at: Timestamp(0),
            state: CommandState::Queued,
            result: None,
            result_sealed: false,
            queued_at: Timestamp(0),
            handed_over_at: None,
            finished_at: None,
        }
    }

    #[test]
    fn every_command_waits_for_a_time_of_its_own() {
        let span = |id, plain: &[u8]| marked(&command(id), plain, ::android::Command::Lock).duration;
        assert_eq!(span(1, b"a"), span(1, b"a"));
        assert_ne!(span(1, b"a"), span(2, b"a"));
        assert_ne!(span(1, b"a"), span(1, b"b"), "other parameters are another command to Google");
        for id in 0..1000 {
            let days = span(id, b"").as_secs_f64() / 86_400.0;
            assert!((6.0..=7.0).contains(&days), "{days}");
            assert_eq!(span(id, b"").subsec_nanos(), 0, "whole seconds");
        }
    }
}
