//! SCEP (RFC 8894): how devices, and clients of long ago, get their certificates.

pub mod ber;
pub mod client;
mod messages;
pub mod old_clients;
mod openssl;
mod refusals;
mod requests;
