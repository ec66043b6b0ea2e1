//! The lanes that look whether there is anything to hand over.

use std::sync::Arc;

use domain::ports::{Answer, Poll, PollAnswer};
use sqlx::postgres::PgConnectOptions;

use super::{
    lane::{self, Connector, Source, Turn},
    statements::{self, Seen},
};
use crate::{
    error::failed,
    road::{Reply, refuse, serves},
};

/// What the lanes are asked.
pub(super) enum Look {
    /// Answers an idle poll, and whether something waits for it after all.
    Poll(Arc<Poll>, Reply<Looked>),
    /// Ends once the queue is empty.
    Stop,
}

impl lane::Job for Look {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

/// The answer to a step, and whether something waits for it after all.
type Looked = (Answer<PollAnswer>, bool);

type Asked = (Arc<Poll>, Reply<Looked>);

/// Runs a lane until its queue is closed.
pub(super) async fn run(options: PgConnectOptions, source: Source<Look>) {
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

async fn answer(connector: &mut Connector, group: Vec<Asked>, turn: Turn) {
    let seen = look(connector, &group).await;
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
    let group = [asked];
    let seen = look(connector, &group).await;
    let [asked] = group;
    match seen.map(|mut seen| seen.pop()) {
        Ok(seen) => reply(asked, seen.flatten()),
        Err(error) => {
            connector.judge(&error);
            let _ = asked.1.send(Err(failed(error)));
        }
    }
}

async fn look(connector: &mut Connector, group: &[Asked]) -> lane::Result<Vec<Option<Seen>>> {
    let steps: Vec<&Poll> = group.iter().map(|(step, _)| &**step).collect();
    statements::look(connector.connection().await?, &steps).await
}

/// Who asked may have gone away: then the answer is dropped.
fn reply((step, reply): Asked, seen: Option<Seen>) {
    let (identity, waits) = seen.map_or((None, false), |seen| (Some(seen.identity), seen.waits));
    let served = identity.as_ref().is_some_and(|who| serves(who, &step.key));
    let answer = Answer { identity, served: served.then(PollAnswer::default) };
    let _ = reply.send(Ok((answer, served && waits)));
}
