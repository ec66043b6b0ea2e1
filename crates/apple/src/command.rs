//! Commands: what a device is asked to do, and the envelope in which it travels.
//!
//! A command is one file below this one and one line in the list here.

mod body;
mod clear_passcode;
mod declarative_management;
mod device_configured;
mod device_information;
mod device_location;
mod device_lock;
mod disable_lost_mode;
mod enable_lost_mode;
mod erase_device;
mod install_profile;
mod installed_application_list;
mod managed_application_list;
mod raw;
mod remove_profile;
mod security_info;
mod user_configured;

pub use body::{in_envelope, is_body};
pub use clear_passcode::ClearPasscode;
pub use declarative_management::DeclarativeManagement;
pub use device_configured::DeviceConfigured;
pub use device_information::DeviceInformation;
pub use device_location::DeviceLocation;
pub use device_lock::{DeviceLock, InvalidPin, Pin};
pub use disable_lost_mode::DisableLostMode;
pub use enable_lost_mode::EnableLostMode;
pub use erase_device::{EraseDevice, ObliterationBehavior};
pub use install_profile::InstallProfile;
pub use installed_application_list::InstalledApplicationList;
pub use managed_application_list::ManagedApplicationList;
pub use raw::{RawCommand, is_secret_name};
pub use remove_profile::RemoveProfile;
pub use security_info::SecurityInfo;
pub use user_configured::UserConfigured;

use plist::{Dictionary, Value};

use crate::fields::{Fields, Malformed, parse_dictionary, put};
use crate::guard::Limits;

const COMMAND_UUID: &str = "CommandUUID";
const COMMAND: &str = "Command";
const REQUEST_TYPE: &str = "RequestType";
const MAX_TEXT: usize = 4096;

/// What each command's file says.
trait Request: Sized {
    /// Apple's name for it.
    const REQUEST_TYPE: &'static str;
    /// All keys that it may have beside `RequestType`.
    const KEYS: &'static [&'static str];

    fn write(&self, keys: &mut Dictionary);
    fn read(fields: Fields<'_>) -> Result<Self, Malformed>;
}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a device is asked to do. Which device can do it is not judged here.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Command {
            $($(#[$doc])* $name($name),)*
        }

        impl Command {
            /// Apple's `RequestType`.
            pub fn request_type(&self) -> &'static str {
                match self { $(Command::$name(_) => <$name as Request>::REQUEST_TYPE,)* }
            }

            fn write(&self, keys: &mut Dictionary) {
                match self { $(Command::$name(command) => command.write(keys),)* }
            }

            fn read(request_type: &str, fields: Fields<'_>) -> Result<Command, Malformed> {
                match request_type {
                    $(<$name as Request>::REQUEST_TYPE => read::<$name>(fields).map(Command::$name),)*
                    _ => Err(Malformed::Invalid { key: REQUEST_TYPE, rule: "is unknown" }),
                }
            }
        }

        $(impl From<$name> for Command {
            fn from(command: $name) -> Command {
                Command::$name(command)
            }
        })*
    };
}

commands! {
    /// Locks the screen.
    DeviceLock,
    /// Asks for properties of the device.
    DeviceInformation,
    /// Asks how the device is secured.
    SecurityInfo,
    /// Installs or replaces a profile.
    InstallProfile,
    /// Removes a profile, and with that of the enrollment all management.
    RemoveProfile,
    /// Lets a device go on through Setup Assistant.
    DeviceConfigured,
    /// Lets a user of a Shared iPad finish the login.
    UserConfigured,
    /// Switches declarative management on, or says that something has changed.
    DeclarativeManagement,
    /// Erases the device.
    EraseDevice,
    /// Locks a device for its finder.
    EnableLostMode,
    /// Ends Lost Mode.
    DisableLostMode,
    /// Asks where a device in Lost Mode is.
    DeviceLocation,
    /// Takes the passcode away.
    ClearPasscode,
    /// Asks which apps are installed.
    InstalledApplicationList,
    /// Asks how the managed apps are doing.
    ManagedApplicationList,
}

impl Command {
    /// The plist that hands this command to a device.
    pub fn encode(&self, command_uuid: &str) -> Vec<u8> {
        in_envelope(&self.body(), command_uuid)
    }

