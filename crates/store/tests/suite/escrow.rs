use domain::{CommandId, EscrowId, ports::EscrowRow};

use super::world::{World, id, later};

#[tokio::test]
async fn the_newest_secrets_of_a_kind_come_first() {
    let world = World::new().await;
    let phone = world.phone().await;
    let row = |kind: &str, command, seconds| EscrowRow {
        id: EscrowId(id()),
        device: phone.device,
        enrollment: phone.enrollment,
        kind: kind.into(),
        command,
        sealed: vec![1, 2, 3],
        created_at: later(seconds),
    };
    let (old, new, other) =
        (row("lock-pin", None, 1), row("lock-pin", Some(CommandId(id())), 2), row("key", None, 3));
    let mut tx = world.tx().await;
    for row in [&new, &old, &other] {
        tx.add_escrow(row).await.unwrap();
    }

    assert_eq!(tx.escrow(phone.device, "lock-pin", 10).await.unwrap(), [new.clone(), old]);
    assert_eq!(tx.escrow(phone.device, "lock-pin", 1).await.unwrap(), [new]);
    assert_eq!(tx.escrow(domain::DeviceId(id()), "lock-pin", 1).await.unwrap(), []);
}
