//! An application that asks all servers at once, and far too often: they count together.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::Api;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    installation::Installation,
    record::Finding,
    world::{Shared, World},
};

/// How many requests of a kind pass in a second.
const PER_SECOND: usize = 5;

/// How many are sent to each server at once.
const AT_ONCE: usize = 4;

/// Between two volleys: what is refused counts too, so that less would never pass.
const BETWEEN: Duration = Duration::from_millis(1_300);

/// An application of its own, so that it is in nobody's way.
pub struct Application {
    name: String,
    secret: String,
    customer: String,
}

/// A request that passed: when it began, and when it was answered.
type Passed = (Instant, Instant);

impl Application {
    /// Registers it.
    pub fn register(installation: &Installation) -> Self {
        let command = ["application", "add", "--name", "Hasty", "--tenant", &installation.tenant];
        let made = installation.run(&command);
        let text = |field: &str| made[field].as_str().expect("a text").to_owned();
        Self { name: text("id"), secret: text("secret"), customer: installation.tenant.clone() }
    }

    /// Logs in, and asks for purges of nobody, until the load is over; then looks at what passed.
    pub async fn hurry(self, world: Shared) {
        let mut urls = world.installation.nodes.iter().map(|node| node.place.addresses().api_url);
        let apis: Vec<_> = urls.by_ref().map(|url| Api::new(&url, "")).collect();
        let (mut logins, mut purges) = (Vec::new(), Vec::new());
        let mut token: Option<String> = None;
        while !world.is_over() {
            if let Some(token) = &token {
                purges
                    .extend(volley(&apis, |api| self.purge(api, token)).await.into_iter().map(|(it, _)| it));
            }
            for (passed, body) in volley(&apis, |api| self.login(api)).await {
                logins.push(passed);
                token = body["token"].as_str().map(str::to_owned).or(token);
            }
            sleep(BETWEEN).await;
        }
        look(&world, "logins", logins);
        look(&world, "purges", purges);
    }

    fn login(&self, api: &Api) -> reqwest::RequestBuilder {
        api.request(Method::POST, "/v1/login").basic_auth(&self.name, Some(&self.secret))
    }

    fn purge(&self, api: &Api, token: &str) -> reqwest::RequestBuilder {
        let path = format!("/device-lifecycle/v1/{}/devices/purge/async/external", self.customer);
        let nobody = json!({ "guids": ["00000000-0000-4000-8000-000000000000"] });
        api.request(Method::POST, &path).bearer_auth(token).json(&nobody)
    }
}

/// Some requests to every server at once; those that passed.
async fn volley(apis: &[Api], request: impl Fn(&Api) -> reqwest::RequestBuilder) -> Vec<(Passed, Value)> {
    let mut asked = JoinSet::new();
    for api in apis.iter().flat_map(|api| [api; AT_ONCE]) {
        let request = request(api);
        asked.spawn(async move {
            let began = Instant::now();
            let answer = request.send().await.ok()?;
            let ended = Instant::now();
            let passed = matches!(answer.status().as_u16(), 200 | 202).then_some((began, ended))?;
            Some((passed, answer.json().await.unwrap_or_default()))
        });
    }
    asked.join_all().await.into_iter().flatten().collect()
}

/// However they are spread over the servers, no more than five are within a second.
fn look(world: &World, what: &str, mut passed: Vec<Passed>) {
    passed.sort_unstable_by_key(|(_, ended)| *ended);
    if passed.len() < PER_SECOND {
        world.record.find(Finding::Wrong(format!("only {} {what} passed", passed.len())));
    }
    for some in passed.windows(PER_SECOND + 1) {
        let first = some.iter().map(|(began, _)| *began).min();
        let last = some.last().map(|(_, ended)| *ended);
        let took = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
        if took < Duration::from_secs(1) {
            world.record.find(Finding::Wrong(format!("{} {what} passed in {took:?}", some.len())));
        }
    }
}
