//! Lets many callers work at once, for a while, and counts.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::line::Unanswered;
use crate::apple_device::Latencies;

/// How many failures are told in words.
const TOLD: usize = 5;

/// How many failures end a run early: nothing is measured any more then.
const MANY: usize = 100;

/// A caller.
pub trait Hand: Send + 'static {
    /// Does one piece of work; how long the server took for it, or `None` once nothing is left to do.
    fn work(&mut self) -> impl Future<Output = Result<Option<Duration>, Unanswered>> + Send;
}

/// What many hands did.
#[derive(Debug, Default)]
pub struct Run {
    /// How long each piece of work took.
    pub latencies: Latencies,
    /// How many failed.
    pub failed: usize,
    /// Why the first of them did.
    pub why: Vec<String>,
    /// From the first beginning to the last end.
    pub elapsed: Duration,
}

impl Run {
    /// How many succeeded.
    pub fn done(&self) -> usize {
        self.latencies.len()
    }

    /// How many succeeded in a second.
    pub fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.done() as f64 / seconds } else { 0.0 }
    }
}

/// Lets every hand work until `lasts` is over or nothing is left to do, and at least once; answers the hands as well, for what they are
/// to do next.
pub async fn drive<H: Hand>(hands: Vec<H>, lasts: Duration) -> (Vec<H>, Run) {
    let began = Instant::now();
    let mut working = JoinSet::new();
    for (place, hand) in hands.into_iter().enumerate() {
        working.spawn(async move { (place, until(hand, began + lasts).await) });
    }
    let (mut hands, mut took, mut run) = (Vec::new(), Vec::new(), Run::default());
    while let Some(joined) = working.join_next().await {
        let Ok((place, (hand, some, failures))) = joined else {
            run.failed += 1;
            run.why.push("a caller fell".into());
            continue;
        };
        hands.push((place, hand));
        took.extend(some);
        run.failed += failures.len();
        run.why
            .extend(failures.into_iter().map(|failure| failure.0).take(TOLD.saturating_sub(run.why.len())));
    }
    run.elapsed = began.elapsed();
    run.latencies = Latencies::of(took);
    hands.sort_by_key(|(place, _)| *place);
    (hands.into_iter().map(|(_, hand)| hand).collect(), run)
}

async fn until<H: Hand>(mut hand: H, end: Instant) -> (H, Vec<Duration>, Vec<Unanswered>) {
    let (mut took, mut failures) = (Vec::new(), Vec::new());
    loop {
        match hand.work().await {
            Ok(Some(one)) => took.push(one),
            Ok(None) => break,
            Err(why) => failures.push(why),
        }
        if Instant::now() >= end || failures.len() >= MANY {
            break;
        }
    }
    (hand, took, failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(usize);

    impl Hand for Counter {
        async fn work(&mut self) -> Result<Option<Duration>, Unanswered> {
            self.0 += 1;
            match self.0 {
                2 => Err(Unanswered("the second".into())),
                7 => Ok(None),
                _ => Ok(Some(Duration::from_millis(1))),
            }
        }
    }

    #[tokio::test]
    async fn every_piece_of_work_is_counted_and_failures_apart() {
        let (hands, run) = drive(vec![Counter(0), Counter(4)], Duration::from_mins(1)).await;
        assert_eq!((run.done(), run.failed, run.why), (7, 1, vec!["the second".to_owned()]));
        assert_eq!(hands.iter().map(|hand| hand.0).collect::<Vec<_>>(), [7, 7]);
    }

    #[tokio::test]
    async fn everybody_works_once_however_short_the_time_is() {
        let (_, run) = drive(vec![Counter(2)], Duration::ZERO).await;
        assert_eq!((run.done(), run.failed), (1, 0));
    }
}
