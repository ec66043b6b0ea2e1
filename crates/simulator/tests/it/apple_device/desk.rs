//! What the server answers: all of it right, until a test twists it.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use apple::enrollment::{MdmPayload, PayloadUuids, ScepPayload};
use apple::{CheckIn, Command, ContentType, EnrollmentProfile, Report, content_type};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use pki::cms::{self, Signing};
use pki::{Authority, Certificate, Fingerprint, TlsAuthority};
use simulator::apple_device::Clock;

use super::issuing::{self, Issue};

/// One for all servers of a process: its key takes a while.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::generate("Device CA", now()).unwrap());

pub const TOPIC: &str = "com.apple.mgmt.External.test";

/// Every clock of these tests, unless said otherwise.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

pub fn clock() -> Clock {
    Arc::new(now)
}

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Heard {
    /// `profile`, the SCEP operation, the `MessageType`, or the `Status`.
    pub what: String,
    pub method: String,
    pub query: String,
    pub content_type: Option<String>,
    /// Who made the `Mdm-Signature`, if it fits the body.
    pub signer: Option<Fingerprint>,
    /// Who was shown in the TLS handshake.
    pub tls: Option<Certificate>,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

/// An answer on its way out.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// Who signs the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    Ours,
    Stranger,
    Nobody,
}

type Twist = Box<dyn Fn(&Heard, &mut Reply) + Send>;
type EditProfile = Box<dyn Fn(&mut EnrollmentProfile) + Send>;

/// What a test changes.
pub struct Conduct {
    pub edit_profile: EditProfile,
    pub signer: Signer,
    pub issue: Issue,
    pub twist: Twist,
}

/// The server behind its sockets.
pub struct Desk {
    pub url: String,
    pub authority: &'static Authority,
    pub tls: TlsAuthority,
    conduct: Mutex<Conduct>,
    heard: Mutex<Vec<Heard>>,
    commands: Mutex<VecDeque<Option<Vec<u8>>>>,
    carries_root: bool,
}

impl Desk {
    pub fn new(url: String, carries_root: bool) -> Desk {
        Desk {
            url,
            authority: &AUTHORITY,
            tls: TlsAuthority::generate("TLS CA", now()).unwrap(),
            conduct: Mutex::new(Conduct {
                edit_profile: Box::new(|_| {}),
                signer: Signer::Ours,
                issue: Issue::Proper,
                twist: Box::new(|_, _| {}),
            }),
            heard: Mutex::default(),
            commands: Mutex::default(),
            carries_root,
        }
    }

