//! What Apple devices say and want to hear: bytes in, types out.
//!
//! Pure: no I/O, no clock, and none of our other crates. Everything that a device sends is hostile until it
//! has passed [`guard`], which every `parse` of this crate calls first. Start with [`checkin`] (a device
//! presents itself) and [`report`] (it answers a command), then [`command`]; [`declaration`] is what it fetches
//! unasked, [`enrollment`] the profile by which it all begins. [`facts`] is Apple's whole schema, [`validate`]
//! checks anything against it.

pub mod checkin;
pub mod command;
pub mod content_type;
pub mod declaration;
mod document;
pub mod enrollment;
pub mod facts;
mod fields;
pub mod guard;
pub mod inventory;
pub mod message;
pub mod platform;
pub mod report;
pub mod unrecognized;
pub mod validate;

pub use checkin::{Authenticate, Channel, CheckIn, CheckOut, Identifiers, TokenUpdate};
pub use command::{Command, Envelope, MalformedCommand};
pub use content_type::ContentType;
pub use enrollment::EnrollmentProfile;
pub use fields::Malformed;
pub use guard::{Limits, MalformedPlist};
pub use message::Message;
pub use platform::{OsVersion, Platform};
/// Property list values, for those who read or fill the free part of a [`Report`].
pub use plist::{Dictionary, Value};
pub use report::{ErrorChainItem, Report, Status};

/// A check-in that a device would not send; names the key at fault.
pub type MalformedCheckIn = Malformed;
/// A command report that a device would not send; names the key at fault.
pub type MalformedReport = Malformed;
