//! What a device says again until it is heard.

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
