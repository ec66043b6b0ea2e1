//! Making the calls to Google that wait.

use std::time::Duration;

use ::android::{Command as GoogleCommand, CommandRequest, DeviceName, Operation};

use super::place::{Place, retry_at};
use crate::{
    Command, CommandState, Error, Event, Mdm, Result, TenantId,
    ports::{AndroidCall, AndroidCallKind, GoogleFailure},
};

/// How long a worker has a call to itself: longer than Google may take to answer.
const CLAIM: Duration = Duration::from_mins(5);

/// How many calls are claimed at once.
const BATCH: u32 = 16;

/// When Google is first asked what became of a command, if it does not tell by itself.
const FIRST_LOOK: Duration = Duration::from_secs(30);

impl Mdm {
    /// Makes the calls that are due; how many there were. One that fails for now waits, longer each time.
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

    async fn issue_for_android(
        &self,
        place: &Place,
        mut call: AndroidCall,
        resource: &DeviceName,
    ) -> Result<()> {
        let Some(command) = self.command_of(place.tenant, &call).await? else {
            return self.end_call(place.tenant, &call).await;
        };
        let Some(request) = self.android_request(&command)?.command()? else {
            return self.end_call(place.tenant, &call).await;
        };
        let issued = match self.issued_before(place, &call, &command, &request, resource).await? {
            Ok(Some(operation)) => Ok(operation),
            Ok(None) => {
                let request = CommandRequest::new(request);
                self.query(place, self.google.issue_command(&place.account, resource, &request)).await?
            }
            Err(failure) => Err(failure),
        };
        let operation = match issued {
            Ok(operation) => operation,
            Err(failure) => return self.call_failed(place.tenant, call, &failure).await,
        };
        let now = self.clock.now();
        call.operation = Some(operation.name.as_str().to_owned());
        call.ends_at = Some(operation.ends().map_or(now.plus(CommandRequest::WEEK), Into::into));
        call.due_at = now.plus(FIRST_LOOK);
        call.attempts = 0;
        call.said = None;
        let mut tx = self.store.begin(place.tenant).await?;
        tx.hand_over(command.device, command.id, now).await?;
        tx.set_android_call(&call).await?;
        tx.commit().await?;
        self.settle_operation(place.tenant, &operation).await
    }

    /// The command as Google has it already, where a call before this one may have been heard although its answer was not.
    async fn issued_before(
        &self,
        place: &Place,
        call: &AndroidCall,
        command: &Command,
        request: &GoogleCommand,
        resource: &DeviceName,
    ) -> Result<std::result::Result<Option<Operation>, GoogleFailure>> {
        if call.attempts <= 1 {
            return Ok(Ok(None));
        }
        let known = match self.query(place, self.google.operations(&place.account, resource)).await? {
            Ok(known) => known,
            Err(failure) => return Ok(Err(failure)),
        };
        let asked = command.queued_at.system_time();
        let mut tx = self.store.begin(place.tenant).await?;
        for operation in known {
            let ours = operation.metadata.as_ref().is_some_and(|metadata| {
                metadata.kind.as_ref() == Some(&request.kind())
                    && metadata.create_time.is_some_and(|at| at >= asked)
            });
            if ours && tx.android_call_of(operation.name.as_str()).await?.is_none() {
                return Ok(Ok(Some(operation)));
            }
        }
        Ok(Ok(None))
    }

    /// The command of a call, if it is still wanted.
    async fn command_of(&self, tenant: TenantId, call: &AndroidCall) -> Result<Option<Command>> {
        let Some(device) = call.device else { return Ok(None) };
        let command = self.store.read(tenant).await?.command(device, call.id).await?;
        Ok(command.filter(|command| command.state.is_open()))
    }

    async fn end_call(&self, tenant: TenantId, call: &AndroidCall) -> Result<()> {
        let mut tx = self.store.begin(tenant).await?;
        tx.remove_android_call(call.id).await?;
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
        tx.remove_android_call(call.id).await?;
        let now = self.clock.now();
        if let Some(device) = call.device
            && tx.settle_command(device, call.id, state, now).await?
            && let Some(command) = tx.command(device, call.id).await?
        {
            tx.record(&Event::android_command(&command, state, why, now)).await?;
            self.go_on_after(&mut *tx, &command, state).await?;
        } else if call.kind == AndroidCallKind::Delete {
            let details = serde_json::json!({ "why": why });
            tx.record(&Event::of_tenant("android.delete_refused", details, now)).await?;
        }
        tx.commit().await
    }
}
