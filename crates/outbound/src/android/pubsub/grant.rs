//! Who may publish to a topic: Google's device management has to.

use ::android::TopicName;
use http::Method;
use serde_json::{Map, Value, json};

use crate::android::Google;
use crate::android::call::Call;
use crate::android::error::Error;

/// The account by which the Android Management API publishes.
const PUBLISHER: &str = "serviceAccount:android-cloud-policy@system.gserviceaccount.com";
const ROLE: &str = "roles/pubsub.publisher";

impl Google {
    /// Adds Google's account to the topic's policy, unless it is there; the others stay. The policy's `etag`,
    /// which is sent back, keeps two that do this at once from undoing each other.
    pub(super) async fn let_google_publish(&self, topic: &TopicName) -> Result<(), Error> {
        let read = Call::pubsub(Method::GET, format!("{topic}:getIamPolicy"));
        let policy: Map<String, Value> = self.ask("a topic's policy", read).await?;
        let Some(policy) = with_publisher(policy) else { return Ok(()) };
        let write =
            Call::pubsub(Method::POST, format!("{topic}:setIamPolicy")).body(&json!({"policy": policy}))?;
        self.tell(write).await
    }
}

/// The policy with the grant; `None` if it has it.
fn with_publisher(mut policy: Map<String, Value>) -> Option<Map<String, Value>> {
    let bindings = policy.entry("bindings").or_insert_with(|| json!([])).as_array_mut()?;
    let granted = bindings.iter().any(|binding| {
        let members = binding["members"].as_array();
        binding["role"] == ROLE && members.is_some_and(|members| members.iter().any(|it| it == PUBLISHER))
    });
    if granted {
        return None;
    }
    bindings.push(json!({"role": ROLE, "members": [PUBLISHER]}));
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(policy: &Value) -> Option<Value> {
        with_publisher(policy.as_object().unwrap().clone()).map(Value::Object)
    }

    #[test]
    fn a_grant_is_added_once_and_others_stay() {
        let ours = json!({"role": ROLE, "members": [PUBLISHER]});
        let others = json!({"role": ROLE, "members": ["user:a@example.org"]});
        assert_eq!(granted(&json!({"etag": "A"})), Some(json!({"etag": "A", "bindings": [ours]})));
        let with_others = granted(&json!({"bindings": [others]})).unwrap();
        assert_eq!(with_others, json!({"bindings": [others, ours]}));
        assert_eq!(granted(&with_others), None);
    }
}
