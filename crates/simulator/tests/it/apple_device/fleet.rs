//! Many devices at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apple::command::SecurityInfo;
use simulator::apple_device::{DeviceModel, Failure, Fleet, KeyPool};

use super::server::Server;

#[tokio::test]
async fn a_fleet_enrolls_and_connects_a_few_at_a_time() {
    let server = Server::start().await;
    let options = server.options(DeviceModel::nth(0)).keys(KeyPool::shared(2));
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let progress = Arc::new(move |_, succeeded| {
        counter.fetch_add(usize::from(succeeded), Ordering::SeqCst);
    });
    let mut fleet = Fleet::enroll(&options, 0, 7, 3, progress).await;
    assert_eq!((fleet.devices.len(), fleet.enrollment.succeeded(), seen.load(Ordering::SeqCst)), (7, 7, 7));
    assert!(fleet.enrollment.failures.is_empty());
    let serial_numbers: Vec<_> = fleet.devices.iter().map(|device| &device.model().serial_number).collect();
    let expected: Vec<_> = (0..7).map(|seed| DeviceModel::nth(seed).serial_number).collect();
    assert_eq!(serial_numbers, expected.iter().collect::<Vec<_>>());

    server.desk.hand_over("c", SecurityInfo);
    let (done, tally) = fleet.connect(2, Arc::new(|_, _| {})).await;
    assert_eq!((done.len(), tally.succeeded(), fleet.devices.len()), (1, 7, 7));
}

#[tokio::test]
async fn those_that_fail_are_listed_with_their_reason() {
    let server = Server::start().await;
    server.desk.twist("TokenUpdate", |reply| reply.status = 503);
    let options = server.options(DeviceModel::nth(0)).keys(KeyPool::shared(1));
    let fleet = Fleet::enroll(&options, 0, 3, 2, Arc::new(|_, _| {})).await;
    assert!(fleet.devices.is_empty() && fleet.enrollment.succeeded() == 0);
    let serial_numbers: Vec<_> =
        fleet.enrollment.failures.iter().map(|(serial_number, _)| serial_number).collect();
    assert_eq!(serial_numbers.len(), 3);
    for (_, error) in &fleet.enrollment.failures {
        assert!(matches!(error.cause, Failure::Unavailable { status: 503, .. }), "{error}");
    }
}
