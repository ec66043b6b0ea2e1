//! Enrollments, their channels, and the pushes that are due for those.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{
    Channel, ChannelKey, DeviceId, Enrollment, EnrollmentId, Error, LinkId, Result, Timestamp, UserId,
    ports::{ChannelState, Declared, Enrollments, PushState},
};
use sqlx::query;

use super::{
    super::{OTHERS_WRITE, bulk},
    Row, Tx,
    left_tokens::BOOTSTRAP_TOKEN,
    rows::{enrollment_state, get, json, maybe_time, time},
};

macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT id, device, key, link, wanted_device, user_id, state, claimed, created_at FROM enrollments ",
            $($rest)*
        )
    };
}

/// Of several users of that name on one device the one that was told last comes last.
const USER_CHANNELS: &str = concat!(
    "SELECT d.id AS device, c.channel FROM devices d
         JOIN channels c ON c.tenant = d.tenant AND c.enrollment = d.enrollment
     WHERE d.tenant = $1 AND c.channel <> '' AND (c.channel = $3 OR c.user_name = $3) AND d.id",
    among_ids!("$2"),
    " ORDER BY d.id, c.channel = $3, c.updated_at, c.channel"
);

/// An enrollment, and what whoever has it may have to lock next: of the device that it is, and of the one that it
/// claims to be, what is not over and what each had last.
const MET: &str = lock_in_order!(
    "SELECT device, id FROM enrollments WHERE tenant = $1 AND id = $2
     UNION SELECT device, id FROM enrollments WHERE tenant = $1 AND device = ANY(ARRAY[
             (SELECT device FROM enrollments WHERE tenant = $1 AND id = $2),
             (SELECT id FROM devices WHERE tenant = $1 AND NOT quarantined AND key = (
                 SELECT key FROM enrollments WHERE tenant = $1 AND id = $2))])
         AND (state <> 4 OR id = (
             SELECT enrollment FROM devices d WHERE d.tenant = $1 AND d.id = enrollments.device))"
);

