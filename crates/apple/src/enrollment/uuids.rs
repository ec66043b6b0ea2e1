//! UUIDs for the payloads of a profile.

/// `PayloadUUID` of the profile and of its payloads. They must stay the same when the profile is installed
/// again, or the device would take its payloads for new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayloadUuids {
    /// Of the profile.
    pub profile: String,
    /// Of the SCEP payload; the MDM payload refers to it.
    pub scep: String,
    /// Of the TLS root; empty where a profile that was read has none.
    pub tls_root: String,
    /// Of the MDM payload.
    pub mdm: String,
}

impl PayloadUuids {
    /// Always the same UUIDs for the same enrollment (version 8 of RFC 9562, from a hash). `enrollment` must
    /// be unique, and is not kept secret by the hash.
    pub fn derived_from(enrollment: &str) -> PayloadUuids {
        PayloadUuids {
            profile: derive(enrollment, "profile"),
            scep: derive(enrollment, "scep"),
            tls_root: derive(enrollment, "root"),
            mdm: derive(enrollment, "mdm"),
        }
    }
}

fn derive(enrollment: &str, role: &str) -> String {
    // FNV-1a. Nobody gains by a collision, which would need two enrollments on one device.
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = role.bytes().chain([0]).chain(enrollment.bytes());
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    let version_and_variant = (0xf << 76) | (0x3 << 62);
    let hash = hash & !version_and_variant | (0x8 << 76) | (0x2 << 62);
    let hex = format!("{hash:032X}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_enrollment_has_the_same_uuids() {
        assert_eq!(PayloadUuids::derived_from("a"), PayloadUuids::derived_from("a"));
    }

    #[test]
    fn every_payload_of_every_enrollment_has_its_own() {
        let uuids = |n: u32| {
            let PayloadUuids { profile, scep, tls_root, mdm } =
                PayloadUuids::derived_from(&format!("enrollment-{n}"));
            [profile, scep, tls_root, mdm]
        };
        let all: std::collections::HashSet<String> = (0..1_000).flat_map(uuids).collect();
        assert_eq!(all.len(), 4_000);
    }

    #[test]
    fn they_are_uuids_of_version_8() {
        let uuid = PayloadUuids::derived_from("x").mdm;
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(uuid.chars().all(|c| c == '-' || c.is_ascii_digit() || ('A'..='F').contains(&c)));
        assert_eq!(&uuid[14..15], "8");
        assert!(matches!(&uuid[19..20], "8" | "9" | "A" | "B"));
    }
}
