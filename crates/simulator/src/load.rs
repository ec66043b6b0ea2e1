//! The load tool's hands: many callers on kept connections, as frugal as they can be, and what it took them.
//!
//! [`LoadDevice`] is an enrolled device reduced to the messages that it sends, [`Line`] one connection, [`Hand`] a caller
//! with work to do, and [`drive`] lets many hands work at once and counts; [`drive_in_rounds`] leaves out what they prepare, and
//! [`drive_to_end`] has them end what they began.

mod device;
mod drive;
mod line;

pub use device::{LoadDevice, Proof};
pub use drive::{Hand, Preparing, Run, drive, drive_in_rounds, drive_to_end};
pub use line::{Drained, Line, Message, Reply, Target, Unanswered};
