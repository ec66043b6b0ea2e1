//! Declarative management, from the device's side: it fetches what is declared, checks it, and reports its status.

use apple::checkin::{DeclarativeManagement, Endpoint};
use apple::command;
use apple::declaration::{Declaration, Item, Kind, Manifest, SyncTokens};
use apple::validate::{self, Options, Target, TargetChannel};
use apple::{CheckIn, Malformed, content_type};
use serde_json::{Map, Value, json};

use super::AppleDevice;
use super::execute::Outcome;
use super::failure::{Breach, Failure};
use super::model::DeviceModel;
use super::wire::Request;

/// A set that changes each time it is fetched is never whole.
const ATTEMPTS: usize = 3;
const SUBSCRIPTIONS: &str = "com.apple.configuration.management.status-subscriptions";
const ACTIVATION: &str = "com.apple.activation.simple";

/// What a device has been declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Declarations {
    /// That of the set which it has whole; `None` until it had one.
    token: Option<String>,
    items: Vec<(Kind, Declaration)>,
}

impl AppleDevice {
    /// The declarations that it has now, by identifier.
    pub fn declarations(&self) -> impl Iterator<Item = &Declaration> {
        self.declarations.items.iter().map(|(_, declaration)| declaration)
    }

    /// Asks for the tokens, as a device does by itself once a day, and fetches what has changed.
    ///
    /// # Errors
    /// Any [`Failure`]; a set that no device could take is a breach.
    pub async fn synchronize(&mut self) -> Result<(), Failure> {
        let result = self.synchronize_with(None).await;
        self.note(result)
    }

    /// Reports the items to which it is subscribed; nothing where there are none.
    ///
    /// # Errors
    /// Any [`Failure`]; an answer that is not an empty 200 is a breach.
    pub async fn report_status(&mut self) -> Result<(), Failure> {
        let result = self.send_status().await;
        self.note(result)
    }

    async fn send_status(&mut self) -> Result<(), Failure> {
        let items = self.declarations.subscriptions();
        if items.is_empty() {
            return Ok(());
        }
        let report = json!({
            "StatusItems": status_items(&self.options.model, &self.declarations, &items),
            "Errors": [],
            "FullReport": true,
        });
        let message = self.declarative(Endpoint::Status, Some(report.to_string().into_bytes()));
        let url = &self.accepted.profile.mdm.check_in_url;
        let request = Request::put(url, content_type::CHECK_IN, message.encode());
        self.deliver_for_nothing(request, "a status report").await
    }

    /// Carries the command out: whatever it brings, the set is the declared one afterwards.
    pub(super) async fn declare(
        &mut self,
        command: &command::DeclarativeManagement,
    ) -> Result<Outcome, Failure> {
        let told = command.data.as_deref();
        let told =
            told.map(|data| read("the Data of DeclarativeManagement", SyncTokens::parse(data))).transpose();
        let result = match told {
            Ok(told) => self.synchronize_with(told).await,
            Err(breach) => Err(breach),
        };
        self.note(result).map(|()| Outcome::done())
    }

    async fn synchronize_with(&mut self, told: Option<SyncTokens>) -> Result<(), Failure> {
        let told = match told {
            Some(told) => told,
            None => self.fetch_tokens().await?,
        };
        whole_seconds(&told)?;
        if self.declarations.token.as_ref() == Some(&told.declarations_token) {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let manifest = self.fetch_manifest().await?;
            if let Some(items) = self.fetch_all(&manifest).await? {
                let now = self.fetch_tokens().await?;
                if now.declarations_token == manifest.declarations_token {
                    self.declarations = Declarations { token: Some(now.declarations_token), items };
                    return self.send_status().await;
                }
            }
        }
        Breach::err(
            "the declarations change each time they are fetched, or their token is not that of the list",
        )
    }

    async fn fetch_tokens(&mut self) -> Result<SyncTokens, Failure> {
        let body = self.fetch(Endpoint::Tokens).await?;
        read("the tokens", SyncTokens::parse(&body))
    }

