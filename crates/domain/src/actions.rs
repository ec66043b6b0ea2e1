//! What can be asked of a device, free of any platform: one file per action.
//!
//! To add one: its file, its variant, its arm in `Action::spec`.

use apple::OsVersion;

use crate::{
    Actor, CommandId, Device, DeviceId, Error, Event, Mdm, Platform, Result, Role, Thing, Unsupported,
    ports::Worker,
};

mod lock;

pub(crate) use lock::LOCK_PIN;
pub use lock::Lock;

/// The actions that the Device API shows for every device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Ends the lost mode.
    DisableLostMode,
    /// Starts the lost mode.
    EnableLostMode,
    /// Locks the screen.
    LockScreen,
    /// Asks where the device is.
    RequestLocation,
    /// Clears the passcode.
    ResetPasscode,
    /// Erases the device.
    WipeFull,
    /// Takes the management off the device.
    WipePartial,
}

impl ActionKind {
    /// Its name, as commands and the Device API have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DisableLostMode => "disablelostmode",
            Self::EnableLostMode => "enablelostmode",
            Self::LockScreen => "lockscreen",
            Self::RequestLocation => "requestlocation",
            Self::ResetPasscode => "resetpasscode",
            Self::WipeFull => "wipefull",
            Self::WipePartial => "wipepartial",
        }
    }

    /// Whether it can be done on `device` now; an action that this server does not have yet never can.
    pub fn is_available(self, device: &Device) -> bool {
        match self {
            Self::LockScreen => lock::supported_by(device).is_ok(),
            Self::DisableLostMode
            | Self::EnableLostMode
            | Self::RequestLocation
            | Self::ResetPasscode
            | Self::WipeFull
            | Self::WipePartial => false,
        }
    }
}

/// An action and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Lock the screen.
    Lock(Lock),
}

/// What an action says about itself.
trait Spec: Sync {
    fn kind(&self) -> ActionKind;

    fn needs(&self) -> Role {
        Role::Operator
    }

    /// Refuses what the device cannot do.
    fn supported_by(&self, device: &Device) -> Result<()>;

    /// Its command for an Apple device, with what has to be kept in escrow before it may leave.
    fn apple(&self, device: &Device, mdm: &Mdm) -> Result<AppleRequest>;
}

/// An Apple command that carries out an action.
struct AppleRequest {
    command: apple::Command,
    /// Kind and value of a secret in the command.
    secret: Option<(&'static str, String)>,
}

impl Action {
    fn spec(&self) -> &dyn Spec {
        match self {
            Self::Lock(action) => action,
        }
    }
}

impl Mdm {
    /// Asks `device` to do `action`: durable when this returns, done when the device next connects.
    ///
    /// While one of its kind is pending no second one is queued: its parameters are replaced where it has not left yet.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the device cannot do it now.
    pub async fn act(&self, actor: &Actor, device: DeviceId, action: &Action) -> Result<CommandId> {
        let spec = action.spec();
        actor.require(spec.needs())?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let device = tx.device_for_update(device).await?.ok_or(Error::NotFound(Thing::Device))?;
        spec.supported_by(&device)?;
        let kind = spec.kind().name();
        let open = tx.open_command(device.id, kind).await?;
        let id = open.as_ref().map_or_else(|| CommandId(self.random.ordered_id()), |open| open.id);
        let AppleRequest { command, secret } = spec.apple(&device, self)?;
        let mut command = self.new_command(&device, id, &command, secret.is_some())?;
        if let Some(faults) = command.judged.as_ref().and_then(|judged| judged.faults.as_deref()) {
            return Err(Error::Conflict(format!("the device would refuse the command: {faults}")));
        }
        command.action = Some(kind.into());
        command.dedupe = Some(kind.into());
        if open.is_none() {
            tx.add_commands(std::slice::from_ref(&command)).await?;
        } else if !tx.set_payload(device.id, id, &command.payload, command.sealed).await? {
            return Ok(id);
        }
        if let Some((kind, value)) = secret {
            tx.add_escrow(&self.escrow_row(&command, kind, &value)?).await?;
        }
        let now = self.clock.now();
        tx.ask_push(device.id, &command.channel, now).await?;
        tx.record(&Event::action_asked(actor, &command, now)).await?;
        tx.commit().await?;
        self.wake.wake(Worker::Pushes);
        Ok(id)
    }
}

/// What every action needs: a device that obeys us.
fn managed(device: &Device) -> Result<()> {
    if device.quarantined {
        return Err(Error::Unsupported(Unsupported::Quarantined));
    }
    if device.managed { Ok(()) } else { Err(Error::Unsupported(Unsupported::NotManaged)) }
}

/// The version of the device's OS, where it reported a sound one.
fn os_version(device: &Device) -> Option<OsVersion> {
    device.facts.os_version.as_deref()?.parse().ok()
}

impl From<Platform> for apple::Platform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Ios => Self::IOs,
            Platform::Ipados => Self::IPadOs,
            Platform::Macos => Self::MacOs,
            Platform::Tvos => Self::TvOs,
            Platform::Watchos => Self::WatchOs,
            Platform::Visionos => Self::VisionOs,
        }
    }
}

impl From<apple::Platform> for Platform {
    fn from(platform: apple::Platform) -> Self {
        match platform {
            apple::Platform::IOs => Self::Ios,
            apple::Platform::IPadOs => Self::Ipados,
            apple::Platform::MacOs => Self::Macos,
            apple::Platform::TvOs => Self::Tvos,
            apple::Platform::WatchOs => Self::Watchos,
            apple::Platform::VisionOs => Self::Visionos,
        }
    }
}
