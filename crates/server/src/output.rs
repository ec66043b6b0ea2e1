//! Standard output, which may be closed by whoever reads it: `remuda demo | head -1`.

use std::{fmt, io::Write};

/// Prints a line that nobody has to read: where nobody does, the program goes on.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::output::line(format_args!($($line)*)).unwrap_or(())
    };
}

pub(crate) use say;

/// Prints a line.
///
/// # Errors
/// Where standard output is closed or full.
pub fn line(line: fmt::Arguments<'_>) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
