use std::{sync::Arc, time::Duration};

use domain::{Error, Tenant, TenantId};
use store::StoreSettings;
use tokio::time::timeout;

use super::{
    super::Place,
    world::{NOW, World, id},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_may_open_a_new_database_at_once() {
    let place = Place::empty().await;
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let settings = StoreSettings::new(place.url());
            tokio::spawn(async move { store::open(&settings).await })
        })
        .collect();
    let mut nodes = Vec::new();
    for node in opening {
        nodes.push(node.await.unwrap().unwrap());
    }

    let tenant = Tenant { id: TenantId(id()), name: "Acme".into(), created_at: NOW };
    nodes[0].directory.add_tenant(&tenant).await.unwrap();
    for node in nodes {
        assert_eq!(node.directory.tenants().await.unwrap(), std::slice::from_ref(&tenant));
        node.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_is_opened_again_with_what_it_held() {
    let world = World::new().await;
    let phone = world.phone().await;
    let [command] = world.queue(&phone).await;
    let World { db, place, tenant } = world;
    db.close().await.unwrap();

    let db = store::open(&StoreSettings::new(place.url())).await.unwrap();

    let world = World { db, place, tenant };
    assert_eq!(world.idle(&phone).await, Some(command));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let world = World::new().await;
    let World { db, place, .. } = world;
    db.close().await.unwrap();
    place
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, '', 0)",
        )
        .await;

    let refused = store::open(&StoreSettings::new(place.url())).await;

    assert!(
        matches!(refused, Err(Error::Conflict(said)) if said.contains("9999") && said.contains("newer version"))
    );
}

#[tokio::test]
async fn a_schema_that_someone_else_made_is_refused() {
    let world = World::new().await;
    let World { db, place, .. } = world;
    db.close().await.unwrap();
    place.run("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1").await;

    let refused = store::open(&StoreSettings::new(place.url())).await;

    assert!(matches!(refused, Err(Error::Conflict(said)) if said.contains("step 1")));
}

#[tokio::test]
async fn what_still_holds_a_closed_store_is_told_so() {
    let world = World::new().await;
    let phone = world.phone().await;
    let (store, road, directory) =
        (world.db.store.clone(), world.db.road.clone(), world.db.directory.clone());
    world.db.close().await.unwrap();

    let late = async {
        assert!(matches!(road.poll(Arc::new(phone.idle())).await, Err(Error::Unavailable(_))));
        assert!(matches!(
            road.update_token(phone.tells(super::world::channel(""))).await,
            Err(Error::Unavailable(_))
        ));
        assert!(matches!(store.begin(world.tenant).await, Err(Error::Unavailable(_))));
        assert!(matches!(directory.ping().await, Err(Error::Unavailable(_))));
    };

    timeout(Duration::from_secs(5), late).await.expect("nobody waits for a closed store");
}
