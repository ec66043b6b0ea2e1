//! Our own enrollment profile, for every OS that it is for.

use apple::OsVersion;
use apple::enrollment::{EnrollmentProfile, MdmPayload, PayloadUuids, ScepPayload};
use apple::facts::Os;
use apple::validate::{self, Options, Problem, Target, TargetChannel};

/// The oldest version that Remuda names, some between, and the newest.
const VERSIONS: [(Os, &[(u16, u16)]); 5] = [
    (Os::IOs, &[(15, 0), (17, 0), (18, 2), (26, 0), (27, 0)]),
    (Os::MacOs, &[(12, 0), (14, 0), (15, 2), (26, 0), (27, 0)]),
    (Os::TvOs, &[(15, 0), (17, 0), (18, 2), (26, 0), (27, 0)]),
    (Os::VisionOs, &[(1, 1), (2, 0), (26, 0), (27, 0)]),
    (Os::WatchOs, &[(10, 0), (11, 0), (26, 0), (27, 0)]),
];

fn own(url: &str) -> EnrollmentProfile {
    EnrollmentProfile {
        identifier: "remuda.enrollment.1".into(),
        uuids: PayloadUuids::derived_from("enrollment-1"),
        display_name: "Example device management".into(),
        organization: "Example".into(),
        description: "Lets Example manage this device.".into(),
        removal_disallowed: false,
        scep: ScepPayload {
            url: format!("{url}/scep"),
            name: "Remuda".into(),
            challenge: "challenge".into(),
            ca_fingerprint: [7; 20],
            subject: vec![("O".into(), "1".into()), ("CN".into(), "enrollment-1".into())],
            ..ScepPayload::default()
        },
        tls_root: Some(vec![0x30, 0]),
        mdm: MdmPayload::new(&format!("{url}/mdm"), &format!("{url}/checkin"), "com.apple.mgmt.External.1"),
    }
}

fn targets() -> impl Iterator<Item = Target> {
    VERSIONS.into_iter().flat_map(|(os, versions)| {
        versions.iter().flat_map(move |&(major, minor)| {
            // A watch is managed only where it is supervised.
            let supervised: &[bool] = if os == Os::WatchOs { &[true] } else { &[false, true] };
            supervised.iter().map(move |&supervised| Target {
                supervised: Some(supervised),
                automated: Some(false),
                user_enrollment: Some(false),
                channel: Some(TargetChannel::Device),
                ..Target::of(os, OsVersion::new(major, minor, 0))
            })
        })
    })
}

#[test]
fn our_own_profile_is_valid_for_every_os() {
    let profile =
        apple::guard::parse(&own("https://mdm.example.com").encode(), apple::Limits::server_answer());
    let profile = profile.unwrap().into_dictionary().unwrap();
    for target in targets() {
        let verdict = validate::profile(&profile, &target, Options::default());
        let found: Vec<_> = verdict.faults.iter().map(ToString::to_string).collect();
        assert_eq!(found, Vec::<String>::new(), "{}", target.class());
    }
}

#[test]
fn http_is_let_pass_to_the_very_machine_only() {
    let target = targets().next().unwrap();
    let faulty = |url| {
        let profile = apple::guard::parse(&own(url).encode(), apple::Limits::server_answer()).unwrap();
        validate::profile(&profile.into_dictionary().unwrap(), &target, Options::default())
    };
    let here = faulty("http://127.0.0.1:8443");
    assert_eq!(here.faults, []);
    assert_eq!(here.warnings.iter().filter(|warning| warning.problem == Problem::Loopback).count(), 2);
    assert_eq!(faulty("http://mdm.example.com").faults.len(), 2, "ServerURL and CheckInURL");
}
