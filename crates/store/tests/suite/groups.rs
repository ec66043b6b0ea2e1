use domain::{Error, Group, GroupId, TenantId};

use super::world::{NOW, World, id};

fn group(name: &str, description: Option<&str>) -> Group {
    Group {
        id: GroupId(id()),
        name: name.into(),
        description: description.map(str::to_owned),
        created_at: NOW,
    }
}

#[tokio::test]
async fn groups_are_listed_by_name_and_removed() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let (teachers, pupils) = (group("Teachers", Some("All of them")), group("Pupils", None));
    assert_eq!(tx.groups().await.unwrap(), []);
    tx.add_group(&teachers).await.unwrap();
    tx.add_group(&pupils).await.unwrap();

    assert_eq!(tx.groups().await.unwrap(), [pupils.clone(), teachers.clone()]);
    assert!(tx.remove_group(pupils.id).await.unwrap());
    assert!(!tx.remove_group(pupils.id).await.unwrap());
    assert_eq!(tx.groups().await.unwrap(), [teachers]);
}

#[tokio::test]
async fn a_name_is_taken_in_one_tenant_only() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    tx.add_group(&group("Pupils", None)).await.unwrap();
    tx.commit().await.unwrap();

    let mut other = world.db.store.begin(TenantId(id())).await.unwrap();
    assert_eq!(other.groups().await.unwrap(), [], "groups of another tenant");
    other.add_group(&group("Pupils", None)).await.unwrap();
    drop(other);
    let again = world.tx().await.add_group(&group("Pupils", None)).await;
    assert!(matches!(again, Err(Error::Conflict(said)) if said == "a group has this name already"));
}
