//! The pretend services and devices, over real sockets.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod apple_device;
