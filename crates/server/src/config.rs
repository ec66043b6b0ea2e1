//! Settings: a flag beats a variable, a variable beats `remuda.toml`, and that beats the default.

mod given;
mod settings;
mod validate;

pub use given::Given;
pub use settings::Settings;
pub use validate::{Config, Faults, LogFormat, Tls};

use std::path::Path;

/// Reads the file of settings: the one that was named, or `remuda.toml` in the current folder if there is one.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn from_file(named: Option<&Path>) -> Result<Settings, String> {
    let path = named.unwrap_or(Path::new("remuda.toml"));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Settings::default());
        }
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
