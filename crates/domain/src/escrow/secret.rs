//! The kinds of secrets.

/// A secret of a device, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceSecret {
    /// `UnlockToken`, of all but Macs: clears the passcode.
    UnlockToken,
    /// `BootstrapToken`, of Macs above all: lets users in, and updates.
    BootstrapToken,
    /// The PIN that unlocks a Mac.
    LockPin,
    /// The PIN that opens a Mac after it was erased.
    ErasePin,
    /// What an administrator set as the password of a Mac's recoveryOS.
    RecoveryLockPassword,
    /// What an administrator set as the password of a Mac's firmware.
    FirmwarePassword,
    /// What takes the Activation Lock off; text.
    ActivationLockBypassCode,
    /// The recovery key of FileVault as a Mac tells it: CMS, for the certificate that it was given.
    FileVaultRecoveryKey,
}

impl DeviceSecret {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::UnlockToken,
        Self::BootstrapToken,
        Self::LockPin,
        Self::ErasePin,
        Self::RecoveryLockPassword,
        Self::FirmwarePassword,
        Self::ActivationLockBypassCode,
        Self::FileVaultRecoveryKey,
    ];

    /// Whether it is a text as people type it, and no bytes.
    pub fn is_text(self) -> bool {
        match self {
            Self::UnlockToken | Self::BootstrapToken | Self::FileVaultRecoveryKey => false,
            Self::LockPin
            | Self::ErasePin
            | Self::RecoveryLockPassword
            | Self::FirmwarePassword
            | Self::ActivationLockBypassCode => true,
        }
    }

    /// As it is called in escrow, in the audit log, in the admin API and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnlockToken => "unlock-token",
            Self::BootstrapToken => "bootstrap-token",
            Self::LockPin => "lock-pin",
            Self::ErasePin => "erase-pin",
            Self::RecoveryLockPassword => "recovery-lock-password",
            Self::FirmwarePassword => "firmware-password",
            Self::ActivationLockBypassCode => "activation-lock-bypass-code",
            Self::FileVaultRecoveryKey => "filevault-recovery-key",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|secret| secret.name() == name)
    }
}