    /// What of it is the same for every device, for [`in_envelope`].
    pub fn body(&self) -> Vec<u8> {
        let mut keys = Dictionary::from_iter([(REQUEST_TYPE, self.request_type())]);
        self.write(&mut keys);
        body::body(keys)
    }
}

fn read<R: Request>(fields: Fields<'_>) -> Result<R, Malformed> {
    only(fields.0, COMMAND, |key| key == REQUEST_TYPE || R::KEYS.contains(&key))?;
    R::read(fields)
}

fn only(dictionary: &Dictionary, key: &'static str, known: impl Fn(&str) -> bool) -> Result<(), Malformed> {
    if dictionary.keys().all(|key| known(key)) {
        return Ok(());
    }
    Err(Malformed::Invalid { key, rule: "holds a key that it should not have" })
}

/// The texts of an array, each at most [`MAX_TEXT`] bytes; none where there is no array.
fn texts(fields: Fields<'_>, key: &'static str) -> Result<Vec<String>, Malformed> {
    let values = fields.array(key)?.unwrap_or_default();
    let text = |value: &Value| value.as_string().filter(|text| text.len() <= MAX_TEXT).map(str::to_owned);
    let texts = values.iter().map(text).collect::<Option<_>>();
    texts.ok_or(Malformed::WrongType { key, expected: "array of strings" })
}

/// Writes an array of texts, unless it is empty.
fn put_texts(keys: &mut Dictionary, key: &str, texts: &[String]) {
    let values = texts.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>();
    put(keys, key, (!values.is_empty()).then_some(Value::Array(values)));
}

/// A command as a device gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// By this the report names the command; a device carries one `CommandUUID` out once.
    pub command_uuid: String,
    /// What to do.
    pub command: Command,
}

/// A command that a device answers with `CommandFormatError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}", request_type.as_deref().unwrap_or("a command"))]
pub struct MalformedCommand {
    /// Its `CommandUUID`, where that could be read: then the device can answer.
    pub command_uuid: Option<String>,
    /// Its `RequestType`, where that could be read.
    pub request_type: Option<String>,
    /// What is wrong with it.
    pub cause: Malformed,
}

