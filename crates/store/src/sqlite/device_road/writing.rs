//! The thread that writes, and the task that brings it one group after the other through the gate.

use std::{
    mem, slice,
    sync::Arc,
    thread::{self, JoinHandle},
};

use domain::{
    Error, Result,
    ports::{Answer, Poll, PollAnswer, TokenStep},
};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{
    mpsc::{self, Receiver},
    oneshot,
};

use super::steps::Steps;
use crate::{
    error::failed_on_road,
    gate::{Gate, Pass},
    road::{Contact, Queue, Reply, refuse, top_up},
};

/// What the thread is asked.
pub(super) enum Write {
    /// Takes a report, hands over a command.
    Poll(Arc<Poll>, Reply<Answer<PollAnswer>>),
    /// Takes a channel's new token.
    Token(Box<TokenStep>, Reply<Answer<()>>),
    /// Writes down last contacts.
    Contacts(Vec<Contact>, Reply<()>),
    /// Ends once the queue is empty.
    Stop,
}

/// What became of one.
enum Written {
    Poll(Answer<PollAnswer>),
    Token(Answer<()>),
    Contacts,
}

/// Steps that are committed together, the right to do so, and what is dropped once they are answered.
type Group = (Vec<Write>, Pass, oneshot::Sender<()>);

/// Starts the thread and its task.
pub(super) fn start(connection: Connection, gate: Gate) -> Result<(Queue<Write>, JoinHandle<()>)> {
    let (queue, receiver) = Queue::new();
    let (groups, bring) = mpsc::channel(1);
    let thread = thread::Builder::new().name("store-writer".into());
    let thread = thread.spawn(move || run(connection, bring));
    tokio::spawn(collect(receiver, gate, groups));
    Ok((queue, thread.map_err(Error::internal)?))
}

/// Waits for a first step, then for its turn, and only then sees who else has come: the busier, the larger the groups.
async fn collect(mut receiver: Receiver<Write>, gate: Gate, groups: mpsc::Sender<Group>) {
    let mut group = Vec::new();
    while let Some(first) = receiver.recv().await {
        group.push(first);
        leave_out_stops(&mut group, &mut receiver);
        if group.is_empty() {
            continue;
        }
        let pass = match gate.enter().await {
            Ok(pass) => pass,
            Err(error) => {
                mem::take(&mut group).into_iter().for_each(|write| fail(write, &error));
                continue;
            }
        };
        top_up(&mut receiver, &mut group).await;
        leave_out_stops(&mut group, &mut receiver);
        let (done, answered) = oneshot::channel();
        if groups.send((mem::take(&mut group), pass, done)).await.is_err() {
            return;
        }
        let _ = answered.await;
    }
}

fn leave_out_stops(group: &mut Vec<Write>, receiver: &mut Receiver<Write>) {
    let all = group.len();
    group.retain(|write| !matches!(write, Write::Stop));
    if group.len() < all {
        receiver.close();
    }
}

fn run(mut connection: Connection, mut groups: Receiver<Group>) {
    while let Some((group, pass, done)) = groups.blocking_recv() {
        let written = write(&mut connection, &group);
        pass.leave_then(move |durable| {
            for (write, written) in group.into_iter().zip(written) {
                match &durable {
                    Ok(()) => answer(write, written),
                    Err(error) => fail(write, error),
                }
            }
            drop(done);
        });
    }
}

/// Commits a group; what became of each.
fn write(connection: &mut Connection, group: &[Write]) -> Vec<Result<Written>> {
    match commit(connection, group) {
        Ok(written) => written.into_iter().map(Ok).collect(),
        Err(error @ Error::Unavailable(_)) => group.iter().map(|_| Err(refuse(&error))).collect(),
        // One by one, so that a bad one harms nobody but itself.
        Err(_) => group.iter().map(|write| alone(connection, write)).collect(),
    }
}

fn alone(connection: &mut Connection, write: &Write) -> Result<Written> {
    let mut written = commit(connection, slice::from_ref(write))?;
    written.pop().ok_or_else(|| Error::internal("a step without an outcome"))
}

fn commit(connection: &mut Connection, group: &[Write]) -> Result<Vec<Written>> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed_on_road)?;
    let written = {
        let mut steps = Steps::of(&tx);
        group.iter().map(|write| apply(&mut steps, write)).collect::<Result<Vec<_>>>()?
    };
    tx.commit().map_err(failed_on_road)?;
    Ok(written)
}

fn apply(steps: &mut Steps<'_>, write: &Write) -> Result<Written> {
    match write {
        Write::Poll(step, _) => steps.poll(step).map(Written::Poll),
        Write::Token(step, _) => steps.update_token(step).map(Written::Token),
        Write::Contacts(contacts, _) => steps.set_contacts(contacts).map(|()| Written::Contacts),
        Write::Stop => Err(Error::internal("the end of the road is not a step")),
    }
}

/// Answers once it is durable. Who asked may have gone away: then the answer is dropped.
fn answer(write: Write, written: Result<Written>) {
    match (write, written) {
        (Write::Poll(_, reply), Ok(Written::Poll(answer))) => drop(reply.send(Ok(answer))),
        (Write::Token(_, reply), Ok(Written::Token(answer))) => drop(reply.send(Ok(answer))),
        (Write::Contacts(_, reply), Ok(Written::Contacts)) => drop(reply.send(Ok(()))),
        (write, Err(error)) => fail(write, &error),
        (write, Ok(_)) => fail(write, &Error::internal("an answer to another step")),
    }
}

fn fail(write: Write, error: &Error) {
    match write {
        Write::Poll(_, reply) => drop(reply.send(Err(refuse(error)))),
        Write::Token(_, reply) => drop(reply.send(Err(refuse(error)))),
        Write::Contacts(_, reply) => drop(reply.send(Err(refuse(error)))),
        Write::Stop => {}
    }
}
