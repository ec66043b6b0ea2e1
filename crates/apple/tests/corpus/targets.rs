//! Devices for the corpus: for each entry, one of every OS that knows it.

use apple::OsVersion;
use apple::enrollment::AccessRights;
use apple::facts::{Entry, Os, Since, Support};
use apple::validate::{Target, TargetChannel, meets};

/// Versions to try, newest first: what was removed is found on an older one.
const VERSIONS: [(u16, u16); 14] = [
    (27, 0),
    (26, 4),
    (18, 2),
    (17, 6),
    (15, 2),
    (14, 0),
    (13, 0),
    (12, 0),
    (11, 3),
    (10, 15),
    (10, 13),
    (9, 3),
    (6, 0),
    (2, 2),
];

/// One device of every OS that knows `entry`.
pub fn targets_of(entry: &'static Entry) -> Vec<Target> {
    Os::ALL.into_iter().filter_map(|os| target_of(entry, os)).collect()
}

fn target_of(entry: &'static Entry, os: Os) -> Option<Target> {
    let said = entry.support[os].introduced != Since::Same || *entry.support == Support::SAME;
    candidates(os).find(|target| said && meets(target, &entry.support[os]))
}

fn candidates(os: Os) -> impl Iterator<Item = Target> {
    VERSIONS.into_iter().flat_map(move |(major, minor)| {
        let version = OsVersion::new(major, minor, 0);
        let kinds = [(true, true, false), (false, false, false), (false, false, true)];
        kinds.into_iter().flat_map(move |(supervised, automated, user_enrollment)| {
            [false, true].into_iter().flat_map(move |shared| {
                [TargetChannel::Device, TargetChannel::User].into_iter().map(move |channel| Target {
                    supervised: Some(supervised),
                    automated: Some(automated),
                    user_enrollment: Some(user_enrollment),
                    user_approved: Some(true),
                    rights: Some(AccessRights::ALL),
                    channel: Some(channel),
                    shared_ipad: Some(shared && os == Os::IOs),
                    apple_silicon: Some(true),
                    pin_for_lock: Some(false),
                    pin_for_erase: Some(false),
                    ..Target::of(os, version)
                })
            })
        })
    })
}
