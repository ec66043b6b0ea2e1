//! Words to the workers of this process.

use domain::ports::{Wake, Worker};
use tokio::sync::Notify;

/// One bell for each worker; a bell that rings while its worker works is heard afterwards.
#[derive(Default)]
pub struct Wakes {
    pushes: Notify,
    outcomes: Notify,
    purges: Notify,
    android: Notify,
    android_notifications: Notify,
    queue: Notify,
}

impl Wakes {
    /// Waits until there is work for `worker`, or `at_most` that long.
    pub async fn wait(&self, worker: Worker, at_most: std::time::Duration) {
        // Without a word within the time the worker looks by itself: another node may have made the work.
        let _ = tokio::time::timeout(at_most, self.bell(worker).notified()).await;
    }

    fn bell(&self, worker: Worker) -> &Notify {
        match worker {
            Worker::Pushes => &self.pushes,
            Worker::Outcomes => &self.outcomes,
            Worker::Purges => &self.purges,
            Worker::Android => &self.android,
            Worker::AndroidNotifications => &self.android_notifications,
            Worker::Queue => &self.queue,
        }
    }
}

impl Wake for Wakes {
    fn wake(&self, worker: Worker) {
        self.bell(worker).notify_one();
    }
}
