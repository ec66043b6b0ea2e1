use domain::{
    CommandState,
    ports::{OutcomeJob, Worker},
};

use super::world::{NOW, Phone, World, later};

impl World {
    /// A phone with a finished command, whose outcome waits.
    async fn outcome(&self, seconds: i64) -> OutcomeJob {
        let phone = self.phone().await;
        self.outcome_of(&phone, seconds).await
    }

    async fn outcome_of(&self, phone: &Phone, seconds: i64) -> OutcomeJob {
        let [command] = self.queue(phone).await;
        let mut report = phone.reports(command, CommandState::Acknowledged);
        report.now = later(seconds);
        assert!(self.poll(report).await.report_known);
        OutcomeJob { tenant: phone.tenant, device: phone.device, command }
    }
}

#[tokio::test]
async fn the_oldest_outcomes_are_claimed_first_and_by_one_worker() {
    let world = World::new().await;
    let (third, first, second) = (world.outcome(3).await, world.outcome(1).await, world.outcome(2).await);
    let outbox = &world.db.outbox;

    assert_eq!(outbox.claim_outcomes(later(10), later(20), 2).await.unwrap(), [first, second]);
    assert_eq!(outbox.claim_outcomes(later(10), later(20), 2).await.unwrap(), [third]);
    assert_eq!(outbox.claim_outcomes(later(19), later(30), 2).await.unwrap(), []);
    assert_eq!(outbox.claim_outcomes(later(20), later(30), 9).await.unwrap(), [first, second, third]);
    assert_eq!(outbox.backlog().await.unwrap(), (0, 3, 0));
}

#[tokio::test]
async fn what_a_server_that_died_had_claimed_is_free_once_its_claims_are_released() {
    let world = World::new().await;
    let job = world.outcome(1).await;
    let outbox = &world.db.outbox;
    assert_eq!(outbox.claim_outcomes(later(10), later(20), 9).await.unwrap(), [job]);

    outbox.release_claims(Worker::Pushes).await.unwrap();
    assert_eq!(outbox.claim_outcomes(later(11), later(20), 9).await.unwrap(), []);
    outbox.release_claims(Worker::Outcomes).await.unwrap();
    assert_eq!(outbox.claim_outcomes(later(11), later(20), 9).await.unwrap(), [job]);
}

#[tokio::test]
async fn an_applied_outcome_is_gone() {
    let world = World::new().await;
    let job = world.outcome(1).await;
    let mut tx = world.tx().await;
    assert!(tx.remove_outcome(job.device, job.command).await.unwrap());
    assert!(!tx.remove_outcome(job.device, job.command).await.unwrap(), "another worker was quicker");
    tx.commit().await.unwrap();

    assert_eq!(world.db.outbox.claim_outcomes(later(10), later(20), 9).await.unwrap(), []);
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (0, 0, 0));
}

#[tokio::test]
async fn a_command_put_off_has_no_outcome() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let answer = world.poll(phone.reports(command, CommandState::NotNow)).await;

    assert!(answer.report_known && !answer.leaves_outcome);
    assert_eq!(world.db.outbox.claim_outcomes(NOW, later(20), 9).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_side_by_side_share_the_outcomes() {
    let world = World::new().await;
    let phone = world.phone().await;
    for seconds in 0..30 {
        world.outcome_of(&phone, seconds).await;
    }
    let claims: Vec<_> = (0..6)
        .map(|_| {
            let outbox = world.db.outbox.clone();
            tokio::spawn(async move { outbox.claim_outcomes(later(40), later(50), 5).await.unwrap() })
        })
        .collect();
    let mut claimed = Vec::new();
    for claim in claims {
        claimed.extend(claim.await.unwrap());
    }
    // One that saw nothing free while others were claiming comes again.
    claimed.extend(world.db.outbox.claim_outcomes(later(40), later(50), 30).await.unwrap());

    claimed.sort_by_key(|job| job.command);
    claimed.dedup();
    assert_eq!(claimed.len(), 30);
    assert_eq!(world.db.outbox.claim_outcomes(later(40), later(50), 30).await.unwrap(), []);
}
