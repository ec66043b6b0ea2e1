//! QR codes.

use anyhow::Result;
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Black on white, whatever colours the terminal has otherwise: not every camera reads a code of inverted colours.
const COLOURS: &str = "\x1b[38;5;16;48;5;231m";

/// The terminal's own colours again.
const USUAL: &str = "\x1b[0m";

/// The code of a text; an error where it is too long for any.
pub fn of(text: &str) -> Result<QrCode> {
    Ok(QrCode::with_error_correction_level(text, EcLevel::L)?)
}

/// Two modules in each character, one above the other.
pub fn on_a_terminal(code: &QrCode) -> String {
    let drawn = code.render::<Dense1x2>().build();
    let lines: Vec<_> = drawn.lines().map(|line| format!("{COLOURS}{line}{USUAL}")).collect();
    lines.join("\n")
}
