//! Many devices at once: enrolled a few at a time, with what it took.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::failure::{EnrollError, Failure};
use super::model::DeviceModel;
use super::options::EnrollOptions;
use super::{AppleDevice, Done, KeyPool};

/// Devices that were enrolled together.
pub struct Fleet {
    /// In the order of their models' numbers; those that failed are missing.
    pub devices: Vec<AppleDevice>,
    /// What it took.
    pub enrollment: Tally<EnrollError>,
}

/// What it took to do something with many devices.
#[derive(Clone, Debug)]
pub struct Tally<E> {
    /// Of those that succeeded.
    pub latencies: Latencies,
    /// Serial number and reason of each failure.
    pub failures: Vec<(String, E)>,
    /// From the first beginning to the last end.
    pub elapsed: Duration,
}

/// How long each of many things took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    sorted: Vec<Duration>,
}

/// Called whenever a device is done, from any task: how many so far, and whether this one succeeded.
pub type Progress = Arc<dyn Fn(usize, bool) + Send + Sync>;

impl Fleet {
    /// Enrolls `devices` devices (an iPhone, a supervised iPad and a Mac by turns, numbered from `first`), at
    /// most `concurrency` at a time, each like `options` but for its model.
    pub async fn enroll(
        options: &EnrollOptions,
        first: u64,
        devices: usize,
        concurrency: usize,
        progress: Progress,
    ) -> Fleet {
        let numbers = (first..).take(devices);
        let models = numbers.map(DeviceModel::nth).map(|model| EnrollOptions { model, ..options.clone() });
        let (mut done, elapsed) = each(models, concurrency, &progress, enroll_one).await;
        done.sort_by_key(|(place, _)| *place);
        let (mut devices, mut tally) = (Vec::new(), Tally::empty(elapsed));
        for (_, (took, (serial_number, result))) in done {
            devices.extend(tally.count(serial_number, took, result));
        }
        Fleet { devices, enrollment: tally.sorted() }
    }

    /// Devices that are enrolled already.
    pub fn of(devices: Vec<AppleDevice>) -> Fleet {
        Fleet { devices, enrollment: Tally::empty(Duration::ZERO) }
    }

    /// Lets every device renew its certificate ([`AppleDevice::renew_by_request`]) with a key of these, at most `concurrency`
    /// at a time. Those that fail are in the tally, and missing from then on.
    pub async fn renew(
        &mut self,
        keys: &KeyPool,
        concurrency: usize,
        progress: Progress,
    ) -> Tally<EnrollError> {
        let devices = std::mem::take(&mut self.devices).into_iter().map(|mut device| {
            device.set_keys(keys.clone());
            device
        });
        let (mut done, elapsed) = each(devices, concurrency, &progress, renew_one).await;
        done.sort_by_key(|(place, _)| *place);
        let mut tally = Tally::empty(elapsed);
        for (_, (took, (serial_number, result))) in done {
            self.devices.extend(tally.count(serial_number, took, result));
        }
        tally.sorted()
    }

    /// Lets every device have one conversation, at most `concurrency` at a time.
    pub async fn connect(&mut self, concurrency: usize, progress: Progress) -> (Vec<Done>, Tally<Failure>) {
        let devices = std::mem::take(&mut self.devices);
        let (mut done, elapsed) = each(devices.into_iter(), concurrency, &progress, connect_one).await;
        done.sort_by_key(|(place, _)| *place);
        let (mut commands, mut tally) = (Vec::new(), Tally::empty(elapsed));
        for (_, (took, (device, result))) in done {
            commands.extend(
                tally.count(device.model().serial_number.clone(), took, result).into_iter().flatten(),
            );
            self.devices.push(device);
        }
        (commands, tally.sorted())
    }
}

impl<E> Tally<E> {
    fn empty(elapsed: Duration) -> Tally<E> {
        Tally { latencies: Latencies::default(), failures: Vec::new(), elapsed }
    }