    async fn fetch_manifest(&mut self) -> Result<Manifest, Failure> {
        let body = self.fetch(Endpoint::DeclarationItems).await?;
        let manifest = read("the declaration items", Manifest::parse(&body))?;
        let mut names: Vec<_> = manifest.items.iter().map(|item| &item.identifier).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Breach::err(format!("two declarations are named {}", pair[0])),
            None => Ok(manifest),
        }
    }

    /// Every declaration of the list; `None` where one is another by now.
    async fn fetch_all(&mut self, manifest: &Manifest) -> Result<Option<Vec<(Kind, Declaration)>>, Failure> {
        let mut items = Vec::new();
        for item in &manifest.items {
            let endpoint = Endpoint::Declaration { kind: item.kind, identifier: item.identifier.clone() };
            let body = self.fetch(endpoint).await?;
            let declaration = read("a declaration", Declaration::parse(&body))?;
            if declaration.server_token != item.server_token {
                return Ok(None);
            }
            self.check(item, &declaration)?;
            items.push((item.kind, declaration));
        }
        let declarations: Vec<_> = items.iter().map(|(_, declaration)| declaration).collect();
        activated(&declarations)?;
        Ok(Some(items))
    }

    /// Whether a declaration is the one of the list, and one that this device can take.
    fn check(&self, item: &Item, declaration: &Declaration) -> Result<(), Failure> {
        let name = &item.identifier;
        if declaration.identifier != *name || Kind::of_type(&declaration.declaration_type) != Some(item.kind)
        {
            return Breach::err(format!("{name} is listed as another declaration than it is"));
        }
        let known = self.declarations().find(|known| {
            known.identifier == declaration.identifier && known.server_token == declaration.server_token
        });
        if known.is_some_and(|known| known != declaration) {
            return Breach::err(format!("{name} has changed, and its ServerToken has not"));
        }
        let target = target(&self.options.model);
        let verdict = validate::declaration(&declaration.to_json(), &target, Options::default());
        if let Some(fault) = verdict.faults.first() {
            return Breach::err(format!("{name} is not for this device: {fault}"));
        }
        let unknown = subscribed(declaration).find(|item| !knows(&target, item));
        unknown.map_or(Ok(()), |item| {
            Breach::err(format!("{name} asks for {item}, which this device does not know"))
        })
    }

    /// The body of a JSON answer.
    async fn fetch(&mut self, endpoint: Endpoint) -> Result<Vec<u8>, Failure> {
        let what = endpoint.to_string();
        let url = &self.accepted.profile.mdm.check_in_url;
        let message = self.declarative(endpoint, None);
        let request = Request::put(url, content_type::CHECK_IN, message.encode());
        let answer = self.deliver(request).await?;
        match answer.media_type().as_str() {
            "application/json" => Ok(answer.body),
            other => {
                Breach::err(format!("the answer to {what} has the content type {other:?} and not JSON's"))
            }
        }
    }

    fn declarative(&self, endpoint: Endpoint, data: Option<Vec<u8>>) -> CheckIn {
        let ids = self.options.model.identifiers();
        CheckIn::DeclarativeManagement(DeclarativeManagement { ids, endpoint, data })
    }
}

impl Declarations {
    /// The status items that are subscribed to and activated.
    fn subscriptions(&self) -> Vec<String> {
        self.items.iter().flat_map(|(_, declaration)| subscribed(declaration)).map(str::to_owned).collect()
    }
}

/// Configurations have an effect only where an activation names them, and activations name what is there.
fn activated(declarations: &[&Declaration]) -> Result<(), Failure> {
    let activations = declarations.iter().filter(|it| it.declaration_type == ACTIVATION);
    let named: Vec<_> = activations.flat_map(|it| texts(it.payload.get("StandardConfigurations"))).collect();
    let is_there = |name: &&str| declarations.iter().any(|it| it.identifier == **name);
    if let Some(missing) = named.iter().find(|name| !is_there(name)) {
        return Breach::err(format!("an activation names {missing}, which is not declared"));
    }
    let idle = declarations
        .iter()
        .filter(|it| Kind::of_type(&it.declaration_type) == Some(Kind::Configuration))
        .find(|it| !named.contains(&it.identifier.as_str()));
    idle.map_or(Ok(()), |it| Breach::err(format!("no activation names {}", it.identifier)))
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The status items that a declaration subscribes to.
fn subscribed(declaration: &Declaration) -> impl Iterator<Item = &str> {
    let is_one = declaration.declaration_type == SUBSCRIPTIONS;
    let items = declaration.payload.get("StatusItems").filter(|_| is_one).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.get("Name")?.as_str())
}

fn knows(target: &Target, item: &str) -> bool {
    let entry = apple::facts::status_item(item);
    entry.zip(target.os).is_some_and(|(entry, os)| validate::meets(target, &entry.support[os]))
}

