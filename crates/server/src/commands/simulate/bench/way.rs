//! How devices prove who they are, with keys of which kind, and what that may cost.

use clap::ValueEnum;
use simulator::load::Proof;

/// How many times its floor an empty poll may cost.
pub const IDLE_TIMES_FLOOR: f64 = 1.5;

/// What devices show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Identity {
    Header,
    Signature,
    Tls,
}

/// What devices sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Keys {
    Rsa,
    P256,
}

/// One column of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What they show.
    pub identity: Identity,
    /// What they sign with.
    pub keys: Keys,
}

impl Way {
    /// Each identity with each kind of keys, once; by a header nothing is signed, so that the first kind does for it.
    pub fn all(identities: &[Identity], kinds: &[Keys]) -> Vec<Self> {
        let mut ways = Vec::new();
        for &identity in identities {
            let kinds = if identity == Identity::Header { &kinds[..kinds.len().min(1)] } else { kinds };
            for way in kinds.iter().map(|&keys| Self { identity, keys }) {
                if !ways.contains(&way) {
                    ways.push(way);
                }
            }
        }
        ways
    }

    /// The same for the callers.
    pub fn proof(self) -> Proof {
        match self.identity {
            Identity::Header => Proof::Header,
            Identity::Signature => Proof::Signature,
            Identity::Tls => Proof::Tls,
        }
    }

    /// For programs: what is shown, and the kind of the keys.
    pub fn names(self) -> [&'static str; 2] {
        let identity = match self.identity {
            Identity::Header => "header",
            Identity::Signature => "signature",
            Identity::Tls => "tls",
        };
        [identity, if self.keys == Keys::Rsa { "rsa" } else { "p256" }]
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match (self.identity, self.keys) {
            (Identity::Header, Keys::Rsa) => "certificate header",
            (Identity::Header, Keys::P256) => "P-256 header",
            (Identity::Signature, Keys::Rsa) => "RSA-2048 signature",
            (Identity::Signature, Keys::P256) => "P-256 signature",
            (Identity::Tls, Keys::Rsa) => "RSA-2048 TLS",
            (Identity::Tls, Keys::P256) => "P-256 TLS",
        }
    }

    /// The CPU that one piece of work may cost, milliseconds, where that is said: the rest is reported beside it.
    pub fn goal(self, case: &str) -> Option<f64> {
        let idle = match (self.identity, self.keys) {
            (Identity::Header, _) => 0.05,
            (Identity::Signature, Keys::Rsa) => 0.10,
            (Identity::Signature, Keys::P256) | (Identity::Tls, _) => return None,
        };
        match case {
            "idle" => Some(idle),
            "tokenupdate" | "report" => Some(idle * 2.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_measured_with_one_kind_of_keys_and_nothing_twice() {
        let identities = [Identity::Header, Identity::Signature, Identity::Signature];
        let ways = Way::all(&identities, &[Keys::Rsa, Keys::P256]);
        let names: Vec<_> = ways.iter().map(|way| way.names().join(" ")).collect();
        assert_eq!(names, ["header rsa", "signature rsa", "signature p256"]);
        assert_eq!(Way::all(&[Identity::Header], &[Keys::P256])[0].keys, Keys::P256);
    }

    #[test]
    fn goals_are_those_of_the_two_columns() {
        let goals = |identity, keys| {
            ["idle", "tokenupdate", "report", "mixed_day"].map(|case| Way { identity, keys }.goal(case))
        };
        assert_eq!(goals(Identity::Header, Keys::P256), [Some(0.05), Some(0.1), Some(0.1), None]);
        assert_eq!(goals(Identity::Signature, Keys::Rsa), [Some(0.1), Some(0.2), Some(0.2), None]);
        assert_eq!(goals(Identity::Signature, Keys::P256), [None; 4]);
    }
}
