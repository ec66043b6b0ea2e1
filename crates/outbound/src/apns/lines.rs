//! The lines in use, a bounded number of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::line::Line;

type Fingerprint = [u8; 32];

/// Lines by the fingerprint of their credentials; beyond `capacity` the one unused longest is let go, and closes
/// when the pushes on it have ended.
pub(super) struct Lines<L = Line> {
    capacity: usize,
    /// The last used at the end. A scan of so few is quicker than a map.
    by_use: Mutex<Vec<(Fingerprint, Arc<L>)>>,
}

impl<L> Lines<L> {
    /// Keeps at most `capacity` lines, and at least one.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), by_use: Mutex::default() }
    }

    /// The line of `fingerprint`, made by `make` if there is none.
    pub(super) fn line<E>(
        &self,
        fingerprint: Fingerprint,
        make: impl FnOnce() -> Result<L, E>,
    ) -> Result<Arc<L>, E> {
        if let Some(line) = used(&mut self.lock(), fingerprint) {
            return Ok(line);
        }
        // Outside the lock: reading a key takes a while, and nobody else's push should wait for it.
        let made = Arc::new(make()?);
        let mut lines = self.lock();
        if let Some(line) = used(&mut lines, fingerprint) {
            return Ok(line);
        }
        if lines.len() >= self.capacity {
            lines.remove(0);
        }
        lines.push((fingerprint, Arc::clone(&made)));
        Ok(made)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Fingerprint, Arc<L>)>> {
        self.by_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds a line and marks it as the last used.
fn used<L>(lines: &mut [(Fingerprint, Arc<L>)], fingerprint: Fingerprint) -> Option<Arc<L>> {
    let at = lines.iter().rposition(|(name, _)| *name == fingerprint)?;
    lines[at..].rotate_left(1);
    lines.last().map(|(_, line)| Arc::clone(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for the line of `name` and tells whether it had to be made.
    fn made(lines: &Lines<u8>, name: u8) -> bool {
        let mut made = false;
        let line = lines.line([name; 32], || {
            made = true;
            Ok::<_, ()>(name)
        });
        assert_eq!(*line.unwrap(), name);
        made
    }

    #[test]
    fn a_line_is_made_once() {
        let lines = Lines::new(2);
        assert!(made(&lines, 1));
        assert!(!made(&lines, 1));
    }

    #[test]
    fn the_line_unused_longest_is_let_go() {
        let lines = Lines::new(2);
        assert!(made(&lines, 1));
        assert!(made(&lines, 2));
        assert!(!made(&lines, 1));
        assert!(made(&lines, 3));
        assert!(!made(&lines, 1));
        assert!(made(&lines, 2));
        assert_eq!(lines.lock().len(), 2);
    }

    #[test]
    fn a_line_that_cannot_be_made_is_not_kept() {
        let lines = Lines::<u8>::new(2);
        assert_eq!(lines.line([1; 32], || Err("bad key")).unwrap_err(), "bad key");
        assert!(made(&lines, 1));
    }
}
