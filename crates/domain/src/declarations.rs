//! Declarative management: what a device fetches by itself, and the status that it then reports by itself.

mod set;
mod status;

use apple::checkin::{DeclarativeManagement, Endpoint};
use apple::declaration::SyncTokens;

use crate::{
    ChannelKey, CommandId, Credential, Device, DeviceName, Identity, Mdm, Refusal, Rejection, Result,
    Timestamp,
    enrollments::{CheckInAnswer, channel_key, malformed},
    ports::{Declared, Tx},
};

use set::DeclarationSet;

impl Mdm {
    /// Takes a message of declarative management.
    pub(crate) async fn declarations(
        &self,
        credential: &Credential,
        message: &DeclarativeManagement,
    ) -> std::result::Result<CheckInAnswer, Rejection> {
        let identity = self.managed(credential, &message.ids).await?;
        let channel = channel_key(&message.ids);
        match &message.endpoint {
            Endpoint::Tokens => self.tokens(&identity, &channel).await,
            Endpoint::DeclarationItems => {
                let set = self.set_of(&identity, &channel).await?;
                Ok(CheckInAnswer::Json(set.manifest().encode()))
            }
            Endpoint::Declaration { kind, identifier } => {
                let set = self.set_of(&identity, &channel).await?;
                let found = set.declaration(*kind, identifier);
                Ok(found.map_or(CheckInAnswer::NoDeclaration, |it| CheckInAnswer::Json(it.encode())))
            }
            Endpoint::Status => {
                self.take_status(&identity, &channel, message.data.as_deref().unwrap_or_default()).await
            }
            Endpoint::Other(path) => {
                Err(malformed(format!("declarative management has no endpoint {path:?} here")))
            }
        }
    }

    /// Tells `device` to fetch its declarations, unless it was told of exactly these in this enrollment.
    pub(crate) async fn declare(&self, tx: &mut dyn Tx, device: &Device, now: Timestamp) -> Result<()> {
        let channel = ChannelKey::default();
        let Some(set) = DeclarationSet::of(device, &channel) else { return Ok(()) };
        let before = tx.declared(device.enrollment, &channel).await?;
        if before.as_ref().is_some_and(|before| before.token == set.token()) {
            return Ok(());
        }
        let declared = Declared { token: set.token().to_owned(), at: now, refused: None };
        if !tx.set_declared(device.enrollment, &channel, &declared).await? {
            return Ok(());
        }
        self.ask_to_fetch(tx, device, &declared).await?;
        tx.ask_push(device.id, &channel, now).await
    }

    async fn ask_to_fetch(&self, tx: &mut dyn Tx, device: &Device, declared: &Declared) -> Result<()> {
        let dedupe = format!("declarations/{}", declared.token);
        if tx.open_command(device.id, &dedupe).await?.is_some() {
            return Ok(());
        }
        let request =
            apple::command::DeclarativeManagement { data: Some(sync_tokens(declared).encode()) }.into();
        let mut command = self.new_command(device, CommandId(self.random.ordered_id()), &request, false)?;
        command.dedupe = Some(dedupe);
        tx.add_commands(&[command]).await
    }

    /// The answer to `tokens`. Its time is that of the last change: the same answer for as long as nothing changes.
    async fn tokens(
        &self,
        identity: &Identity,
        channel: &ChannelKey,
    ) -> std::result::Result<CheckInAnswer, Rejection> {
        let set = self.set_of(identity, channel).await?;
        let before = self.store.read(identity.tenant).await?.declared(identity.enrollment, channel).await?;
        let declared = match before {
            Some(declared) if declared.token == set.token() => declared,
            _ => self.declared_anew(identity, channel).await?,
        };
        Ok(CheckInAnswer::Json(sync_tokens(&declared).encode()))
    }

    /// Writes down what is declared to a channel now, looked at anew while nobody else can change it.
    async fn declared_anew(
        &self,
        identity: &Identity,
        channel: &ChannelKey,
    ) -> std::result::Result<Declared, Rejection> {
        let mut tx = self.store.begin(identity.tenant).await?;
        tx.enrollment_for_update(identity.enrollment).await?.ok_or(Refusal::Unknown)?;
        let set = set_in(&mut *tx, identity, channel).await?;
        let before = tx.declared(identity.enrollment, channel).await?;
        let (at, refused) = match before {
            Some(before) if before.token == set.token() => return Ok(before),
            before => (self.clock.now(), before.and_then(|before| before.refused)),
        };
        let declared = Declared { token: set.token().to_owned(), at, refused };
        tx.set_declared(identity.enrollment, channel, &declared).await?;
        tx.commit().await?;
        Ok(declared)
    }

    /// What is declared to a channel now; to a device that no declaration is for, nothing.
    async fn set_of(
        &self,
        identity: &Identity,
        channel: &ChannelKey,
    ) -> std::result::Result<DeclarationSet, Rejection> {
        set_in(&mut *self.store.read(identity.tenant).await?, identity, channel).await
    }
}

async fn set_in(
    tx: &mut dyn Tx,
    identity: &Identity,
    channel: &ChannelKey,
) -> std::result::Result<DeclarationSet, Rejection> {
    let device = tx.device_named(&DeviceName::Id(identity.device)).await?;
    let device = device.filter(|device| device.enrollment == identity.enrollment);
    let device = device.ok_or(Refusal::NotEnrolled)?;
    Ok(DeclarationSet::of(&device, channel).unwrap_or_default())
}

fn sync_tokens(declared: &Declared) -> SyncTokens {
    SyncTokens { declarations_token: declared.token.clone(), timestamp: declared.at.rfc3339_seconds() }
}
