use domain::{
    CertificateState, Channel, ChannelKey, Command, CommandId, CommandState, DeviceName, Enrollment,
    EnrollmentState, Event, PushCertificate, RENEWAL,
    ports::{Poll, TokenStep},
};
use pki::Fingerprint;
use serde_json::json;

use super::world::{NOW, Phone, World, channel, digest, id, later};

impl World {
    async fn last_contact(&self, phone: &Phone) -> Option<domain::Timestamp> {
        self.db.road.flush().await.unwrap();
        let device = self.look().await.device_named(&DeviceName::Id(phone.device)).await.unwrap();
        device.unwrap().last_contact
    }
}

#[tokio::test]
async fn a_device_with_an_empty_queue_gets_nothing() {
    let world = World::new().await;
    let phone = world.phone().await;

    let answer = world.poll(phone.idle()).await;

    assert!(answer.next.is_none() && !answer.report_known);
}

#[tokio::test]
async fn commands_are_handed_over_in_order_one_after_each_report() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [one, two] = world.queue(&phone).await;

    let next = world.poll(phone.idle()).await.next.unwrap();
    assert_eq!((next.tenant, next.device, next.command), (world.tenant, phone.device, one));
    assert_eq!((&*next.payload, next.sealed), (&b"<plist/>"[..], false));
    let handed = world.command(&phone, one).await;
    assert_eq!((handed.state, handed.handed_over_at), (CommandState::HandedOver, Some(NOW)));

    assert_eq!(world.reports(&phone, one, CommandState::Acknowledged).await, Some(two));
    assert_eq!(world.reports(&phone, two, CommandState::Failed).await, None);
    assert_eq!(world.idle(&phone).await, None);
}

#[tokio::test]
async fn a_report_is_stored_with_its_outcome() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    world.idle(&phone).await;
    let answer = world.poll(Poll { now: later(7), ..phone.reports(command, CommandState::Failed) }).await;
    assert!(answer.report_known && answer.leaves_outcome);

    let done = world.command(&phone, command).await;
    assert_eq!((done.state, done.finished_at), (CommandState::Failed, Some(later(7))));
    assert_eq!(done.result, Some(b"<report/>".to_vec()));
    assert_eq!(done.handed_over_at, Some(NOW));
    let outcomes = world.db.outbox.claim_outcomes(later(9), later(10), 9).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    assert_eq!((outcomes[0].device, outcomes[0].command), (phone.device, command));
}

#[tokio::test]
async fn a_report_that_changes_nothing_is_told_at_once_and_leaves_no_outcome() {
    let world = World::new().await;
    let phone = world.phone().await;
    let states = [CommandState::Acknowledged, CommandState::Failed, CommandState::NotNow];
    let commands = states.map(|_| Command { request_type: "CertificateList".into(), ..phone.command() });
    let mut tx = world.tx().await;
    tx.add_commands(&commands).await.unwrap();
    tx.commit().await.unwrap();
    world.idle(&phone).await;

    for (command, state) in commands.iter().zip(states) {
        let mut step = Poll { now: later(7), ..phone.reports(command.id, state) };
        step.report.as_mut().unwrap().errors = json!([{ "code": 12 }]);
        let answer = world.poll(step).await;
        assert!(answer.report_known && !answer.leaves_outcome, "{state:?}");
    }

    assert_eq!(world.db.outbox.backlog().await.unwrap().1, 0);
    let told = |state| {
        let [done, failed, _] = &commands;
        let command = if state == CommandState::Acknowledged { done } else { failed };
        let errors = json!([{ "code": 12 }]);
        Event::of_result((phone.device, command.id), "CertificateList", state, &errors, later(7))
    };
    let mut events = world.tx().await.events(Some(phone.device), 9).await.unwrap();
    events.retain(|event| event.kind.starts_with("command."));
    assert_eq!(events, [told(CommandState::Failed), told(CommandState::Acknowledged)], "newest first");
}

#[tokio::test]
async fn a_command_put_off_waits_for_the_next_idle() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [one, two] = world.queue(&phone).await;
    assert_eq!(world.idle(&phone).await, Some(one));

    assert_eq!(world.reports(&phone, one, CommandState::NotNow).await, Some(two));
    assert_eq!(world.reports(&phone, two, CommandState::NotNow).await, None);

    let put_off = world.command(&phone, one).await;
    assert_eq!((put_off.state, put_off.result, put_off.finished_at), (CommandState::NotNow, None, None));
    assert_eq!(world.idle(&phone).await, Some(one));
    assert_eq!(
        world.reports(&phone, one, CommandState::Acknowledged).await,
        Some(two),
        "its turn has come again"
    );
    assert_eq!(world.reports(&phone, two, CommandState::NotNow).await, None);
    assert_eq!(world.idle(&phone).await, Some(two));
}

