use domain::{
    Channel, CommandId, CommandState, EnrollmentId, EnrollmentState, EscrowId, Timestamp,
    ports::{EscrowEntry, EscrowRow, LeftToken, Poll, ReportStep},
};

use super::world::{NOW, Phone, World, channel, id, later};

const KIND: &str = "lock-pin";

fn row(phone: &Phone, command: Option<CommandId>, seconds: i64) -> EscrowRow {
    EscrowRow {
        id: EscrowId(id()),
        device: phone.device,
        enrollment: phone.enrollment,
        kind: KIND.into(),
        command,
        sealed: vec![1, 2, 3],
        created_at: later(seconds),
        confirmed_at: None,
        refused_at: None,
    }
}

async fn add(world: &World, rows: &[&EscrowRow]) {
    let mut tx = world.tx().await;
    for row in rows {
        tx.add_escrow(row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn entries(world: &World, phone: &Phone, limit: u32) -> Vec<EscrowEntry> {
    world.look().await.escrow_entries(phone.device, phone.enrollment, KIND, limit).await.unwrap()
}

fn ids(entries: &[EscrowEntry]) -> Vec<EscrowId> {
    entries.iter().map(|entry| entry.row.id).collect()
}

#[tokio::test]
async fn the_newest_secrets_of_a_kind_come_first() {
    let world = World::new().await;
    let phone = world.phone().await;
    let (old, new) = (row(&phone, None, 1), row(&phone, Some(CommandId(id())), 2));
    let other = EscrowRow { kind: "key".into(), ..row(&phone, None, 3) };
    add(&world, &[&new, &old, &other]).await;

    let mut tx = world.look().await;
    assert_eq!(tx.escrow(phone.device, KIND, 10).await.unwrap(), [new.clone(), old]);
    assert_eq!(tx.escrow(phone.device, KIND, 1).await.unwrap(), [new]);
    assert_eq!(tx.escrow(domain::DeviceId(id()), KIND, 1).await.unwrap(), []);
}

#[tokio::test]
async fn a_secret_is_told_with_how_far_its_command_got() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [done, waiting] = world.queue(&phone).await;
    let rows =
        [row(&phone, Some(done), 1), row(&phone, Some(waiting), 2), row(&phone, Some(CommandId(id())), 3)];
    add(&world, &rows.each_ref()).await;
    world.idle(&phone).await;
    let of = async || {
        let entries = entries(&world, &phone, 9).await;
        entries.into_iter().map(|entry| entry.command).collect::<Vec<_>>()
    };
    let queued = Some((CommandState::Queued, false));
    assert_eq!(of().await, [None, queued, Some((CommandState::HandedOver, true))]);
    world.reports(&phone, done, CommandState::Acknowledged).await;
    let handed = Some((CommandState::HandedOver, true));
    assert_eq!(of().await, [None, handed, Some((CommandState::Acknowledged, true))]);
}

#[tokio::test]
async fn the_newest_confirmed_secret_is_found_behind_any_number_of_others() {
    let world = World::new().await;
    let phone = world.phone().await;
    let elsewhere = EnrollmentId(id());
    let confirmed = |seconds| EscrowRow { confirmed_at: Some(NOW), ..row(&phone, None, seconds) };
    let (first, second) = (confirmed(1), confirmed(2));
    let archived = EscrowRow { enrollment: elsewhere, ..confirmed(3) };
    let refused = EscrowRow { refused_at: Some(NOW), ..confirmed(4) };
    let newest = row(&phone, None, 5);
    add(&world, &[&first, &second, &archived, &refused, &newest]).await;
    assert_eq!(ids(&entries(&world, &phone, 1).await), [newest.id, second.id]);
    assert_eq!(ids(&entries(&world, &phone, 9).await).len(), 5, "each once");
    let renewed = Phone { enrollment: EnrollmentId(id()), ..phone };
    assert_eq!(
        ids(&entries(&world, &renewed, 1).await),
        [newest.id, archived.id],
        "or else the newest of any"
    );
}

#[tokio::test]
async fn of_what_one_command_was_to_set_the_last_counts() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command, other] = world.queue(&phone).await;
    let (replaced, last, second) =
        (row(&phone, Some(command), 1), row(&phone, Some(command), 2), row(&phone, Some(other), 0));
    add(&world, &[&replaced, &last, &second]).await;
    assert_eq!(ids(&entries(&world, &phone, 9).await), [last.id, second.id]);

    let mut tx = world.tx().await;
    tx.settle_escrow(phone.device, command, true, later(7)).await.unwrap();
    tx.settle_escrow(phone.device, other, false, later(8)).await.unwrap();
    tx.settle_escrow(phone.device, CommandId(id()), true, later(9)).await.unwrap();
    tx.commit().await.unwrap();
    let settled = world.look().await.escrow(phone.device, KIND, 9).await.unwrap();
    let settled: Vec<_> = settled.iter().map(|row| (row.id, row.confirmed_at, row.refused_at)).collect();
    let expected =
        [(last.id, Some(later(7)), None), (replaced.id, None, None), (second.id, None, Some(later(8)))];
    assert_eq!(settled, expected);
}

