//! Handing a command to Google, exactly once as far as that can be had.
//!
//! Before Google is asked, one transaction reads the command as it is by then, says that it is handed over, and notes in its call
//! that Google may have heard of it. From then on its parameters stay as they are, and nobody takes it back. Where Google has
//! certainly not taken it, it waits again, and may be changed again. Where that is not certain, Google's own list is looked
//! through before it is asked once more.

use ::android::{CommandRequest, DeviceName, Operation};

use super::{
    calls::{CLAIM, marked},
    place::{Place, retry_at},
};
use crate::{
    Command, Mdm, Result, TenantId, Timestamp,
    ports::{AndroidCall, GoogleFailure, Told},
};

/// When Google is first asked what became of a command, if it does not tell by itself.
const FIRST_LOOK: std::time::Duration = std::time::Duration::from_secs(30);

/// A command on its way to Google.
struct Handed {
    call: AndroidCall,
    command: Command,
    request: CommandRequest,
    /// Google may have had it before this time.
    before: bool,
}

impl Mdm {
    pub(super) async fn issue_for_android(
        &self,
        place: &Place,
        call: AndroidCall,
        resource: &DeviceName,
    ) -> Result<()> {
        let Some(mut handed) = self.hand_to_google(place.tenant, &call).await? else { return Ok(()) };
        let issued = match self.issued_before(place, &handed, resource).await? {
            Ok(Some(operation)) => Ok(operation),
            Ok(None) => match self.still_ours(place.tenant, &mut handed).await? {
                true => self.ask_to_issue(place, &handed, resource).await?,
                false => return Ok(()),
            },
            Err(failure) => Err(failure),
        };
        match issued {
            Ok(operation) => self.google_has_it(place.tenant, handed, &operation).await,
            Err(failure) => self.google_has_it_not(place.tenant, handed, &failure).await,
        }
    }

    async fn ask_to_issue(
        &self,
        place: &Place,
        handed: &Handed,
        resource: &DeviceName,
    ) -> Result<Told<Operation>> {
        self.query(place, self.google.issue_command(&place.account, resource, &handed.request)).await
    }

    /// Takes the command as it is now; `None` where it is over, or somebody else has the call.
    async fn hand_to_google(&self, tenant: TenantId, call: &AndroidCall) -> Result<Option<Handed>> {
        let now = self.clock.now();
        let mut tx = self.store.begin(tenant).await?;
        let Some(device) = call.device else { return Ok(None) };
        tx.devices_for_update(&[device]).await?;
        let command = tx.command(device, call.id).await?.filter(|command| command.state.is_open());
        let Some(command) = command else {
            drop(tx);
            return self.end_call(tenant, call).await.map(|()| None);
        };
        let (plain, request) = self.android_request(&command)?;
        let Some(request) = request.command()? else { return Ok(None) };
        let request = marked(&command, &plain, request);
        let until = now.plus(CLAIM);
        tx.hand_over(device, command.id, now).await?;
        if !tx.ask_google(call, until).await? {
            return Ok(None);
        }
        tx.commit().await?;
        let before = call.asked;
        let call = AndroidCall { asked: true, claimed_until: until, ..call.clone() };
        Ok(Some(Handed { call, command, request, before }))
    }

    /// Prolongs the claim, where Google was asked for its list in the meantime.
    async fn still_ours(&self, tenant: TenantId, handed: &mut Handed) -> Result<bool> {
        if !handed.before {
            return Ok(true);
        }
        let until = self.clock.now().plus(CLAIM);
        let mut tx = self.store.begin(tenant).await?;
        let ours = tx.ask_google(&handed.call, until).await?;
        tx.commit().await?;
        handed.call.claimed_until = until;
        Ok(ours)
    }

    /// The command as Google has it already, where a call before this one may have been heard although its answer was not.
    async fn issued_before(
        &self,
        place: &Place,
        handed: &Handed,
        resource: &DeviceName,
    ) -> Result<Told<Option<Operation>>> {
        if !handed.before {
            return Ok(Ok(None));
        }
        let known = match self.query(place, self.google.operations(&place.account, resource)).await? {
            Ok(known) => known,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut tx = self.store.read(place.tenant).await?;
        for operation in known {
            if is_of(&operation, &handed.request)
                && tx.android_call_of(operation.name.as_str()).await?.is_none()
            {
                return Ok(Ok(Some(operation)));
            }
        }
        Ok(Ok(None))
    }

    async fn google_has_it(&self, tenant: TenantId, handed: Handed, operation: &Operation) -> Result<()> {
        let now = self.clock.now();
        let mut call = handed.call;
        call.operation = Some(operation.name.as_str().to_owned());
        call.ends_at = Some(operation.ends().map_or(now.plus(CommandRequest::WEEK), Timestamp::from));
        call.due_at = now.plus(FIRST_LOOK);
        call.attempts = 0;
        call.said = None;
        let mut tx = self.store.begin(tenant).await?;
        tx.devices_for_update(&[handed.command.device]).await?;
        tx.set_android_call(&call).await?;
        tx.commit().await?;
        self.settle_operation(tenant, operation).await
    }

    /// Google has refused it, or may have heard of it, or not.
    async fn google_has_it_not(
        &self,
        tenant: TenantId,
        handed: Handed,
        failure: &GoogleFailure,
    ) -> Result<()> {
        let Handed { mut call, command, before, .. } = handed;
        let maybe_done = matches!(failure, GoogleFailure::Later { maybe_done: true, .. });
        if before || maybe_done {
            return self.call_failed(tenant, call, failure).await;
        }
        let now = self.clock.now();
        let due_at = retry_at(failure, call.attempts, now);
        call.asked = false;
        call.due_at = due_at.unwrap_or(now);
        call.said = Some(failure.to_string());
        let mut tx = self.store.begin(tenant).await?;
        tx.devices_for_update(&[command.device]).await?;
        tx.hand_back(command.device, command.id).await?;
        tx.set_android_call(&call).await?;
        tx.commit().await?;
        if due_at.is_some() { Ok(()) } else { self.call_failed(tenant, call, failure).await }
    }
}

/// Whether it is this very request, by its kind and its mark.
fn is_of(operation: &Operation, request: &CommandRequest) -> bool {
    operation.metadata.as_ref().is_some_and(|told| {
        told.kind.as_ref() == Some(&request.command.kind()) && told.duration == Some(request.duration)
    })
}