    /// Changes what is done wrong.
    pub fn conduct(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut self.conduct.lock().unwrap());
    }

    /// Changes every answer to a request of this kind.
    pub fn twist(&self, what: &'static str, twist: impl Fn(&mut Reply) + Send + 'static) {
        self.conduct(|conduct| {
            conduct.twist = Box::new(move |heard, reply| {
                if heard.what == what {
                    twist(reply);
                }
            });
        });
    }

    /// The next report is answered with this command.
    pub fn hand_over(&self, command_uuid: &str, command: impl Into<Command>) {
        self.hand_over_bytes(command.into().encode(command_uuid));
    }

    pub fn hand_over_bytes(&self, body: Vec<u8>) {
        self.commands.lock().unwrap().push_back(Some(body));
    }

    /// The next report is answered with nothing.
    pub fn hand_over_nothing(&self) {
        self.commands.lock().unwrap().push_back(None);
    }

    /// Every request so far, in its order.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<String> {
        self.heard().into_iter().map(|heard| heard.what).collect()
    }

    pub fn answer(&self, heard: Heard) -> Reply {
        let mut reply = match heard.what.as_str() {
            "profile" => ok(content_type::PROFILE, self.profile("challenge-1")),
            "GetCACert" => ok("application/x-x509-ca-cert", self.authority.certificate().der().to_vec()),
            "GetCACaps" => {
                ok("text/plain", b"AES\nSHA-256\nPOSTPKIOperation\nRenewal\nSCEPStandard\n".to_vec())
            }
            "PKIOperation" => ok("application/x-pki-message", self.issue(&heard)),
            "Authenticate" | "TokenUpdate" | "CheckOut" => nothing(),
            "SetBootstrapToken" | "GetBootstrapToken" | "DeclarativeManagement" => nothing(),
            _ => match self.commands.lock().unwrap().pop_front().flatten() {
                Some(command) => ok(content_type::COMMAND, command),
                None => nothing(),
            },
        };
        (self.conduct.lock().unwrap().twist)(&heard, &mut reply);
        self.heard.lock().unwrap().push(heard);
        reply
    }

    /// The profile as it would be fetched, with this challenge.
    pub fn profile(&self, challenge: &str) -> Vec<u8> {
        let mut profile = self.plain_profile(challenge);
        let conduct = self.conduct.lock().unwrap();
        (conduct.edit_profile)(&mut profile);
        let stranger = TlsAuthority::generate("Stranger", now()).unwrap();
        let authority = match conduct.signer {
            Signer::Nobody => return profile.encode(),
            Signer::Ours => &self.tls,
            Signer::Stranger => &stranger,
        };
        let (certificate, key) = authority.issue_signer("Profiles", now()).unwrap();
        Signing::new(&certificate, &key).at(now()).attached(&profile.encode()).unwrap()
    }

    fn plain_profile(&self, challenge: &str) -> EnrollmentProfile {
        let url = &self.url;
        let fingerprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, self.authority.certificate().der());
        EnrollmentProfile {
            identifier: "com.example.enrollment".into(),
            uuids: PayloadUuids::derived_from("enrollment-1"),
            display_name: "Example".into(),
            organization: "Example".into(),
            description: String::new(),
            removal_disallowed: false,
            scep: ScepPayload {
                url: format!("{url}/scep"),
                name: "Example CA".into(),
                challenge: challenge.into(),
                ca_fingerprint: fingerprint.as_ref().try_into().unwrap(),
                subject: vec![("CN".into(), "enrollment-1".into()), ("O".into(), "Example".into())],
                ..ScepPayload::default()
            },
            tls_root: self.carries_root.then(|| self.tls.certificate().der().to_vec()),
            mdm: MdmPayload::new(&format!("{url}/mdm"), &format!("{url}/checkin"), TOPIC),
        }
    }

    fn issue(&self, heard: &Heard) -> Vec<u8> {
        issuing::reply(&heard.pki_message(), self.authority, self.conduct.lock().unwrap().issue)
    }
}

impl Heard {
    pub fn new(head: &Parts, body: Vec<u8>, tls: Option<Certificate>) -> Heard {
        let query = head.uri.query().unwrap_or_default().to_owned();
        let header = |name: &str| Some(head.headers.get(name)?.to_str().unwrap().to_owned());
        let signer = header("Mdm-Signature")
            .and_then(|signature| cms::verify_detached(&STANDARD.decode(signature).unwrap(), &body).ok())
            .map(|signed| signed.signer.fingerprint());
        let what = match head.uri.path() {
            "/enroll/token" => "profile".to_owned(),
            "/scep" => query.split(['=', '&']).nth(1).unwrap().to_owned(),
            "/checkin" => CheckIn::parse(&body).unwrap().message_type().to_owned(),
            "/mdm" => Report::parse(&body).unwrap().status.as_str().to_owned(),
            other => panic!("nobody asks for {other}"),
        };
        let (method, content_type) = (head.method.to_string(), header("content-type"));
        Heard { what, method, query, content_type, signer, tls, headers: head.headers.clone(), body }
    }

    /// The message of a `PKIOperation`, however it came.
    pub fn pki_message(&self) -> Vec<u8> {
        let Some((_, message)) = self.query.split_once("message=") else { return self.body.clone() };
        let message = message.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        STANDARD.decode(message).unwrap()
    }

    pub fn report(&self) -> Report {
        assert_eq!(
            self.content_type.as_deref().and_then(ContentType::from_header),
            Some(ContentType::Report)
        );
        Report::parse(&self.body).unwrap()
    }
}

fn ok(content_type: &str, body: Vec<u8>) -> Reply {
    Reply { status: 200, content_type: Some(content_type.into()), body }
}

fn nothing() -> Reply {
    Reply { status: 200, content_type: None, body: Vec::new() }
}
