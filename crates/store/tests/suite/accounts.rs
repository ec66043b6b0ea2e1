use std::time::Duration;

use domain::{
    AccessToken, AccountId, Admin, AdminId, Role, Tenant, TenantId, User, UserId, ports::KnownToken,
};

use super::{
    users::{token, user},
    world::{NOW, World, digest, id, later},
};

impl World {
    async fn administrator(&self, email: &str) -> Admin {
        let admin = Admin {
            id: AdminId(id()),
            email: email.into(),
            password_hash: "$argon2id$old".into(),
            created_at: NOW,
        };
        self.db.directory.add_admin(&admin).await.unwrap();
        admin
    }

    async fn real_tenant(&self, name: &str) -> TenantId {
        let tenant = Tenant { id: TenantId(id()), name: name.into(), created_at: NOW };
        self.db.directory.add_tenant(&tenant).await.unwrap();
        tenant.id
    }

    async fn stored_user(&self, email: &str) -> User {
        let user = user(email);
        let mut tx = self.tx().await;
        tx.add_user(&user).await.unwrap();
        tx.commit().await.unwrap();
        user
    }

    async fn known(&self, token: &AccessToken) -> Option<KnownToken> {
        self.db.directory.access_token(&token.hash).await.unwrap()
    }
}

#[tokio::test]
async fn a_user_is_found_before_the_tenant_is_known() {
    let world = World::new().await;
    let ada = world.stored_user("Ada@example.org").await;
    let directory = &world.db.directory;
    assert_eq!(
        directory.user_by_address("aDA@Example.org").await.unwrap(),
        Some((world.tenant, ada.clone()))
    );
    assert_eq!(directory.user_by_address("bob@example.org").await.unwrap(), None);
    assert_eq!(directory.user_by_id(ada.id).await.unwrap(), Some(ada));
    assert_eq!(directory.user_by_id(UserId(id())).await.unwrap(), None);
}

#[tokio::test]
async fn administrators_are_listed_with_their_roles() {
    let world = World::new().await;
    let (zoo, acme) = (world.real_tenant("Zoo").await, world.real_tenant("Acme").await);
    let (zoe, ada) = (world.administrator("Zoe@x.org").await, world.administrator("ada@x.org").await);
    let directory = &world.db.directory;
    directory.set_role(ada.id, acme, Role::Viewer).await.unwrap();
    directory.set_role(ada.id, zoo, Role::Owner).await.unwrap();

    assert_eq!(directory.admins().await.unwrap(), [ada.clone(), zoe.clone()]);
    assert_eq!(directory.admin_by_id(zoe.id).await.unwrap(), Some(zoe.clone()));
    assert_eq!(directory.roles(zoe.id).await.unwrap(), []);
    assert_eq!(directory.roles(ada.id).await.unwrap(), [(zoo, Role::Owner), (acme, Role::Viewer)]);
    assert!(directory.remove_role(ada.id, zoo).await.unwrap());
    assert!(!directory.remove_role(ada.id, zoo).await.unwrap());
    assert_eq!(directory.roles(ada.id).await.unwrap(), [(acme, Role::Viewer)]);
}

#[tokio::test]
async fn a_token_is_known_with_what_became_of_its_account() {
    let world = World::new().await;
    let ada = world.stored_user("ada@example.org").await;
    let token = token(world.tenant, AccountId::User(ada.id));
    world.db.directory.add_access_token(&token).await.unwrap();
    let known = KnownToken {
        token: token.clone(),
        password_hash: ada.password_hash.clone(),
        role: None,
        enabled: true,
    };
    assert_eq!(world.known(&token).await, Some(known.clone()));

    let mut tx = world.tx().await;
    tx.set_user(&User { enabled: false, password_hash: None, ..ada.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.known(&token).await, Some(KnownToken { enabled: false, password_hash: None, ..known }));
    assert_eq!(world.db.directory.access_token(&digest()).await.unwrap(), None);
}

#[tokio::test]
async fn an_administrators_token_has_the_role_of_now_in_its_tenant() {
    let world = World::new().await;
    let (acme, zoo) = (world.real_tenant("Acme").await, world.real_tenant("Zoo").await);
    let admin = world.administrator("ada@example.org").await;
    let token = token(acme, AccountId::Admin(admin.id));
    let directory = &world.db.directory;
    directory.add_access_token(&token).await.unwrap();
    directory.set_role(admin.id, zoo, Role::Owner).await.unwrap();
    assert_eq!(world.known(&token).await.unwrap().role, None);

    for role in [Role::Owner, Role::Viewer] {
        directory.set_role(admin.id, acme, role).await.unwrap();
        let known = world.known(&token).await.unwrap();
        assert_eq!((known.role, known.password_hash), (Some(role), Some(admin.password_hash.clone())));
    }
}

#[tokio::test]
async fn an_administrators_password_is_changed_once_and_other_tokens_end() {
    let world = World::new().await;
    let admin = world.administrator("ada@example.org").await;
    let tokens = [0, 1].map(|_| token(world.tenant, AccountId::Admin(admin.id)));
    let directory = &world.db.directory;
    for token in &tokens {
        directory.add_access_token(token).await.unwrap();
    }
    let kept = AccessToken { password: digest(), ..tokens[0].clone() };

    assert!(!directory.set_admin_password(admin.id, "another", "$new", Some(&kept)).await.unwrap());
    assert!(world.known(&tokens[1]).await.is_some(), "nothing changed");
    assert!(directory.set_admin_password(admin.id, "$argon2id$old", "$new", Some(&kept)).await.unwrap());

    assert_eq!(directory.admin_by_id(admin.id).await.unwrap().unwrap().password_hash, "$new");
    assert_eq!(world.known(&tokens[0]).await.unwrap().token, kept);
    assert_eq!(world.known(&tokens[1]).await, None);
}

#[tokio::test]
async fn attempts_at_an_account_are_counted_one_by_one() {
    let world = World::new().await;
    let account = digest();
    let attempts = (0..12).map(|_| {
        let directory = world.db.directory.clone();
        tokio::spawn(async move { directory.count_attempt(&account, NOW).await.unwrap() })
    });
    let mut waits = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        waits.extend(attempt.await.unwrap());
    }
    assert_eq!(waits, [Duration::from_secs(30); 2], "ten at once, however many come together");

    let directory = &world.db.directory;
    assert_eq!(directory.count_attempt(&digest(), NOW).await.unwrap(), None, "another account");
    directory.forgive_attempt(&account, Duration::from_secs(30)).await.unwrap();
    assert_eq!(directory.count_attempt(&account, NOW).await.unwrap(), None);
    assert_eq!(directory.count_attempt(&account, later(29)).await.unwrap(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn what_is_over_is_swept() {
    let world = World::new().await;
    let ada = world.stored_user("ada@example.org").await;
    let mut old = token(world.tenant, AccountId::User(ada.id));
    old.expires_at = later(-1);
    let young = token(world.tenant, AccountId::User(ada.id));
    let directory = &world.db.directory;
    for token in [&old, &young] {
        directory.add_access_token(token).await.unwrap();
    }
    directory.count_attempt(&digest(), NOW).await.unwrap();
    assert_eq!(directory.sweep_accounts(NOW, NOW).await.unwrap(), 1);
    assert_eq!(world.known(&old).await, None);
    assert!(world.known(&young).await.is_some());
    assert_eq!(directory.sweep_accounts(NOW, later(30)).await.unwrap(), 1, "the attempt counts no more");
}
