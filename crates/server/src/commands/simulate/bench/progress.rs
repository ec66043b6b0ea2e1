//! How far a benchmark is, on standard error.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows bars, or nothing where JSON is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Whether anything is shown.
    pub shown: bool,
}

/// One bar; gone when it is dropped.
pub struct Bar(ProgressBar);

impl Progress {
    /// A bar for `count` things.
    pub fn bar(self, what: &'static str, count: usize) -> Bar {
        if !self.shown {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {per_sec}");
        Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what))
    }

    /// A line about what comes now.
    pub fn say(self, what: &str) {
        if self.shown {
            eprintln!("{what}");
        }
    }
}

impl Bar {
    /// What moves it on.
    pub fn teller(&self) -> Arc<dyn Fn(usize, bool) + Send + Sync> {
        let bar = self.0.clone();
        Arc::new(move |done, _| bar.set_position(u64::try_from(done).unwrap_or(u64::MAX)))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
