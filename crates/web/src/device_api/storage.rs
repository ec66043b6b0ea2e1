//! Storage, in the units and the words of the published API.

/// Total and free space of a device, GB as it reports them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Storage {
    total: Option<f64>,
    free: Option<f64>,
}

impl Storage {
    /// What a device reported; numbers that no disk has count as unknown.
    pub(super) fn reported(total: Option<f64>, free: Option<f64>) -> Self {
        let sound = |gigabytes: &f64| (0.0..1e9).contains(gigabytes);
        Self { total: total.filter(sound), free: free.filter(sound) }
    }

    /// All of it, MB.
    pub(super) fn total_mb(self) -> Option<u64> {
        self.total.map(megabytes)
    }

    /// What is free, MB.
    pub(super) fn free_mb(self) -> Option<u64> {
        self.free.map(megabytes)
    }

    /// `52.2 GB / 64.0 GB - 81.55 %`: free, total, and the share that is free.
    pub(super) fn info(self) -> Option<String> {
        let total = self.total.filter(|total| *total > 0.0)?;
        let free = self.free.filter(|free| *free <= total)?;
        Some(format!("{free:.1} GB / {total:.1} GB - {:.2} %", free / total * 100.0))
    }
}

/// The published example has 64.0 GB as 65536 MB, so that a GB is 1024 of them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be within 0 and 10^9 GB"
)]
fn megabytes(gigabytes: f64) -> u64 {
    (gigabytes * 1024.0).round() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_example_comes_out() {
        let storage = Storage::reported(Some(64.0), Some(53444.0 / 1024.0));
        assert_eq!(storage.total_mb(), Some(65536));
        assert_eq!(storage.free_mb(), Some(53444));
        assert_eq!(storage.info().as_deref(), Some("52.2 GB / 64.0 GB - 81.55 %"));
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let half = Storage::reported(Some(128.0), None);
        assert_eq!((half.total_mb(), half.free_mb(), half.info()), (Some(131_072), None, None));
        assert_eq!(Storage::reported(None, Some(1.0)).info(), None);
        assert_eq!(Storage::reported(Some(0.0), Some(0.0)).info(), None);
        assert_eq!(Storage::reported(Some(1.0), Some(2.0)).info(), None, "more is free than there is");
    }

    #[test]
    fn a_full_disk_is_full() {
        assert_eq!(
            Storage::reported(Some(64.0), Some(0.0)).info().as_deref(),
            Some("0.0 GB / 64.0 GB - 0.00 %")
        );
    }

    #[test]
    fn numbers_that_no_disk_has_are_unknown() {
        for number in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(
                Storage::reported(Some(number), Some(number)),
                Storage::reported(None, None),
                "{number}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_report_is_shown_or_left_out(total: Option<f64>, free: Option<f64>) {
            let storage = Storage::reported(total, free);
            prop_assert!(storage.info().is_none_or(|info| info.len() < 60));
            let _ = (storage.total_mb(), storage.free_mb());
        }
    }
}
