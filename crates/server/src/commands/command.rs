//! `remuda command`: Apple's commands, for devices and without any.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context as _, Result};
use apple::facts::Os;
use apple::guard::{self, Limits};
use apple::validate::{self, Fault, Options, Target, TargetChannel, Verdict};
use apple::{Dictionary, OsVersion, Platform, Value};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::cli::Context;

mod history;
mod send;

pub use history::value;

/// What can be done with commands.
#[derive(Subcommand)]
pub enum Command {
    /// Checks a command, check-in, profile or declaration against Apple's facts; exits with 1 where it is not valid
    Validate(Validate),
    /// Sends a command to devices
    Send(send::Send),
    /// Lists commands, the newest first
    List(history::List),
    /// Shows one, with the answer of its device
    Show(history::One),
    /// Takes one back that its device does not have
    Cancel(history::One),
}

/// What to check, and for which device. What is not said of the device is not judged.
#[derive(Args)]
pub struct Validate {
    /// Property list: a command, with its envelope or without, a check-in, or a configuration profile, signed or not; or
    /// JSON: a declaration
    file: PathBuf,
    /// The device's system, such as "iOS 18.1"; with it, a device is unsupervised unless --supervised is there
    #[arg(long, value_name = "SYSTEM")]
    os: Option<System>,
    /// The device is supervised
    #[arg(long)]
    supervised: bool,
    /// It came through Automated Device Enrollment
    #[arg(long)]
    automated: bool,
    /// It is under User Enrollment
    #[arg(long)]
    user_enrollment: bool,
    /// It is an iPad that several people share
    #[arg(long)]
    shared_ipad: bool,
    /// It is a Mac with Apple silicon
    #[arg(long)]
    apple_silicon: bool,
    /// Sum of the access rights that its enrollment grants
    #[arg(long, value_name = "BITS")]
    rights: Option<i64>,
    /// Channel on which it is sent
    #[arg(long, default_value = "device")]
    channel: Channel,
    /// Lets keys and names pass that Apple's schema does not know
    #[arg(long)]
    allow_unknown: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Channel {
    Device,
    User,
}

/// `iOS 18.1`, or without the version.
#[derive(Clone, Copy, Debug, PartialEq)]
struct System {
    platform: Platform,
    version: Option<OsVersion>,
}

impl FromStr for System {
    type Err = String;

