use domain::{
    AccessToken, AccountId, Device, Enrollment, Error, Link, LinkId, PAGE_LIMIT, Page, Person, TenantId,
    User, UserId, ports::Tx,
};

use super::world::{NOW, Phone, World, digest, id, later};

const ALL: Page<UserId> = Page { after: None, skip: 0, limit: PAGE_LIMIT };

pub fn user(email: &str) -> User {
    User {
        id: UserId(id()),
        email: email.into(),
        person: Person::default(),
        password_hash: Some("$argon2id$".into()),
        enabled: true,
        created_at: NOW,
    }
}

pub fn token(tenant: TenantId, account: AccountId) -> AccessToken {
    AccessToken {
        hash: digest(),
        tenant,
        account,
        password: digest(),
        issued_at: NOW,
        expires_at: later(3600),
    }
}

#[tokio::test]
async fn a_user_is_found_by_address_and_by_id() {
    let world = World::new().await;
    let ada = user("Ada@Example.org");
    let mut tx = world.tx().await;
    tx.add_user(&ada).await.unwrap();

    assert_eq!(tx.user_by_email("aDA@example.ORG").await.unwrap(), Some(ada.clone()));
    assert_eq!(tx.user_for_update(ada.id).await.unwrap(), Some(ada.clone()));
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

#[tokio::test]
async fn everything_of_a_user_is_kept_and_changed() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let mut ada = User { password_hash: None, ..user("ada@example.org") };
    tx.add_user(&ada).await.unwrap();
    assert_eq!(tx.user(ada.id).await.unwrap(), Some(ada.clone()), "without a password");

    let text = |text: &str| Some(text.to_owned());
    ada.person = Person {
        first_name: text("Ada"),
        last_name: text("Lovelace"),
        phone: text("+44 20 7946 0958"),
        managed_apple_id: text("ada@school.example"),
    };
    ada.enabled = false;
    ada.password_hash = text("$argon2id$another");
    tx.set_user(&ada).await.unwrap();
    assert_eq!(tx.user(ada.id).await.unwrap(), Some(ada));
}

#[tokio::test]
async fn users_come_in_pages_in_the_order_of_their_ids() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let user = user(&format!("{n}@example.org"));
        tx.add_user(&user).await.unwrap();
        ids.push(user.id);
    }
    for (page, expected) in [
        (ALL, &ids[..]),
        (Page { limit: 2, ..ALL }, &ids[..2]),
        (Page { after: Some(ids[1]), skip: 1, limit: 2 }, &ids[3..]),
        (Page { skip: u64::MAX, ..ALL }, &[]),
    ] {
        let found: Vec<UserId> = tx.users(page).await.unwrap().iter().map(|user| user.id).collect();
        assert_eq!(found, expected, "{page:?}");
    }
    assert_eq!(tx.count_users().await.unwrap(), 5);
    tx.commit().await.unwrap();
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!((other.users(ALL).await.unwrap(), other.count_users().await.unwrap()), (vec![], 0));
}

/// A user with a device, an enrollment, a link and a token.
async fn furnished(world: &World, tx: &mut dyn Tx) -> (User, Phone, Link) {
    let (user, phone) = (user(&format!("{}@example.org", id())), Phone::new(world.tenant));
    tx.add_user(&user).await.unwrap();
    tx.add_enrollment(&Enrollment { user: Some(user.id), ..phone.enrollment() }).await.unwrap();
    tx.add_device(&Device { user: Some(user.id), ..phone.record() }).await.unwrap();
    let link = Link {
        id: LinkId(id()),
        token_hash: digest(),
        user: Some(user.id),
        device: None,
        max_uses: 1,
        used: 0,
        expires_at: later(60),
        created_at: NOW,
    };
    tx.add_link(&link).await.unwrap();
    (user, phone, link)
}

#[tokio::test]
async fn what_was_a_removed_users_is_nobodys_or_gone() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let (ada, adas, link) = furnished(&world, &mut *tx).await;
    let (bob, bobs, bobs_link) = furnished(&world, &mut *tx).await;
    tx.commit().await.unwrap();
    let (token, bobs_token) =
        (token(world.tenant, AccountId::User(ada.id)), token(world.tenant, AccountId::User(bob.id)));
    for token in [&token, &bobs_token] {
        world.db.directory.add_access_token(token).await.unwrap();
    }

    let mut tx = world.tx().await;
    tx.remove_user(ada.id).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.look().await;
    assert_eq!(tx.user(ada.id).await.unwrap(), None);
    assert_eq!(tx.enrollment(adas.enrollment).await.unwrap().unwrap().user, None);
    assert_eq!(tx.enrollment(bobs.enrollment).await.unwrap().unwrap().user, Some(bob.id));
    let owner = |device: Option<Device>| device.unwrap().user;
    let name = domain::DeviceName::Id;
    assert_eq!(owner(tx.device_named(&name(adas.device)).await.unwrap()), None);
    assert_eq!(owner(tx.device_named(&name(bobs.device)).await.unwrap()), Some(bob.id));
    let directory = &world.db.directory;
    assert_eq!(directory.link(&link.token_hash).await.unwrap(), None);
    assert!(directory.link(&bobs_link.token_hash).await.unwrap().is_some());
    assert_eq!(directory.access_token(&token.hash).await.unwrap(), None);
    assert!(directory.access_token(&bobs_token.hash).await.unwrap().is_some());
}

#[tokio::test]
async fn a_users_tokens_are_revoked_but_the_one_that_is_kept() {
    let world = World::new().await;
    let (ada, bob) = (user("ada@example.org"), user("bob@example.org"));
    let mut tx = world.tx().await;
    tx.add_user(&ada).await.unwrap();
    tx.add_user(&bob).await.unwrap();
    tx.commit().await.unwrap();
    let tokens = [ada.id, ada.id, bob.id].map(|id| token(world.tenant, AccountId::User(id)));
    for token in &tokens {
        world.db.directory.add_access_token(token).await.unwrap();
    }

    let kept = AccessToken { password: digest(), ..tokens[0].clone() };
    let mut tx = world.tx().await;
    tx.revoke_tokens(ada.id, Some(&kept)).await.unwrap();
    tx.commit().await.unwrap();

    let known = async |token: &AccessToken| {
        let known = world.db.directory.access_token(&token.hash).await.unwrap();
        known.map(|known| known.token)
    };
    assert_eq!(known(&tokens[0]).await, Some(kept));
    assert_eq!(known(&tokens[1]).await, None);
    assert_eq!(known(&tokens[2]).await, Some(tokens[2].clone()));
}
