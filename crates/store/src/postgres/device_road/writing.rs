//! The lanes that write, each group in one transaction.

use std::{collections::HashSet, mem, slice, sync::Arc};

use domain::ports::{Answer, Identity, Poll, PollAnswer, TokenStep};
use pki::Fingerprint;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    lane::{self, Connector, Source, Turn},
    statements::{self, Placed},
};
use crate::{
    error::failed,
    road::{Reply, refuse, serves},
};

/// What the lanes are asked.
pub(super) enum Write {
    /// Takes a report, hands over a command.
    Poll(Arc<Poll>, Reply<Answer<PollAnswer>>),
    /// Takes a channel's new token.
    Token(Box<TokenStep>, Reply<Answer<()>>),
    /// Ends once the queue is empty.
    Stop,
}

impl lane::Job for Write {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

impl Write {
    fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Poll(step, _) => Some(step.fingerprint),
            Self::Token(step, _) => Some(step.fingerprint),
            Self::Stop => None,
        }
    }
}

/// What became of one.
enum Written {
    Poll(Answer<PollAnswer>),
    Token(Answer<()>),
}

/// Runs a lane until its queue is closed.
pub(super) async fn run(options: PgConnectOptions, source: Source<Write>) {
    let mut connector = Connector::new(options);
    let mut left = Vec::new();
    while let Some((group, turn)) = next(&source, &mut left).await {
        answer(&mut connector, group, turn).await;
    }
}

/// The next group, with one step of a device at most; what is `left` is for the group after it.
async fn next(source: &Source<Write>, left: &mut Vec<Write>) -> Option<(Vec<Write>, Turn)> {
    let mut waiting = mem::take(left);
    let turn;
    if waiting.is_empty() {
        (waiting, turn) = source.take().await?;
    } else {
        turn = source.fill(&mut waiting).await;
    }
    let mut seen = HashSet::new();
    let (group, rest) = waiting.into_iter().partition(|write| seen.insert(write.fingerprint()));
    *left = rest;
    Some((group, turn))
}

async fn answer(connector: &mut Connector, group: Vec<Write>, turn: Turn) {
    match commit(connector, &group, turn).await {
        Ok(written) => group.into_iter().zip(written).for_each(|(write, written)| reply(write, written)),
        Err(error) => {
            let all = connector.judge(&error) || group.len() == 1;
            let error = failed(error);
            for write in group {
                if all {
                    fail(write, &error);
                } else {
                    alone(connector, write).await;
                }
            }
        }
    }
}

/// Runs one step of a group that failed, so that a bad one harms nobody but itself.
async fn alone(connector: &mut Connector, write: Write) {
    match commit(connector, slice::from_ref(&write), None).await.map(|mut written| written.pop()) {
        Ok(Some(written)) => reply(write, written),
        Ok(None) => fail(write, &domain::Error::internal("a step without an outcome")),
        Err(error) => {
            connector.judge(&error);
            fail(write, &failed(error));
        }
    }
}

/// It is the next lane's turn as soon as this one has nothing more to do than to wait for the disk.
async fn commit(connector: &mut Connector, group: &[Write], turn: Turn) -> lane::Result<Vec<Written>> {
    let mut tx = connector.connection().await?.begin().await?;
    let applied = apply(&mut tx, group).await;
    drop(turn);
    match applied {
        Ok(written) => tx.commit().await.map(|()| written),
        Err(error) => {
            // At once: dropped, it would keep its locks until the lane has something else to do.
            tx.rollback().await?;
            Err(error)
        }
    }
}

async fn apply(connection: &mut PgConnection, group: &[Write]) -> lane::Result<Vec<Written>> {
    let fingerprints: Vec<Fingerprint> = group.iter().filter_map(Write::fingerprint).collect();
    let identities = statements::lock(connection, &fingerprints).await?;
    let polls = placed(group, &identities, |write| match write {
        Write::Poll(step, _) => Some((&**step, &*step.key)),
        _ => None,
    });
    let mut tokens = placed(group, &identities, |write| match write {
        Write::Token(step, _) => Some((&**step, &*step.key)),
        _ => None,
    });
    tokens.retain(|Placed { who, step, .. }| {
        step.bound.as_ref().is_none_or(|(enrollment, _)| *enrollment == who.enrollment)
    });
    let mut polled = statements::poll(connection, &polls).await?;
    let told = statements::update_tokens(connection, &tokens).await?;
    let written = group.iter().zip(identities).enumerate().map(|(place, (write, identity))| match write {
        Write::Poll(..) => Written::Poll(Answer { identity, served: polled.remove(&place) }),
        _ => Written::Token(Answer { identity, served: told.contains(&place).then_some(()) }),
    });
    Ok(written.collect())
}

/// The steps of one kind that are served, with their places in the group.
fn placed<'a, S>(
    group: &'a [Write],
    identities: &'a [Option<Identity>],
    pick: impl Fn(&'a Write) -> Option<(&'a S, &'a str)>,
) -> Vec<Placed<'a, S>> {
    let steps = group.iter().zip(identities).enumerate();
    let served = steps.filter_map(|(place, (write, who))| {
        let (step, key) = pick(write)?;
        let who = who.as_ref().filter(|who| serves(who, key))?;
        Some(Placed { place, who, step })
    });
    served.collect()
}

/// Answers after the commit. Who asked may have gone away: then the answer is dropped.
fn reply(write: Write, written: Written) {
    match (write, written) {
        (Write::Poll(_, reply), Written::Poll(answer)) => drop(reply.send(Ok(answer))),
        (Write::Token(_, reply), Written::Token(answer)) => drop(reply.send(Ok(answer))),
        (write, _) => fail(write, &domain::Error::internal("an answer to another step")),
    }
}

fn fail(write: Write, error: &domain::Error) {
    match write {
        Write::Poll(_, reply) => drop(reply.send(Err(refuse(error)))),
        Write::Token(_, reply) => drop(reply.send(Err(refuse(error)))),
        Write::Stop => {}
    }
}
