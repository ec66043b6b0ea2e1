//! The lanes that look whether there is anything to hand over.

use std::sync::Arc;

use domain::ports::{Answer, Identity, Poll, PollAnswer};
use sqlx::postgres::PgConnectOptions;

use super::{
    lane::{self, Connector, Source, Turn},
    memory::Memory,
    statements,
};
use crate::{
    error::failed,
    road::{Reply, refuse, serves},
};

/// What the lanes are asked.
pub(super) enum Look {
    /// Answers an idle poll; nothing where it has to be judged by those who write.
    Poll(Arc<Poll>, Reply<Looked>),
    /// Ends once the queue is empty.
    Stop,
}

impl lane::Job for Look {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

/// The answer to a step; `None` where something waits for it after all, or may.
type Looked = Option<Answer<PollAnswer>>;

type Asked = (Arc<Poll>, Reply<Looked>);

/// What is known of one who asks.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// An unknown certificate.
    Nobody,
    /// Nothing waits.
    Idle(Identity),
    /// Something waits.
    Waits(Identity),
    /// Something has just changed; most likely a command has come.
    Changed,
}

/// Runs a lane until its queue is closed.
pub(super) async fn run(options: PgConnectOptions, source: Source<Look, Memory>) {
    let mut connector = Connector::new(options);
    while let Some((group, turn)) = source.take().await {
        let group: Vec<Asked> = group.into_iter().filter_map(asked).collect();
        answer(&mut connector, group, turn).await;
    }
}

fn asked(look: Look) -> Option<Asked> {
    match look {
        Look::Poll(step, reply) => Some((step, reply)),
        Look::Stop => None,
    }
}

async fn answer(connector: &mut Connector, group: Vec<Asked>, mut turn: Turn<Memory>) {
    let steps: Vec<&Poll> = group.iter().map(|(step, _)| &**step).collect();
    let seen = look(connector, &steps, turn.as_deref_mut()).await;
    drop(turn);
    match seen {
        Ok(seen) => group.into_iter().zip(seen).for_each(|(asked, seen)| reply(asked, seen)),
        Err(error) => {
            let all = connector.judge(&error) || group.len() == 1;
            let error = failed(error);
            for asked in group {
                if all {
                    let _ = asked.1.send(Err(refuse(&error)));
                } else {
                    alone(connector, asked).await;
                }
            }
        }
    }
}

/// Runs one step of a group that failed, so that a bad one harms nobody but itself.
async fn alone(connector: &mut Connector, asked: Asked) {
    match look(connector, &[&*asked.0], None).await.map(|mut seen| seen.pop()) {
        Ok(seen) => reply(asked, seen.unwrap_or(Seen::Nobody)),
        Err(error) => {
            connector.judge(&error);
            let _ = asked.1.send(Err(failed(error)));
        }
    }
}

/// Answers from memory what has not changed, and asks the database for the rest.
async fn look(
    connector: &mut Connector,
    steps: &[&Poll],
    memory: Option<&mut Memory>,
) -> lane::Result<Vec<Seen>> {
    let Some(memory) = memory.filter(|memory| !memory.rests()) else {
        return look_up(connector, steps, None).await;
    };
    bring_forward(connector, memory, steps.iter().any(|step| memory.knows(step))).await?;
    let remembered = steps.iter().map(|step| match memory.idle(step) {
        Some(identity) => Some(Seen::Idle(identity.clone())),
        None => memory.take_change(step).then_some(Seen::Changed),
    });
    let mut seen: Vec<Option<Seen>> = remembered.collect();
    let left = steps.iter().zip(&seen).filter(|(_, seen)| seen.is_none());
    let left: Vec<&Poll> = left.map(|(step, _)| *step).collect();
    if !left.is_empty() {
        let mut found = look_up(connector, &left, Some(memory)).await?.into_iter();
        seen.iter_mut().filter(|seen| seen.is_none()).for_each(|seen| *seen = found.next());
    }
    Ok(seen.into_iter().map(|seen| seen.unwrap_or(Seen::Nobody)).collect())
}

/// Brings the memory up to now where it `is_needed`.
async fn bring_forward(connector: &mut Connector, memory: &mut Memory, is_needed: bool) -> lane::Result<()> {
    connector.connection().await?;
    if connector.is_new() {
        // Whatever befell the connection before it may have befallen the server.
        memory.forget();
    }
    let connection = connector.connection().await?;
    if memory.until().is_none() && !statements::are_changes_noted(connection).await? {
        memory.rest();
        return Ok(());
    }
    if memory.until().is_none() || is_needed {
        memory.bring_forward(statements::changes(connection, memory.until()).await?);
    }
    Ok(())
}

/// Asks the database, which the memory may learn from.
async fn look_up(
    connector: &mut Connector,
    steps: &[&Poll],
    mut memory: Option<&mut Memory>,
) -> lane::Result<Vec<Seen>> {
    let found = statements::look(connector.connection().await?, steps).await?;
    let seen = steps.iter().zip(found).map(|(step, found)| {
        let Some(found) = found else { return Seen::Nobody };
        if let Some(memory) = memory.as_deref_mut() {
            memory.learn(step, found.identity.clone(), !found.is_open);
        }
        if found.waits { Seen::Waits(found.identity) } else { Seen::Idle(found.identity) }
    });
    Ok(seen.collect())
}

