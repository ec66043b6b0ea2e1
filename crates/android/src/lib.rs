//! What the Android Management API says and wants to hear: JSON in, types out, and back.
//!
//! Pure: no I/O, no clock, and none of our other crates. Google's own words are kept. What comes in is read
//! with tolerance, since Google adds fields and words at any time (an unknown word is `Other`, an unknown
//! field is skipped), and within bounds; what goes out is typed, so that it cannot be said wrongly.
//!
//! Start with [`device`] (what Google knows of a device) and [`command`] (what it can be told to do);
//! [`operation`] tells what became of a command. [`enrollment`] is how a device comes to be managed,
//! [`notification`] how Google tells that something happened. [`enterprise`] is the customer to whom all of
//! it belongs, [`policy`] what applies to its devices, [`names`] what everything is called.

pub mod command;
pub mod device;
pub mod enrollment;
pub mod enterprise;
pub mod message;
pub mod names;
pub mod notification;
pub mod operation;
pub mod page;
pub mod policy;
mod wire;
mod words;

pub use command::{Command, CommandKind, CommandRequest, ResetPasswordFlag, WipeDataFlag};
pub use device::{Device, DevicePatch, Management};
pub use enrollment::{EnrollmentToken, EnrollmentTokenRequest, Method, PersonalUsage, TokenData};
pub use enterprise::{Enterprise, EnterprisePatch, NotificationType, SignupUrl, WebToken, WebTokenRequest};
pub use message::UserFacingMessage;
pub use names::{
    BadName, DeviceName, EnrollmentTokenName, EnterpriseName, OperationName, PolicyName, SignupUrlName,
    SubscriptionName, TopicName,
};
pub use notification::{Notification, PubsubMessage};
pub use operation::{Operation, Outcome};
pub use page::Page;
pub use policy::{Policy, StatusReportingSettings};
pub use wire::{MAX_DOCUMENT, Malformed, decode};
