//! The page of the protocols' subtleties: every point is there once, and every test that it names is one.

use std::{collections::BTreeSet, fs, path::Path};

/// How many points there are.
const POINTS: usize = 80;

/// Why a point may have no test: a part that is not built yet, or something that this server does not have at all.
const EXCUSES: [&str; 4] = [
    "Not yet: account-driven enrollment",
    "Not yet: Automated Device Enrollment",
    "Not yet: ACME",
    "Not here: MySQL is none of this server's databases",
];

/// What is wrong with the page, a line each.
pub fn faults(page: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rows: Vec<(usize, &str)> = page.lines().filter_map(row).collect();
    let mut faults = Vec::new();
    let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
    let expected: Vec<usize> = (1..=POINTS).collect();
    if numbers != expected {
        let known: BTreeSet<_> = numbers.iter().copied().collect();
        let missing: Vec<_> = expected.iter().filter(|number| !known.contains(number)).collect();
        faults.push(format!("not every number once and in order; missing: {missing:?}"));
    }
    for (number, shown_by) in rows {
        faults.extend(faults_of(&root, shown_by).into_iter().map(|fault| format!("{number}: {fault}")));
    }
    faults
}

/// A point's number and what it is shown by.
fn row(line: &str) -> Option<(usize, &str)> {
    let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
    let number = cells.next()?.parse().ok()?;
    Some((number, cells.nth(1)?))
}

fn faults_of(root: &Path, shown_by: &str) -> Vec<String> {
    if EXCUSES.contains(&shown_by) {
        return Vec::new();
    }
    let (mut source, mut tests, mut faults) = (None, 0, Vec::new());
    for name in shown_by.split('`').skip(1).step_by(2) {
        if name.ends_with(".rs") {
            source = fs::read_to_string(root.join(name)).ok();
            faults.extend(source.is_none().then(|| format!("there is no {name}")));
            continue;
        }
        tests += 1;
        if !source.as_deref().is_some_and(|source| is_test(source, name)) {
            faults.push(format!("there is no test {name}"));
        }
    }
    if tests == 0 {
        faults.push("neither a test nor a known reason for none".into());
    }
    faults
}

/// Whether a source has a test of this name: one with the attribute right above it, or one that is run on both databases.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    let is_head = |line: &&str| line.strip_prefix("async ").unwrap_or(line).starts_with(&head);
    let Some(at) = lines.iter().position(is_head) else { return false };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let marked = above.into_iter().any(|line| line.starts_with("#[") && line.contains("test"));
    marked || lines.contains(&format!("on_both!({name});").as_str())
}

#[test]
fn a_name_that_is_no_test_is_found_out() {
    let source =
        "/// Why.\n#[tokio::test]\nasync fn one() {}\non_both!(two);\nasync fn two() {}\nfn three() {}\n";
    assert!(is_test(source, "one") && is_test(source, "two"));
    assert!(!is_test(source, "three") && !is_test(source, "four") && !is_test(source, "on"));
}

#[test]
fn a_point_without_a_test_or_a_reason_is_found_out() {
    let all: String = (1..=POINTS).map(|number| format!("| {number} | x | Not yet: ACME |\n")).collect();
    assert_eq!(faults(&all), [""; 0]);
    assert_eq!(faults(&all.replace("| 7 | x", "| 8 | x")).len(), 1);
    for wrong in ["Not yet: time", "`crates/server/none.rs` `one`", "`one`", "words"] {
        assert!(!faults(&all.replacen("Not yet: ACME", wrong, 1)).is_empty(), "{wrong}");
    }
}
