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

#[tokio::test]
async fn a_users_unused_links_are_found_and_those_they_make_are_counted() {
    let world = World::new().await;
    let user = UserId(id());
    let mut tx = world.tx().await;
    let own = Link { user: Some(user), device: None, ..link(1) };
    let longer =
        Link { expires_at: later(90), ..Link { id: LinkId(id()), token_hash: digest(), ..own.clone() } };
    let used = Link { id: LinkId(id()), token_hash: digest(), used: 1, ..own.clone() };
    let of_a_device = Link { user: Some(user), ..link(1) };
    for link in [&own, &longer, &used, &of_a_device, &Link { device: None, ..link(1) }] {
        tx.add_link(link).await.unwrap();
    }
    assert_eq!(tx.unused_links(user, NOW, 10).await.unwrap(), [longer.clone(), own]);
    assert_eq!(tx.unused_links(user, later(60), 10).await.unwrap(), [longer]);
    for (stretch, counted) in [(1, true), (1, true), (1, false), (2, true), (1, true), (2, false), (3, true)]
    {
        assert_eq!(tx.count_own_link(user, stretch, 2).await.unwrap(), counted, "{stretch}");
    }
    assert!(tx.count_own_link(UserId(id()), 2, 2).await.unwrap(), "each user for themselves");
    tx.remove_user(user).await.unwrap();
    assert!(tx.count_own_link(user, 3, 1).await.unwrap(), "nothing of them is left");
}
