//! Every route with every kind of credentials, in one table. A route that is documented and not in it fails the test.

use std::{collections::BTreeSet, time::Duration};

use domain::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::server::{Api, Device, TestServer};

/// What a caller shows, in the order of the table's columns.
const CREDENTIALS: [&str; 15] = [
    "nothing",
    "garbage key",
    "revoked key",
    "viewer's key",
    "operator's key",
    "owner's key",
    "key of another tenant's owner",
    "garbage bearer",
    "application's token",
    "token of another tenant's application",
    "token of a revoked application",
    "expired token",
    "application's secret",
    "wrong secret",
    "revoked application's secret",
];

/// Method, path, and the status for each of [`CREDENTIALS`].
type Row = (&'static str, &'static str, [u16; 15]);

const TABLE: &[Row] = &[
    //                                        -    garb rev  view oper own  oth  garb appl oth  rev  exp  secr wron rev
    (
        "POST",
        "/api/mdm/v2/device/list",
        [401, 401, 401, 200, 200, 200, 200, 401, 401, 401, 401, 401, 401, 401, 401],
    ),
    (
        "POST",
        "/api/mdm/v2/device/info",
        [401, 401, 401, 200, 200, 200, 404, 401, 401, 401, 401, 401, 401, 401, 401],
    ),
    (
        "POST",
        "/api/mdm/v2/device/lockscreen",
        [401, 401, 401, 403, 200, 200, 404, 401, 401, 401, 401, 401, 401, 401, 401],
    ),
    ("POST", "/v1/login", [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403]),
    (
        "POST",
        "/device-lifecycle/v1/{customerId}/devices/purge/async/external",
        [403, 403, 403, 403, 403, 403, 403, 403, 202, 403, 403, 403, 403, 403, 403],
    ),
    ("GET", "/metrics", [401, 401, 401, 200, 200, 200, 200, 401, 401, 401, 401, 401, 401, 401, 401]),
    ("GET", "/healthz", [200; 15]),
    ("GET", "/readyz", [200; 15]),
    ("GET", "/openapi/{face}.json", [200; 15]),
];

/// Somebody who shows one kind of credentials.
enum Shown {
    Nothing,
    Key(String),
    Bearer(String),
    Secret(String, String),
}

impl Shown {
    fn to(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nothing => request,
            Self::Key(key) => request.header("authorization", format!("Api-Key {key}")),
            Self::Bearer(token) => request.bearer_auth(token),
            Self::Secret(id, secret) => request.basic_auth(id, Some(secret)),
        }
    }
}

/// One of each, in the order of [`CREDENTIALS`].
async fn everybody(server: &TestServer) -> [Shown; 15] {
    let (other, other_key) = server.another_tenant("other").await;
    let expired = server.token_of(&server.application().await).await;
    server.clock().advance(Duration::from_secs(900));
    let application = server.application().await;
    let stranger = server.application_of(other).await;
    let revoked = server.application().await;
    let tokens = [
        server.token_of(&application).await,
        server.token_of(&stranger).await,
        server.token_of(&revoked).await,
    ];
    server.mdm().revoke_application(revoked.0).await.unwrap();
    let [token, strangers, revokeds] = tokens.map(Shown::Bearer);
    let key = async |role| Shown::Key(server.key_of(role).await);
    [
        Shown::Nothing,
        Shown::Key("garbage".into()),
        Shown::Key(server.revoked_key().await),
        key(Role::Viewer).await,
        key(Role::Operator).await,
        key(Role::Owner).await,
        Shown::Key(other_key),
        Shown::Bearer("gar.ba.ge".into()),
        token,
        strangers,
        revokeds,
        Shown::Bearer(expired),
        Shown::Secret(application.0.to_string(), application.1),
        Shown::Secret(application.0.to_string(), "wrong".into()),
        Shown::Secret(revoked.0.to_string(), revoked.1),
    ]
}

/// A sound request for a route: about a device that there is, or a purge of one that is not.
fn request(server: &TestServer, api: &Api, device: &Device, (method, path, _): &Row) -> RequestBuilder {
    let filled = path.replace("{customerId}", &server.tenant().to_string()).replace("{face}", "device-api");
    let request = api.request(method.parse::<Method>().unwrap(), &filled);
    match *path {
        path if path.starts_with("/api/mdm/v2/device/") => {
            request.json(&json!({ "clientid": device.client_id() }))
        }
        path if path.starts_with("/device-lifecycle/") => request.json(&json!({ "guids": ["nobody's"] })),
        _ => request,
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let everybody = everybody(&server).await;
    let api = server.api();
    let mut wrong = Vec::new();
    for row in TABLE {
        for ((shown, name), expected) in everybody.iter().zip(CREDENTIALS).zip(row.2) {
            server.clock().advance(Duration::from_secs(1));
            let answer = api.send(shown.to(request(&server, &api, &phone, row))).await;
            if answer.status != expected {
                wrong.push(format!("{} {} with {name}: {} and not {expected}", row.0, row.1, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_table_has_every_documented_route() {
    let server = TestServer::start().await;
    let mut documented = BTreeSet::new();
    for (face, _) in web::openapi_documents() {
        let answer =
            server.api().send(server.api().request(Method::GET, &format!("/openapi/{face}.json"))).await;
        let Value::Object(paths) = &answer.body["paths"] else { panic!("{}", answer.text) };
        for (path, calls) in paths {
            let methods = calls.as_object().expect("methods").keys();
            documented.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
        }
    }
    let table: BTreeSet<_> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    let missing: Vec<_> = documented.difference(&table).collect();
    assert!(missing.is_empty(), "routes without a row in the table: {missing:?}");
}

/// Whatever is refused is refused in the form of its face, and nothing is done.
#[tokio::test]
async fn a_refusal_comes_in_the_form_of_its_face_and_changes_nothing() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let everybody = everybody(&server).await;
    let api = server.api();
    for row in TABLE.iter().filter(|row| row.0 == "POST") {
        for (shown, _) in everybody.iter().zip(row.2).filter(|(_, status)| *status >= 400) {
            let answer = api.send(shown.to(request(&server, &api, &phone, row))).await;
            let field = if row.1.starts_with("/api/") { "errorcode" } else { "logref" };
            assert!(answer.body[field].is_string(), "{} {}: {}", row.0, row.1, answer.text);
        }
    }
    assert_eq!(api.info(&phone.client_id()).await["actions"]["lockscreen"]["status"], 0);
    assert!(server.mdm().purges(&server.owner(), 10).await.unwrap().is_empty());
}
