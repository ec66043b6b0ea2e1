//! `remuda tenant`, `admin`, `api-key`, `application` and `user`.

use serde_json::{Value, json};

use super::{Program, keys, text};

async fn furnished() -> (Program, Value) {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    (program, made)
}

#[tokio::test]
async fn tenants_are_added_and_listed() {
    let program = Program::new();
    let added = program.json(&["tenant", "add", "Acme"]).await;
    assert_eq!((keys(&added), text(&added, "name")), (vec!["id", "name"], "Acme"));
    assert_eq!(text(&added, "id").len(), 36);
    program.fails(&["tenant", "add", "Acme"], 1, "remuda: ").await;
    program.fails(&["tenant", "add", " "], 1, "name: 1 to 200 bytes").await;
    program.json(&["tenant", "add", "Aardvark"]).await;
    let list = program.json(&["tenant", "list"]).await;
    let names: Vec<_> =
        list["tenants"].as_array().unwrap().iter().map(|tenant| text(tenant, "name")).collect();
    assert_eq!(names, ["Aardvark", "Acme"]);
}

#[tokio::test]
async fn an_administrator_gets_a_password_once_and_a_role_in_each_tenant() {
    let (program, made) = furnished().await;
    let tenant = text(&made, "tenant");
    let added =
        program.json(&["admin", "add", "jane@example.com", "--tenant", tenant, "--role", "viewer"]).await;
    assert_eq!(keys(&added), ["id", "password"]);
    assert!(text(&added, "password").len() >= 16);
    let other = program.json(&["tenant", "add", "Other"]).await;
    let again = program.json(&["admin", "add", "JANE@example.com", "--tenant", text(&other, "id")]).await;
    assert_eq!(again, json!({ "id": added["id"], "password": null }), "she keeps hers");
    program.fails(&["admin", "add", "jane", "--tenant", tenant], 1, "e-mail").await;
    program
        .fails(&["admin", "add", "jim@example.com", "--tenant", tenant, "--role", "king"], 2, "king")
        .await;
    let nobodys = "4744defa-1042-4a85-9fff-763ae00c7584";
    program.fails(&["admin", "add", "jim@example.com", "--tenant", nobodys], 1, "no such tenant").await;
    program.fails(&["admin", "add", "jim@example.com"], 2, "--tenant").await;
}

#[tokio::test]
async fn a_key_is_shown_once_listed_without_it_and_revoked() {
    let (program, made) = furnished().await;
    let added = program.json(&["api-key", "add", "--admin", "Admin@localhost"]).await;
    assert_eq!(keys(&added), ["id", "key"]);
    program.fails(&["api-key", "add", "--admin", "nobody@example.com"], 1, "no such administrator").await;

    let (_serving, ready) = program.serve(&[]).await;
    let list =
        async |key: &str| testkit::server::Api::new(&ready.api, key).device("list", json!({})).await.status;
    assert_eq!([list(text(&added, "key")).await, list(text(&made, "api_key")).await], [200, 200]);
    let revoked = program.json(&["api-key", "revoke", text(&added, "id")]).await;
    assert_eq!(revoked, json!({ "id": added["id"], "revoked": true }));
    assert_eq!([list(text(&added, "key")).await, list(text(&made, "api_key")).await], [401, 200], "at once");

    let known = program.json(&["api-key", "list"]).await;
    assert!(!known.to_string().contains(text(&added, "key")));
    let known = known["api_keys"].as_array().unwrap();
    assert!(known.iter().all(|key| keys(key) == ["admin", "created", "id", "revoked"]), "{known:?}");
    let revoked: Vec<_> =
        known.iter().filter(|key| key["revoked"].is_string()).map(|key| &key["id"]).collect();
    assert_eq!((known.len(), revoked), (2, vec![&added["id"]]));
    program.fails(&["api-key", "revoke", "4744defa-1042-4a85-9fff-763ae00c7584"], 1, "no such API key").await;
}

#[tokio::test]
async fn an_application_is_added_listed_and_revoked() {
    let (program, made) = furnished().await;
    let tenant = text(&made, "tenant");
    let added = program.json(&["application", "add", "--tenant", tenant, "--name", "Deleter"]).await;
    assert_eq!(keys(&added), ["customer_id", "id", "secret"]);
    assert_eq!(added["customer_id"], made["tenant"]);

    let (_serving, ready) = program.serve(&[]).await;
    let api = testkit::server::Api::new(&ready.api, "");
    let login = async || api.login(text(&added, "id"), text(&added, "secret")).await.status;
    assert_eq!(login().await, 200);
    program.json(&["application", "revoke", text(&added, "id")]).await;
    assert_eq!(login().await, 403, "at once");

    let list = program.json(&["application", "list", "--tenant", tenant]).await;
    assert!(!list.to_string().contains(text(&added, "secret")));
    let application = &list["applications"][0];
    assert_eq!(keys(application), ["created", "customer_id", "id", "name", "revoked"]);
    assert!(application["revoked"].is_string());
    let nobodys = "4744defa-1042-4a85-9fff-763ae00c7584";
    assert_eq!(
        program.json(&["application", "list", "--tenant", nobodys]).await,
        json!({ "applications": [] })
    );
    program.fails(&["application", "revoke", nobodys], 1, "no such application").await;
    program.fails(&["application", "add", "--tenant", nobodys, "--name", "x"], 1, "no such tenant").await;
}