#[tokio::test]
async fn a_command_that_is_put_off_for_ever_does_not_hide_others_that_were_put_off_once() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [stubborn, two, three] = world.queue(&phone).await;
    world.idle(&phone).await;
    for (command, next) in [(stubborn, Some(two)), (two, Some(three)), (three, None)] {
        assert_eq!(world.reports(&phone, command, CommandState::NotNow).await, next);
    }

    assert_eq!(world.idle(&phone).await, Some(stubborn));
    assert_eq!(world.reports(&phone, stubborn, CommandState::NotNow).await, Some(two));
    assert_eq!(world.reports(&phone, two, CommandState::Acknowledged).await, Some(three));
    assert_eq!(world.reports(&phone, three, CommandState::NotNow).await, None, "each once in a conversation");
    let known = world.poll(phone.reports(two, CommandState::Acknowledged)).await;
    assert_eq!((known.report_known, known.next.map(|next| next.command)), (false, None), "said twice");
}

#[tokio::test]
async fn a_command_whose_hand_over_was_never_confirmed_comes_back_at_idle_only() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [lost, two, three] = world.queue(&phone).await;
    assert_eq!(world.idle(&phone).await, Some(lost));

    assert_eq!(world.reports(&phone, two, CommandState::Acknowledged).await, Some(three));
    assert_eq!(world.reports(&phone, three, CommandState::Acknowledged).await, None);
    let again = Poll { now: later(60), ..phone.idle() };
    assert_eq!(world.poll(again).await.next.map(|next| next.command), Some(lost));
    assert_eq!(world.command(&phone, lost).await.handed_over_at, Some(later(60)));
    assert_eq!(world.reports(&phone, lost, CommandState::Acknowledged).await, None);
    assert_eq!(world.idle(&phone).await, None, "never after its result");
}

#[tokio::test]
async fn a_report_of_a_command_that_was_never_handed_over_counts() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;

    assert_eq!(
        world.reports(&phone, command, CommandState::Acknowledged).await,
        None,
        "the backup was older"
    );
    assert_eq!(world.idle(&phone).await, None);
}

#[tokio::test]
async fn a_second_report_of_a_command_changes_nothing() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [one, two] = world.queue(&phone).await;
    world.reports(&phone, one, CommandState::Acknowledged).await;

    let again = world.poll(Poll { now: later(9), ..phone.reports(one, CommandState::Failed) }).await;

    assert!(!again.report_known);
    assert_eq!(
        again.next.map(|next| next.command),
        None,
        "the second was handed over after the first report"
    );
    let done = world.command(&phone, one).await;
    assert_eq!((done.state, done.finished_at), (CommandState::Acknowledged, Some(NOW)));
    assert_eq!(world.idle(&phone).await, Some(two));
    assert_eq!(world.db.outbox.backlog().await.unwrap(), (0, 1, 0));
}

#[tokio::test]
async fn an_unknown_report_still_brings_the_next_command() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;

    let answer = world.poll(phone.reports(CommandId(id()), CommandState::Acknowledged)).await;

    assert!(!answer.report_known);
    assert_eq!(answer.next.map(|next| next.command), Some(command));
}

#[tokio::test]
async fn a_device_cannot_answer_for_another() {
    let world = World::new().await;
    let (ada, bob) = (world.phone().await, world.phone().await);
    let [lock] = world.queue(&ada).await;

    assert!(!world.poll(bob.reports(lock, CommandState::Acknowledged)).await.report_known);

    assert_eq!(world.idle(&ada).await, Some(lock));
}

