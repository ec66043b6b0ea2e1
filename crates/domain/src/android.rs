//! Android devices, by Google's Android Management API.
//!
//! What is asked of a device becomes a command and a call that waits ([`mod@requests`], `queue`); workers make the calls
//! (`calls`, `issue`) and follow commands to their ends (`operations`). What Google tells, pulled or pushed (`pushes`), is stored first and
//! then applied (`notifications`): reports of devices (`reports`, `facts`) and where lost ones are (`logs`). `compare` finds what was
//! missed. `place` is a tenant's account and enterprise, `setup` how it comes to be, `enrollment` how devices come in.

mod calls;
mod compare;
mod enrollment;
mod facts;
mod issue;
mod logs;
mod notifications;
mod operations;
mod place;
mod pushes;
mod queue;
mod reports;
mod requests;
mod setup;

pub use ::android::Method as AndroidMethod;
pub use enrollment::{AndroidEnrollment, NewAndroidEnrollment};
pub(crate) use place::account_context;
pub use pushes::{ANDROID_PUSH_PATH, AndroidPusher, PushRefusal};
pub(crate) use requests::AndroidRequest;
pub use setup::AndroidState;
