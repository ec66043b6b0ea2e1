use domain::{DeviceId, Link, LinkId, TenantId, UserId};

use super::world::{NOW, World, digest, id, later};

fn link(max_uses: u32) -> Link {
    Link {
        id: LinkId(id()),
        token_hash: digest(),
        user: Some(UserId(id())),
        device: Some(DeviceId(id())),
        max_uses,
        used: 0,
        expires_at: later(60),
        created_at: NOW,
    }
}

#[tokio::test]
async fn a_link_is_found_by_its_token_before_the_tenant_is_known() {
    let world = World::new().await;
    let (full, bare) = (link(1), Link { user: None, device: None, ..link(1) });
    let mut tx = world.tx().await;
    tx.add_link(&full).await.unwrap();
    tx.add_link(&bare).await.unwrap();
    tx.commit().await.unwrap();

    for link in [full, bare] {
        let row = world.db.directory.link(&link.token_hash).await.unwrap().unwrap();
        assert_eq!((row.tenant, row.user), (world.tenant, link.user));
        assert_eq!(row.link, link);
    }
    assert_eq!(world.db.directory.link(&digest()).await.unwrap(), None);
}

#[tokio::test]
async fn a_link_is_used_up() {
    let world = World::new().await;
    let link = link(2);
    let mut tx = world.tx().await;
    tx.add_link(&link).await.unwrap();

    for used in 1..=2 {
        assert_eq!(tx.use_link(link.id, NOW).await.unwrap(), Some(Link { used, ..link.clone() }));
    }
    assert_eq!(tx.use_link(link.id, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_link_that_is_over_or_of_another_tenant_is_not_used() {
    let world = World::new().await;
    let link = link(1);
    let mut tx = world.tx().await;
    tx.add_link(&link).await.unwrap();
    assert_eq!(tx.use_link(link.id, later(60)).await.unwrap(), None);
    tx.commit().await.unwrap();

    let mut other = world.db.store.begin(TenantId(id())).await.unwrap();

    assert_eq!(other.use_link(link.id, NOW).await.unwrap(), None);
    drop(other);
    assert_eq!(world.db.directory.link(&link.token_hash).await.unwrap().unwrap().link.used, 0);
}
