use domain::{
    Command, CommandId, EscrowId,
    ports::{AndroidEnterprise, EscrowRow, SealedKey, SealedPlace, SealedValue},
};

use super::world::{NOW, Phone, World, channel, id};

/// A value as a key of that version sealed it.
fn sealed(version: u32, text: &str) -> Vec<u8> {
    [&version.to_be_bytes()[..], text.as_bytes()].concat()
}

/// Puts a value that version 1 sealed into every place, but for those of the installation that every database has.
async fn furnish(world: &World, phone: &Phone) {
    let mut tx = world.tx().await;
    for (name, unlock) in [("", "device"), ("ada", "user")] {
        let unlock_token = Some(sealed(1, unlock));
        let channel = domain::Channel { unlock_token, ..channel(name) };
        tx.set_channel(phone.device, phone.enrollment, &channel).await.unwrap();
    }
    assert!(tx.set_bootstrap_token(phone.enrollment, Some(&sealed(1, "bootstrap")), NOW).await.unwrap());
    let row = EscrowRow {
        id: EscrowId(id()),
        device: phone.device,
        enrollment: phone.enrollment,
        kind: "lock-pin".into(),
        command: None,
        sealed: sealed(1, "pin"),
        created_at: NOW,
        confirmed_at: None,
        refused_at: None,
    };
    tx.add_escrow(&row).await.unwrap();
    let secret = Command { sealed: true, payload: sealed(1, "payload"), ..phone.command() };
    let plain = Command { id: CommandId(id()), payload: sealed(1, "no secret"), ..phone.command() };
    let told = Command {
        id: CommandId(id()),
        result: Some(sealed(1, "result")),
        result_sealed: true,
        ..phone.command()
    };
    let harmless = Command { id: CommandId(id()), result: Some(sealed(1, "no secret")), ..phone.command() };
    tx.add_commands(&[secret, plain, told, harmless]).await.unwrap();
    tx.set_push_request_key(&sealed(1, "request"), NOW).await.unwrap();
    tx.set_android_enterprise(&enterprise(sealed(1, "account"))).await.unwrap();
    tx.commit().await.unwrap();
    world.db.directory.settle_installation_value("a", &sealed(1, "value")).await.unwrap();
}

fn enterprise(sealed_account: Vec<u8>) -> AndroidEnterprise {
    AndroidEnterprise {
        sealed_account,
        project: "project".into(),
        signup: None,
        name: None,
        subscription: None,
        compare_at: NOW,
        pulled_at: None,
        query_trouble: None,
        delivery_trouble: None,
    }
}

async fn all(world: &World, place: SealedPlace, version: u32, limit: u32) -> Vec<SealedValue> {
    let (mut all, mut after) = (Vec::new(), SealedKey::default());
    loop {
        let some = world.db.directory.sealed_otherwise(place, version, &after, limit).await.unwrap();
        let Some(last) = some.last() else { return all };
        after = last.key.clone();
        all.extend(some);
    }
}

#[tokio::test]
async fn what_another_key_sealed_is_found_wherever_it_is() {
    let world = World::new().await;
    let phone = world.phone().await;
    furnish(&world, &phone).await;
    for (place, count) in [
        (SealedPlace::UnlockTokens, 2),
        (SealedPlace::BootstrapTokens, 1),
        (SealedPlace::Escrow, 1),
        (SealedPlace::Commands, 1),
        (SealedPlace::Results, 1),
        (SealedPlace::PushRequests, 1),
        (SealedPlace::AndroidAccounts, 1),
        (SealedPlace::Installation, 1),
    ] {
        let found = all(&world, place, 2, 1).await;
        assert_eq!(found.len(), count, "{place:?}");
        assert!(found.is_sorted_by_key(|value| value.key.clone()), "{place:?}");
        assert_eq!(all(&world, place, 1, 10).await, [], "{place:?}");
    }
}

#[tokio::test]
async fn a_value_is_replaced_unless_it_is_another_by_now() {
    let world = World::new().await;
    let phone = world.phone().await;
    furnish(&world, &phone).await;
    for place in SealedPlace::ALL {
        let old = all(&world, place, 2, 10).await;
        let anew: Vec<_> = old.iter().map(|value| (value.clone(), sealed(2, "anew"))).collect();
        let directory = &world.db.directory;
        assert_eq!(directory.replace_sealed(place, &anew).await.unwrap(), old.len() as u64, "{place:?}");
        assert_eq!(directory.replace_sealed(place, &anew).await.unwrap(), 0, "{place:?}");
        assert_eq!(all(&world, place, 2, 10).await, [], "{place:?}");
    }
    let mut tx = world.tx().await;
    let kept = tx.bootstrap_token(phone.enrollment).await.unwrap();
    assert_eq!(kept, Some(sealed(2, "anew")));
}
