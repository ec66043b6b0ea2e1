//! The configuration profile by which a device enrolls: its identity by SCEP, the server's root where it is
//! self-signed, and the MDM payload (Apple's `mdm/profiles/TopLevel.yaml` and `com.apple.mdm.yaml`).

mod access_rights;
mod mdm;
mod payload;
mod scep;
mod url;
mod uuids;

pub use access_rights::AccessRights;
pub use mdm::{MdmPayload, ServerCapability};
pub use scep::ScepPayload;
pub use url::UrlPolicy;
pub use uuids::PayloadUuids;

use plist::{Dictionary, Value};

use crate::document::to_xml;
use crate::fields::{Fields, Malformed, parse_dictionary, put};
use crate::guard::Limits;
use payload::Payload;

const ROOT_TYPE: &str = "com.apple.security.root";
const CONTENT: &str = "PayloadContent";
const MAX_TEXT: usize = 4096;
const MAX_CERTIFICATE: usize = 64 << 10;
/// A device shows such a profile to its user; ours has three payloads.
const MAX_PAYLOADS: usize = 16;

/// An enrollment profile. Installed again with the same identifier and UUIDs, it replaces itself, and by that
/// renews the identity; then topic, URLs and `per-user-connections` must be as before, and no access right
/// may come in addition.
#[derive(Clone, Debug, PartialEq)]
pub struct EnrollmentProfile {
    /// `PayloadIdentifier`: what [`crate::command::RemoveProfile`] names to end the management. The payloads
    /// append a word.
    pub identifier: String,
    /// `PayloadUUID` of the profile and of each payload.
    pub uuids: PayloadUuids,
    /// `PayloadDisplayName`: shown to the user, as are the next two.
    pub display_name: String,
    /// `PayloadOrganization`.
    pub organization: String,
    /// `PayloadDescription`.
    pub description: String,
    /// `PayloadRemovalDisallowed`; on iOS and tvOS only for supervised devices, never under User Enrollment.
    pub removal_disallowed: bool,
    /// Where the device gets its identity.
    pub scep: ScepPayload,
    /// The server's TLS root in DER, if devices do not trust it already.
    pub tls_root: Option<Vec<u8>>,
    /// Where and how the device is managed.
    pub mdm: MdmPayload,
}

impl EnrollmentProfile {
    /// The profile in XML, the same for the same value; it is still to be signed.
    pub fn encode(&self) -> Vec<u8> {
        let mut profile = self.headed("Configuration", "", &self.uuids.profile, &self.display_name);
        put(&mut profile, "PayloadOrganization", Some(self.organization.as_str()));
        put(&mut profile, "PayloadDescription", Some(self.description.as_str()));
        // Without it a Mac would install the profile for one user.
        put(&mut profile, "PayloadScope", Some("System"));
        put(&mut profile, "PayloadRemovalDisallowed", self.removal_disallowed.then_some(true));
        put(&mut profile, CONTENT, Some(Value::Array(self.payloads())));
        to_xml(profile)
    }

    /// Reads a profile (without its signature) as a device would, and refuses what a device would refuse: a
    /// missing key, a wrong type, two payloads of one UUID, an identity that is not in the profile, URLs
    /// against `urls`. Stricter than a device, it also asks for a challenge, a SHA-1 fingerprint and access
    /// rights, and takes a single root.
    ///
    /// # Errors
    /// See [`Malformed`]; the key at fault is named.
    pub fn parse(bytes: &[u8], urls: UrlPolicy) -> Result<EnrollmentProfile, Malformed> {
        let profile = parse_dictionary(bytes, Limits::server_answer())?;
        let fields = Fields(&profile);
        let head = Payload::read(fields)?;
        if head.kind != "Configuration" {
            return Err(Malformed::Invalid { key: "PayloadType", rule: "is not Configuration" });
        }
        if fields.boolean("IsEncrypted")? == Some(true) {
            return Err(Malformed::Invalid { key: "IsEncrypted", rule: "is not read here" });
        }
        let payloads = payload::read_all(fields.required_array(CONTENT)?)?;
        let scep = payload::exactly_one(&payloads, ScepPayload::PAYLOAD_TYPE)?;
        let mdm = payload::exactly_one(&payloads, MdmPayload::PAYLOAD_TYPE)?;
        let root = payload::at_most_one(&payloads, ROOT_TYPE)?;
        let text = |key| fields.text(key, MAX_TEXT).map(Option::unwrap_or_default);
        Ok(EnrollmentProfile {
            display_name: text("PayloadDisplayName")?,
            organization: text("PayloadOrganization")?,
            description: text("PayloadDescription")?,
            removal_disallowed: fields.boolean("PayloadRemovalDisallowed")?.unwrap_or(false),
            scep: ScepPayload::read(scep.fields)?,
            tls_root: root.map(|root| root.fields.required_data(CONTENT, 1..=MAX_CERTIFICATE)).transpose()?,
            mdm: MdmPayload::read(mdm.fields, &scep.uuid, urls)?,
            uuids: PayloadUuids {
                profile: head.uuid,
                scep: scep.uuid.clone(),
                tls_root: root.map(|root| root.uuid.clone()).unwrap_or_default(),
                mdm: mdm.uuid.clone(),
            },
            identifier: head.identifier,
        })
    }

