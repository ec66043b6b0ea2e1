//! The thread that looks whether there is anything to hand over.

use std::thread::{self, JoinHandle};

use domain::{
    Error, Result,
    ports::{Answer, Poll, PollAnswer},
};
use rusqlite::Connection;
use tokio::sync::mpsc::Receiver;

use super::steps;
use crate::{
    error::failed_on_road,
    road::{GROUP, Queue, Reply, refuse, serves},
};

/// What the thread is asked.
pub(super) enum Look {
    /// Answers an idle poll, and whether something waits for it after all.
    Poll(Poll, Reply<(Poll, Answer<PollAnswer>, bool)>),
    /// Ends once the queue is empty.
    Stop,
}

/// Starts the thread.
pub(super) fn start(connection: Connection) -> Result<(Queue<Look>, JoinHandle<()>)> {
    let (queue, receiver) = Queue::new();
    let thread = thread::Builder::new().name("store-reader".into()).spawn(move || run(&connection, receiver));
    Ok((queue, thread.map_err(Error::internal)?))
}

fn run(connection: &Connection, mut receiver: Receiver<Look>) {
    let mut group = Vec::with_capacity(GROUP);
    while receiver.blocking_recv_many(&mut group, GROUP) > 0 {
        // One snapshot for the group, taken after every step in it was asked: each sees what was committed before.
        let begun = connection.execute_batch("BEGIN").map_err(failed_on_road);
        for look in group.drain(..) {
            match (look, &begun) {
                (Look::Stop, _) => receiver.close(),
                (Look::Poll(_, reply), Err(error)) => drop(reply.send(Err(refuse(error)))),
                (Look::Poll(step, reply), Ok(())) => {
                    let answer = look_up(connection, &step);
                    // Who asked may have gone away.
                    let _ = reply.send(answer.map(|(answer, waits)| (step, answer, waits)));
                }
            }
        }
        if begun.is_ok() && connection.execute_batch("COMMIT").is_err() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

fn look_up(connection: &Connection, step: &Poll) -> Result<(Answer<PollAnswer>, bool)> {
    let Some(who) = steps::identity(connection, &step.fingerprint)? else {
        return Ok((Answer { identity: None, served: None }, false));
    };
    if !serves(&who, &step.key) {
        return Ok((Answer { identity: Some(who), served: None }, false));
    }
    let waits = steps::waits(connection, &who, step)?;
    Ok((Answer { identity: Some(who), served: Some(PollAnswer::default()) }, waits))
}