fn target(model: &DeviceModel) -> Target {
    Target {
        supervised: Some(model.supervised),
        user_enrollment: Some(model.identifiers().is_user_enrollment()),
        channel: Some(TargetChannel::Device),
        shared_ipad: Some(false),
        ..Target::of(model.platform.into(), model.os())
    }
}

/// What the device says of each item, nested by the words of its name.
fn status_items(model: &DeviceModel, declarations: &Declarations, names: &[String]) -> Value {
    let mut report = Value::Object(Map::new());
    for name in names {
        let Some(value) = status_item(model, declarations, name) else { continue };
        let place = name.split('.').fold(&mut report, |place, word| &mut place[word]);
        *place = value;
    }
    report
}

fn status_item(model: &DeviceModel, declarations: &Declarations, name: &str) -> Option<Value> {
    Some(match name {
        "device.identifier.serial-number" => json!(model.serial_number),
        "device.model.identifier" => json!(model.product_name),
        "device.model.number" => json!(model.model_number),
        "device.operating-system.version" => json!(model.os_version),
        "device.operating-system.build-version" => json!(model.build_version),
        "passcode.is-present" | "passcode.is-compliant" => json!(model.passcode_set),
        "management.declarations" => active(declarations),
        _ => return None,
    })
}

/// `management.declarations`: all of them in force.
fn active(declarations: &Declarations) -> Value {
    let list = |wanted| {
        let items = declarations.items.iter().filter(|(kind, _)| *kind == wanted);
        let state = |it: &Declaration| json!({ "identifier": it.identifier, "server-token": it.server_token, "active": true, "valid": "valid" });
        items.map(|(_, it)| state(it)).collect::<Vec<_>>()
    };
    json!({
        "activations": list(Kind::Activation), "assets": list(Kind::Asset),
        "configurations": list(Kind::Configuration), "management": list(Kind::Management),
    })
}

/// RFC 3339 without fractions: devices compare it as a text.
fn whole_seconds(tokens: &SyncTokens) -> Result<(), Failure> {
    let pattern = b"0000-00-00T00:00:00Z";
    let fits = |(shape, byte): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { shape == byte };
    let bytes = tokens.timestamp.as_bytes();
    if bytes.len() == pattern.len() && pattern.iter().zip(bytes).all(fits) {
        return Ok(());
    }
    Breach::err(format!("the time of the tokens is {:?} and not in whole seconds of UTC", tokens.timestamp))
}

fn read<T>(what: &str, read: Result<T, Malformed>) -> Result<T, Failure> {
    read.or_else(|why| Breach::err(format!("{what} cannot be read: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declaration(declaration_type: &str, identifier: &str, payload: &Value) -> Declaration {
        Declaration {
            declaration_type: declaration_type.into(),
            identifier: identifier.into(),
            server_token: "t".into(),
            payload: payload.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn activations_and_configurations_belong_together() {
        let activation = declaration(ACTIVATION, "a", &json!({ "StandardConfigurations": ["c"] }));
        let configuration = declaration(SUBSCRIPTIONS, "c", &json!({ "StatusItems": [{ "Name": "x" }] }));
        assert_eq!(activated(&[&activation, &configuration]), Ok(()));
        assert!(activated(&[&activation]).is_err(), "it names what is not there");
        assert!(activated(&[&configuration]).is_err(), "nothing switches it on");
        assert_eq!(subscribed(&configuration).collect::<Vec<_>>(), ["x"]);
        assert_eq!(subscribed(&activation).count(), 0);
    }

    #[test]
    fn a_report_is_nested_by_the_words_of_its_items() {
        let names = ["device.operating-system.version", "passcode.is-present", "device.unheard-of"]
            .map(str::to_owned);
        let report = status_items(&DeviceModel::iphone(1), &Declarations::default(), &names);
        assert_eq!(report["device"]["operating-system"]["version"], "18.1");
        assert!(report["passcode"]["is-present"].is_boolean());
        assert!(report["device"].get("unheard-of").is_none());
    }

    #[test]
    fn times_have_no_fractions() {
        let at = |timestamp: &str| {
            whole_seconds(&SyncTokens { declarations_token: "t".into(), timestamp: timestamp.into() })
        };
        assert_eq!(at("2026-01-02T03:04:05Z"), Ok(()));
        for odd in ["2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05+00:00", "", "2026-01-02 03:04:05Z"] {
            assert!(at(odd).is_err(), "{odd}");
        }
    }
}
