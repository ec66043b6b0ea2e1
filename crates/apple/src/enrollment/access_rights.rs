//! What an enrollment allows the server to do.

/// `AccessRights` of the MDM payload: a set of bits. Fixed at enrollment; an update of the profile may only
/// take rights away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessRights(u16);

impl AccessRights {
    /// Everything: 8191.
    pub const ALL: AccessRights = AccessRights(8191);

    /// Checks Apple's rules: at least one right, none that is unknown, 2 (install profiles) only with 1
    /// (inspect them), 128 (install provisioning profiles) only with 64 (inspect them).
    pub fn new(bits: i64) -> Option<AccessRights> {
        let bits = u16::try_from(bits).ok().filter(|bits| (1..=AccessRights::ALL.0).contains(bits))?;
        let implies = |right, other| bits & right == 0 || bits & other != 0;
        (implies(2, 1) && implies(128, 64)).then_some(AccessRights(bits))
    }

    /// The sum of Apple's bits.
    pub fn bits(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apples_rules_hold() {
        for (bits, valid) in [
            (8191, true),
            (1, true),
            (3, true),
            (192, true),
            (4, true),
            (0, false),
            (2, false),
            (128, false),
            (8192, false),
            (-1, false),
            (1 << 40, false),
        ] {
            assert_eq!(AccessRights::new(bits).is_some(), valid, "{bits}");
        }
        assert_eq!(AccessRights::new(8191), Some(AccessRights::ALL));
    }
}
