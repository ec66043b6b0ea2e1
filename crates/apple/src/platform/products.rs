//! Product identifiers and the names under which Apple sells them. Only what is certain is listed; an
//! identifier that is not here is shown as it is.

mod ipad;
mod iphone;
mod mac;
mod other;

/// Identifier and name.
pub(super) type Table = &'static [(&'static str, &'static str)];

pub(super) const TABLES: [Table; 4] = [iphone::PRODUCTS, ipad::PRODUCTS, mac::PRODUCTS, other::PRODUCTS];
