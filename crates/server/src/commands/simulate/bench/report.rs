//! All figures, as they are printed.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{
    figures::{Figures, rounded},
    way::{IDLE_TIMES_FLOOR, Way},
};

/// The case that the others are compared with: the floor of the same devices, measured by turns with their empty polls.
pub const FLOOR: &str = "floor";

/// All figures, in the order in which they were measured.
#[derive(Debug, Default)]
pub struct Report(Vec<Entry>);

/// The figures of one case on one database.
#[derive(Debug)]
struct Entry {
    way: Way,
    database: &'static str,
    case: &'static str,
    figures: Figures,
}

impl Report {
    /// Adds a case.
    pub fn add(&mut self, way: Way, database: &'static str, case: &'static str, figures: Figures) {
        self.0.push(Entry { way, database, case, figures });
    }

    /// `{"header":{"rsa":{"sqlite":{"floor":{…},"idle":{…},…}}}}`.
    pub fn json(&self) -> Value {
        let mut all = Value::Object(Map::new());
        for entry in &self.0 {
            let [identity, keys] = entry.way.names();
            let mut figures = json!(entry.figures);
            if let Some(goal) = entry.goal() {
                figures["goal_cpu_ms"] = json!(goal);
            }
            if let Some(times) = self.times_floor(entry) {
                figures["times_floor"] = json!(rounded(times, 3));
            }
            all[identity][keys][entry.database][entry.case] = figures;
        }
        all
    }

    /// For people: where there are several ways CPU alone, side by side; then each way with all of its figures.
    pub fn table(&self) -> String {
        let ways = self.ways();
        let mut table = String::new();
        if ways.len() > 1 {
            self.side_by_side(&ways, &mut table);
        }
        for way in ways {
            self.one_way(way, &mut table);
        }
        let _ = write!(
            table,
            "CPU: of server and database together, for one piece of work; in brackets, and as \"goal\": the most that it may be.\n\
             An idle poll may cost {IDLE_TIMES_FLOOR} times its floor."
        );
        table
    }

    fn side_by_side(&self, ways: &[Way], table: &mut String) {
        let _ = write!(table, "{:<24}", "CPU ms");
        for way in ways {
            let _ = write!(table, "{:<22}", way.title());
        }
        for (database, case) in self.rows() {
            let _ = write!(table, "\n{database:<10}{case:<14}");
            for way in ways {
                let entry = self.find(*way, database, case);
                let _ = write!(table, "{:<22}", entry.map(Entry::cost).unwrap_or_default());
            }
            if case != "idle" {
                continue;
            }
            let _ = write!(table, "\n{database:<10}{:<14}", "idle / floor");
            for way in ways {
                let times = self.find(*way, database, case).and_then(|entry| self.times_floor(entry));
                let times = times.map(|times| format!("{times:.2} ({IDLE_TIMES_FLOOR})"));
                let _ = write!(table, "{:<22}", times.unwrap_or_default());
            }
        }
        table.push_str("\n\n");
    }

    fn one_way(&self, way: Way, table: &mut String) {
        let _ = writeln!(
            table,
            "{:<24}{:>9}{:>7}{:>9}{:>12}{:>9}{:>9}{:>12}{:>10}{:>10}",
            way.title(),
            "CPU ms",
            "goal",
            "x floor",
            "per second",
            "p50 ms",
            "p99 ms",
            "database's",
            "callers'",
            "count"
        );
        for entry in self.0.iter().filter(|entry| entry.way == way) {
            let goal = entry.goal().map_or(String::new(), |goal| format!("{goal:.2}"));
            let times = self.times_floor(entry).map_or(String::new(), |times| format!("{times:.2}"));
            let Figures { cpu_ms, database_cpu_ms, callers_cpu_ms, per_s, p50_ms, p99_ms, count } =
                entry.figures;
            let _ = writeln!(
                table,
                "{:<10}{:<14}{cpu_ms:>9.4}{goal:>7}{times:>9}{per_s:>12.0}{p50_ms:>9.2}{p99_ms:>9.2}\
                 {database_cpu_ms:>12.4}{callers_cpu_ms:>10.4}{count:>10}",
                entry.database, entry.case
            );
        }
        table.push('\n');
    }

