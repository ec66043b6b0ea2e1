//! Versions of an operating system, to be compared.

use std::fmt;
use std::str::FromStr;

/// A version such as 18.1.1. Compares number by number, so that 9.3 is older than 10.0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OsVersion {
    /// The 18 of 18.1.2.
    pub major: u16,
    /// The 1 of 18.1.2; 0 where it is not said.
    pub minor: u16,
    /// The 2 of 18.1.2; 0 where it is not said.
    pub patch: u16,
}

/// A text that is not one to three numbers with dots between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version number")]
pub struct InvalidOsVersion;

impl OsVersion {
    /// 18.1.2 is `new(18, 1, 2)`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> OsVersion {
        OsVersion { major, minor, patch }
    }
}

impl FromStr for OsVersion {
    type Err = InvalidOsVersion;

    /// Reads `18`, `18.1`, `18.1.1`; a Rapid Security Response's letter, `16.5.1 (c)`, does not count.
    fn from_str(text: &str) -> Result<OsVersion, InvalidOsVersion> {
        let number = text.split_once(" (").map_or(text, |(number, _)| number).trim();
        let mut parts = [0; 3];
        for (count, part) in number.split('.').enumerate() {
            let slot = parts.get_mut(count).ok_or(InvalidOsVersion)?;
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(InvalidOsVersion);
            }
            *slot = part.parse().map_err(|_| InvalidOsVersion)?;
        }
        Ok(OsVersion::new(parts[0], parts[1], parts[2]))
    }
}

impl fmt::Display for OsVersion {
    /// As Apple writes it: without a third number that is 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> OsVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_compare_by_number_and_not_by_text() {
        assert!(version("9.3.5") < version("10.0"));
        assert!(version("18.1") < version("18.1.1"));
        assert!(version("18.10") > version("18.9"));
        assert_eq!(version("18"), version("18.0.0"));
    }

    #[test]
    fn a_rapid_security_response_does_not_count() {
        assert_eq!(version("16.5.1 (c)"), OsVersion::new(16, 5, 1));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", ".", "18.", ".1", "18.1.1.1", "18b", "-1", "+1", "70000", "18. 1", "iOS 18"] {
            assert_eq!(text.parse::<OsVersion>(), Err(InvalidOsVersion), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(major: u16, minor: u16, patch: u16) {
            let version = OsVersion::new(major, minor, patch);
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,20}") {
            let _ = text.parse::<OsVersion>();
        }
    }
}
