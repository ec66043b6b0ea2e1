//! The MDM payload (Apple's `mdm/profiles/com.apple.mdm.yaml`).

use plist::{Dictionary, Value};

use super::{AccessRights, MAX_TEXT, UrlPolicy};
use crate::fields::{Fields, Malformed, put};

const TOPIC_PREFIX: &str = "com.apple.mgmt.";
const IDENTITY: &str = "IdentityCertificateUUID";
const ACCESS_RIGHTS: &str = "AccessRights";
const CAPABILITIES: &str = "ServerCapabilities";

/// Where and how a device is managed. Topic and URLs can never change while the device is enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MdmPayload {
    /// `ServerURL`: where it polls for commands.
    pub server_url: String,
    /// `CheckInURL`: where it checks in.
    pub check_in_url: String,
    /// `Topic`: that of the push certificate; begins with `com.apple.mgmt.`.
    pub topic: String,
    /// `AccessRights`.
    pub access_rights: AccessRights,
    /// `SignMessage`: each message carries an `Mdm-Signature`.
    pub sign_message: bool,
    /// `CheckOutWhenRemoved`.
    pub check_out_when_removed: bool,
    /// `ServerCapabilities`, each once.
    pub capabilities: Vec<ServerCapability>,
}

/// What a server says it can do, and a device then makes use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerCapability {
    /// Users of Macs and Shared iPads have channels of their own. Must not change in an update.
    PerUserConnections,
    /// Bootstrap tokens are kept.
    BootstrapToken,
    /// `GetToken` is answered.
    Token,
}

impl ServerCapability {
    const ALL: [(&'static str, ServerCapability); 3] = [
        ("com.apple.mdm.per-user-connections", ServerCapability::PerUserConnections),
        ("com.apple.mdm.bootstraptoken", ServerCapability::BootstrapToken),
        ("com.apple.mdm.token", ServerCapability::Token),
    ];

    fn as_str(self) -> &'static str {
        ServerCapability::ALL[self as usize].0
    }
}

impl MdmPayload {
    pub(super) const PAYLOAD_TYPE: &'static str = "com.apple.mdm";

    /// All rights, all capabilities, signed messages, and a check-out at the end.
    pub fn new(server_url: &str, check_in_url: &str, topic: &str) -> MdmPayload {
        MdmPayload {
            server_url: server_url.to_owned(),
            check_in_url: check_in_url.to_owned(),
            topic: topic.to_owned(),
            access_rights: AccessRights::ALL,
            sign_message: true,
            check_out_when_removed: true,
            capabilities: ServerCapability::ALL.map(|(_, capability)| capability).to_vec(),
        }
    }

    pub(super) fn write(&self, payload: &mut Dictionary, identity: &str) {
        put(payload, IDENTITY, Some(identity));
        put(payload, "Topic", Some(self.topic.as_str()));
        put(payload, "ServerURL", Some(self.server_url.as_str()));
        put(payload, "CheckInURL", Some(self.check_in_url.as_str()));
        put(payload, "SignMessage", Some(self.sign_message));
        put(payload, "CheckOutWhenRemoved", Some(self.check_out_when_removed));
        put(payload, ACCESS_RIGHTS, Some(self.access_rights.bits()));
        let capabilities =
            self.capabilities.iter().map(|capability| Value::from(capability.as_str())).collect();
        put(payload, CAPABILITIES, Some(Value::Array(capabilities)));
    }

    pub(super) fn read(
        payload: Fields<'_>,
        identity: &str,
        urls: UrlPolicy,
    ) -> Result<MdmPayload, Malformed> {
        if payload.required_text(IDENTITY, MAX_TEXT)? != identity {
            return Err(Malformed::Invalid { key: IDENTITY, rule: "names no payload of the profile" });
        }
        let topic = payload.required_text("Topic", MAX_TEXT)?;
        if !topic.starts_with(TOPIC_PREFIX) {
            return Err(Malformed::Invalid { key: "Topic", rule: "does not begin with com.apple.mgmt." });
        }
        let server_url = url(payload, "ServerURL", urls)?.ok_or(Malformed::Missing { key: "ServerURL" })?;
        let check_in_url = url(payload, "CheckInURL", urls)?.unwrap_or_else(|| server_url.clone());
        let access_rights = AccessRights::new(payload.required_integer(ACCESS_RIGHTS)?)
            .ok_or(Malformed::Invalid { key: ACCESS_RIGHTS, rule: "is no valid set of rights" })?;
        Ok(MdmPayload {
            server_url,
            check_in_url,
            topic,
            access_rights,
            sign_message: payload.boolean("SignMessage")?.unwrap_or(false),
            check_out_when_removed: payload.boolean("CheckOutWhenRemoved")?.unwrap_or(false),
            capabilities: capabilities(payload.array(CAPABILITIES)?.unwrap_or_default())?,
        })
    }
}

fn url(payload: Fields<'_>, key: &'static str, urls: UrlPolicy) -> Result<Option<String>, Malformed> {
    let url = payload.text(key, MAX_TEXT)?;
    if url.as_ref().is_some_and(|url| !urls.allows(url)) {
        return Err(Malformed::Invalid { key, rule: "is not a URL of HTTPS" });
    }
    Ok(url)
}

fn capabilities(items: &[Value]) -> Result<Vec<ServerCapability>, Malformed> {
    let mut read = Vec::new();
    for item in items {
        let name = item
            .as_string()
            .ok_or(Malformed::WrongType { key: CAPABILITIES, expected: "array of strings" })?;
        let known =
            ServerCapability::ALL.iter().find(|(known, _)| *known == name).map(|(_, capability)| *capability);
        match known {
            Some(capability) if !read.contains(&capability) => read.push(capability),
            _ => {
                return Err(Malformed::Invalid {
                    key: CAPABILITIES,
                    rule: "has an entry that is unknown or stands twice",
                });
            }
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(key: &str) -> Result<MdmPayload, Malformed> {
        let mut payload = Dictionary::new();
        MdmPayload::new("https://h/mdm", "https://h/checkin", "com.apple.mgmt.x")
            .write(&mut payload, "identity");
        payload.remove(key);
        MdmPayload::read(Fields(&payload), "identity", UrlPolicy::HttpsOnly)
    }

    #[test]
    fn without_a_check_in_url_the_device_checks_in_at_the_server_url() {
        assert_eq!(without("CheckInURL").unwrap().check_in_url, "https://h/mdm");
    }

    #[test]
    fn what_is_not_said_is_off() {
        assert!(!without("SignMessage").unwrap().sign_message);
        assert!(!without("CheckOutWhenRemoved").unwrap().check_out_when_removed);
        assert_eq!(without("ServerCapabilities").unwrap().capabilities, []);
    }

    #[test]
    fn capabilities_are_listed_by_their_place() {
        for (name, capability) in ServerCapability::ALL {
            assert_eq!(capability.as_str(), name);
        }
    }
}