    fn ways(&self) -> Vec<Way> {
        distinct(self.0.iter().map(|entry| entry.way))
    }

    /// The cases on each database, by any way: not every way has all of them.
    fn rows(&self) -> Vec<(&'static str, &'static str)> {
        let databases = distinct(self.0.iter().map(|entry| entry.database));
        let mut rows = distinct(self.0.iter().map(|entry| (entry.database, entry.case)));
        rows.sort_by_key(|(database, _)| databases.iter().position(|known| known == database));
        rows
    }

    fn find(&self, way: Way, database: &str, case: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| (entry.way, entry.database, entry.case) == (way, database, case))
    }

    /// How many times its floor a case costs.
    fn times_floor(&self, entry: &Entry) -> Option<f64> {
        let floor = self.find(entry.way, entry.database, FLOOR)?.figures.cpu_ms;
        (entry.case != FLOOR && floor > 0.0).then(|| entry.figures.cpu_ms / floor)
    }
}

impl Entry {
    fn goal(&self) -> Option<f64> {
        self.way.goal(self.case)
    }

    /// `0.0321 (0.05)`.
    fn cost(&self) -> String {
        let goal = self.goal().map_or(String::new(), |goal| format!(" ({goal:.2})"));
        format!("{:.4}{goal}", self.figures.cpu_ms)
    }
}

/// Each once, in the order in which they come.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::super::way::{Identity, Keys};
    use super::*;

    const HEADER: Way = Way { identity: Identity::Header, keys: Keys::Rsa };
    const P256: Way = Way { identity: Identity::Signature, keys: Keys::P256 };

    fn figures(cpu_ms: f64) -> Figures {
        let (database_cpu_ms, callers_cpu_ms) = (0.0, 0.01);
        Figures { cpu_ms, database_cpu_ms, callers_cpu_ms, per_s: 10.0, p50_ms: 1.0, p99_ms: 2.0, count: 3 }
    }

    fn report() -> Report {
        let mut report = Report::default();
        for (way, database, case, cpu_ms) in [
            (HEADER, "sqlite", FLOOR, 0.02),
            (HEADER, "sqlite", "idle", 0.03),
            (HEADER, "postgres", FLOOR, 0.05),
            (HEADER, "postgres", "idle", 0.06),
            (P256, "sqlite", "idle", 0.04),
        ] {
            report.add(way, database, case, figures(cpu_ms));
        }
        report
    }

    #[test]
    fn programs_find_each_case_with_its_goal_and_its_own_floor() {
        let json = report().json();
        let idle = &json["header"]["rsa"]["sqlite"]["idle"];
        assert_eq!(
            (&idle["cpu_ms"], &idle["goal_cpu_ms"], &idle["times_floor"]),
            (&json!(0.03), &json!(0.05), &json!(1.5))
        );
        assert_eq!(json["header"]["rsa"]["postgres"]["idle"]["times_floor"], 1.2);
        assert!(json["header"]["rsa"]["sqlite"][FLOOR].get("times_floor").is_none());
        let beside = &json["signature"]["p256"]["sqlite"]["idle"];
        assert!(beside.get("goal_cpu_ms").is_none() && beside.get("times_floor").is_none(), "{beside}");
    }

    #[test]
    fn people_see_several_ways_side_by_side() {
        let table = report().table();
        let line = |begin: &str| table.lines().find(|line| line.starts_with(begin)).unwrap_or_default();
        let words = |begin: &str| line(begin).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words("CPU ms"), "CPU ms certificate header P-256 signature");
        assert_eq!(words("sqlite    idle  "), "sqlite idle 0.0300 (0.05) 0.0400");
        assert_eq!(words("sqlite    idle /"), "sqlite idle / floor 1.50 (1.5)");
        assert_eq!(words("postgres  idle  "), "postgres idle 0.0600 (0.05)");
        assert!(table.contains("certificate header         CPU ms   goal  x floor  per second"), "{table}");
        assert!(table.contains("0.0300   0.05     1.50          10     1.00     2.00"), "{table}");
    }

    #[test]
    fn one_way_alone_stands_beside_nothing() {
        let mut report = Report::default();
        report.add(HEADER, "sqlite", "idle", figures(0.03));
        assert!(report.table().starts_with("certificate header "), "{}", report.table());
    }
}
