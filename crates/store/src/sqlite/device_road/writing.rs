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
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver},
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

type Group = (Vec<Write>, Pass);

/// Starts the thread and its task.
pub(super) fn start(connection: Connection, gate: Gate) -> Result<(Queue<Write>, JoinHandle<()>)> {
    let (queue, receiver) = Queue::new();
    let (groups, bring) = mpsc::channel(1);
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("store-writer".into());
    let thread = thread.spawn(move || run(connection, bring, &runtime));
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
        if groups.send((mem::take(&mut group), pass)).await.is_err() {
            return;
        }
    }
}

fn leave_out_stops(group: &mut Vec<Write>, receiver: &mut Receiver<Write>) {
    let all = group.len();
    group.retain(|write| !matches!(write, Write::Stop));
    if group.len() < all {
        receiver.close();
    }
}

fn run(mut connection: Connection, mut groups: Receiver<Group>, runtime: &Handle) {
    while let Some((group, pass)) = groups.blocking_recv() {
        match commit(&mut connection, &group) {
            // One wake-up from here for all of them.
            Ok(written) => drop(runtime.spawn(async move {
                group.into_iter().zip(written).for_each(|(write, written)| answer(write, written));
            })),
            Err(error @ Error::Unavailable(_)) => group.into_iter().for_each(|write| fail(write, &error)),
            Err(_) => group.into_iter().for_each(|write| alone(&mut connection, write)),
        }
        drop(pass);
    }
}

/// Runs one step of a group that failed, so that a bad one harms nobody but itself.
fn alone(connection: &mut Connection, write: Write) {
    match commit(connection, slice::from_ref(&write)).map(|mut written| written.pop()) {
        Ok(Some(written)) => answer(write, written),
        Ok(None) => fail(write, &Error::internal("a step without an outcome")),
        Err(error) => fail(write, &error),
    }
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

/// Answers after the commit. Who asked may have gone away: then the answer is dropped.
fn answer(write: Write, written: Written) {
    match (write, written) {
        (Write::Poll(_, reply), Written::Poll(answer)) => drop(reply.send(Ok(answer))),
        (Write::Token(_, reply), Written::Token(answer)) => drop(reply.send(Ok(answer))),
        (Write::Contacts(_, reply), Written::Contacts) => drop(reply.send(Ok(()))),
        (write, _) => fail(write, &Error::internal("an answer to another step")),
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
