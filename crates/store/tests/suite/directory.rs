use domain::{
    Admin, AdminId, ApiKey, ApiKeyId, Application, ApplicationId, CertificateState, EnrollmentState, Error,
    Role, Tenant, TenantId, ports::Identity,
};
use pki::Fingerprint;

use super::world::{NOW, World, digest, id, later};

fn admin(email: &str) -> Admin {
    Admin { id: AdminId(id()), email: email.into(), password_hash: "$argon2id$".into(), created_at: NOW }
}

impl World {
    async fn named_tenant(&self, name: &str) -> TenantId {
        let tenant = Tenant { id: TenantId(id()), name: name.into(), created_at: NOW };
        self.db.directory.add_tenant(&tenant).await.unwrap();
        tenant.id
    }

    async fn admin_with_key(&self) -> (AdminId, ApiKey) {
        let admin = admin(&format!("{}@example.org", id()));
        self.db.directory.add_admin(&admin).await.unwrap();
        let key =
            ApiKey { id: ApiKeyId(id()), admin: admin.id, hash: digest(), created_at: NOW, revoked_at: None };
        self.db.directory.add_api_key(&key).await.unwrap();
        (admin.id, key)
    }
}

#[tokio::test]
async fn a_certificate_leads_to_its_enrollment() {
    let world = World::new().await;
    let phone = world.phone().await;

    assert_eq!(
        world.db.directory.identity(&phone.fingerprint).await.unwrap(),
        Some(Identity {
            tenant: world.tenant,
            device: phone.device,
            enrollment: phone.enrollment,
            key: Some(phone.key.clone()),
            enrollment_state: EnrollmentState::Active,
            certificate_state: CertificateState::Pinned,
        })
    );
    assert_eq!(world.db.directory.identity(&Fingerprint(digest())).await.unwrap(), None);
}

#[tokio::test]
async fn an_administrator_is_found_whatever_the_case() {
    let world = World::new().await;
    let ada = admin("Ada@example.org");
    world.db.directory.add_admin(&ada).await.unwrap();

    assert_eq!(world.db.directory.admin("ADA@example.org").await.unwrap(), Some(ada));
    assert_eq!(world.db.directory.admin("bob@example.org").await.unwrap(), None);
    let second = world.db.directory.add_admin(&admin("ada@EXAMPLE.org")).await;
    assert!(matches!(second, Err(Error::Conflict(said)) if said == "this e-mail address is taken"));
}

#[tokio::test]
async fn a_key_opens_the_tenants_of_its_administrator() {
    let world = World::new().await;
    let (acme, zoo) = (world.named_tenant("Acme").await, world.named_tenant("Zoo").await);
    let (admin, key) = world.admin_with_key().await;
    assert_eq!(world.db.directory.api_key_roles(&key.hash).await.unwrap(), Some((admin, vec![])));

    world.db.directory.set_role(admin, acme, Role::Viewer).await.unwrap();
    world.db.directory.set_role(admin, zoo, Role::Operator).await.unwrap();
    world.db.directory.set_role(admin, acme, Role::Owner).await.unwrap();

    let roles = vec![(acme, Role::Owner), (zoo, Role::Operator)];
    assert_eq!(world.db.directory.api_key_roles(&key.hash).await.unwrap(), Some((admin, roles)));
    assert_eq!(world.db.directory.api_key_roles(&digest()).await.unwrap(), None);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing() {
    let world = World::new().await;
    let ((_, one), (_, two)) = (world.admin_with_key().await, world.admin_with_key().await);

    assert!(world.db.directory.revoke_api_key(one.id, later(1)).await.unwrap());
    assert!(world.db.directory.revoke_api_key(one.id, later(2)).await.unwrap());
    assert!(!world.db.directory.revoke_api_key(ApiKeyId(id()), NOW).await.unwrap());

    assert_eq!(world.db.directory.api_key_roles(&one.hash).await.unwrap(), None);
    let revoked = ApiKey { revoked_at: Some(later(1)), ..one };
    assert_eq!(world.db.directory.api_keys().await.unwrap(), [revoked, two]);
}

#[tokio::test]
async fn a_role_needs_an_administrator_and_a_tenant() {
    let world = World::new().await;
    let (admin, _) = world.admin_with_key().await;

    let nowhere = world.db.directory.set_role(admin, TenantId(id()), Role::Owner).await;

    assert!(matches!(nowhere, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn applications_belong_to_a_tenant_and_are_revoked() {
    let world = World::new().await;
    let (acme, zoo) = (world.named_tenant("Acme").await, world.named_tenant("Zoo").await);
    let application = |tenant| Application {
        id: ApplicationId(id()),
        tenant,
        name: "ERP".into(),
        secret_hash: digest(),
        created_at: NOW,
        revoked_at: None,
    };
    let (one, two) = (application(acme), application(zoo));
    world.db.directory.add_application(&one).await.unwrap();
    world.db.directory.add_application(&two).await.unwrap();

    assert_eq!(world.db.directory.application(one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(world.db.directory.applications(None).await.unwrap(), [one.clone(), two.clone()]);
    assert_eq!(world.db.directory.applications(Some(zoo)).await.unwrap(), [two]);
    assert!(world.db.directory.revoke_application(one.id, later(1)).await.unwrap());
    assert!(!world.db.directory.revoke_application(ApplicationId(id()), NOW).await.unwrap());
    let revoked = world.db.directory.application(one.id).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(later(1)));
}

#[tokio::test]
async fn of_several_that_settle_a_value_one_wins() {
    let world = World::new().await;
    let directory = &world.db.directory;
    assert_eq!(directory.installation_value("ca").await.unwrap(), None);

    let (one, two, three) = tokio::join!(
        directory.settle_installation_value("ca", b"one"),
        directory.settle_installation_value("ca", b"two"),
        directory.settle_installation_value("ca", b"three"),
    );

    let settled = directory.installation_value("ca").await.unwrap().unwrap();
    assert_eq!([one.unwrap(), two.unwrap(), three.unwrap()], [settled.clone(), settled.clone(), settled]);
}

#[tokio::test]
async fn a_value_is_replaced_only_while_it_is_the_old_one() {
    let world = World::new().await;
    let directory = &world.db.directory;
    directory.settle_installation_value("ca", b"one").await.unwrap();

    assert!(directory.replace_installation_value("ca", b"one", b"two").await.unwrap());
    assert!(!directory.replace_installation_value("ca", b"one", b"three").await.unwrap());
    assert!(!directory.replace_installation_value("other", b"one", b"two").await.unwrap());

    assert_eq!(directory.installation_value("ca").await.unwrap(), Some(b"two".to_vec()));
}

#[tokio::test]
async fn the_database_answers() {
    World::new().await.db.directory.ping().await.unwrap();
}
