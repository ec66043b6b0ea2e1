//! Every route with every kind of credentials, in one table. A route that is documented and not in it fails the test.

use std::time::Duration;

use domain::{CommandFilter, CommandState, Role};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::server::{Api, Device, TestServer};

/// Method and path of each route, in the order of the table's columns.
const ROUTES: [(&str, &str); 15] = [
    ("POST", "/api/mdm/v2/device/list"),
    ("POST", "/api/mdm/v2/device/info"),
    ("POST", "/api/mdm/v2/device/lockscreen"),
    ("POST", "/v1/login"),
    ("POST", "/device-lifecycle/v1/{customerId}/devices/purge/async/external"),
    ("POST", "/api/admin/v1/commands"),
    ("GET", "/api/admin/v1/commands"),
    ("GET", "/api/admin/v1/commands/{uuid}"),
    ("POST", "/api/admin/v1/commands/{uuid}/cancel"),
    ("GET", "/api/admin/v1/devices/{clientid}/diagnosis"),
    ("POST", "/api/admin/v1/devices/{clientid}/secrets/{secret}/reveal"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi/{face}.json"),
];

/// What a caller shows, and the status that each route answers.
const TABLE: [(&str, [u16; 15]); 15] = [
    //              device/ list info lock login purge, admin: send list show cancel diagnosis reveal, metr heal read openapi
    ("nothing", [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    ("garbage key", [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    ("revoked key", [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    ("viewer's key", [200, 200, 403, 403, 403, 403, 200, 200, 403, 200, 403, 200, 200, 200, 200]),
    ("operator's key", [200, 200, 200, 403, 403, 202, 200, 200, 409, 200, 200, 200, 200, 200, 200]),
    ("owner's key", [200, 200, 200, 403, 403, 202, 200, 200, 409, 200, 200, 200, 200, 200, 200]),
    (
        "key of another tenant's owner",
        [200, 404, 404, 403, 403, 202, 200, 404, 404, 404, 404, 200, 200, 200, 200],
    ),
    ("garbage token", [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    ("application's token", [401, 401, 401, 403, 202, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    (
        "token of another tenant's application",
        [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200],
    ),
    (
        "token of a revoked application",
        [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200],
    ),
    ("expired token", [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    ("application's secret", [401, 401, 401, 200, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    ("wrong secret", [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200]),
    (
        "revoked application's secret",
        [401, 401, 401, 403, 403, 401, 401, 401, 401, 401, 401, 401, 200, 200, 200],
    ),
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

/// One of each, in the order of the table's rows.
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
async fn request(
    server: &TestServer,
    api: &Api,
    device: &Device,
    (method, path): (&str, &str),
) -> RequestBuilder {
    let filter = CommandFilter { device: Some(device.id()), ..CommandFilter::default() };
    let commands = server.mdm().commands(&server.owner(), &filter, None, 10).await.unwrap();
    let done = commands.iter().find(|command| command.state == CommandState::Acknowledged).unwrap();
    let filled = path
        .replace("{customerId}", &server.tenant().to_string())
        .replace("{face}", "device-api")
        .replace("{uuid}", &done.id.to_string())
        .replace("{clientid}", &device.client_id())
        .replace("{secret}", "unlock-token");
    let request = api.request(method.parse::<Method>().unwrap(), &filled);
    match path {
        path if path.starts_with("/api/mdm/v2/device/") => {
            request.json(&json!({ "clientid": device.client_id() }))
        }
        "/api/admin/v1/commands" if method == "POST" => {
            let command = json!({ "RequestType": "DeviceLock" });
            request.json(&json!({ "devices": [device.client_id()], "command": command }))
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
    for (shown, (name, statuses)) in everybody.iter().zip(TABLE) {
        for (route, expected) in ROUTES.into_iter().zip(statuses) {
            // So that no limit is near: neither of the rates nor of wrong keys.
            server.clock().advance(Duration::from_secs(2));
            let answer = api.send(shown.to(request(&server, &api, &phone, route).await)).await;
            if answer.status != expected {
                wrong.push(format!("{route:?} with {name}: {} and not {expected}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_table_has_every_documented_route() {
    let server = TestServer::start().await;
    let mut missing = Vec::new();
    // The Device API has a table of its own, with people who log in: `device_api/access.rs`.
    for (face, _) in web::openapi_documents().into_iter().filter(|(face, _)| *face != "device-api") {
        let request = server.api().request(Method::GET, &format!("/openapi/{face}.json"));
        let answer = server.api().send(request).await;
        let Value::Object(paths) = &answer.body["paths"] else { panic!("{}", answer.text) };
        for (path, calls) in paths {
            let methods = calls.as_object().expect("methods").keys().map(|method| method.to_uppercase());
            missing.extend(
                methods.filter(|it| !ROUTES.contains(&(it, path))).map(|method| format!("{method} {path}")),
            );
        }
    }
    assert!(missing.is_empty(), "routes without a column in the table: {missing:?}");
}

/// Whatever is refused is refused in the form of its face, and nothing is done.
#[tokio::test]
async fn a_refusal_comes_in_the_form_of_its_face_and_changes_nothing() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let everybody = everybody(&server).await;
    let api = server.api();
    for (shown, (_, statuses)) in everybody.iter().zip(TABLE) {
        let refusing = ROUTES.into_iter().zip(statuses).filter(|(_, status)| *status >= 400);
        for (route, _) in refusing.filter(|(route, _)| route.0 == "POST") {
            // Wrong keys are held back by their address.
            server.clock().advance(Duration::from_secs(7));
            let answer = api.send(shown.to(request(&server, &api, &phone, route).await)).await;
            let field = match route.1 {
                path if path.starts_with("/api/admin/") => "type",
                path if path.starts_with("/api/") => "errorcode",
                _ => "logref",
            };
            assert!(answer.body[field].is_string(), "{route:?}: {}", answer.text);
        }
    }
    assert_eq!(api.info(&phone.client_id()).await["actions"]["lockscreen"]["status"], 0);
    assert!(server.mdm().purges(&server.owner(), 10).await.unwrap().is_empty());
    assert_eq!(server.count_events("secret.revealed").await, 0);
}
