//! What a pretend device keeps to itself, until it is asked in the right way.

/// Passwords, keys and codes of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The password of recoveryOS, on a Mac with Apple silicon.
    pub recovery_lock: Option<String>,
    /// The password of the firmware, on a Mac with an Intel processor.
    pub firmware_password: Option<String>,
    /// FileVault's personal recovery key, encrypted for whoever asked for it to be escrowed.
    pub recovery_key: Option<Vec<u8>>,
    /// What takes the Activation Lock off; a device tells it for 15 days after it was supervised.
    pub bypass_code: Option<String>,
}