#[tokio::test]
async fn channels_have_queues_of_their_own() {
    let world = World::new().await;
    let phone = world.phone().await;
    let ada = ChannelKey("ada".into());
    let (for_device, for_user) = (phone.command(), Command { channel: ada.clone(), ..phone.command() });
    let mut tx = world.tx().await;
    tx.add_commands(&[for_user.clone(), for_device.clone()]).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.idle(&phone).await, Some(for_device.id));
    let on_wrong_channel = phone.reports(for_user.id, CommandState::Acknowledged);
    assert!(!world.poll(on_wrong_channel).await.report_known);
    let next = world.poll(Poll { channel: ada.clone(), ..phone.idle() }).await.next;
    assert_eq!(next.map(|next| next.command), Some(for_user.id));
    let report = Poll { channel: ada, ..phone.reports(for_user.id, CommandState::Acknowledged) };
    assert!(world.poll(report).await.report_known);
}

#[tokio::test]
async fn a_command_of_an_earlier_enrollment_is_neither_handed_over_nor_finished() {
    let world = World::new().await;
    let phone = world.phone().await;
    let stale = Command { enrollment: Phone::new(world.tenant).enrollment, ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(std::slice::from_ref(&stale)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.idle(&phone).await, None);
    assert!(!world.poll(phone.reports(stale.id, CommandState::Acknowledged)).await.report_known);
    assert_eq!(world.command(&phone, stale.id).await, stale);
}

#[tokio::test]
async fn an_expired_certificate_fetches_its_renewal_and_nothing_else() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [lock] = world.queue(&phone).await;
    let expired = || Poll { renewal_only: true, ..phone.idle() };
    assert!(world.poll(expired()).await.next.is_none());
    let renewal = Command { dedupe: Some(RENEWAL.into()), ..phone.command() };
    let mut tx = world.tx().await;
    tx.add_commands(std::slice::from_ref(&renewal)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.poll(expired()).await.next.map(|next| next.command), Some(renewal.id));
    let report = Poll { renewal_only: true, ..phone.reports(renewal.id, CommandState::Acknowledged) };
    let answer = world.poll(report).await;
    assert!(answer.report_known && answer.next.is_none());
    assert_eq!(world.idle(&phone).await, Some(lock), "once it has a good one again");
}

#[tokio::test]
async fn a_step_is_served_only_for_a_pinned_certificate_of_an_active_enrollment_and_its_key() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let reports = || phone.reports(command, CommandState::Acknowledged);
    for step in [Poll { key: "another".into(), ..phone.idle() }, Poll { key: "another".into(), ..reports() }]
    {
        refused(&world, &phone, step).await;
    }
    for state in [
        EnrollmentState::Issued,
        EnrollmentState::Pending,
        EnrollmentState::Quarantined,
        EnrollmentState::Over,
    ] {
        set_states(&world, &phone, state, CertificateState::Pinned).await;
        refused(&world, &phone, phone.idle()).await;
        refused(&world, &phone, reports()).await;
    }
    for state in [CertificateState::Issued, CertificateState::Superseded, CertificateState::Revoked] {
        set_states(&world, &phone, EnrollmentState::Active, state).await;
        refused(&world, &phone, phone.idle()).await;
        refused(&world, &phone, reports()).await;
        let token = world.db.road.update_token(phone.tells(channel(""))).await.unwrap();
        assert!(token.identity.is_some() && token.served.is_none());
    }

    assert_eq!(world.command(&phone, command).await.state, CommandState::Queued, "nothing was written");
    assert_eq!(world.last_contact(&phone).await, None);
}

async fn refused(world: &World, phone: &Phone, step: Poll) {
    let answer = world.answer(step).await;
    assert!(answer.served.is_none());
    let identity = answer.identity.expect("who it is");
    assert_eq!(world.db.directory.identity(&phone.fingerprint).await.unwrap(), Some(identity));
}

