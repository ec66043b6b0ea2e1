//! Every call of the Device API by every kind of caller, in one table. A call that is documented and not in it fails the
//! test; to add one, add its line.

use std::time::Duration;

use domain::{DeviceFilter, Role, TenantId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Answer, Api, TestServer, record},
};

use super::people::{Person, profile_link};

/// Who may make a call, and what the others are answered.
#[derive(Clone, Copy, Debug)]
enum Rights {
    /// Everyone, about themselves or what they see.
    Anybody,
    /// Whoever sees the device or the user that it is about.
    Looks,
    /// The same, but for viewers.
    Acts,
    /// Administrators.
    Admins,
    /// Owners.
    Owners,
    /// Owners; about something that is there for nobody.
    OwnersInVain,
    /// Users, with a token.
    Users,
    /// Whoever has a token.
    Tokens,
    /// Whoever knows a password; other credentials do not matter.
    Open,
}

/// The status for a call that is done: whatever its line says.
const DONE: u16 = 0;

/// The callers, in the order of the rights' columns.
const CALLERS: [&str; 16] = [
    "nothing",
    "viewer's key",
    "operator's key",
    "owner's key",
    "key of another tenant's owner",
    "viewer's token",
    "operator's token",
    "owner's token",
    "token of another tenant's owner",
    "token of the device's user",
    "token of another user",
    "token of another tenant's user",
    "owner's key, and a token that is over",
    "owner's key in a tenant that is not theirs",
    "owner's token in a tenant that is not theirs",
    "owner's key, and the token of another user",
];

impl Rights {
    #[rustfmt::skip]
    fn statuses(self) -> [u16; 16] {
        const OK: u16 = DONE;
        match self {
            //                    none keys:view op own other tokens:v op own other user other far  over mtcid    both
            Self::Anybody =>      [401, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK, 401, 401, 401, OK],
            Self::Looks =>        [401, OK, OK, OK, 404, OK, OK, OK, 404, OK, 404, 404, 401, 401, 401, 404],
            Self::Acts =>         [401, 403, OK, OK, 404, 403, OK, OK, 404, OK, 404, 404, 401, 401, 401, 404],
            Self::Admins =>       [401, OK, OK, OK, OK, OK, OK, OK, OK, 403, 403, 403, 401, 401, 401, 403],
            Self::Owners =>       [401, 403, 403, OK, OK, 403, 403, OK, OK, 403, 403, 403, 401, 401, 401, 403],
            Self::OwnersInVain => [401, 403, 403, 404, 404, 403, 403, 404, 404, 403, 403, 403, 401, 401, 401, 403],
            Self::Users =>        [401, 403, 403, 403, 403, 403, 403, 403, 403, OK, OK, OK, 401, 401, 401, OK],
            Self::Tokens =>       [401, 403, 403, 403, 403, OK, OK, OK, OK, OK, OK, OK, 401, 401, 401, OK],
            Self::Open =>         [OK; 16],
        }
    }
}