    fn payloads(&self) -> Vec<Value> {
        let mut scep = self.headed(ScepPayload::PAYLOAD_TYPE, ".scep", &self.uuids.scep, "Device identity");
        self.scep.write(&mut scep);
        let root = self.tls_root.as_ref().map(|certificate| {
            let mut root = self.headed(ROOT_TYPE, ".root", &self.uuids.tls_root, "Server root certificate");
            put(&mut root, "PayloadCertificateFileName", Some("root.cer"));
            put(&mut root, CONTENT, Some(Value::Data(certificate.clone())));
            root
        });
        let mut mdm = self.headed(MdmPayload::PAYLOAD_TYPE, ".mdm", &self.uuids.mdm, "Device management");
        self.mdm.write(&mut mdm, &self.uuids.scep);
        // In the order in which they are needed: SCEP is done over the TLS that the root makes trusted.
        root.into_iter().chain([scep, mdm]).map(Value::Dictionary).collect()
    }

    fn headed(&self, kind: &str, suffix: &str, uuid: &str, display_name: &str) -> Dictionary {
        Payload::head(kind, &format!("{}{suffix}", self.identifier), uuid, display_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_profile() -> EnrollmentProfile {
        EnrollmentProfile {
            identifier: "com.example.remuda.enrollment".into(),
            uuids: PayloadUuids::derived_from("enrollment-1"),
            display_name: "Example MDM".into(),
            organization: "Example Ltd".into(),
            description: "Lets Example manage this device.".into(),
            removal_disallowed: false,
            scep: ScepPayload {
                url: "https://mdm.example.com/scep".into(),
                name: "Remuda".into(),
                challenge: "one-time".into(),
                ca_fingerprint: [7; 20],
                subject: vec![("CN".into(), "enrollment-1".into()), ("O".into(), "Example Ltd".into())],
                ..ScepPayload::default()
            },
            tls_root: Some(vec![0x30, 0x82]),
            mdm: MdmPayload::new(
                "https://mdm.example.com/mdm",
                "https://mdm.example.com/checkin",
                "com.apple.mgmt.x",
            ),
        }
    }

    fn read(profile: &EnrollmentProfile) -> Result<EnrollmentProfile, Malformed> {
        EnrollmentProfile::parse(&profile.encode(), UrlPolicy::HttpsOnly)
    }

    fn edited(from: &str, to: &str) -> Result<EnrollmentProfile, Malformed> {
        let body = String::from_utf8(a_profile().encode()).unwrap();
        assert!(body.contains(from), "{from}");
        EnrollmentProfile::parse(body.replace(from, to).as_bytes(), UrlPolicy::HttpsOnly)
    }

    #[test]
    fn the_profile_has_what_the_schema_asks_for() {
        let body = String::from_utf8(a_profile().encode()).unwrap();
        let flat: String = body.lines().map(str::trim).collect();
        let identity = PayloadUuids::derived_from("enrollment-1").scep;
        for part in [
            "<key>PayloadType</key><string>Configuration</string>",
            "<key>PayloadVersion</key><integer>1</integer>",
            "<key>PayloadScope</key><string>System</string>",
            "<key>PayloadType</key><string>com.apple.security.scep</string>",
            "<key>Keysize</key><integer>2048</integer>",
            "<key>Key Type</key><string>RSA</string>",
            "<key>Key Usage</key><integer>5</integer>",
            "<key>CAFingerprint</key><data>BwcHBwcHBwcHBwcHBwcHBwcHBwc=</data>",
            "<key>Subject</key><array><array><array><string>CN</string><string>enrollment-1</string></array>",
            "<key>PayloadType</key><string>com.apple.security.root</string>",
            "<key>PayloadType</key><string>com.apple.mdm</string>",
            &format!("<key>IdentityCertificateUUID</key><string>{identity}</string>"),
            "<key>SignMessage</key><true/>",
            "<key>CheckOutWhenRemoved</key><true/>",
            "<key>AccessRights</key><integer>8191</integer>",
            "<array><string>com.apple.mdm.per-user-connections</string>\
             <string>com.apple.mdm.bootstraptoken</string><string>com.apple.mdm.token</string></array>",
        ] {
            assert!(flat.contains(part), "{part} is not in {flat}");
        }
        assert!(!flat.contains("PayloadRemovalDisallowed"));
    }

    #[test]
    fn the_root_comes_first_and_only_where_it_is_needed() {
        let body = String::from_utf8(a_profile().encode()).unwrap();
        assert!(body.find("security.root").unwrap() < body.find("security.scep").unwrap());
        let without = EnrollmentProfile { tls_root: None, ..a_profile() };
        assert!(!String::from_utf8(without.encode()).unwrap().contains("security.root"));
        assert_eq!(read(&without).unwrap().tls_root, None);
    }

    #[test]
    fn a_renewal_keeps_every_identifier_and_changes_the_challenge_only() {
        let mut renewal = a_profile();
        renewal.scep.challenge = "another".into();
        let old = String::from_utf8(a_profile().encode()).unwrap();
        assert_eq!(String::from_utf8(renewal.encode()).unwrap(), old.replace("one-time", "another"));
    }

    #[test]
    fn an_identity_that_is_not_in_the_profile_is_refused() {
        let error = edited(
            "<key>IdentityCertificateUUID</key>\n\t\t\t<string>",
            "<key>IdentityCertificateUUID</key><string>0",
        );
        assert!(matches!(error, Err(Malformed::Invalid { key: "IdentityCertificateUUID", .. })), "{error:?}");
        let other = PayloadUuids::derived_from("enrollment-2").mdm;
        let scep = a_profile().uuids.scep;
        let mut once = false;
        let body = String::from_utf8(a_profile().encode()).unwrap();
        let body: Vec<_> = body
            .lines()
            .map(|line| {
                if line.contains(&scep) && !std::mem::replace(&mut once, true) {
                    line.replace(&scep, &other)
                } else {
                    line.into()
                }
            })
            .collect();
        let error = EnrollmentProfile::parse(body.join("\n").as_bytes(), UrlPolicy::HttpsOnly);
        assert!(matches!(error, Err(Malformed::Invalid { key: "IdentityCertificateUUID", .. })), "{error:?}");
    }

    #[test]
    fn a_required_key_that_is_missing_is_named() {
        for key in [
            "PayloadIdentifier",
            "PayloadUUID",
            "PayloadVersion",
            "Topic",
            "ServerURL",
            "IdentityCertificateUUID",
            "URL",
        ] {
            let error = edited(&format!("<key>{key}</key>"), "<key>Other</key>").unwrap_err();
            assert_eq!(error, Malformed::Missing { key }, "{key}");
        }
    }

    #[test]
    fn a_profile_that_a_device_would_refuse_is_refused() {
        for (from, to) in [
            ("<string>Configuration</string>", "<string>Settings</string>"),
            ("<string>com.apple.mgmt.x</string>", "<string>com.example.x</string>"),
            ("<integer>8191</integer>", "<integer>0</integer>"),
            ("<integer>8191</integer>", "<string>8191</string>"),
            ("<true/>", "<string>yes</string>"),
            ("<string>com.apple.mdm.token</string>", "<string>com.apple.mdm.bootstraptoken</string>"),
            ("<string>com.apple.mdm.token</string>", "<string>com.apple.mdm.flying</string>"),
            ("https://mdm.example.com/mdm", "http://mdm.example.com/mdm"),
            ("<string>com.apple.security.scep</string>", "<string>com.apple.security.acme</string>"),
            ("<string>com.apple.security.root</string>", "<string>com.apple.mdm</string>"),
            ("enrollment.scep</string>", "enrollment.mdm</string>"),
            ("<integer>2048</integer>", "<integer>512</integer>"),
            ("<integer>1</integer>", "<integer>2</integer>"),
        ] {
            assert!(edited(from, to).is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn two_payloads_of_one_uuid_are_refused() {
        let mut profile = a_profile();
        profile.uuids.mdm = profile.uuids.scep.clone();
        assert_eq!(
            read(&profile),
            Err(Malformed::Invalid { key: "PayloadUUID", rule: "stands twice in the profile" })
        );
    }

    #[test]
    fn unencrypted_http_is_for_loopback_only_and_only_if_allowed() {
        let mut profile = a_profile();
        profile.mdm =
            MdmPayload::new("http://127.0.0.1:8443/mdm", "http://localhost:8443/checkin", "com.apple.mgmt.x");
        assert!(read(&profile).is_err());
        assert_eq!(EnrollmentProfile::parse(&profile.encode(), UrlPolicy::LoopbackHttpToo), Ok(profile));
    }

    #[test]
    fn the_challenge_is_not_shown_by_debug() {
        assert!(!format!("{:?}", a_profile()).contains("one-time"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            texts in proptest::collection::vec("[^\\p{C}]{1,40}", 7),
            tls_root in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..200)),
            ca_fingerprint: [u8; 20], removal_disallowed: bool, sign_message: bool, retries in 0u32..100,
        ) {
            let mut profile = a_profile();
            let mut texts = texts.into_iter();
            for slot in [
                &mut profile.identifier, &mut profile.display_name, &mut profile.organization,
                &mut profile.description, &mut profile.scep.name, &mut profile.scep.challenge,
                &mut profile.scep.subject[0].1,
            ] {
                *slot = texts.next().unwrap();
            }
            profile.removal_disallowed = removal_disallowed;
            profile.scep.ca_fingerprint = ca_fingerprint;
            profile.scep.retries = retries;
            profile.mdm.sign_message = sign_message;
            if tls_root.is_none() {
                profile.uuids.tls_root = String::new();
            }
            profile.tls_root = tls_root;
            prop_assert_eq!(read(&profile), Ok(profile));
        }

        #[test]
        fn mutated_profiles_never_panic(
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = a_profile().encode();
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = EnrollmentProfile::parse(&bytes, UrlPolicy::LoopbackHttpToo);
        }
    }
}
