use domain::{Error, Tenant, TenantId};
use pki::Fingerprint;

use super::world::{NOW, World, digest, id};

fn tenant(name: &str) -> Tenant {
    Tenant { id: TenantId(id()), name: name.into(), created_at: NOW }
}

#[tokio::test]
async fn tenants_are_listed_by_name() {
    let world = World::new().await;
    let (zoo, acme) = (tenant("Zoo"), tenant("Acme"));
    world.db.directory.add_tenant(&zoo).await.unwrap();
    world.db.directory.add_tenant(&acme).await.unwrap();

    assert_eq!(world.db.directory.tenant(zoo.id).await.unwrap(), Some(zoo.clone()));
    assert_eq!(world.db.directory.tenant(TenantId(id())).await.unwrap(), None);
    assert_eq!(world.db.directory.tenants().await.unwrap(), [acme, zoo]);
}

#[tokio::test]
async fn two_tenants_cannot_have_one_name() {
    let world = World::new().await;
    world.db.directory.add_tenant(&tenant("Acme")).await.unwrap();

    let second = world.db.directory.add_tenant(&tenant("Acme")).await;

    assert!(matches!(second, Err(Error::Conflict(said)) if said == "a tenant has this name already"));
}

#[tokio::test]
async fn a_tenant_brings_its_own_ca_once() {
    let world = World::new().await;
    let fingerprint = Fingerprint(digest());
    let mut tx = world.tx().await;
    tx.add_device_ca(&fingerprint, b"a CA", Some("CN=*"), NOW).await.unwrap();
    tx.add_device_ca(&Fingerprint(digest()), b"another", None, NOW).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(
        world.db.directory.device_cas().await.unwrap(),
        [(world.tenant, b"a CA".to_vec(), Some("CN=*".into())), (world.tenant, b"another".to_vec(), None)]
    );
    let again = world.tx().await.add_device_ca(&fingerprint, b"a CA", None, NOW).await;
    assert!(matches!(again, Err(Error::Conflict(_))));
}
