//! Support as Rust: each combination of terms once, under a name that tells what it says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};

use super::schema::{SYSTEMS, Support};

/// Every combination that the tables use, by its name.
#[derive(Debug, Default)]
pub struct Supports(BTreeMap<String, Support>);

impl Supports {
    /// The name of `support`, which is written down where it is new; `None` where nothing is said.
    pub fn name(&mut self, support: &Support) -> Result<Option<String>> {
        if support.0.values().all(BTreeMap::is_empty) {
            return Ok(None);
        }
        let name = name(support);
        let known = self.0.entry(name.clone()).or_insert_with(|| support.clone());
        ensure!(known == support, "two combinations share the name {name}: lengthen the hash");
        Ok(Some(name))
    }

    /// Their table.
    pub fn write(&self) -> Result<String> {
        let mut text = String::new();
        for (name, support) in &self.0 {
            writeln!(text, "pub(super) static {name}: Support = Support {{")?;
            for os in SYSTEMS {
                if let Some(fields) = support.0.get(os) {
                    let terms = terms(fields).with_context(|| format!("{os} of {name}"))?;
                    writeln!(text, "{}: {terms},", os.to_lowercase())?;
                }
            }
            let all = SYSTEMS.iter().all(|os| support.0.contains_key(*os));
            text.push_str(if all { "};\n" } else { "..SAME\n};\n" });
        }
        Ok(text)
    }
}

/// `I9_3_MX` says all: iOS from 9.3, never on macOS. Where more is said, a hash follows.
fn name(support: &Support) -> String {
    let mut name = String::new();
    let mut more = false;
    for os in SYSTEMS {
        let Some(fields) = support.0.get(os) else { continue };
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(&os[..1].to_uppercase());
        match fields.get("introduced").map(String::as_str) {
            Some("n/a") => name.push('X'),
            Some(version) => name.push_str(&version.replace('.', "_").to_uppercase()),
            None => {}
        }
        more |= fields.keys().any(|field| field != "introduced");
    }
    if more {
        let _ = write!(name, "_H{:04X}", hash(support) & 0xffff);
    }
    name
}

/// FNV-1a: the same on every machine and in every release of the compiler.
fn hash(support: &Support) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{support:?}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^ (hash >> 32)
}

const FLAGS: [(&str, &str); 11] = [
    ("supervised", "SUPERVISED"),
    ("requiresdep", "AUTOMATED"),
    ("userapprovedmdm", "USER_APPROVED"),
    ("allowmanualinstall", "MANUAL_INSTALL"),
    ("multiple", "MULTIPLE"),
    ("devicechannel", "DEVICE_CHANNEL"),
    ("userchannel", "USER_CHANNEL"),
    ("sharedipad.devicechannel", "SHARED_DEVICE_CHANNEL"),
    ("sharedipad.userchannel", "SHARED_USER_CHANNEL"),
    ("always-skippable", "ALWAYS_SKIPPABLE"),
    ("beta", "BETA"),
];

/// Names of rights as the files write them, with their bits; the names are not consistent.
const RIGHTS: [(&str, u16); 15] = [
    ("AllowInspection", 1),
    ("AllowInstallationRemoval", 2),
    ("AllowPasscodeRemovalAndLock", 4),
    ("DeviceLockAndRemovePasscode", 4),
    ("AllowDeviceErase", 8),
    ("AllowQueryDeviceInformation", 16),
    ("AllowQueryNetworkInformation", 32),
    ("AllowProvisioningInspection", 64),
    ("AllowProvisioningInstallationRemoval", 128),
    ("AllowQueryApplications", 256),
    ("QueryInstalledApps", 256),
    ("AllowQueryRestrictions", 512),
    ("AllowQuerySecurity", 1024),
    ("AllowSettings", 2048),
    ("AllowAppInstallation", 4096),
];

