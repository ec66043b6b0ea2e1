//! On PostgreSQL, where several servers share one database.

use serde_json::json;
use testkit::{postgres::TestDatabase, server::Api};

use super::{Program, text};

#[tokio::test]
async fn several_servers_share_a_database_and_a_key_ring() {
    let database = TestDatabase::new().await;
    let program = Program::new().with("REMUDA_DATABASE", database.url());
    let made = program.json(&["init"]).await;
    let (_one, first) = program.serve(&[]).await;

    let elsewhere = Program::new().with("REMUDA_DATABASE", database.url());
    elsewhere.fails(&["tenant", "list"], 1, "copy it from the node").await;
    let ring = program.folder().join("remuda-data/key-ring.json");
    let elsewhere = elsewhere.with("REMUDA_KEY_RING", ring.to_str().unwrap());
    let (_two, second) = elsewhere.serve(&[]).await;

    let key = elsewhere.json(&["api-key", "add", "--admin", "admin@localhost"]).await;
    for ready in [&first, &second] {
        for key in [text(&made, "api_key"), text(&key, "key")] {
            assert_eq!(Api::new(&ready.api, key).device("list", json!({})).await.status, 200);
        }
    }
    assert!(!program.folder().join("remuda-data/remuda.db").exists());
}

#[tokio::test]
async fn a_token_of_one_server_is_good_at_the_others() {
    let database = TestDatabase::new().await;
    let program = Program::new().with("REMUDA_DATABASE", database.url());
    let made = program.json(&["init"]).await;
    let tenant = text(&made, "tenant");
    let application = program.json(&["application", "add", "--tenant", tenant, "--name", "Deleter"]).await;
    let (_one, first) = program.serve(&[]).await;
    let (_two, second) = program.serve(&[]).await;
    let login = Api::new(&first.api, "").login(text(&application, "id"), text(&application, "secret")).await;
    let token = text(&login.body, "token");
    let purge = Api::new(&second.api, "").purge(token, tenant, json!({ "guids": ["nobody's"] })).await;
    assert_eq!((purge.status, purge.text.as_str()), (202, ""));
}
