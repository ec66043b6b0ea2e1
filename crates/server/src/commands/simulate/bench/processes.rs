//! What processes cost, as Linux tells it: CPU time and memory, of a process and of all that it has started.

use std::{fs, time::Duration};

/// How long one tick of `/proc/PID/stat` is: `USER_HZ` is 100 on every machine that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process whose costs are of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its id.
    pub pid: u32,
    /// Whether what it has started counts as well.
    pub with_children: bool,
}

/// What `/proc/PID/stat` says of one process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
    /// Of children that have ended and were waited for.
    ended: u64,
}

impl Watched {
    /// The CPU time of user and kernel so far; that of a process that is gone is zero.
    pub fn cpu(self) -> Duration {
        let Some(own) = stat(self.pid) else { return Duration::ZERO };
        if !self.with_children {
            return ticks(own.ticks);
        }
        let children = processes().filter_map(stat).filter(|child| child.parent == self.pid);
        ticks(own.ticks + own.ended + children.map(|child| child.ticks + child.ended).sum::<u64>())
    }

    /// The memory that it holds now (`VmRSS`), bytes; without its children's.
    pub fn memory(self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it has held (`VmHWM`), bytes.
    pub fn most_memory(self) -> u64 {
        self.status("VmHWM:")
    }

    /// Begins to watch for the most memory anew.
    ///
    /// # Errors
    /// Where the process is not ours.
    pub fn forget_most_memory(self) -> std::io::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5")
    }

    fn status(self, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        kilobytes(&text, name).unwrap_or(0) * 1024
    }
}

fn ticks(count: u64) -> Duration {
    TICK * u32::try_from(count).unwrap_or(u32::MAX)
}

fn processes() -> impl Iterator<Item = u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn stat(pid: u32) -> Option<Stat> {
    read_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in brackets may hold anything, brackets too.
fn read_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)?,
        ended: number(13)? + number(14)?,
    })
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_may_hold_brackets() {
        let text = "42 (a) b) S 7 1 1 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 5 6 7";
        assert_eq!(read_stat(text), Some(Stat { parent: 7, ticks: 33, ended: 77 }));
        assert_eq!(read_stat("42 (a"), None);
    }

    #[test]
    fn memory_is_told_in_kilobytes() {
        assert_eq!(kilobytes("Name:\tx\nVmHWM:\t  12 kB\nVmRSS:\t    9 kB\n", "VmRSS:"), Some(9));
        assert_eq!(kilobytes("Name:\tx\n", "VmRSS:"), None);
    }

    #[test]
    fn this_process_costs_something() {
        let this = Watched { pid: std::process::id(), with_children: true };
        assert!(this.memory() > 0 && this.most_memory() >= this.memory());
        assert!(Watched { pid: u32::MAX, with_children: false }.cpu().is_zero());
    }
}
