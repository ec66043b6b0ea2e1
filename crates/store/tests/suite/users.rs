use domain::{Error, TenantId, User, UserId};

use super::world::{NOW, World, id};

fn user(email: &str) -> User {
    User { id: UserId(id()), email: email.into(), password_hash: "$argon2id$".into(), created_at: NOW }
}

#[tokio::test]
async fn a_user_is_found_by_address_and_by_id() {
    let world = World::new().await;
    let ada = user("Ada@Example.org");
    let mut tx = world.tx().await;
    tx.add_user(&ada).await.unwrap();

    assert_eq!(tx.user_by_email("aDA@example.ORG").await.unwrap(), Some(ada.clone()));
    assert_eq!(tx.user(ada.id).await.unwrap(), Some(ada));
    assert_eq!(tx.user_by_email("bob@example.org").await.unwrap(), None);
}

#[tokio::test]
async fn letters_beyond_ascii_have_a_case_too() {
    let world = World::new().await;
    let zoe = user("ZOË@example.org");
    let mut tx = world.tx().await;
    tx.add_user(&zoe).await.unwrap();

    assert_eq!(tx.user_by_email("zoë@example.org").await.unwrap(), Some(zoe));
}

#[tokio::test]
async fn an_address_is_taken_in_the_whole_installation() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    tx.add_user(&user("ada@example.org")).await.unwrap();
    tx.commit().await.unwrap();

    let mut other = world.db.store.begin(TenantId(id())).await.unwrap();
    assert_eq!(other.user_by_email("ada@example.org").await.unwrap(), None);
    let second = other.add_user(&user("ADA@example.org")).await;

    assert!(matches!(second, Err(Error::Conflict(said)) if said == "this e-mail address is taken"));
}
