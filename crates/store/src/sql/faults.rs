//! What cannot be in a sound database: rows that belong to nothing, and rows that contradict each other.

use domain::Result;
use sqlx::query;

use super::{super::DAMAGE, Backend, rows::get};

macro_rules! of_no_device {
    ($table:literal) => {
        concat!(
            "SELECT count(*) AS faults FROM ",
            $table,
            " o WHERE NOT EXISTS (SELECT 1 FROM devices d WHERE d.tenant = o.tenant AND d.id = o.device)"
        )
    };
}

macro_rules! of_no_enrollment {
    ($table:literal) => {
        concat!(
            "SELECT count(*) AS faults FROM ",
            $table,
            " o WHERE NOT EXISTS (SELECT 1 FROM enrollments e
                WHERE e.tenant = o.tenant AND e.id = o.enrollment)"
        )
    };
}

/// What it is called, and how many there are. A device's enrollment is the one that its record names.
const FAULTS: [(&str, &str); 15] = [
    ("commands of no device", of_no_device!("commands")),
    ("pushes to no device", of_no_device!("pushes")),
    ("secrets of no device", of_no_device!("escrow")),
    ("IMEIs of no device", of_no_device!("device_imeis")),
    ("certificates of no enrollment", of_no_enrollment!("certificates")),
    ("channels of no enrollment", of_no_enrollment!("channels")),
    (
        "results of no finished command",
        "SELECT count(*) AS faults FROM outcomes o WHERE NOT EXISTS (SELECT 1 FROM commands m
             WHERE m.tenant = o.tenant AND m.device = o.device AND m.id = o.command AND m.state IN (3, 4))",
    ),
    (
        "ids of no open purge",
        "SELECT count(*) AS faults FROM purge_ids o WHERE NOT EXISTS (SELECT 1 FROM purges p
             WHERE p.tenant = o.tenant AND p.id = o.purge AND p.finished_at IS NULL)",
    ),
    (
        "enrollments with two pinned certificates",
        "SELECT count(*) AS faults FROM (SELECT 1 FROM certificates WHERE state = 1
             GROUP BY tenant, enrollment HAVING count(*) > 1) AS twice",
    ),
    (
        "managed devices without an active enrollment",
        "SELECT count(*) AS faults FROM devices d WHERE d.managed AND NOT EXISTS (SELECT 1 FROM enrollments e
             WHERE e.tenant = d.tenant AND e.id = d.enrollment AND e.device = d.id AND e.state = 2)",
    ),
    (
        "active enrollments without a device",
        "SELECT count(*) AS faults FROM enrollments e WHERE e.state = 2 AND NOT EXISTS (
             SELECT 1 FROM devices d WHERE d.tenant = e.tenant AND d.id = e.device AND d.enrollment = e.id)",
    ),
    (
        "open commands of an enrollment that is not the device's",
        "SELECT count(*) AS faults FROM commands m JOIN devices d ON d.tenant = m.tenant AND d.id = m.device
             WHERE m.state < 3 AND m.enrollment <> d.enrollment",
    ),
    (
        "commands that are both open and finished, or neither",
        "SELECT count(*) AS faults FROM commands WHERE (state < 3) <> (finished_at IS NULL)",
    ),
    (
        "certificates that are both known and of a purged device",
        "SELECT count(*) AS faults FROM certificates c JOIN tombstones t ON t.fingerprint = c.fingerprint",
    ),
    (
        "finished purges that left something out",
        "SELECT count(*) AS faults FROM purges
             WHERE finished_at IS NOT NULL AND asked <> purged + skipped + failed",
    ),
];

impl Backend {
    /// Everything that is wrong, a line for each kind; only reads, for as long as the database is large.
    pub(crate) async fn faults(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for row in self.all(query(DAMAGE)).await? {
            found.push(get(&row, "damage")?);
        }
        for (what, count) in FAULTS {
            let row = self.one(query(count)).await?;
            let faults: i64 = row.map_or(Ok(0), |row| get(&row, "faults"))?;
            if faults > 0 {
                found.push(format!("{faults} {what}"));
            }
        }
        Ok(found)
    }
}