    fn count<T>(&mut self, serial_number: String, took: Duration, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                self.latencies.sorted.push(took);
                Some(value)
            }
            Err(error) => {
                self.failures.push((serial_number, error));
                None
            }
        }
    }

    fn sorted(mut self) -> Tally<E> {
        self.latencies.sorted.sort_unstable();
        self
    }

    /// How many succeeded.
    pub fn succeeded(&self) -> usize {
        self.latencies.sorted.len()
    }

    /// How many succeeded in a second of [`elapsed`](Self::elapsed).
    pub fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.succeeded() as f64 / seconds } else { 0.0 }
    }
}

impl From<Vec<Duration>> for Latencies {
    fn from(mut sorted: Vec<Duration>) -> Self {
        sorted.sort_unstable();
        Self { sorted }
    }
}

impl Latencies {
    /// These, in any order.
    pub fn of(mut all: Vec<Duration>) -> Latencies {
        all.sort_unstable();
        Latencies { sorted: all }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The duration that `percent` of a hundred did not exceed (nearest rank); zero where there is none.
    pub fn percentile(&self, percent: u8) -> Duration {
        let rank = (self.sorted.len() * usize::from(percent.min(100))).div_ceil(100);
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Half took no longer.
    pub fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// One in a hundred took longer.
    pub fn p99(&self) -> Duration {
        self.percentile(99)
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.percentile(100)
    }
}

async fn enroll_one(options: EnrollOptions) -> ((String, Result<AppleDevice, EnrollError>), bool) {
    let serial_number = options.model.serial_number.clone();
    let result = AppleDevice::enroll(options).await;
    let succeeded = result.is_ok();
    ((serial_number, result), succeeded)
}

async fn renew_one(mut device: AppleDevice) -> ((String, Result<AppleDevice, EnrollError>), bool) {
    let serial_number = device.model().serial_number.clone();
    let result = device.renew_by_request().await.map(|()| device);
    let succeeded = result.is_ok();
    ((serial_number, result), succeeded)
}

async fn connect_one(mut device: AppleDevice) -> ((AppleDevice, Result<Vec<Done>, Failure>), bool) {
    let result = device.connect().await;
    let succeeded = result.is_ok();
    ((device, result), succeeded)
}

/// Runs `one` for each item, at most `concurrency` at a time; answers place, duration and result of each, as
/// they end.
async fn each<I, T, F>(
    items: impl Iterator<Item = I>,
    concurrency: usize,
    progress: &Progress,
    one: fn(I) -> F,
) -> (Vec<(usize, (Duration, T))>, Duration)
where
    F: Future<Output = (T, bool)> + Send + 'static,
    T: Send + 'static,
{
    let began = Instant::now();
    let places = Arc::new(Semaphore::new(concurrency.max(1)));
    let (mut running, mut done) = (JoinSet::new(), Vec::new());
    for (place, item) in items.enumerate() {
        // Only fails if the semaphore is closed, which nobody does.
        let Ok(permit) = Arc::clone(&places).acquire_owned().await else { break };
        let work = one(item);
        running.spawn(async move {
            let began = Instant::now();
            let (result, succeeded) = work.await;
            drop(permit);
            (place, (began.elapsed(), result), succeeded)
        });
        while let Some(Ok((place, result, succeeded))) = running.try_join_next() {
            done.push((place, result));
            progress(done.len(), succeeded);
        }
    }
    while let Some(joined) = running.join_next().await {
        if let Ok((place, result, succeeded)) = joined {
            done.push((place, result));
            progress(done.len(), succeeded);
        }
    }
    (done, began.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(milliseconds: impl Iterator<Item = u64>) -> Latencies {
        Latencies { sorted: milliseconds.map(Duration::from_millis).collect() }
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred = latencies(1..=100);
        let [half, most, all] = [50, 99, 100].map(Duration::from_millis);
        assert_eq!((hundred.p50(), hundred.p99(), hundred.max()), (half, most, all));
        let one = latencies(7..=7);
        assert_eq!((one.p50(), one.p99()), (Duration::from_millis(7), Duration::from_millis(7)));
        assert_eq!(Latencies::default().p99(), Duration::ZERO);
    }
}
