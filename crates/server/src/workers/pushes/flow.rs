//! What is done when: claims, deliveries and settlements run side by side, each as soon as there is something for it to do.
//!
//! At most one claim and one settlement are under way at a time. What is delivered while one is being settled makes the next group,
//! so that groups are as large as the database is slow. While little is due, claims and settlements take turns, too: what comes
//! meanwhile is then one group instead of two.

use std::{sync::Arc, time::Duration};

use domain::{
    KEEP_PUSHES, Result, TenantId,
    ports::{Deliver, Delivery},
};
use tokio::{
    task::{self, JoinError, JoinSet},
    time::{Instant, sleep},
};

use super::{
    super::{LOOK, rest},
    desk::{self, Desk, Ready, SOON},
    slot::Slot,
    under_way::UnderWay,
};

/// How many pushes are claimed at once, and how many are settled in one transaction.
const BATCH: usize = 500;

/// How many pushes are claimed and not yet settled, at most. One tenant that is alone has up to three quarters of it: as many on their
/// way as APNs takes on one connection, and as many before and behind those.
const MOST: usize = 2000;

/// A look past the pushes of tenants that have enough under way may have to read all that they have due: it may take
/// up this part of the database's time, if no less than once in a [`LOOK`].
const PART_OF_TIME: u32 = 20;

/// The flow of pushes through this server.
pub struct Flow {
    desk: Arc<dyn Desk>,
    apns: Arc<dyn Deliver>,
    under_way: UnderWay,
    sending: JoinSet<Delivery>,
    claiming: Slot<Claimed>,
    settling: Slot<Result<()>>,
    keeping: Slot<Keep>,
    waiting: Slot<()>,
    looking_past: Slot<()>,
    /// Whether something may be due.
    is_due: bool,
    /// Whether the last look found something.
    has_found: bool,
    /// Whether the last claim, past nobody, was a whole batch: there is more where it came from.
    is_flooded: bool,
    /// Whose turn it is where claim and settlement take turns.
    settles_next: bool,
    /// How many are settled together.
    group: usize,
}

/// How a claim ended.
struct Claimed {
    jobs: Result<Vec<Ready>>,
    limit: usize,
    /// Whether tenants were passed over.
    past: bool,
    took: Duration,
}

/// The claims are kept every [`KEEP_PUSHES`].
enum Keep {
    Due,
    Done,
}

impl Flow {
    /// With nothing under way.
    pub fn new(desk: Arc<dyn Desk>, apns: Arc<dyn Deliver>) -> Self {
        Self {
            desk,
            apns,
            under_way: UnderWay::new(MOST),
            sending: JoinSet::new(),
            claiming: Slot::empty(),
            settling: Slot::empty(),
            keeping: Slot::empty(),
            waiting: Slot::empty(),
            looking_past: Slot::empty(),
            is_due: true,
            has_found: false,
            is_flooded: false,
            settles_next: false,
            group: BATCH,
        }
    }

    /// Sends what is due, for ever.
    pub async fn run(mut self) {
        loop {
            self.begin();
            self.go_on().await;
        }
    }

    /// Begins all that can be begun now.
    fn begin(&mut self) {
        if self.settles_next {
            self.begin_settling();
            self.begin_claiming();
        } else {
            self.begin_claiming();
            self.begin_settling();
        }
        if !self.is_due && !self.claiming.is_busy() && !self.waiting.is_busy() {
            let (desk, found) = (Arc::clone(&self.desk), self.has_found);
            self.waiting.start(async move { desk.wait(found).await });
        }
        if self.under_way.count() > 0 && !self.keeping.is_busy() {
            self.keeping.start(async {
                sleep(KEEP_PUSHES).await;
                Keep::Due
            });
        }
    }

    /// Waits until something has come to its end, and draws the conclusions.
    async fn go_on(&mut self) {
        tokio::select! {
            Some(sent) = self.sending.join_next_with_id() => self.sent(sent),
            claimed = self.claiming.done() => self.claimed(claimed),
            settled = self.settling.done() => self.settled(&settled),
            keep = self.keeping.done() => self.keep(&keep),
            () = self.waiting.done() => self.is_due = true,
            () = self.looking_past.done() => {}
        }
    }