impl Envelope {
    /// Reads what a server sent, as strictly as can be: XML only, no key too many, none of the wrong type.
    ///
    /// # Errors
    /// With as much of the command's name as could be read.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, MalformedCommand> {
        let unread = |cause| MalformedCommand { command_uuid: None, request_type: None, cause };
        let outer = parse_dictionary(bytes, Limits::server_answer()).map_err(unread)?;
        let command_uuid = Fields(&outer).required_text(COMMAND_UUID, 128).map_err(unread)?;
        let failed = |request_type: Option<&str>, cause| MalformedCommand {
            command_uuid: Some(command_uuid.clone()),
            request_type: request_type.map(str::to_owned),
            cause,
        };
        only(&outer, COMMAND, |key| matches!(key, COMMAND_UUID | COMMAND))
            .map_err(|cause| failed(None, cause))?;
        let keys = Fields(&outer).required_dictionary(COMMAND).map_err(|cause| failed(None, cause))?;
        let request_type = keys.required_text(REQUEST_TYPE, 128).map_err(|cause| failed(None, cause))?;
        let command =
            Command::read(&request_type, keys).map_err(|cause| failed(Some(&request_type), cause))?;
        Ok(Envelope { command_uuid, command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_command() -> impl Strategy<Value = Command> {
        let text = "[^\\p{C}]{1,60}";
        let lock = (proptest::option::of(text), proptest::option::of(text), proptest::option::of("[0-9]{6}"))
            .prop_map(|(message, phone_number, pin)| {
                let pin = pin.map(|pin| Pin::new(&pin).unwrap());
                Command::from(DeviceLock { message, phone_number, pin })
            });
        prop_oneof![
            lock,
            proptest::collection::vec("[A-Za-z]{1,30}", 1..20)
                .prop_map(|queries| DeviceInformation { queries }.into()),
            Just(SecurityInfo.into()),
            Just(DeviceConfigured.into()),
            Just(UserConfigured.into()),
            proptest::collection::vec(any::<u8>(), 1..500)
                .prop_map(|payload| InstallProfile { payload }.into()),
            text.prop_map(|identifier| RemoveProfile { identifier }.into()),
            an_erasure(),
            (text, proptest::option::of(text), proptest::option::of(text)).prop_map(
                |(message, phone_number, footnote)| {
                    EnableLostMode { message: Some(message), phone_number, footnote }.into()
                }
            ),
            Just(DisableLostMode.into()),
            Just(DeviceLocation.into()),
            proptest::collection::vec(any::<u8>(), 1..500)
                .prop_map(|unlock_token| ClearPasscode { unlock_token }.into()),
            (bundles(), bundles(), any::<bool>()).prop_map(|(identifiers, items, managed_apps_only)| {
                InstalledApplicationList { identifiers, items, managed_apps_only }.into()
            }),
            bundles().prop_map(|identifiers| ManagedApplicationList { identifiers }.into()),
        ]
    }

    fn bundles() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[A-Za-z.]{1,30}", 0..5)
    }

    fn an_erasure() -> impl Strategy<Value = Command> {
        let behavior = prop_oneof![
            Just(ObliterationBehavior::Default),
            Just(ObliterationBehavior::DoNotObliterate),
            Just(ObliterationBehavior::ObliterateWithWarning),
            Just(ObliterationBehavior::Always),
        ];
        let pin = proptest::option::of("[0-9]{6}");
        (pin, any::<bool>(), any::<bool>(), proptest::option::of(behavior)).prop_map(
            |(pin, preserve_data_plan, disallow_proximity_setup, obliteration_behavior)| {
                let pin = pin.map(|pin| Pin::new(&pin).unwrap());
                EraseDevice { pin, preserve_data_plan, disallow_proximity_setup, obliteration_behavior }
                    .into()
            },
        )
    }

    fn refused(body: &str) -> MalformedCommand {
        Envelope::parse(body.as_bytes()).unwrap_err()
    }

    fn envelope(command: &str) -> String {
        format!(
            "<plist><dict><key>CommandUUID</key><string>c-1</string>\
             <key>Command</key><dict>{command}</dict></dict></plist>"
        )
    }

    #[test]
    fn the_envelope_is_apples() {
        let body = String::from_utf8(Command::from(SecurityInfo).encode("c-1")).unwrap();
        let flat: String = body.lines().map(str::trim).collect();
        assert!(flat.contains(
            "<dict><key>CommandUUID</key><string>c-1</string><key>Command</key><dict>\
             <key>RequestType</key><string>SecurityInfo</string></dict></dict>"
        ));
        assert!(flat.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE plist PUBLIC "));
    }

    #[test]
    fn a_key_too_many_is_refused_with_the_commands_name() {
        let error = refused(&envelope(
            "<key>RequestType</key><string>SecurityInfo</string><key>Message</key><string>hi</string>",
        ));
        assert_eq!(
            (error.command_uuid.as_deref(), error.request_type.as_deref()),
            (Some("c-1"), Some("SecurityInfo"))
        );
        let outer = envelope("<key>RequestType</key><string>SecurityInfo</string>")
            .replace("<plist><dict>", "<plist><dict><key>Extra</key><true/>");
        assert_eq!(refused(&outer).command_uuid.as_deref(), Some("c-1"));
    }

    #[test]
    fn an_unknown_request_type_is_refused_with_its_name() {
        let error = refused(&envelope("<key>RequestType</key><string>Dance</string>"));
        assert_eq!(error.request_type.as_deref(), Some("Dance"));
        assert_eq!(error.to_string(), "Dance: the key RequestType is unknown");
    }

    #[test]
    fn a_command_without_its_parts_is_refused() {
        assert_eq!(refused("<plist><dict/></plist>").cause, Malformed::Missing { key: "CommandUUID" });
        assert_eq!(refused(&envelope("")).cause, Malformed::Missing { key: "RequestType" });
        let no_command = "<plist><dict><key>CommandUUID</key><string>c</string></dict></plist>";
        assert_eq!(refused(no_command).cause, Malformed::Missing { key: "Command" });
        assert_eq!(refused("").command_uuid, None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(command in a_command(), command_uuid in "[A-Za-z0-9-]{1,128}") {
            let read = Envelope::parse(&command.encode(&command_uuid));
            prop_assert_eq!(read, Ok(Envelope { command_uuid, command }));
        }

        #[test]
        fn mutated_commands_never_panic(
            command in a_command(), at in any::<proptest::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = command.encode("c");
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Envelope::parse(&bytes);
        }
    }
}
