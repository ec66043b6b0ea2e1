use domain::{APP_LIMIT, App, AppPage, DeviceId, InstalledApp, ManagedApp, TenantId, ports::Tx};

use super::world::{World, id};

const ALL: AppPage = AppPage { skip: 0, limit: APP_LIMIT };

fn installed(id: &str) -> InstalledApp {
    InstalledApp {
        id: id.into(),
        name: Some(format!("The app {id}")),
        version: Some("1.0".into()),
        from_store: Some(true),
    }
}

fn managed(id: &str, status: &str) -> ManagedApp {
    ManagedApp { id: id.into(), status: status.into() }
}

/// Id, whether it is installed, and status of each app.
async fn listed(tx: &mut dyn Tx, device: DeviceId) -> Vec<(String, bool, Option<String>)> {
    let apps = tx.apps(device, ALL).await.unwrap();
    assert_eq!(tx.count_apps(device).await.unwrap(), apps.len() as u64);
    apps.into_iter().map(|app| (app.id, app.installed, app.status)).collect()
}

fn row(id: &str, installed: bool, status: Option<&str>) -> (String, bool, Option<String>) {
    (id.into(), installed, status.map(str::to_owned))
}

#[tokio::test]
async fn everything_of_an_app_is_kept() {
    let world = World::new().await;
    let phone = world.phone().await;
    let bare = InstalledApp { id: "b".into(), name: None, version: None, from_store: None };
    let mut tx = world.tx().await;
    tx.set_installed_apps(phone.device, &[installed("a"), bare]).await.unwrap();
    tx.set_managed_apps(phone.device, &[managed("a", "Managed")]).await.unwrap();
    tx.commit().await.unwrap();

    let mut look = world.look().await;
    let expected = App {
        id: "a".into(),
        installed: true,
        name: Some("The app a".into()),
        version: Some("1.0".into()),
        from_store: Some(true),
        status: Some("Managed".into()),
    };
    assert_eq!(look.app(phone.device, "a").await.unwrap(), Some(expected));
    let bare = look.app(phone.device, "b").await.unwrap().unwrap();
    assert_eq!((bare.name, bare.version, bare.from_store, bare.status), (None, None, None, None));
    assert_eq!(look.app(phone.device, "c").await.unwrap(), None);
    assert_eq!(look.app(DeviceId(id()), "a").await.unwrap(), None);
    let mut other = world.db.store.read(TenantId(id())).await.unwrap();
    assert_eq!(other.app(phone.device, "a").await.unwrap(), None, "another tenant sees nothing of it");
}

#[tokio::test]
async fn each_list_replaces_the_one_before_and_leaves_the_other_kind_alone() {
    let world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let mut tx = world.tx().await;
    tx.set_installed_apps(other.device, &[installed("a")]).await.unwrap();
    let tx = &mut *tx;
    tx.set_installed_apps(phone.device, &[installed("a"), installed("b")]).await.unwrap();
    tx.set_managed_apps(phone.device, &[managed("b", "Managed"), managed("c", "Prompting")]).await.unwrap();
    assert_eq!(
        listed(tx, phone.device).await,
        [row("a", true, None), row("b", true, Some("Managed")), row("c", false, Some("Prompting"))]
    );

    tx.set_installed_apps(phone.device, &[installed("c")]).await.unwrap();
    assert_eq!(
        listed(tx, phone.device).await,
        [row("b", false, Some("Managed")), row("c", true, Some("Prompting"))],
        "what is managed is not forgotten because it is not installed"
    );

    tx.set_managed_apps(phone.device, &[managed("c", "Managed")]).await.unwrap();
    assert_eq!(listed(tx, phone.device).await, [row("c", true, Some("Managed"))]);

    tx.set_managed_apps(phone.device, &[]).await.unwrap();
    assert_eq!(listed(tx, phone.device).await, [row("c", true, None)]);
    tx.set_installed_apps(phone.device, &[]).await.unwrap();
    assert_eq!(listed(tx, phone.device).await, []);
    assert_eq!(listed(tx, other.device).await, [row("a", true, None)]);
}

#[tokio::test]
async fn thousands_are_kept_at_once_and_read_by_pages() {
    let world = World::new().await;
    let phone = world.phone().await;
    let apps: Vec<_> = (0..2500).map(|number| installed(&format!("app-{number:04}"))).collect();
    let status: Vec<_> = apps.iter().map(|app| managed(&app.id, "Managed")).collect();
    let mut tx = world.tx().await;
    for _ in 0..2 {
        tx.set_installed_apps(phone.device, &apps).await.unwrap();
        tx.set_managed_apps(phone.device, &status).await.unwrap();
    }

    assert_eq!(listed(&mut *tx, phone.device).await.len(), 2500);
    let page = tx.apps(phone.device, AppPage { skip: 2, limit: 2 }).await.unwrap();
    assert_eq!(page.iter().map(|app| app.id.as_str()).collect::<Vec<_>>(), ["app-0002", "app-0003"]);
    assert_eq!(tx.apps(phone.device, AppPage { skip: 2500, limit: 2 }).await.unwrap(), []);
}
