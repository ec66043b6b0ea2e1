//! The command queue.

use async_trait::async_trait;
use domain::{
    ChannelKey, Command, CommandFilter, CommandId, CommandState, CommandView, DeviceId, EnrollmentId,
    Judgement, Result, Schedule, TenantId, Timestamp, ports::Commands,
};
use sqlx::query;

use super::{
    super::bulk,
    Query, Row, Tx,
    rows::{command_state, count, get, maybe_time, time},
};

macro_rules! columns {
    () => {
        "SELECT device, id, enrollment, channel, state, sealed, queued_at, handed_over_at, finished_at, request_type,
             action, dedupe, payload, result, result_sealed, facts_revision, faults, rank, not_before, expires_at, put_off, wake_at
         FROM commands"
    };
}

macro_rules! select {
    ($where:literal) => {
        concat!(columns!(), " WHERE tenant = $1 AND device = $2 AND ", $where)
    };
}

#[async_trait]
impl Commands for Tx {
    async fn add_commands(&mut self, commands: &[Command]) -> Result<()> {
        bulk::add_commands(self.open.connection(), self.tenant, commands).await
    }

    async fn open_command(&mut self, device: DeviceId, dedupe: &str) -> Result<Option<Command>> {
        let select =
            query(select!("channel = '' AND dedupe = $3 AND finished_at IS NULL AND dedupe IS NOT NULL"))
                .bind(self.tenant.0)
                .bind(device.0)
                .bind(dedupe);
        self.open.one(select).await?.map(|row| command(&row)).transpose()
    }

    async fn replace_command(&mut self, command: &Command) -> Result<bool> {
        let judged = command.judged.as_ref();
        let update = query(
            "UPDATE commands SET payload = $4, sealed = $5, request_type = $6, facts_revision = $7, faults = $8
             WHERE tenant = $1 AND device = $2 AND id = $3 AND state = 0",
        )
        .bind(self.tenant.0)
        .bind(command.device.0)
        .bind(command.id.0)
        .bind(&command.payload)
        .bind(command.sealed)
        .bind(&command.request_type)
        .bind(judged.map(|judged| judged.facts_revision.as_str()))
        .bind(judged.and_then(|judged| judged.faults.as_deref()));
        Ok(self.open.run(update).await? > 0)
    }

