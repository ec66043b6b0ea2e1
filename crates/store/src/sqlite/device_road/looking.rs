//! The thread that looks whether there is anything to hand over, and the task that brings it one group after the other.

use std::{
    mem,
    sync::Arc,
    thread::{self, JoinHandle},
};

use domain::{
    Error, Result,
    ports::{Answer, Poll, PollAnswer},
};
use rusqlite::Connection;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver},
};

use super::steps::Steps;
use crate::{
    error::failed_on_road,
    road::{GROUP, Queue, Reply, refuse, serves, top_up},
};

/// The answer to a step, and whether something waits for it after all.
pub(super) type Looked = (Answer<PollAnswer>, bool);

/// What the thread is asked.
pub(super) enum Look {
    /// Answers an idle poll.
    Poll(Arc<Poll>, Reply<Looked>),
    /// Ends once the queue is empty.
    Stop,
}

/// Starts the thread.
pub(super) fn start(connection: Connection) -> Result<(Queue<Look>, JoinHandle<()>)> {
    let (queue, receiver) = Queue::new();
    let (groups, bring) = mpsc::channel(1);
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("store-reader".into());
    let thread = thread.spawn(move || run(&connection, bring, &runtime));
    tokio::spawn(collect(receiver, groups));
    Ok((queue, thread.map_err(Error::internal)?))
}

/// Waking the thread costs more than a look: so it is woken for many.
async fn collect(mut receiver: Receiver<Look>, groups: mpsc::Sender<Vec<Look>>) {
    let mut group = Vec::with_capacity(GROUP);
    while receiver.recv_many(&mut group, GROUP).await > 0 {
        top_up(&mut receiver, &mut group).await;
        let all = group.len();
        group.retain(|look| !matches!(look, Look::Stop));
        if group.len() < all {
            receiver.close();
        }
        if groups.send(mem::replace(&mut group, Vec::with_capacity(GROUP))).await.is_err() {
            return;
        }
    }
}

fn run(connection: &Connection, mut groups: Receiver<Vec<Look>>, runtime: &Handle) {
    while let Some(group) = groups.blocking_recv() {
        let answered = answer(connection, group);
        // Who asked may have gone away. One wake-up from here for all of them: each costs a good part of a look.
        runtime.spawn(async move { answered.into_iter().for_each(|(reply, seen)| drop(reply.send(seen))) });
    }
}

/// One snapshot for the group, taken after every step in it was asked: each sees what was committed before.
fn answer(connection: &Connection, group: Vec<Look>) -> Vec<(Reply<Looked>, Result<Looked>)> {
    let begun = connection.execute_batch("BEGIN").map_err(failed_on_road);
    let mut answered = Vec::with_capacity(group.len());
    let mut steps = Steps::of(connection);
    for look in group {
        let Look::Poll(step, reply) = look else { continue };
        let seen = match &begun {
            Err(error) => Err(refuse(error)),
            Ok(()) => look_up(&mut steps, &step),
        };
        answered.push((reply, seen));
    }
    if begun.is_ok() && connection.execute_batch("COMMIT").is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    answered
}

/// What an idle poll is answered, as far as a look can tell.
pub(super) fn look_up(steps: &mut Steps<'_>, step: &Poll) -> Result<Looked> {
    let Some((who, waits)) = steps.look(step)? else {
        return Ok((Answer { identity: None, served: None }, false));
    };
    let served = serves(&who, &step.key).then(PollAnswer::default);
    let waits = waits && served.is_some();
    Ok((Answer { identity: Some(who), served }, waits))
}
