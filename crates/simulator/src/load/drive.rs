//! Lets many callers work at once, for a while, and counts.

use std::time::Duration;

use tokio::task::{self, JoinSet};
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

/// A caller who makes its messages before it sends them.
pub trait Preparing: Hand {
    /// Makes what it will send in the next round; may take long, and is not measured.
    ///
    /// # Errors
    /// Where something cannot be made.
    fn prepare(&mut self) -> Result<(), Unanswered>;
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
    /// From the first beginning to the last end; of several rounds, all of them together. What follows from the work may be added.
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
    let mut tally = Tally::default();
    let hands = tally.round(hands, lasts).await;
    (hands, tally.run())
}

/// The same, after which each hand ends what it has begun, as `ending` makes it do: that is counted like all the rest.
pub async fn drive_to_end<H: Hand>(hands: Vec<H>, lasts: Duration, ending: impl Fn(H) -> H) -> (Vec<H>, Run) {
    let mut tally = Tally::default();
    let hands = tally.round(hands, lasts).await;
    let hands = tally.round(hands.into_iter().map(ending).collect(), Duration::MAX).await;
    (hands, tally.run())
}

/// Lets every hand prepare, and then work until nothing is left to do, again and again until they have worked for `lasts` or there is
/// nothing to prepare. What they did while they worked: devices make and sign their messages on processors of their own, but these
/// callers share the server's.
pub async fn drive_in_rounds<H: Preparing>(mut hands: Vec<H>, lasts: Duration) -> (Vec<H>, Run) {
    let mut tally = Tally::default();
    loop {
        let before = tally.took.len();
        hands = tally.prepare(hands).await;
        hands = tally.round(hands, Duration::MAX).await;
        if tally.elapsed >= lasts || tally.took.len() == before || tally.failed >= MANY {
            return (hands, tally.run());
        }
    }
}

/// What was done so far.
#[derive(Default)]
struct Tally {
    took: Vec<Duration>,
    failed: usize,
    why: Vec<String>,
    elapsed: Duration,
}

impl Tally {
    async fn prepare<H: Preparing>(&mut self, hands: Vec<H>) -> Vec<H> {
        let preparing = hands.into_iter().map(|mut hand| {
            task::spawn_blocking(move || {
                let prepared = hand.prepare();
                (hand, prepared)
            })
        });
        let mut hands = Vec::new();
        for prepared in preparing.collect::<Vec<_>>() {
            let Some((hand, prepared)) = self.joined(prepared.await) else { continue };
            hands.push(hand);
            self.fail(prepared.err().into_iter().collect());
        }
        hands
    }

    async fn round<H: Hand>(&mut self, hands: Vec<H>, lasts: Duration) -> Vec<H> {
        let began = Instant::now();
        let mut working = JoinSet::new();
        for (place, hand) in hands.into_iter().enumerate() {
            working.spawn(async move { (place, until(hand, began, lasts).await) });
        }
        let mut hands = Vec::new();
        while let Some(joined) = working.join_next().await {
            let Some((place, (hand, took, failures))) = self.joined(joined) else { continue };
            hands.push((place, hand));
            self.took.extend(took);
            self.fail(failures);
        }
        self.elapsed += began.elapsed();
        hands.sort_by_key(|(place, _)| *place);
        hands.into_iter().map(|(_, hand)| hand).collect()
    }

    fn joined<T>(&mut self, joined: Result<T, task::JoinError>) -> Option<T> {
        if joined.is_err() {
            self.fail(vec![Unanswered("a caller fell".into())]);
        }
        joined.ok()
    }

    fn fail(&mut self, failures: Vec<Unanswered>) {
        self.failed += failures.len();
        let room = TOLD.saturating_sub(self.why.len());
        self.why.extend(failures.into_iter().map(|failure| failure.0).take(room));
    }

    fn run(self) -> Run {
        let Self { took, failed, why, elapsed } = self;
        Run { latencies: Latencies::of(took), failed, why, elapsed }
    }
}

async fn until<H: Hand>(mut hand: H, began: Instant, lasts: Duration) -> (H, Vec<Duration>, Vec<Unanswered>) {
    let (mut took, mut failures) = (Vec::new(), Vec::new());
    loop {
        match hand.work().await {
            Ok(Some(one)) => took.push(one),
            Ok(None) => break,
            Err(why) => failures.push(why),
        }
        if began.elapsed() >= lasts || failures.len() >= MANY {
            break;
        }
    }
    (hand, took, failures)
}

#[cfg(test)]
mod tests {
    use tokio::{runtime::Handle, time};

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

    /// Has so many rounds, each with one piece of work more than the one before.
    struct Signer {
        rounds: usize,
        made: usize,
        prepared: usize,
    }

    impl Hand for Signer {
        async fn work(&mut self) -> Result<Option<Duration>, Unanswered> {
            let Some(left) = self.prepared.checked_sub(1) else { return Ok(None) };
            self.prepared = left;
            time::advance(Duration::from_secs(1)).await;
            Ok(Some(Duration::from_secs(1)))
        }
    }

    impl Preparing for Signer {
        fn prepare(&mut self) -> Result<(), Unanswered> {
            if self.made == self.rounds {
                return Ok(());
            }
            self.made += 1;
            self.prepared = self.made;
            Handle::current().block_on(time::advance(Duration::from_secs(20)));
            if self.made == 3 { Err(Unanswered("no third".into())) } else { Ok(()) }
        }
    }

    fn signer(rounds: usize) -> Signer {
        Signer { rounds, made: 0, prepared: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_prepared_is_done_round_by_round_until_there_is_no_more() {
        let (hands, run) = drive_in_rounds(vec![signer(2), signer(0)], Duration::from_mins(1)).await;
        assert_eq!((run.done(), run.failed), (3, 0));
        assert_eq!(hands.iter().map(|hand| hand.made).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(run.elapsed, Duration::from_secs(3), "preparing took 40 s, and is not counted");
        let (_, run) = drive_in_rounds(vec![signer(9)], Duration::ZERO).await;
        assert_eq!(run.done(), 1, "a round at least, however short the time is");
        let (_, run) = drive_in_rounds(vec![signer(3)], Duration::from_mins(1)).await;
        assert_eq!((run.done(), run.failed, run.why), (6, 1, vec!["no third".to_owned()]));
    }

    #[tokio::test]
    async fn what_was_begun_in_time_is_ended_and_counted() {
        let ending = |Counter(done)| Counter(done + 1);
        let (hands, run) = drive_to_end(vec![Counter(2)], Duration::ZERO, ending).await;
        assert_eq!((run.done(), run.failed), (3, 0), "the third in time, the fifth and the sixth to end");
        assert_eq!(hands.iter().map(|hand| hand.0).collect::<Vec<_>>(), [7]);
    }

    #[tokio::test]
    async fn everybody_works_once_however_short_the_time_is() {
        let (_, run) = drive(vec![Counter(2)], Duration::ZERO).await;
        assert_eq!((run.done(), run.failed), (1, 0));
    }
}