    async fn parting_commands(&mut self, device: DeviceId, enrollment: EnrollmentId) -> Result<Vec<Command>> {
        let select = query(select!(
            "enrollment = $3 AND handed_over_at IS NOT NULL AND (
                 request_type = 'EraseDevice' AND state IN (1, 3, 4, 6)
                 OR request_type = 'RemoveProfile' AND (state IN (1, 6) OR state = 3 AND EXISTS (
                     SELECT 1 FROM outcomes o WHERE o.tenant = $1 AND o.device = $2 AND o.command = commands.id)))
             ORDER BY id DESC LIMIT 100"
        ))
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(enrollment.0);
        self.open.all(select).await?.iter().map(command).collect()
    }

    async fn settle_command(
        &mut self,
        device: DeviceId,
        id: CommandId,
        state: CommandState,
        at: Timestamp,
    ) -> Result<bool> {
        self.lock_enrollments(&[device]).await?;
        let update = query(
            "UPDATE commands SET state = $4, finished_at = $5
             WHERE tenant = $1 AND device = $2 AND id = $3 AND finished_at IS NULL",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(id.0)
        .bind(state.code())
        .bind(at.0);
        Ok(self.open.run(update).await? > 0)
    }

    async fn command(&mut self, device: DeviceId, id: CommandId) -> Result<Option<Command>> {
        let select = query(select!("id = $3")).bind(self.tenant.0).bind(device.0).bind(id.0);
        self.open.one(select).await?.map(|row| command(&row)).transpose()
    }

    async fn open_commands(&mut self, device: DeviceId) -> Result<Vec<Command>> {
        // Sorting by an expression keeps SQLite from walking through all that is done, in the order of the primary key.
        const OPEN: &str = concat!(
            columns!(),
            " WHERE tenant = $1 AND ",
            open_device!(""),
            " = $2 AND finished_at IS NULL ORDER BY rank, COALESCE(id, id) LIMIT 1000"
        );
        let select = query(OPEN).bind(self.tenant.0).bind(device.0);
        self.open.all(select).await?.iter().map(command).collect()
    }

    async fn find_command(&mut self, id: CommandId) -> Result<Option<Command>> {
        let find = query("SELECT device FROM commands WHERE tenant = $1 AND id = $2").bind(self.tenant.0);
        let Some(row) = self.open.one(find.bind(id.0)).await? else { return Ok(None) };
        self.command(DeviceId(get(&row, "device")?), id).await
    }

    async fn commands(
        &mut self,
        filter: &CommandFilter,
        before: Option<CommandId>,
        limit: u32,
    ) -> Result<Vec<CommandView>> {
        self.list(filter, before, limit).await
    }

    async fn cancel_command(&mut self, device: DeviceId, id: CommandId, at: Timestamp) -> Result<bool> {
        self.take_back(device, id, at).await
    }

    async fn supersede_commands(
        &mut self,
        devices: &[DeviceId],
        channel: &ChannelKey,
        dedupe: &str,
        at: Timestamp,
    ) -> Result<Vec<DeviceId>> {
        self.supersede(devices, channel, dedupe, at).await
    }

    async fn cancel_commands(
        &mut self,
        device: DeviceId,
        channel: Option<&ChannelKey>,
        at: Timestamp,
    ) -> Result<u64> {
        self.lock_enrollments(&[device]).await?;
        let update = query(concat!(
            "UPDATE commands SET state = 5, finished_at = $4 WHERE tenant = $1 AND ",
            open_device!(""),
            " = $2 AND finished_at IS NULL AND ($3 IS NULL OR channel = $3)",
        ))
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(channel.map(|key| key.0.as_str()))
        .bind(at.0);
        self.open.run(update).await
    }

    async fn set_judgement(
        &mut self,
        device: DeviceId,
        id: CommandId,
        judged: &Judgement,
        cancelled_at: Option<Timestamp>,
    ) -> Result<bool> {
        if cancelled_at.is_some() {
            self.lock_enrollments(&[device]).await?;
        }
        let update = query(
            "UPDATE commands SET facts_revision = $4, faults = $5, finished_at = COALESCE($6, finished_at),
                 state = CASE WHEN $6 IS NULL THEN state ELSE 5 END
             WHERE tenant = $1 AND device = $2 AND id = $3 AND state IN (0, 2)",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(id.0)
        .bind(&judged.facts_revision)
        .bind(judged.faults.as_deref())
        .bind(cancelled_at.map(|at| at.0));
        Ok(self.open.run(update).await? > 0)
    }

    async fn set_result(
        &mut self,
        device: DeviceId,
        id: CommandId,
        result: &[u8],
        sealed: bool,
    ) -> Result<()> {
        let update = query(
            "UPDATE commands SET result = $4, result_sealed = $5 WHERE tenant = $1 AND device = $2 AND id = $3",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(id.0)
        .bind(result)
        .bind(sealed);
        self.open.set(update, "command").await
    }

    async fn pending_actions(&mut self, first: DeviceId, last: DeviceId) -> Result<Vec<(DeviceId, String)>> {
        self.open
            .all(pending(self.tenant, first, last))
            .await?
            .iter()
            .map(|row| Ok((DeviceId(get(row, "device")?), get(row, "action")?)))
            .collect()
    }

    async fn remove_outcome(&mut self, device: DeviceId, id: CommandId) -> Result<bool> {
        let delete = query("DELETE FROM outcomes WHERE tenant = $1 AND device = $2 AND command = $3")
            .bind(self.tenant.0)
            .bind(device.0)
            .bind(id.0);
        Ok(self.open.run(delete).await? > 0)
    }
}

/// The statement that finds what waits for the devices of a page.
pub(super) fn pending<'q>(tenant: TenantId, first: DeviceId, last: DeviceId) -> Query<'q> {
    query(concat!(
        "SELECT DISTINCT device, action FROM commands WHERE tenant = $1 AND ",
        open_device!(""),
        " BETWEEN $2 AND $3 AND finished_at IS NULL AND action IS NOT NULL ORDER BY device, action",
    ))
    .bind(tenant.0)
    .bind(first.0)
    .bind(last.0)
}

fn command(row: &Row) -> Result<Command> {
    Ok(Command {
        id: CommandId(get(row, "id")?),
        device: DeviceId(get(row, "device")?),
        enrollment: EnrollmentId(get(row, "enrollment")?),
        channel: ChannelKey(get(row, "channel")?),
        request_type: get(row, "request_type")?,
        action: get(row, "action")?,
        dedupe: get(row, "dedupe")?,
        payload: get(row, "payload")?,
        sealed: get(row, "sealed")?,
        state: command_state(row, "state")?,
        result: get(row, "result")?,
        result_sealed: get(row, "result_sealed")?,
        judged: judged(row)?,
        schedule: schedule(row)?,
        put_off: count(row, "put_off")?,
        wake_at: time(row, "wake_at")?,
        queued_at: time(row, "queued_at")?,
        handed_over_at: maybe_time(row, "handed_over_at")?,
        finished_at: maybe_time(row, "finished_at")?,
    })
}

pub(super) fn schedule(row: &Row) -> Result<Schedule> {
    let not_before = time(row, "not_before")?;
    Ok(Schedule {
        priority: -get::<i16>(row, "rank")?,
        not_before: Some(not_before).filter(|at| *at != Timestamp::default()),
        expires: maybe_time(row, "expires_at")?,
    })
}

fn judged(row: &Row) -> Result<Option<Judgement>> {
    let revision: Option<String> = get(row, "facts_revision")?;
    let faults = get(row, "faults")?;
    Ok(revision.map(|facts_revision| Judgement { facts_revision, faults }))
}
