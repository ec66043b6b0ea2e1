//! Commands as they are listed, and those that are taken back one by one.

use domain::{ChannelKey, CommandFilter, CommandId, CommandState, CommandView, DeviceId, Result, Timestamp};
use sqlx::query;
use uuid::Uuid;

use super::{
    super::bulk,
    Row, Tx,
    commands::schedule,
    rows::{command_state, count, get, maybe_time, time},
};

macro_rules! list {
    ($($rest:tt)*) => {
        concat!(
            "SELECT device, id, channel, state, queued_at, handed_over_at, finished_at, request_type, action, dedupe, faults,
                 rank, not_before, expires_at, put_off, wake_at FROM commands WHERE tenant = $1 AND id < $2 ",
            $($rest)*
        )
    };
}

/// By the index of commands, newest first.
const ALL: &str = list!("ORDER BY id DESC LIMIT $3");

/// Of one device, by the primary key.
const OF_DEVICE: &str = list!("AND device = $4 AND ($5 IS NULL OR state = $5) ORDER BY id DESC LIMIT $3");

/// Open ones are few beside those that are done. Sorting by an expression keeps the database from walking through all of
/// them in the order of their ids.
const OPEN: &str = list!("AND finished_at IS NULL AND state = $4 ORDER BY COALESCE(id, id) DESC LIMIT $3");

/// Nearly all there are.
const DONE: &str = list!("AND state = 3 ORDER BY id DESC LIMIT $3");

/// Those that did not go well have an index of their own.
const GONE_WRONG: &str = list!("AND gone_wrong = $4 ORDER BY id DESC LIMIT $3");

const SUPERSEDE: &str = concat!(
    "UPDATE commands SET state = 5, finished_at = $4
     WHERE tenant = $1 AND channel = $5 AND dedupe = $3 AND state IN (0, 2) AND finished_at IS NULL AND dedupe IS NOT NULL
         AND device",
    among_ids!("$2")
);

const CARRIED_OUT: &str = concat!(
    "SELECT device FROM commands
     WHERE tenant = $1 AND channel = $4 AND dedupe = $3 AND finished_at IS NULL AND dedupe IS NOT NULL AND device",
    among_ids!("$2")
);

impl Tx {
    pub(super) async fn list(
        &mut self,
        filter: &CommandFilter,
        before: Option<CommandId>,
        limit: u32,
    ) -> Result<Vec<CommandView>> {
        let before = before.map_or(Uuid::max(), |id| id.0);
        let state = filter.state.map(CommandState::code);
        let select = match (filter.device, filter.state) {
            (Some(_), _) => OF_DEVICE,
            (None, None) => ALL,
            (None, Some(CommandState::Acknowledged)) => DONE,
            (None, Some(state)) if state.is_open() => OPEN,
            (None, Some(_)) => GONE_WRONG,
        };
        let select = query(select).bind(self.tenant.0).bind(before).bind(i64::from(limit));
        let select = match (filter.device, filter.state) {
            (Some(device), _) => select.bind(device.0).bind(state),
            (None, None | Some(CommandState::Acknowledged)) => select,
            (None, Some(_)) => select.bind(state),
        };
        self.open.all(select).await?.iter().map(view).collect()
    }

    pub(super) async fn take_back(&mut self, device: DeviceId, id: CommandId, at: Timestamp) -> Result<bool> {
        self.lock_enrollments(&[device]).await?;
        let update = query(
            "UPDATE commands SET state = 5, finished_at = $4
             WHERE tenant = $1 AND device = $2 AND id = $3 AND state IN (0, 2)",
        );
        let update = update.bind(self.tenant.0).bind(device.0).bind(id.0).bind(at.0);
        Ok(self.open.run(update).await? > 0)
    }

    pub(super) async fn supersede(
        &mut self,
        devices: &[DeviceId],
        channel: &ChannelKey,
        dedupe: &str,
        at: Timestamp,
    ) -> Result<Vec<DeviceId>> {
        let update = query(SUPERSEDE).bind(self.tenant.0).bind(bulk::ids(devices)).bind(dedupe).bind(at.0);
        self.open.run(update.bind(&channel.0)).await?;
        let select = query(CARRIED_OUT).bind(self.tenant.0).bind(bulk::ids(devices)).bind(dedupe);
        let select = select.bind(&channel.0);
        let rows = self.open.all(select).await?;
        rows.iter().map(|row| get(row, "device").map(DeviceId)).collect()
    }
}

fn view(row: &Row) -> Result<CommandView> {
    Ok(CommandView {
        id: CommandId(get(row, "id")?),
        device: DeviceId(get(row, "device")?),
        channel: ChannelKey(get(row, "channel")?),
        request_type: get(row, "request_type")?,
        action: get(row, "action")?,
        dedupe: get(row, "dedupe")?,
        state: command_state(row, "state")?,
        schedule: schedule(row)?,
        put_off: count(row, "put_off")?,
        wake_at: time(row, "wake_at")?,
        faults: get(row, "faults")?,
        queued_at: time(row, "queued_at")?,
        handed_over_at: maybe_time(row, "handed_over_at")?,
        finished_at: maybe_time(row, "finished_at")?,
    })
}