#[async_trait]
impl Enrollments for Tx {
    async fn add_enrollment(&mut self, enrollment: &Enrollment) -> Result<()> {
        let insert = query(
            "INSERT INTO enrollments
                 (tenant, id, device, key, state, claimed, link, wanted_device, user_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(self.tenant.0)
        .bind(enrollment.id.0)
        .bind(enrollment.device.0)
        .bind(&enrollment.key)
        .bind(enrollment.state.code())
        .bind(claimed(enrollment)?)
        .bind(enrollment.link.map(|id| id.0))
        .bind(enrollment.wanted_device.map(|id| id.0))
        .bind(enrollment.user.map(|id| id.0))
        .bind(enrollment.created_at.0);
        self.open.run(insert).await?;
        Ok(())
    }

    async fn enrollment_for_update(&mut self, id: EnrollmentId) -> Result<Option<Enrollment>> {
        if OTHERS_WRITE {
            self.open.run(query(MET).bind(self.tenant.0).bind(id.0)).await?;
        }
        let select = query(select!(locked!("WHERE tenant = $1 AND id = $2"))).bind(self.tenant.0).bind(id.0);
        self.open.one(select).await?.map(|row| enrollment(&row)).transpose()
    }

    async fn enrollment(&mut self, id: EnrollmentId) -> Result<Option<Enrollment>> {
        let select = query(select!("WHERE tenant = $1 AND id = $2")).bind(self.tenant.0).bind(id.0);
        self.open.one(select).await?.map(|row| enrollment(&row)).transpose()
    }

    async fn set_enrollment(&mut self, enrollment: &Enrollment) -> Result<()> {
        let update = query(
            "UPDATE enrollments SET device = $3, key = $4, state = $5, claimed = $6,
                 forget_at = CASE WHEN $5 IN (2, 3) THEN NULL ELSE forget_at END
             WHERE tenant = $1 AND id = $2",
        )
        .bind(self.tenant.0)
        .bind(enrollment.id.0)
        .bind(enrollment.device.0)
        .bind(&enrollment.key)
        .bind(enrollment.state.code())
        .bind(claimed(enrollment)?);
        self.open.set(update, "enrollment").await
    }

    async fn key_is_held(&mut self, key: &str, except: EnrollmentId) -> Result<bool> {
        let select = query(
            "SELECT EXISTS (SELECT 1 FROM enrollments WHERE tenant = $1 AND key = $2 AND state <> 4 AND id <> $3)
                 AS found",
        )
        .bind(self.tenant.0)
        .bind(key)
        .bind(except.0);
        self.open.one(select).await?.map_or(Ok(false), |row| get(&row, "found"))
    }

    async fn channel(&mut self, enrollment: EnrollmentId, key: &ChannelKey) -> Result<Option<Channel>> {
        let select = query(
            "SELECT channel, push_token, push_magic, unlock_token, user_name, updated_at FROM channels
             WHERE tenant = $1 AND enrollment = $2 AND channel = $3",
        )
        .bind(self.tenant.0)
        .bind(enrollment.0)
        .bind(&key.0);
        self.open.one(select).await?.map(|row| channel(&row)).transpose()
    }

    async fn channels(&mut self, device: DeviceId, enrollment: EnrollmentId) -> Result<Vec<ChannelState>> {
        let select = query(concat!(
            "SELECT c.channel, c.user_name, c.awaiting, c.push_token IS NOT NULL AS has_token, c.updated_at, c.pushed_at,
                 c.push_said, p.attempts, COALESCE(p.due_at, CASE WHEN c.channel = '' THEN (
                     SELECT min(l.due_at) FROM push_lists l WHERE l.tenant = $1 AND ",
            names_device!("$2"),
            ") END) AS due_at
             FROM channels c LEFT JOIN pushes p ON p.tenant = c.tenant AND p.device = $2 AND p.channel = c.channel
             WHERE c.tenant = $1 AND c.enrollment = $3 ORDER BY c.channel LIMIT 1001",
        ))
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(enrollment.0);
        self.open.all(select).await?.iter().map(channel_state).collect()
    }

    async fn user_channels(
        &mut self,
        devices: &[DeviceId],
        user: &str,
    ) -> Result<Vec<(DeviceId, ChannelKey)>> {
        let select = query(USER_CHANNELS).bind(self.tenant.0).bind(bulk::ids(devices)).bind(user);
        let mut found = BTreeMap::new();
        for row in self.open.all(select).await? {
            // The one that was told last comes last.
            found.insert(DeviceId(get(&row, "device")?), ChannelKey(get(&row, "channel")?));
        }
        Ok(found.into_iter().collect())
    }

    async fn move_channels(&mut self, enrollment: EnrollmentId, to: DeviceId) -> Result<()> {
        let update = query("UPDATE channels SET device = $3 WHERE tenant = $1 AND enrollment = $2")
            .bind(self.tenant.0)
            .bind(enrollment.0)
            .bind(to.0);
        self.open.run(update).await?;
        Ok(())
    }

    async fn set_awaiting(&mut self, enrollment: EnrollmentId, key: &ChannelKey, awaits: bool) -> Result<()> {
        let update =
            query("UPDATE channels SET awaiting = $4 WHERE tenant = $1 AND enrollment = $2 AND channel = $3")
                .bind(self.tenant.0)
                .bind(enrollment.0)
                .bind(&key.0)
                .bind(awaits);
        self.open.run(update).await?;
        Ok(())
    }

    async fn set_channel(
        &mut self,
        device: DeviceId,
        enrollment: EnrollmentId,
        channel: &Channel,
    ) -> Result<()> {
        let upsert = query(
            "INSERT INTO channels
                 (tenant, enrollment, channel, device, push_token, push_magic, updated_at, unlock_token, user_name,
                  unlock_token_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $8 IS NOT NULL THEN $7 END)
             ON CONFLICT (tenant, enrollment, channel) DO UPDATE SET device = excluded.device,
                 push_token = excluded.push_token, push_magic = excluded.push_magic,
                 updated_at = excluded.updated_at,
                 unlock_token = COALESCE(excluded.unlock_token, channels.unlock_token),
                 unlock_token_at = COALESCE(excluded.unlock_token_at, channels.unlock_token_at),
                 user_name = COALESCE(excluded.user_name, channels.user_name)",
        )
        .bind(self.tenant.0)
        .bind(enrollment.0)
        .bind(&channel.key.0)
        .bind(device.0)
        .bind(Some(&channel.push_token).filter(|token| !token.is_empty()))
        .bind(&channel.push_magic)
        .bind(channel.updated_at.0)
        .bind(&channel.unlock_token)
        .bind(&channel.user_name);
        self.open.run(upsert).await?;
        Ok(())
    }

    async fn remove_channel(
        &mut self,
        device: DeviceId,
        enrollment: EnrollmentId,
        key: &ChannelKey,
    ) -> Result<()> {
        let channel = query("DELETE FROM channels WHERE tenant = $1 AND enrollment = $2 AND channel = $3")
            .bind(self.tenant.0)
            .bind(enrollment.0)
            .bind(&key.0);
        self.open.run(channel).await?;
        let push = query("DELETE FROM pushes WHERE tenant = $1 AND device = $2 AND channel = $3")
            .bind(self.tenant.0)
            .bind(device.0)
            .bind(&key.0);
        self.open.run(push).await?;
        Ok(())
    }

    async fn bootstrap_token(&mut self, enrollment: EnrollmentId) -> Result<Option<Vec<u8>>> {
        let select = query(
            "SELECT bootstrap_token FROM channels WHERE tenant = $1 AND enrollment = $2 AND channel = ''",
        )
        .bind(self.tenant.0)
        .bind(enrollment.0);
        self.open.one(select).await?.map_or(Ok(None), |row| get(&row, "bootstrap_token"))
    }

    async fn set_bootstrap_token(
        &mut self,
        enrollment: EnrollmentId,
        sealed: Option<&[u8]>,
        at: Timestamp,
    ) -> Result<bool> {
        self.leave(&BOOTSTRAP_TOKEN, enrollment, sealed, at).await
    }

    async fn declared(&mut self, enrollment: EnrollmentId, key: &ChannelKey) -> Result<Option<Declared>> {
        let select = query(
            "SELECT declared, declared_at, declarations_refused FROM channels
             WHERE tenant = $1 AND enrollment = $2 AND channel = $3",
        )
        .bind(self.tenant.0)
        .bind(enrollment.0)
        .bind(&key.0);
        self.open.one(select).await?.map_or(Ok(None), |row| declared(&row))
    }

    async fn set_declared(
        &mut self,
        enrollment: EnrollmentId,
        key: &ChannelKey,
        declared: &Declared,
    ) -> Result<bool> {
        let update = query(
            "UPDATE channels SET declared = $4, declared_at = $5, declarations_refused = $6
             WHERE tenant = $1 AND enrollment = $2 AND channel = $3",
        )
        .bind(self.tenant.0)
        .bind(enrollment.0)
        .bind(&key.0)
        .bind(&declared.token)
        .bind(declared.at.0)
        .bind(&declared.refused);
        Ok(self.open.run(update).await? > 0)
    }

    async fn ask_push(&mut self, device: DeviceId, channel: &ChannelKey, due: Timestamp) -> Result<()> {
        bulk::ask_pushes(self.open.connection(), self.tenant, &[(device, channel.clone())], due).await
    }

    async fn ask_pushes(&mut self, devices: &[DeviceId], due: Timestamp) -> Result<()> {
        self.list_pushes(devices, due).await
    }

    async fn drop_pushes(&mut self, device: DeviceId) -> Result<()> {
        self.strike_off_lists(device).await?;
        let delete =
            query("DELETE FROM pushes WHERE tenant = $1 AND device = $2").bind(self.tenant.0).bind(device.0);
        self.open.run(delete).await?;
        Ok(())
    }
}

impl Tx {
    /// Locks what the device road locks first, so that neither waits for the other in a circle: the enrollments of these
    /// devices that are not over, and the one that each had last. Gives those that it found, none on SQLite.
    pub(super) async fn lock_enrollments(&mut self, devices: &[DeviceId]) -> Result<BTreeSet<EnrollmentId>> {
        if !OTHERS_WRITE {
            return Ok(BTreeSet::new());
        }
        let lock = query(concat!(
            "SELECT id FROM enrollments WHERE tenant = $1 AND device",
            among_ids!("$2"),
            " AND (state <> 4 OR id = (
                 SELECT enrollment FROM devices d WHERE d.tenant = $1 AND d.id = enrollments.device))
             ORDER BY device, id",
            for_update!(),
        ));
        let rows = self.open.all(lock.bind(self.tenant.0).bind(bulk::ids(devices))).await?;
        rows.iter().map(|row| get(row, "id").map(EnrollmentId)).collect()
    }
}

fn channel_state(row: &Row) -> Result<ChannelState> {
    Ok(ChannelState {
        key: ChannelKey(get(row, "channel")?),
        user_name: get(row, "user_name")?,
        awaits: get(row, "awaiting")?,
        push: push_state(row)?,
    })
}

fn push_state(row: &Row) -> Result<PushState> {
    let attempts: Option<i64> = get(row, "attempts")?;
    let attempts = attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or_default();
    Ok(PushState {
        has_token: get(row, "has_token")?,
        told_at: time(row, "updated_at")?,
        last: maybe_time(row, "pushed_at")?.zip(get(row, "push_said")?),
        due: maybe_time(row, "due_at")?.map(|due| (due, attempts)),
    })
}

fn claimed(enrollment: &Enrollment) -> Result<Option<String>> {
    enrollment.claimed.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)
}

fn enrollment(row: &Row) -> Result<Enrollment> {
    let claimed = match get::<Option<&str>>(row, "claimed")? {
        Some(_) => Some(json(row, "claimed")?),
        None => None,
    };
    Ok(Enrollment {
        id: EnrollmentId(get(row, "id")?),
        device: DeviceId(get(row, "device")?),
        key: get(row, "key")?,
        link: get::<Option<_>>(row, "link")?.map(LinkId),
        wanted_device: get::<Option<_>>(row, "wanted_device")?.map(DeviceId),
        user: get::<Option<_>>(row, "user_id")?.map(UserId),
        state: enrollment_state(row, "state")?,
        claimed,
        created_at: time(row, "created_at")?,
    })
}

/// What a channel was last told of its declarations, if it was.
fn declared(row: &Row) -> Result<Option<Declared>> {
    let told = (get::<Option<_>>(row, "declared")?, maybe_time(row, "declared_at")?);
    let (Some(token), Some(at)) = told else { return Ok(None) };
    Ok(Some(Declared { token, at, refused: get(row, "declarations_refused")? }))
}

/// A channel; one whose token is dead has an empty token.
fn channel(row: &Row) -> Result<Channel> {
    Ok(Channel {
        key: ChannelKey(get(row, "channel")?),
        push_token: get::<Option<_>>(row, "push_token")?.unwrap_or_default(),
        push_magic: get(row, "push_magic")?,
        unlock_token: get(row, "unlock_token")?,
        user_name: get(row, "user_name")?,
        updated_at: time(row, "updated_at")?,
    })
}
