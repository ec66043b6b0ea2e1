//! The account of what is claimed and not settled yet: nothing that this worker has claimed is anywhere else.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
};

use domain::{
    TenantId,
    ports::{Delivery, PushJob, PushTarget, SettledPush},
};
use tokio::task;

/// A push of which it is known what became.
pub type Settled = (SettledPush, Delivery);

/// What is claimed: on its way to APNs, back from there, or being settled.
pub struct UnderWay {
    most: usize,
    sending: HashMap<task::Id, Arc<PushJob>>,
    delivered: Vec<Settled>,
    settling: Arc<Vec<Settled>>,
    /// Whom those wake that are not being settled yet.
    targets: HashSet<(TenantId, PushTarget)>,
    of_tenant: HashMap<TenantId, usize>,
    all: usize,
}

impl UnderWay {
    /// Nothing, with room for `most`.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            sending: HashMap::new(),
            delivered: Vec::new(),
            settling: Arc::default(),
            targets: HashSet::new(),
            of_tenant: HashMap::new(),
            all: 0,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all
    }

    /// For how many more there is room.
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.all)
    }

    /// The tenants that have as much under way as there is room left. Claiming goes past these, so that however many of them are
    /// stuck, and one after the other, some room is left for the next one: a half, a third, a quarter.
    pub fn crowded(&self) -> Vec<TenantId> {
        let room = self.room();
        self.of_tenant.iter().filter(|(_, count)| **count >= room).map(|(tenant, _)| *tenant).collect()
    }

    /// Whether such a push is on its way or back from there: its claim was not kept in time, and was taken again. (One that is being
    /// settled may have been, and be due anew.)
    pub fn has(&self, job: &PushJob) -> bool {
        self.targets.contains(&target(job))
    }

    /// All of it, to be kept from other nodes.
    pub fn jobs(&self) -> Vec<PushJob> {
        let known = self.delivered.iter().chain(self.settling.iter()).map(|(row, _)| &row.job);
        self.sending.values().map(|job| &**job).chain(known).cloned().collect()
    }

    /// A push is on its way, carried by this task.
    pub fn send(&mut self, task: task::Id, job: Arc<PushJob>) {
        self.count_in(job.tenant);
        self.targets.insert(target(&job));
        self.sending.insert(task, job);
    }

    /// The push that this task carried, which has ended.
    pub fn arrived(&mut self, task: task::Id) -> Option<PushJob> {
        let job = self.sending.remove(&task)?;
        self.count_out(job.tenant);
        self.targets.remove(&target(&job));
        Some(Arc::unwrap_or_clone(job))
    }

    /// It is known what became of a push.
    pub fn deliver(&mut self, settled: Settled) {
        self.count_in(settled.0.job.tenant);
        self.targets.insert(target(&settled.0.job));
        self.delivered.push(settled);
    }

    /// Whether anything waits to be settled.
    pub fn is_to_settle(&self) -> bool {
        !self.delivered.is_empty()
    }

    /// Up to `most` of what waits to be settled; its end is [`UnderWay::settled`] or [`UnderWay::not_settled`].
    pub fn settle(&mut self, most: usize) -> Arc<Vec<Settled>> {
        let later = self.delivered.split_off(self.delivered.len().min(most));
        let group = mem::replace(&mut self.delivered, later);
        for (row, _) in &group {
            self.targets.remove(&target(&row.job));
        }
        self.settling = Arc::new(group);
        Arc::clone(&self.settling)
    }

    /// What was being settled is over.
    pub fn settled(&mut self) {
        for (row, _) in mem::take(&mut self.settling).iter() {
            self.count_out(row.job.tenant);
        }
    }

    /// What was being settled waits again, behind all else that does; how many that are.
    pub fn not_settled(&mut self) -> usize {
        let group = Arc::unwrap_or_clone(mem::take(&mut self.settling));
        let count = group.len();
        self.targets.extend(group.iter().map(|(row, _)| target(&row.job)));
        self.delivered.extend(group);
        count
    }

    fn count_in(&mut self, tenant: TenantId) {
        self.all += 1;
        *self.of_tenant.entry(tenant).or_default() += 1;
    }

    fn count_out(&mut self, tenant: TenantId) {
        self.all -= 1;
        if let Some(count) = self.of_tenant.get_mut(&tenant) {
            *count -= 1;
            if *count == 0 {
                self.of_tenant.remove(&tenant);
            }
        }
    }
}

fn target(job: &PushJob) -> (TenantId, PushTarget) {
    (job.tenant, job.target.clone())
}

#[cfg(test)]
mod tests {
    use domain::{ChannelKey, DeviceId, Timestamp, ports::PushTarget};
    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    fn settled(tenant: TenantId) -> Settled {
        let target =
            PushTarget::Channel { device: DeviceId(Uuid::from_u128(1)), channel: ChannelKey::default() };
        let job =
            PushJob { tenant, target, token: vec![1], magic: String::new(), attempts: 0, generation: 1 };
        let row =
            SettledPush { job, retry_at: None, token_gone: false, at: Timestamp(0), said: String::new() };
        (row, Delivery::Accepted)
    }

    fn add(under_way: &mut UnderWay, number: u128, count: usize) {
        for _ in 0..count {
            under_way.deliver(settled(tenant(number)));
        }
    }

    #[test]
    fn a_tenant_with_as_much_under_way_as_there_is_room_left_has_enough() {
        let mut under_way = UnderWay::new(12);
        add(&mut under_way, 1, 5);
        assert_eq!((under_way.room(), under_way.crowded()), (7, vec![]));
        add(&mut under_way, 1, 1);
        assert_eq!((under_way.room(), under_way.crowded()), (6, vec![tenant(1)]));
        add(&mut under_way, 2, 2);
        assert_eq!((under_way.room(), under_way.crowded()), (4, vec![tenant(1)]));
        add(&mut under_way, 2, 1);
        let mut crowded = under_way.crowded();
        crowded.sort_unstable();
        assert_eq!((under_way.room(), crowded), (3, vec![tenant(1), tenant(2)]));
    }

    #[test]
    fn what_is_settled_makes_room_and_what_is_not_waits_behind_the_others() {
        let mut under_way = UnderWay::new(12);
        add(&mut under_way, 1, 2);
        add(&mut under_way, 2, 1);
        assert_eq!(under_way.settle(2).len(), 2);
        assert_eq!((under_way.count(), under_way.jobs().len()), (3, 3));
        assert_eq!(under_way.not_settled(), 2);
        assert_eq!(under_way.settle(1)[0].0.job.tenant, tenant(2));
        under_way.settled();
        assert_eq!((under_way.count(), under_way.jobs().len()), (2, 2));
        under_way.settle(9);
        under_way.settled();
        assert_eq!((under_way.room(), under_way.is_to_settle()), (12, false));
    }
}
