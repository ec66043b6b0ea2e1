//! The command queue.

use async_trait::async_trait;

use crate::{
    ChannelKey, Command, CommandFilter, CommandId, CommandState, CommandView, DeviceId, EnrollmentId,
    Judgement, Result, Timestamp,
};

/// The command queue.
#[async_trait]
pub trait Commands {
    /// Adds commands to the ends of their queues; any number, in few statements.
    async fn add_commands(&mut self, commands: &[Command]) -> Result<()>;

    /// The open command of `device` with this dedupe key, on the device channel.
    async fn open_command(&mut self, device: DeviceId, dedupe: &str) -> Result<Option<Command>>;

    /// Puts the request of `command`, its payload and judgement in the place of those of the command with its id, if that was
    /// not yet handed over; whether it was.
    async fn replace_command(&mut self, command: &Command) -> Result<bool>;

    /// The commands of an enrollment that may have ended it, the newest first, at most 100: `EraseDevice` and `RemoveProfile`
    /// that were handed over, and not answered, or not applied yet, or (`EraseDevice` alone) answered with an error.
    async fn parting_commands(&mut self, device: DeviceId, enrollment: EnrollmentId) -> Result<Vec<Command>>;

    /// Says what became of an open command without the device's own word; whether it was open.
    async fn settle_command(
        &mut self,
        device: DeviceId,
        id: CommandId,
        state: CommandState,
        at: Timestamp,
    ) -> Result<bool>;

    /// A command.
    async fn command(&mut self, device: DeviceId, id: CommandId) -> Result<Option<Command>>;

    /// Every open command of `device`, in queue order, at most 1000.
    async fn open_commands(&mut self, device: DeviceId) -> Result<Vec<Command>>;

    /// A command of whichever device.
    async fn find_command(&mut self, id: CommandId) -> Result<Option<Command>>;

    /// Those that match and are older than `before`, the newest first, at most `limit`.
    async fn commands(
        &mut self,
        filter: &CommandFilter,
        before: Option<CommandId>,
        limit: u32,
    ) -> Result<Vec<CommandView>>;

    /// Takes back a command that the device does not have: it waits, or was put off. Whether it was so.
    async fn cancel_command(&mut self, device: DeviceId, id: CommandId, at: Timestamp) -> Result<bool>;

    /// Takes back the commands of `devices` with this dedupe key that they do not have, on this channel, and gives the
    /// devices that have one and have not answered. The devices' rows are to be locked.
    async fn supersede_commands(
        &mut self,
        devices: &[DeviceId],
        channel: &ChannelKey,
        dedupe: &str,
        at: Timestamp,
    ) -> Result<Vec<DeviceId>>;

    /// Cancels every open command of `device`, on `channel` or on all.
    async fn cancel_commands(
        &mut self,
        device: DeviceId,
        channel: Option<&ChannelKey>,
        at: Timestamp,
    ) -> Result<u64>;

    /// Stores how a command that was not handed over is judged, and takes it back if `cancelled_at` says so; whether
    /// it still waited.
    async fn set_judgement(
        &mut self,
        device: DeviceId,
        id: CommandId,
        judged: &Judgement,
        cancelled_at: Option<Timestamp>,
    ) -> Result<bool>;

    /// Replaces the stored result of a command; `sealed` says whether it is.
    async fn set_result(
        &mut self,
        device: DeviceId,
        id: CommandId,
        result: &[u8],
        sealed: bool,
    ) -> Result<()>;

    /// Which actions are open for the devices from `first` to `last`, by id; each pair once.
    async fn pending_actions(&mut self, first: DeviceId, last: DeviceId) -> Result<Vec<(DeviceId, String)>>;

    /// Removes the outcome row of a command, since its effects are now applied; false if another worker was quicker.
    async fn remove_outcome(&mut self, device: DeviceId, id: CommandId) -> Result<bool>;
}