#[tokio::test]
async fn a_sealed_report_is_stored_as_one_and_may_be_replaced_by_a_plain_one() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    world.idle(&phone).await;
    let report = ReportStep {
        command,
        state: CommandState::Acknowledged,
        result: vec![9, 9],
        sealed: true,
        errors: serde_json::json!([]),
    };
    world.poll(Poll { report: Some(report), ..phone.idle() }).await;
    let stored = world.command(&phone, command).await;
    assert_eq!((stored.result, stored.result_sealed), (Some(vec![9, 9]), true));

    let mut tx = world.tx().await;
    tx.set_result(phone.device, command, b"<plist/>", false).await.unwrap();
    tx.commit().await.unwrap();
    let stored = world.command(&phone, command).await;
    assert_eq!((stored.result, stored.result_sealed), (Some(b"<plist/>".to_vec()), false));
}

#[tokio::test]
async fn tokens_of_every_enrollment_are_told_with_their_times() {
    let world = World::new().await;
    let phone = world.phone().await;
    let before = Phone { device: phone.device, ..Phone::new(world.tenant) };
    let mut tx = world.tx().await;
    let over = domain::Enrollment { state: EnrollmentState::Over, ..before.enrollment() };
    tx.add_enrollment(&over).await.unwrap();
    let left =
        |token: u8, at: Timestamp| Channel { unlock_token: Some(vec![token]), updated_at: at, ..channel("") };
    tx.set_channel(phone.device, before.enrollment, &left(1, later(1))).await.unwrap();
    tx.set_channel(phone.device, phone.enrollment, &left(2, later(2))).await.unwrap();
    assert!(tx.set_bootstrap_token(before.enrollment, Some(&[3]), later(3)).await.unwrap());
    tx.commit().await.unwrap();

    let token = |phone: &Phone, sealed: u8, at| LeftToken {
        enrollment: phone.enrollment,
        sealed: vec![sealed],
        at: Some(later(at)),
    };
    let (newer, older) = (token(&phone, 2, 2), token(&before, 1, 1));
    let unlock = async || world.look().await.unlock_tokens(phone.device).await.unwrap();
    assert_eq!(unlock().await, [newer, older.clone()]);
    let bootstrap = world.look().await.bootstrap_tokens(phone.device).await.unwrap();
    assert_eq!(bootstrap, [token(&before, 3, 3)]);

    // A token that is told on the road has its time; one that is absent changes neither.
    let silent = Channel { updated_at: later(5), ..channel("") };
    for tells in [left(4, later(4)), silent] {
        assert!(world.db.road.update_token(phone.tells(tells)).await.unwrap().served.is_some());
    }
    assert_eq!(unlock().await, [token(&phone, 4, 4), older.clone()]);
    let mut tx = world.tx().await;
    tx.set_unlock_token(phone.enrollment, &[5], later(6)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(unlock().await, [token(&phone, 5, 6), older]);
}
