//! The other side of the wire: pretend devices and pretend services, as strict as the real ones.
//!
//! They exist for tests, for `remuda demo` and for `remuda simulate`: what a real device or service would refuse is
//! refused here too. Read [`apns`] first: a pretend device lives on its pushes.

pub mod apns;
pub mod apple_device;
pub mod google;
pub mod load;