async fn set_states(
    world: &World,
    phone: &Phone,
    enrollment: EnrollmentState,
    certificate: CertificateState,
) {
    let mut tx = world.tx().await;
    tx.set_enrollment(&Enrollment { state: enrollment, ..phone.enrollment() }).await.unwrap();
    tx.set_certificate_state(&phone.fingerprint, certificate).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_unknown_certificate_has_no_identity() {
    let world = World::new().await;
    let phone = world.phone().await;
    let stranger = Phone { fingerprint: Fingerprint(digest()), ..phone };

    for step in [stranger.idle(), stranger.reports(CommandId(id()), CommandState::Acknowledged)] {
        let answer = world.answer(step).await;
        assert!(answer.identity.is_none() && answer.served.is_none());
    }
    let answer = world.db.road.update_token(stranger.tells(channel(""))).await.unwrap();
    assert!(answer.identity.is_none() && answer.served.is_none());
}

#[tokio::test]
async fn a_repeated_token_update_renews_the_channel() {
    let world = World::new().await;
    let phone = world.phone().await;
    let with_unlock = Channel { unlock_token: Some(vec![4, 2]), updated_at: later(1), ..channel("") };
    world.db.road.update_token(phone.tells(with_unlock)).await.unwrap().served.unwrap();
    let told =
        Channel { push_token: vec![8; 32], push_magic: "m2".into(), updated_at: later(2), ..channel("") };
    let answer = world.db.road.update_token(phone.tells(told.clone())).await.unwrap();
    assert!(answer.served.is_some());

    let stored = world.look().await.channel(phone.enrollment, &ChannelKey::default()).await.unwrap();
    assert_eq!(stored, Some(Channel { unlock_token: Some(vec![4, 2]), ..told }));
}

#[tokio::test]
async fn the_first_token_update_of_a_channel_takes_the_ordinary_road() {
    let world = World::new().await;
    let phone = world.phone().await;

    let answer = world.db.road.update_token(phone.tells(channel("ada"))).await.unwrap();

    assert!(answer.identity.is_some() && answer.served.is_none());
    assert_eq!(world.look().await.channel(phone.enrollment, &ChannelKey("ada".into())).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_that_is_bound_is_taken_for_its_own_enrollment_and_topic_only() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let told = Channel { push_token: vec![8; 32], ..channel("") };
    let bound = |enrollment, topic: &str| TokenStep {
        bound: Some((enrollment, topic.into())),
        ..phone.tells(told.clone())
    };
    let served = async |step| world.db.road.update_token(step).await.unwrap().served.is_some();
    assert!(!served(bound(phone.enrollment, "com.apple.mgmt.x")).await, "there is no push certificate");

    let mut tx = world.tx().await;
    tx.set_push_certificate(&push_certificate("com.apple.mgmt.x")).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!served(bound(phone.enrollment, "com.apple.mgmt.y")).await);
    assert!(!served(bound(other.enrollment, "com.apple.mgmt.x")).await);
    let token = async || {
        let stored = world.look().await.channel(phone.enrollment, &ChannelKey::default()).await.unwrap();
        stored.unwrap().push_token
    };
    assert_ne!(token().await, told.push_token, "what is not served changes nothing");

    assert!(served(bound(phone.enrollment, "com.apple.mgmt.x")).await);
    assert_eq!(token().await, told.push_token);
}

fn push_certificate(topic: &str) -> PushCertificate {
    PushCertificate {
        topic: topic.into(),
        certificates: String::new(),
        sealed_key: vec![1],
        expires_at: later(60),
        imported_at: NOW,
    }
}

#[tokio::test]
async fn the_last_contact_is_written_by_a_flush_and_never_goes_back() {
    let world = World::new().await;
    let (phone, silent) = (world.phone().await, world.phone().await);
    world.poll(Poll { now: later(5), ..phone.idle() }).await;
    world.poll(Poll { now: later(3), ..phone.idle() }).await;
    assert_eq!(world.last_contact(&phone).await, Some(later(5)));

    world.poll(Poll { now: later(4), ..phone.idle() }).await;
    assert_eq!(world.last_contact(&phone).await, Some(later(5)));
    world.db.road.update_token(TokenStep { now: later(9), ..phone.tells(channel("")) }).await.unwrap();
    assert_eq!(world.last_contact(&phone).await, Some(later(9)));
    assert_eq!(world.last_contact(&silent).await, None);
}

#[tokio::test]
async fn a_store_that_closes_writes_down_the_last_contacts() {
    let world = World::new().await;
    let phone = world.phone().await;
    world.poll(Poll { now: later(5), ..phone.idle() }).await;
    let World { db, place, tenant } = world;
    db.close().await.unwrap();

    let db = store::open(&store::StoreSettings::new(place.url())).await.unwrap();

    assert_eq!(World { db, place, tenant }.last_contact(&phone).await, Some(later(5)));
}

#[tokio::test]
async fn the_contact_of_a_device_that_is_gone_is_forgotten() {
    let world = World::new().await;
    let (gone, phone) = (world.phone().await, world.phone().await);
    world.poll(gone.idle()).await;
    world.poll(phone.idle()).await;
    let mut tx = world.tx().await;
    tx.remove_device(gone.device).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.last_contact(&phone).await, Some(NOW));
}