fn terms(fields: &BTreeMap<String, String>) -> Result<String> {
    let mut text = match fields.get("introduced").map(String::as_str) {
        None => "same()".to_owned(),
        Some("n/a") => "never()".to_owned(),
        Some(text) => format!("since({})", version(text)?),
    };
    for (field, value) in fields {
        match field.as_str() {
            "introduced" => {}
            "deprecated" | "removed" => write!(text, ".{field}({})", version(value)?)?,
            "accessrights" => text.push_str(&right(value)?),
            "userenrollment.mode" => write!(text, ".user_enrollment({})", value.to_uppercase())?,
            "sharedipad.mode" => write!(text, ".shared_ipad({})", value.to_uppercase())?,
            "allowed-enrollments" => write!(text, ".enrollments({})", set(value, "E"))?,
            "allowed-scopes" => write!(text, ".scopes({})", set(value, "S"))?,
            "sharedipad.allowed-scopes" => write!(text, ".shared_scopes({})", set(value, "S"))?,
            flag if FLAGS.iter().any(|(name, _)| *name == flag) => {}
            other => bail!("unknown term {other}"),
        }
    }
    for (method, wanted) in [("yes", "true"), ("no", "false")] {
        let flags: Vec<_> = FLAGS
            .iter()
            .filter(|(name, _)| fields.get(*name).is_some_and(|value| value == wanted))
            .map(|(_, flag)| *flag)
            .collect();
        if !flags.is_empty() {
            write!(text, ".{method}({})", flags.join(" | "))?;
        }
    }
    Ok(text)
}

/// `9.3.2` as three numbers; `all` and `0` are every version.
pub fn version(text: &str) -> Result<String> {
    let text = if text == "all" { "0" } else { text };
    let mut parts: Vec<u16> =
        text.split('.').map(str::parse).collect::<Result<_, _>>().context("a version")?;
    ensure!(parts.len() <= 3, "{text} is no version");
    parts.resize(3, 0);
    Ok(format!("{}, {}, {}", parts[0], parts[1], parts[2]))
}

fn right(name: &str) -> Result<String> {
    match name {
        "None" | "n/a" => Ok(".no_right()".to_owned()),
        "Special Case" => Ok(".special_right()".to_owned()),
        name => {
            let (_, bit) = RIGHTS.iter().find(|(known, _)| *known == name).context("an unknown right")?;
            Ok(format!(".right({bit})"))
        }
    }
}

fn set(members: &str, prefix: &str) -> String {
    let members: Vec<_> =
        members.split_whitespace().map(|member| format!("{prefix}_{}", member.to_uppercase())).collect();
    if members.is_empty() { "0".to_owned() } else { members.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn support(terms: &[(&str, &str, &str)]) -> Support {
        let mut support = Support::default();
        for (os, field, value) in terms {
            support.0.entry((*os).to_owned()).or_default().insert((*field).to_owned(), (*value).to_owned());
        }
        support
    }

    #[test]
    fn a_name_tells_versions_and_hints_at_more() {
        let plain = support(&[("iOS", "introduced", "9.3"), ("macOS", "introduced", "n/a")]);
        assert_eq!(name(&plain), "I9_3_MX");
        let more = support(&[("iOS", "introduced", "9.3"), ("iOS", "supervised", "true")]);
        assert!(name(&more).starts_with("I9_3_H"));
    }

    #[test]
    fn one_combination_is_written_once() {
        let mut supports = Supports::default();
        let plain = support(&[("tvOS", "introduced", "10.2"), ("tvOS", "supervised", "false")]);
        assert_eq!(supports.name(&plain).unwrap(), supports.name(&plain).unwrap());
        assert_eq!(supports.name(&Support::default()).unwrap(), None);
        assert_eq!(supports.0.len(), 1);
        assert!(supports.write().unwrap().contains("tvos: since(10, 2, 0).no(SUPERVISED),"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (field, value) in [("colour", "red"), ("introduced", "soon"), ("accessrights", "AllowMagic")] {
            let mut supports = Supports::default();
            supports.name(&support(&[("iOS", field, value)])).unwrap();
            assert!(supports.write().is_err(), "{field}");
        }
    }
}