    fn from_str(text: &str) -> Result<System, String> {
        let (name, version) =
            text.trim().split_once(' ').map_or((text.trim(), None), |(name, version)| (name, Some(version)));
        let platform = name.to_lowercase().parse().map_err(|_| {
            "a system is iOS, iPadOS, macOS, tvOS, watchOS or visionOS, and a version".to_owned()
        })?;
        let version = version.map(|version| version.trim().parse::<OsVersion>()).transpose();
        Ok(System { platform, version: version.map_err(|error| error.to_string())? })
    }
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode> {
    match command {
        Command::Validate(arguments) => return check(context, &arguments),
        Command::Send(arguments) => send::run(context, arguments).await?,
        Command::List(arguments) => history::list(context, arguments).await?,
        Command::Show(arguments) => history::show(context, arguments).await?,
        Command::Cancel(arguments) => history::cancel(context, arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(context: &Context, arguments: &Validate) -> Result<ExitCode> {
    let bytes = std::fs::read(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let document = Document::read(&bytes).with_context(|| arguments.file.display().to_string())?;
    let options = Options { allow_unknown: arguments.allow_unknown };
    let verdict = document.judge(&arguments.target()?, options);
    print(context, &verdict);
    Ok(if verdict.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Validate {
    fn target(&self) -> Result<Target> {
        let rights = self.rights.map(|bits| {
            apple::enrollment::AccessRights::new(bits).context("the access rights break Apple's rules")
        });
        let known = |flag: bool| (flag || self.os.is_some()).then_some(flag);
        let said = |flag: bool| flag.then_some(true);
        Ok(Target {
            os: self.os.map(|system| Os::from(system.platform)),
            version: self.os.and_then(|system| system.version),
            supervised: known(self.supervised),
            automated: said(self.automated),
            user_enrollment: known(self.user_enrollment),
            rights: rights.transpose()?,
            channel: Some(match self.channel {
                Channel::Device => TargetChannel::Device,
                Channel::User => TargetChannel::User,
            }),
            shared_ipad: said(self.shared_ipad),
            apple_silicon: said(self.apple_silicon),
            ..Target::default()
        })
    }
}

/// What a file holds.
enum Document {
    PropertyList(Dictionary),
    Json(serde_json::Value),
}

impl Document {
    /// By how it is written: JSON begins with a brace, and around a signed profile is its signature.
    fn read(bytes: &[u8]) -> Result<Document> {
        if bytes.trim_ascii_start().starts_with(b"{") {
            return Ok(Document::Json(serde_json::from_slice(bytes).context("is no JSON")?));
        }
        let signed = validate::signed_content(bytes);
        let plist = guard::parse(signed.as_deref().unwrap_or(bytes), Limits::report());
        let plist = plist.context("is no property list, signed or not, and no JSON")?;
        Ok(Document::PropertyList(plist.into_dictionary().context("holds no dictionary")?))
    }

    /// By what it is: a check-in names its message, a profile its type; what is JSON is a declaration.
    fn judge(&self, target: &Target, options: Options) -> Verdict {
        let document = match self {
            Document::Json(declaration) => return validate::declaration(declaration, target, options),
            Document::PropertyList(document) => document,
        };
        if document.contains_key("MessageType") {
            return validate::check_in(document, target, options);
        }
        if document.get("PayloadType").and_then(Value::as_string) == Some("Configuration") {
            return validate::profile(document, target, options);
        }
        let inner = document.get("Command").and_then(Value::as_dictionary);
        validate::command(inner.unwrap_or(document), target, options)
    }
}

fn print(context: &Context, verdict: &Verdict) {
    let list = |faults: &[Fault]| -> Vec<_> {
        faults
            .iter()
            .map(|fault| json!({ "path": fault.path, "problem": fault.problem.to_string() }))
            .collect()
    };
    let value = json!({
        "valid": verdict.is_valid(),
        "errors": list(&verdict.faults),
        "warnings": list(&verdict.warnings),
    });
    let mut lines: Vec<_> = verdict.faults.iter().map(ToString::to_string).collect();
    lines.extend(verdict.warnings.iter().map(|warning| format!("warning: {warning}")));
    if verdict.is_valid() {
        lines.insert(0, "valid".to_owned());
    }
    context.print(&value, &lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_a_name_and_a_version() {
        let system = |text: &str| text.parse::<System>();
        assert_eq!(
            system("iOS 18.1").unwrap(),
            System { platform: Platform::IOs, version: Some(OsVersion::new(18, 1, 0)) }
        );
        assert_eq!(system("macos").unwrap(), System { platform: Platform::MacOs, version: None });
        assert!(system("Android 15").is_err() && system("iOS soon").is_err() && system("").is_err());
    }

    fn faults(bytes: &[u8]) -> Vec<String> {
        let verdict = Document::read(bytes).unwrap().judge(&Target::default(), Options::default());
        verdict.faults.iter().map(ToString::to_string).collect()
    }

    fn plist(inside: &str) -> Vec<u8> {
        format!("<plist version=\"1.0\"><dict>{inside}</dict></plist>").into_bytes()
    }

    const LOCK: &str = "<key>RequestType</key><string>DeviceLock</string><key>PIN</key><string>1</string>";
    const PROFILE: &str = "<key>PayloadType</key><string>Configuration</string>\
         <key>PayloadIdentifier</key><string>com.example</string><key>PayloadVersion</key><integer>1</integer>\
         <key>PayloadContent</key><array><dict/></array>";

    #[test]
    fn a_command_is_judged_with_its_envelope_and_without() {
        let envelope =
            format!("<key>CommandUUID</key><string>c</string><key>Command</key><dict>{LOCK}</dict>");
        for document in [LOCK, &envelope] {
            let found = faults(&plist(document));
            assert_eq!(found, ["PIN: found a text of 1 characters; allowed: six digits"]);
        }
    }

    #[test]
    fn a_profile_is_told_from_a_command_signed_or_not() {
        let expected = [
            "PayloadUUID: missing; a value of the type string is required",
            "PayloadContent[0].PayloadType: missing; a value of the type string is required",
        ];
        let plain = plist(PROFILE);
        assert_eq!(faults(&plain), expected);
        let now = std::time::UNIX_EPOCH + std::time::Duration::from_hours(50 * 365 * 24);
        let ca = pki::TlsAuthority::generate("Example", now).unwrap();
        let (certificate, key) = ca.issue_signer("Profiles", now).unwrap();
        let signed = pki::cms::Signing::new(&certificate, &key).at(now).attached(&plain).unwrap();
        assert_eq!(faults(&signed), expected);
    }

    #[test]
    fn a_check_in_is_known_by_its_message() {
        let found = faults(&plist("<key>MessageType</key><string>CheckIn</string>"));
        assert_eq!(found, ["MessageType: found \"CheckIn\", which is no check-in of Apple's"]);
    }

    #[test]
    fn json_is_a_declaration() {
        let declaration = br#" {"Type": "com.apple.configuration.legacy", "Identifier": "a", "Payload": {}}"#;
        assert_eq!(
            faults(declaration),
            [
                "ServerToken: missing; a value of the type string is required",
                "Payload: missing; one of these is required: ProfileURL, ProfileAssetReference",
            ]
        );
    }

    #[test]
    fn what_is_neither_is_no_document() {
        assert!(Document::read(b"{").is_err() && Document::read(b"hello").is_err());
        assert!(Document::read(b"<plist><array/></plist>").is_err());
    }
}
