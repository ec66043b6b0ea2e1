//! What a device says again until it is heard.

use simulator::apple_device::Failure;

/// A check-in that is said until it is answered.
#[derive(Clone, Copy)]
pub(super) enum Saying {
    /// The first.
    Authenticate,
    /// The second, and whenever its push address is another one.
    TokenUpdate,
    /// The bootstrap token of this number.
    BootstrapToken(u32),
    /// What it is, by itself.
    Status,
    /// The push token of this number, of its user.
    User(u32),
}

impl Saying {
    /// For the story.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "says Authenticate",
            Self::TokenUpdate => "says TokenUpdate",
            Self::BootstrapToken(_) => "leaves a bootstrap token",
            Self::Status => "reports its status",
            Self::User(_) => "has a user who logs in",
        }
    }
}

/// No answer, or the server's word that it cannot now: say it again.
pub(super) fn is_passing(failure: &Failure) -> bool {
    matches!(failure, Failure::Unreachable(_) | Failure::Unavailable { .. } | Failure::Lost)
}