/// Who asked may have gone away: then the answer is dropped.
fn reply((step, reply): Asked, seen: Seen) {
    let (identity, waits) = match seen {
        Seen::Nobody => (None, false),
        Seen::Idle(identity) => (Some(identity), false),
        Seen::Waits(identity) => (Some(identity), true),
        Seen::Changed => {
            let _ = reply.send(Ok(None));
            return;
        }
    };
    let served = identity.as_ref().is_some_and(|who| serves(who, &step.key));
    let answer = Answer { identity, served: served.then(PollAnswer::default) };
    let _ = reply.send(Ok((!(served && waits)).then_some(answer)));
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use domain::{ChannelKey, Timestamp};
    use pki::Fingerprint;
    use testkit::postgres::TestDatabase;

    use super::*;

    /// Two enrolled devices: their certificates' fingerprints are `11…` and `22…`.
    const FLEET: &str = "
        INSERT INTO enrollments (tenant, id, device, key, state, created_at)
        SELECT '00000000-0000-0000-0000-000000000001', md5(n)::uuid, md5('device' || n)::uuid, n, 2, 0
        FROM unnest(ARRAY['1', '2']) n;
        INSERT INTO certificates (fingerprint, tenant, enrollment, state, not_after, key_digest, der)
        SELECT decode(repeat(n, 64), 'hex'), '00000000-0000-0000-0000-000000000001', md5(n)::uuid, 1, 1, '', ''
        FROM unnest(ARRAY['1', '2']) n";

    fn poll(number: u8) -> Poll {
        Poll {
            fingerprint: Fingerprint([number * 0x11; 32]),
            key: number.to_string(),
            channel: ChannelKey::default(),
            report: None,
            renewal_only: false,
            now: Timestamp(0),
        }
    }

    async fn fleet() -> (TestDatabase, Connector) {
        let database = TestDatabase::new().await;
        database.execute(FLEET);
        let options = PgConnectOptions::from_str(database.url()).unwrap();
        (database, Connector::new(options))
    }

    /// Takes rows away past all that notes it: who asks the tables finds nobody.
    fn take_away(database: &TestDatabase) {
        database.execute("SET session_replication_role = replica; DELETE FROM certificates");
    }

    async fn are_idle(connector: &mut Connector, memory: &mut Memory, numbers: &[u8]) -> Vec<bool> {
        let polls: Vec<Poll> = numbers.iter().map(|number| poll(*number)).collect();
        let steps: Vec<&Poll> = polls.iter().collect();
        let seen = look(connector, &steps, Some(memory)).await.unwrap();
        seen.iter().map(|seen| matches!(seen, Seen::Idle(_))).collect()
    }

    #[tokio::test]
    async fn who_is_remembered_is_not_looked_up() {
        let (database, mut connector) = fleet().await;
        let mut memory = Memory::default();
        assert_eq!(are_idle(&mut connector, &mut memory, &[1, 2, 3]).await, [true, true, false]);
        take_away(&database);
        assert_eq!(are_idle(&mut connector, &mut memory, &[3, 2, 1]).await, [false, true, true]);
    }

    #[tokio::test]
    async fn a_new_connection_remembers_nothing() {
        let (database, mut connector) = fleet().await;
        let mut memory = Memory::default();
        assert_eq!(are_idle(&mut connector, &mut memory, &[1]).await, [true]);
        take_away(&database);
        let mut other = Connector::new(PgConnectOptions::from_str(database.url()).unwrap());
        let seen = look(&mut other, &[&poll(1)], Some(&mut memory)).await.unwrap();
        assert_eq!(seen, [Seen::Nobody], "it is looked up anew");
    }

    #[tokio::test]
    async fn who_has_changed_is_judged_by_those_who_write() {
        let (database, mut connector) = fleet().await;
        let mut memory = Memory::default();
        are_idle(&mut connector, &mut memory, &[1, 2]).await;
        database.execute("UPDATE enrollments SET state = 4 WHERE key = '2'");
        let polls = [poll(1), poll(2)];
        let seen = look(&mut connector, &polls.each_ref(), Some(&mut memory)).await.unwrap();
        assert!(matches!(seen[..], [Seen::Idle(_), Seen::Changed]), "{seen:?}");
    }

    #[tokio::test]
    async fn who_has_had_something_to_fetch_is_told_of_the_next_change() {
        let (database, mut connector) = fleet().await;
        let mut memory = Memory::default();
        let queue = |number: u8| {
            database.execute(&format!(
                "INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, request_type, payload)
                 SELECT tenant, device, md5('command{number}')::uuid, id, '', 0, false, 0, 'ProfileList', ''
                 FROM enrollments WHERE key = '1'"
            ));
        };
        queue(1);
        let polls = [poll(1)];
        let seen = look(&mut connector, &polls.each_ref(), Some(&mut memory)).await.unwrap();
        assert!(matches!(seen[..], [Seen::Waits(_)]), "{seen:?}");
        queue(2);
        let seen = look(&mut connector, &polls.each_ref(), Some(&mut memory)).await.unwrap();
        assert!(matches!(seen[..], [Seen::Changed]), "{seen:?}");
    }

    #[tokio::test]
    async fn too_many_changes_are_left_alone_for_a_while() {
        let (database, mut connector) = fleet().await;
        let mut memory = Memory::default();
        are_idle(&mut connector, &mut memory, &[1, 2]).await;
        database.execute("INSERT INTO changes (enrollments) SELECT '' FROM generate_series(1, 256)");
        assert_eq!(are_idle(&mut connector, &mut memory, &[1]).await, [true]);
        assert!(memory.rests() && memory.idle(&poll(1)).is_none());
    }
}