    fn begin_claiming(&mut self) {
        let limit = self.under_way.room().div_ceil(2).min(BATCH);
        if !self.is_due || limit == 0 || self.claiming.is_busy() || self.takes_turns(&self.settling) {
            return;
        }
        let except = self.under_way.crowded();
        if !except.is_empty() && self.looking_past.is_busy() {
            return;
        }
        self.settles_next = true;
        self.claiming.start(claim(Arc::clone(&self.desk), limit, except));
    }

    fn begin_settling(&mut self) {
        if !self.under_way.is_to_settle() || self.settling.is_busy() || self.takes_turns(&self.claiming) {
            return;
        }
        self.settles_next = false;
        let (desk, group) = (Arc::clone(&self.desk), self.under_way.settle(self.group));
        self.settling.start(async move {
            let settled = desk.settle(&group).await;
            if let Err(error) = &settled {
                rest("settling pushes", error).await;
            }
            settled
        });
    }

    /// Whether `other` must be done first.
    fn takes_turns<T>(&self, other: &Slot<T>) -> bool {
        !self.is_flooded && other.is_busy()
    }

    fn claimed(&mut self, claimed: Claimed) {
        let Claimed { jobs: Ok(jobs), limit, past, took } = claimed else {
            self.is_flooded = false;
            return;
        };
        let is_full = jobs.len() >= limit;
        self.has_found = !jobs.is_empty();
        if !past {
            (self.is_due, self.is_flooded) = (is_full, is_full);
        } else if !is_full {
            self.looking_past.start(sleep((took * PART_OF_TIME).clamp(SOON, LOOK)));
        }
        for ready in jobs {
            if !self.under_way.has(&ready.0) {
                self.send(ready);
            }
        }
    }

    fn send(&mut self, (job, credentials): Ready) {
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(delivery) => return self.under_way.deliver((self.desk.judge(job, &delivery), delivery)),
        };
        let job = Arc::new(job);
        let (apns, desk, push) = (Arc::clone(&self.apns), Arc::clone(&self.desk), Arc::clone(&job));
        let task = self
            .sending
            .spawn(async move { apns.push(credentials, &push.token, &push.magic, desk.now()).await });
        self.under_way.send(task.id(), job);
    }

    /// Takes all that have come back by now, so that they are settled together.
    fn sent(&mut self, first: std::result::Result<(task::Id, Delivery), JoinError>) {
        let mut next = Some(first);
        while let Some(sent) = next {
            match sent {
                Ok((task, delivery)) => {
                    if let Some(job) = self.under_way.arrived(task) {
                        self.under_way.deliver((self.desk.judge(job, &delivery), delivery));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a delivery broke off: the push is sent again when its claim has ended");
                    self.under_way.arrived(error.id());
                }
            }
            next = self.sending.try_join_next_with_id();
        }
    }

    /// One row that the database does not take must not keep others from being settled: what failed is tried again behind all
    /// others, in ever smaller groups.
    fn settled(&mut self, settled: &Result<()>) {
        if settled.is_ok() {
            self.under_way.settled();
            self.group = (self.group * 2).min(BATCH);
        } else {
            self.group = (self.under_way.not_settled() / 2).max(1);
        }
    }

    fn keep(&mut self, keep: &Keep) {
        let jobs = match keep {
            Keep::Due => self.under_way.jobs(),
            Keep::Done => return,
        };
        let desk = Arc::clone(&self.desk);
        self.keeping.start(async move {
            if let Err(error) = desk.keep(&jobs).await {
                tracing::warn!(
                    error = error.chain(),
                    "claims of pushes could not be kept: some may be sent twice"
                );
            }
            Keep::Done
        });
    }
}

async fn claim(desk: Arc<dyn Desk>, limit: usize, except: Vec<TenantId>) -> Claimed {
    let (past, began) = (!except.is_empty(), Instant::now());
    let jobs = desk::claim(&*desk, u32::try_from(limit).unwrap_or(u32::MAX), &except).await;
    let took = began.elapsed();
    if let Err(error) = &jobs {
        rest("pushes", error).await;
    }
    Claimed { jobs, limit, past, took }
}