/// A call, who may make it, what it answers then, and its body; `DEVICE`, `USER`, `NEW` and `PASSWORD` are filled in.
type Line = (&'static str, &'static str, Rights, u16, &'static str);

const CALLS: [Line; 23] = [
    ("POST", "device/list", Rights::Anybody, 200, "{}"),
    ("POST", "device/info", Rights::Looks, 200, r#"{"clientid":"DEVICE"}"#),
    ("POST", "device/lockscreen", Rights::Acts, 200, r#"{"clientid":"DEVICE"}"#),
    ("POST", "device/enablelostmode", Rights::Acts, 200, r#"{"clientid":"DEVICE","message":"Hello"}"#),
    // The device is not in lost mode, and gave no unlock token.
    ("POST", "device/disablelostmode", Rights::Acts, 409, r#"{"clientid":"DEVICE"}"#),
    ("POST", "device/requestlocation", Rights::Acts, 409, r#"{"clientid":"DEVICE"}"#),
    ("POST", "device/resetpasscode", Rights::Acts, 409, r#"{"clientid":"DEVICE"}"#),
    ("POST", "device/requestapplist", Rights::Acts, 200, r#"{"clientid":"DEVICE"}"#),
    ("POST", "device/wipe", Rights::Acts, 200, r#"{"clientid":"DEVICE","partial":"true"}"#),
    ("POST", "app/list", Rights::Looks, 200, r#"{"clientid":"DEVICE"}"#),
    ("POST", "app/info", Rights::Looks, 404, r#"{"clientid":"DEVICE","id":"com.example.none"}"#),
    ("POST", "user/login", Rights::Open, 200, r#"PASSWORD"#),
    ("POST", "user/renewtoken", Rights::Tokens, 200, "{}"),
    // Not the same twice: whoever gets so far may call.
    (
        "POST",
        "user/changepassword",
        Rights::Tokens,
        400,
        r#"{"oldpassword":"x","newpassword":"12345678","confirmnewpassword":"y"}"#,
    ),
    ("POST", "user/info", Rights::Anybody, 200, "{}"),
    ("POST", "user/info", Rights::Looks, 200, r#"{"sid":"USER"}"#),
    ("POST", "user/list", Rights::Admins, 200, "{}"),
    ("POST", "user/list", Rights::Admins, 200, r#"{"pagesize":1}"#),
    ("POST", "user/create", Rights::Owners, 200, r#"{"email":"NEW"}"#),
    ("POST", "user/delete", Rights::OwnersInVain, 404, r#"{"sid":"00000000-0000-0000-0000-000000000000"}"#),
    ("POST", "user/mdmprofile", Rights::Users, 200, r#"{"mdmtype":"apple","html":true}"#),
    ("GET", "user/mdmprofile", Rights::Users, 200, r#"{"mdmtype":"apple"}"#),
    ("POST", "group/list", Rights::Admins, 200, "{}"),
];

/// What one caller shows.
#[derive(Clone, Default)]
struct Shown {
    key: Option<String>,
    token: Option<String>,
    mtcid: Option<TenantId>,
}

/// A tenant with a device of a user's, and everybody who may come.
struct Scene {
    server: TestServer,
    user: UserId,
    login: Value,
    callers: Vec<Shown>,
}

impl Scene {
    async fn of(server: TestServer) -> Self {
        let api = server.api();
        let (here, (there, there_key)) = (server.tenant(), server.another_tenant("other").await);
        let over = Person::admin(&server, &[(here, Role::Owner)]).await.token(&api).await;
        server.clock().advance(Duration::from_hours(1));

        let key = |key: String| Shown { key: Some(key), ..Shown::default() };
        let token = |token: String| Shown { token: Some(token), ..Shown::default() };
        let mut callers = vec![Shown::default()];
        for role in [Role::Viewer, Role::Operator, Role::Owner] {
            callers.push(key(server.key_of(role).await));
        }
        callers.push(key(there_key));
        for (tenant, role) in
            [(here, Role::Viewer), (here, Role::Operator), (here, Role::Owner), (there, Role::Owner)]
        {
            callers.push(token(Person::admin(&server, &[(tenant, role)]).await.token(&api).await));
        }
        let (user, owner) = Person::user(&server, here).await;
        callers.push(token(owner.token(&api).await));
        for tenant in [here, there] {
            callers.push(token(Person::user(&server, tenant).await.1.token(&api).await));
        }
        callers.push(Shown { token: Some(over), ..callers[3].clone() });
        callers.push(Shown { mtcid: Some(there), ..callers[3].clone() });
        callers.push(Shown { mtcid: Some(there), ..callers[7].clone() });
        callers.push(Shown { token: callers[10].token.clone(), ..callers[3].clone() });

        let mut device = record(1);
        device.user = Some(user);
        device.facts.supervised = Some(true);
        server.add_records([device]).await;
        Self { login: owner.login(), server, user, callers }
    }

    async fn call(&self, api: &Api, shown: &Shown, (method, call, _, _, body): &Line) -> Answer {
        let new = format!("new-{}@example.com", self.server.seed());
        let body = body
            .replace("DEVICE", &record(1).id.client_id())
            .replace("USER", &self.user.to_string())
            .replace("NEW", &new)
            .replace("PASSWORD", &self.login.to_string());
        let mut body: Value = serde_json::from_str(&body).unwrap();
        if let Some(token) = &shown.token {
            body["token"] = token.as_str().into();
        }
        if let Some(tenant) = shown.mtcid {
            body["mtcid"] = tenant.to_string().into();
        }
        let request = match *method {
            "GET" => api.request(Method::GET, &profile_link(&body)),
            _ => api.request(Method::POST, &format!("/api/mdm/v2/{call}")).json(&body),
        };
        let key = shown.key.iter().map(|key| format!("Api-Key {key}"));
        api.send(key.fold(request, |request, key| request.header("authorization", key))).await
    }
}

on_both!(every_call_is_open_to_whom_it_should_and_to_nobody_else);

async fn every_call_is_open_to_whom_it_should_and_to_nobody_else(server: TestServer) {
    let scene = Scene::of(server).await;
    let api = scene.server.api();
    let mut wrong = Vec::new();
    for line in &CALLS {
        let (method, call, rights, done, _) = line;
        for ((shown, caller), status) in scene.callers.iter().zip(CALLERS).zip(rights.statuses()) {
            let expected = if status == DONE { *done } else { status };
            let answer = scene.call(&api, shown, line).await;
            if answer.status != expected {
                wrong.push(format!(
                    "{method} {call} with {caller}: {} and not {expected}: {}",
                    answer.status, answer.text
                ));
            }
            if answer.status >= 400 && !answer.body["errorcode"].is_string() {
                wrong.push(format!("{method} {call} with {caller}: no envelope: {}", answer.text));
            }
            if expected == 401 {
                // So that no address is slowed down.
                scene.server.clock().advance(Duration::from_secs(6));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let everything = DeviceFilter::default();
    let page = domain::Page { after: None, skip: 0, limit: 10 };
    let devices = scene.server.mdm().devices(&scene.server.owner(), &everything, page).await.unwrap();
    assert_eq!(devices.len(), 1, "nobody made a device");
}

#[tokio::test]
async fn the_table_has_every_documented_call() {
    let documents = web::openapi_documents();
    let (_, document) = documents.iter().find(|(face, _)| *face == "device-api").unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    let mut missing = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let call = path.strip_prefix("/api/mdm/v2/").unwrap();
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if !CALLS.iter().any(|line| (line.0, line.1) == (method.as_str(), call)) {
                missing.push(format!("{method} {call}"));
            }
        }
    }
    assert!(missing.is_empty(), "calls without a line in the table: {missing:?}");
}

#[tokio::test]
async fn an_unknown_caller_learns_nothing_of_what_there_is() {
    let scene = Scene::of(TestServer::start().await).await;
    let api = scene.server.api();
    let info = CALLS.iter().find(|line| line.1 == "device/info").unwrap();
    for shown in [scene.callers[10].clone(), scene.callers[11].clone()] {
        let foreign = scene.call(&api, &shown, info).await;
        let path = "/api/mdm/v2/device/info";
        let nobodys = json!({ "clientid": "e60cf0e25e63430694441870c27a8b42", "token": shown.token });
        let unknown = api.send(api.request(Method::POST, path).json(&nobodys)).await;
        assert_eq!((foreign.status, foreign.text), (unknown.status, unknown.text));
    }
}
