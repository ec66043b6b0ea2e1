//! Many devices at once, where it matters that they are there and not how they came: rows like those of a device that has
//! enrolled, each with ids, keys and tokens of its own.

use std::sync::Arc;

use anyhow::{Context, Result};
use simulator::apns::PretendApns;

use super::postgres::Cluster;

/// Ids for the new ones, numbered.
const NUMBERED: &str = "
    CREATE TABLE bench_seeds AS
        SELECT n, gen_random_uuid() AS device, gen_random_uuid() AS enrollment,
            '\\x' || encode(sha256(n::text::bytea), 'hex') AS digest
        FROM generate_series(1, {COUNT}) n";

/// Whatever columns there are, they are those of the first device but for what must be different.
const COPIES: [&str; 4] = [
    "INSERT INTO enrollments SELECT r.*
     FROM (SELECT e.* FROM enrollments e JOIN devices d ON d.tenant = e.tenant AND d.enrollment = e.id LIMIT 1) e, bench_seeds s,
         jsonb_populate_record(NULL::enrollments, to_jsonb(e) || jsonb_build_object(
             'id', s.enrollment, 'device', s.device, 'key', 'SEED-' || s.n)) r",
    "INSERT INTO devices SELECT r.*
     FROM (SELECT * FROM devices LIMIT 1) d, bench_seeds s,
         jsonb_populate_record(NULL::devices, to_jsonb(d) || jsonb_build_object(
             'id', s.device, 'enrollment', s.enrollment, 'key', 'SEED-' || s.n, 'serial_number', 'SEED' || s.n,
             'external_id', NULL)) r",
    "INSERT INTO certificates OVERRIDING USER VALUE SELECT r.*
     FROM (SELECT * FROM certificates LIMIT 1) c, bench_seeds s,
         jsonb_populate_record(NULL::certificates, to_jsonb(c) || jsonb_build_object(
             'enrollment', s.enrollment, 'fingerprint', s.digest, 'challenge', NULL)) r",
    "INSERT INTO channels SELECT r.*
     FROM (SELECT * FROM channels WHERE channel = '' LIMIT 1) c, bench_seeds s,
         jsonb_populate_record(NULL::channels, to_jsonb(c) || jsonb_build_object(
             'enrollment', s.enrollment, 'device', s.device, 'push_token', s.digest)) r",
];

/// Adds `count` devices.
///
/// # Errors
/// What the database says.
pub fn plant(cluster: &Cluster, count: usize) -> Result<()> {
    cluster.execute(&NUMBERED.replace("{COUNT}", &count.to_string()))?;
    for copy in COPIES {
        cluster.execute(copy)?;
    }
    cluster.execute("VACUUM ANALYZE")?;
    cluster.execute("CHECKPOINT").map(drop)
}

/// The serial numbers of all that were added.
///
/// # Errors
/// What the database says.
pub fn serial_numbers(cluster: &Cluster) -> Result<Vec<String>> {
    let numbers = cluster.execute("SELECT 'SEED' || n FROM bench_seeds")?;
    Ok(numbers.lines().map(str::to_owned).collect())
}

/// Makes the pretend push service know their tokens.
///
/// # Errors
/// What the database says.
pub fn register(cluster: &Cluster, apns: &Arc<PretendApns>) -> Result<()> {
    let rows = cluster.execute(
        "SELECT encode(c.push_token, 'hex'), c.push_magic FROM channels c
         JOIN bench_seeds s ON c.enrollment = s.enrollment AND c.channel = ''",
    )?;
    for row in rows.lines() {
        let (token, magic) = row.split_once('|').context("a token and a magic")?;
        drop(apns.register(&bytes(token).context("a token in hexadecimal")?, magic));
    }
    Ok(())
}

/// Asks that all of them be woken, at once and by themselves.
///
/// # Errors
/// What the database says.
pub fn ask_pushes(cluster: &Cluster) -> Result<()> {
    let ask = "INSERT INTO pushes (tenant, device, channel, due_at, generation)
        SELECT c.tenant, c.device, c.channel, 1, 1 FROM channels c
        JOIN bench_seeds s ON c.enrollment = s.enrollment AND c.channel = '' ORDER BY c.tenant, c.device";
    cluster.execute(ask).map(drop)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_from_hexadecimal() {
        assert_eq!(bytes("00ff1a"), Some(vec![0, 255, 26]));
        assert_eq!((bytes("0"), bytes("zz")), (None, None));
    }
}
