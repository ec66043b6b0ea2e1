//! What it costs to check a command: `cargo bench -p apple`.

use std::hint::black_box;

use apple::enrollment::AccessRights;
use apple::facts::Os;
use apple::validate::{self, Options, Target, TargetChannel, Verdicts};
use apple::{Dictionary, OsVersion, Value};

fn main() {
    divan::main();
}

fn iphone() -> Target {
    Target {
        supervised: Some(true),
        automated: Some(true),
        user_enrollment: Some(false),
        rights: Some(AccessRights::ALL),
        channel: Some(TargetChannel::Device),
        shared_ipad: Some(false),
        ..Target::of(Os::IOs, OsVersion::new(18, 1, 0))
    }
}

fn command(pairs: &[(&str, Value)]) -> Dictionary {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn lock() -> Dictionary {
    command(&[
        ("RequestType", "DeviceLock".into()),
        ("Message", "Please return this phone".into()),
        ("PhoneNumber", "+1 555 0100".into()),
    ])
}

fn inventory() -> Dictionary {
    let queries = apple::inventory::queries_of(&iphone());
    assert!(queries.len() > 30);
    let queries = queries.into_iter().map(Value::from).collect();
    command(&[("RequestType", "DeviceInformation".into()), ("Queries", Value::Array(queries))])
}

fn settings() -> Dictionary {
    let name = command(&[("Item", "DeviceName".into()), ("DeviceName", "Front desk".into())]);
    let roaming = command(&[("Item", "DataRoaming".into()), ("Enabled", false.into())]);
    let items = Value::Array(vec![Value::Dictionary(name), Value::Dictionary(roaming)]);
    command(&[("RequestType", "Settings".into()), ("Settings", items)])
}

fn check(bencher: divan::Bencher<'_, '_>, command: &Dictionary) {
    let target = iphone();
    assert!(validate::command(command, &target, Options::default()).is_valid());
    bencher.bench(|| validate::command(black_box(command), black_box(&target), Options::default()));
}

#[divan::bench]
fn device_lock(bencher: divan::Bencher<'_, '_>) {
    check(bencher, &lock());
}

#[divan::bench]
fn device_information(bencher: divan::Bencher<'_, '_>) {
    check(bencher, &inventory());
}

#[divan::bench]
fn settings_of_two(bencher: divan::Bencher<'_, '_>) {
    check(bencher, &settings());
}

/// A lock for 100,000 devices of 40 classes.
#[divan::bench]
fn a_hundred_thousand_devices(bencher: divan::Bencher<'_, '_>) {
    let lock = lock();
    let targets: Vec<_> = (0..100_000u32)
        .map(|index| Target {
            version: Some(OsVersion::new(12 + (index % 20) as u16, 0, 0)),
            supervised: Some(index % 2 == 0),
            ..iphone()
        })
        .collect();
    bencher.bench(|| {
        let mut verdicts = Verdicts::new(&lock, Options::default());
        let valid = targets.iter().filter(|target| verdicts.on(target).is_valid()).count();
        assert!(verdicts.classes() <= 40);
        valid
    });
}