#[tokio::test]
async fn a_user_is_added_once_in_the_whole_installation() {
    let (program, made) = furnished().await;
    let added = program.json(&["user", "add", "user@example.com", "--tenant", text(&made, "tenant")]).await;
    assert_eq!(keys(&added), ["id", "password"]);
    let other = program.json(&["tenant", "add", "Other"]).await;
    program.fails(&["user", "add", "USER@example.com", "--tenant", text(&other, "id")], 1, "remuda: ").await;
    let nobodys = "4744defa-1042-4a85-9fff-763ae00c7584";
    program.fails(&["user", "add", "user2@example.com", "--tenant", nobodys], 1, "no such tenant").await;
}

#[tokio::test]
async fn lists_are_tables_for_people() {
    let (program, made) = furnished().await;
    let ran = program.run(&["tenant", "list"]).await;
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["id", "name"]);
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), [text(&made, "tenant"), "Default"]);
}

#[tokio::test]
async fn users_are_listed_changed_given_a_password_and_removed() {
    let (program, made) = furnished().await;
    let tenant = text(&made, "tenant");
    let ada = "ada@example.com";
    let added = program.json(&["user", "add", ada, "--tenant", tenant]).await;
    let changed = program
        .json(&["user", "set", ada, "--tenant", tenant, "--first-name", "Ada", "--enabled", "false"])
        .await;
    let expected = json!({
        "id": added["id"], "email": ada, "first_name": "Ada", "last_name": null, "phone": null,
        "managed_apple_id": null, "enabled": false, "has_password": true,
    });
    assert_eq!(changed, expected);
    assert_eq!(program.json(&["user", "list", "--tenant", tenant]).await, json!({ "users": [expected] }));
    let reset = program.json(&["user", "set-password", ada, "--tenant", tenant]).await;
    assert_eq!(keys(&reset), ["password"]);
    assert_ne!(reset["password"], added["password"]);
    program.fails(&["user", "set", "nobody@example.com", "--tenant", tenant], 1, "no such user").await;
    let removed = program.json(&["user", "remove", ada, "--tenant", tenant]).await;
    assert_eq!(removed, json!({ "id": added["id"], "removed": true }));
    program.fails(&["user", "remove", ada, "--tenant", tenant], 1, "no such user").await;
}

#[tokio::test]
async fn administrators_are_listed_given_a_password_and_lose_a_role() {
    let (program, made) = furnished().await;
    let tenant = text(&made, "tenant");
    let list = program.json(&["admin", "list"]).await;
    let admin = &list["admins"][0];
    assert_eq!(keys(admin), ["email", "id", "roles"]);
    assert_eq!(admin["roles"], json!([{ "tenant": tenant, "role": "owner" }]));
    let email = text(admin, "email");
    assert_eq!(keys(&program.json(&["admin", "set-password", email]).await), ["password"]);
    program.fails(&["admin", "set-password", "nobody@example.com"], 1, "no such administrator").await;
    program.json(&["admin", "remove", email, "--tenant", tenant]).await;
    assert_eq!(program.json(&["admin", "list"]).await["admins"][0]["roles"], json!([]));
    program.fails(&["admin", "remove", email, "--tenant", tenant], 1, "no such administrator").await;
}

#[tokio::test]
async fn groups_are_added_listed_and_removed() {
    let (program, made) = furnished().await;
    let tenant = text(&made, "tenant");
    let added = program.json(&["group", "add", "Teachers", "--tenant", tenant, "--description", "All"]).await;
    assert_eq!(added, json!({ "id": added["id"], "name": "Teachers", "description": "All" }));
    program.fails(&["group", "add", "Teachers", "--tenant", tenant], 1, "a group has this name").await;
    assert_eq!(program.json(&["group", "list", "--tenant", tenant]).await, json!({ "groups": [added] }));
    program.json(&["group", "remove", text(&added, "id"), "--tenant", tenant]).await;
    assert_eq!(program.json(&["group", "list", "--tenant", tenant]).await, json!({ "groups": [] }));
}
