//! Who was told that nothing waits is told otherwise as soon as that is so: a node may remember, but never answers by that alone.

use domain::{
    CertificateState, ChannelKey, Command, CommandState, EnrollmentState, RENEWAL, Schedule,
    ports::{Poll, Tx},
};
use pki::Fingerprint;

use super::world::{NOW, Phone, World, channel, digest, later};

impl World {
    /// A device that has been told often enough that nothing waits.
    pub async fn told_phone(&self) -> Phone {
        let phone = self.phone().await;
        self.tells_that_nothing_waits(&phone).await;
        phone
    }

    pub async fn tells_that_nothing_waits(&self, phone: &Phone) {
        for _ in 0..3 {
            assert_eq!(self.idle(phone).await, None);
        }
    }

    async fn commit(&self, write: impl AsyncFnOnce(&mut dyn Tx)) {
        let mut tx = self.tx().await;
        write(&mut *tx).await;
        tx.commit().await.unwrap();
    }

    async fn is_served(&self, step: Poll) -> bool {
        self.answer(step).await.served.is_some()
    }
}

#[tokio::test]
async fn a_command_comes_at_the_next_poll_each_time() {
    let world = World::new().await;
    let (phone, other) = (world.told_phone().await, world.told_phone().await);
    for _ in 0..3 {
        let [command] = world.queue(&phone).await;
        assert_eq!(world.idle(&other).await, None);
        assert_eq!(world.idle(&phone).await, Some(command));
        assert_eq!(world.reports(&phone, command, CommandState::Acknowledged).await, None);
        world.tells_that_nothing_waits(&phone).await;
    }
}

#[tokio::test]
async fn a_command_for_later_comes_when_it_is_time() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    let schedule = Schedule { not_before: Some(later(60)), ..Schedule::default() };
    let command = Command { schedule, ..phone.command() };
    world.commit(async |tx| tx.add_commands(std::slice::from_ref(&command)).await.unwrap()).await;

    world.tells_that_nothing_waits(&phone).await;
    let next = world.poll(Poll { now: later(60), ..phone.idle() }).await.next;
    assert_eq!(next.map(|next| next.command), Some(command.id));
}

#[tokio::test]
async fn a_command_that_was_put_off_comes_again() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    let [command] = world.queue(&phone).await;
    assert_eq!(world.idle(&phone).await, Some(command));
    assert_eq!(world.reports(&phone, command, CommandState::NotNow).await, None);

    let next = world.poll(Poll { now: later(3600), ..phone.idle() }).await.next;
    assert_eq!(next.map(|next| next.command), Some(command));
}

#[tokio::test]
async fn each_channel_is_told_of_its_own_commands() {
    let world = World::new().await;
    let phone = world.phone().await;
    let user = ChannelKey("a user".into());
    world
        .commit(async |tx| tx.set_channel(phone.device, phone.enrollment, &channel("a user")).await.unwrap())
        .await;
    let users = || Poll { channel: user.clone(), ..phone.idle() };
    for _ in 0..3 {
        assert!(world.idle(&phone).await.is_none() && world.poll(users()).await.next.is_none());
    }
    let command = Command { channel: user.clone(), ..phone.command() };
    world.commit(async |tx| tx.add_commands(std::slice::from_ref(&command)).await.unwrap()).await;

    assert_eq!(world.idle(&phone).await, None);
    assert_eq!(world.poll(users()).await.next.map(|next| next.command), Some(command.id));
}

#[tokio::test]
async fn who_may_only_be_renewed_is_told_of_nothing_else_until_it_is() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    let expired = || Poll { renewal_only: true, ..phone.idle() };
    let [command] = world.queue(&phone).await;
    for _ in 0..3 {
        assert!(world.poll(expired()).await.next.is_none());
    }
    let renewal = Command { dedupe: Some(RENEWAL.into()), ..phone.command() };
    world.commit(async |tx| tx.add_commands(std::slice::from_ref(&renewal)).await.unwrap()).await;

    assert_eq!(world.poll(expired()).await.next.map(|next| next.command), Some(renewal.id));
    assert_eq!(world.reports(&phone, renewal.id, CommandState::Acknowledged).await, Some(command));
}

#[tokio::test]
async fn a_certificate_that_is_taken_back_opens_nothing_any_more() {
    let world = World::new().await;
    let (one, all) = (world.told_phone().await, world.told_phone().await);
    world
        .commit(async |tx| {
            tx.set_certificate_state(&one.fingerprint, CertificateState::Revoked).await.unwrap();
            tx.set_certificate_states(all.enrollment, CertificateState::Revoked).await.unwrap();
        })
        .await;

    assert!(!world.is_served(one.idle()).await && !world.is_served(all.idle()).await);

    world
        .commit(async |tx| {
            tx.set_certificate_state(&one.fingerprint, CertificateState::Pinned).await.unwrap();
        })
        .await;
    assert!(world.is_served(one.idle()).await);
}

#[tokio::test]
async fn an_enrollment_that_ends_or_is_of_another_device_opens_nothing_any_more() {
    let world = World::new().await;
    let (over, bound) = (world.told_phone().await, world.told_phone().await);
    let ended = domain::Enrollment { state: EnrollmentState::Over, ..over.enrollment() };
    let another = domain::Enrollment { key: Some("another".into()), ..bound.enrollment() };
    world
        .commit(async |tx| {
            tx.set_enrollment(&ended).await.unwrap();
            tx.set_enrollment(&another).await.unwrap();
        })
        .await;

    assert!(!world.is_served(over.idle()).await && !world.is_served(bound.idle()).await);
    assert!(world.is_served(Poll { key: "another".into(), ..bound.idle() }).await);
}

#[tokio::test]
async fn a_certificate_that_names_another_enrollment_is_told_of_what_waits_there() {
    let world = World::new().await;
    let (from, to) = (world.told_phone().await, world.told_phone().await);
    let [command] = world.queue(&to).await;
    world.commit(async |tx| tx.move_certificate(&from.fingerprint, to.enrollment).await.unwrap()).await;

    assert!(!world.is_served(from.idle()).await);
    let answer = world.poll(Poll { key: to.key.clone(), ..from.idle() }).await;
    assert_eq!(answer.next.map(|next| next.command), Some(command));
}

#[tokio::test]
async fn two_certificates_of_one_enrollment_are_both_told() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    let second = Phone { fingerprint: Fingerprint(digest()), ..phone.clone() };
    world.commit(async |tx| tx.add_certificate(&second.certificate()).await.unwrap()).await;
    for _ in 0..3 {
        world.tells_that_nothing_waits(&second).await;
        world.tells_that_nothing_waits(&phone).await;
    }
    let [command] = world.queue(&phone).await;

    assert_eq!(world.idle(&second).await, Some(command));
    assert_eq!(world.idle(&phone).await, Some(command), "it asks again");
}

#[tokio::test]
async fn a_device_that_is_removed_is_nobody() {
    let world = World::new().await;
    let phone = world.told_phone().await;
    world.commit(async |tx| tx.remove_device(phone.device).await.unwrap()).await;

    let answer = world.answer(Poll { now: NOW, ..phone.idle() }).await;
    assert!(answer.identity.is_none() && answer.served.is_none());
}
