//! `remuda simulate --bench`: that it measures what it says and prints what programs read; never how fast anything is.

use serde_json::Value;

use super::{Program, keys};

const FIGURES: [&str; 7] =
    ["callers_cpu_ms", "count", "cpu_ms", "database_cpu_ms", "p50_ms", "p99_ms", "per_s"];
const CASES: [&str; 7] = ["floor", "idle", "idle_alone", "mixed_day", "report", "round_trip", "tokenupdate"];
const WITH_A_GOAL: [&str; 3] = ["idle", "report", "tokenupdate"];

#[track_caller]
fn measured(cases: &Value, names: &[&str]) {
    assert_eq!(keys(cases), names, "{cases}");
    for name in names {
        let case = &cases[name];
        for figure in FIGURES {
            assert!(case[figure].as_f64() >= Some(0.0), "{name}: {case}");
        }
        assert!(case["count"].as_u64() > Some(0) && case["per_s"].as_f64() > Some(0.0), "{name}: {case}");
        assert!(case["p50_ms"].as_f64() > Some(0.0), "{name}: {case}");
    }
}

/// Which cases have a goal.
fn goals(cases: &Value) -> Vec<&str> {
    keys(cases).into_iter().filter(|case| cases[case].get("goal_cpu_ms").is_some()).collect()
}

async fn short(arguments: &[&str]) -> Value {
    let bench = ["simulate", "--bench", "--devices", "4", "--seconds", "0.1", "--callers", "2"];
    Program::new().json(&[&bench[..], arguments].concat()).await
}

#[tokio::test]
async fn every_case_is_measured_beside_its_floor_and_its_goal() {
    let told = short(&["--only", "sqlite"]).await;
    assert_eq!((keys(&told), keys(&told["header"])), (vec!["header"], vec!["rsa"]));
    measured(&told["header"]["rsa"]["sqlite"], &CASES);
    assert_eq!(goals(&told["header"]["rsa"]["sqlite"]), WITH_A_GOAL);
}

#[tokio::test]
async fn a_database_of_its_own_is_counted_as_well() {
    let told = short(&["--only", "postgres", "--identity", "signature", "--key-kind", "p256"]).await;
    assert_eq!((keys(&told), keys(&told["signature"])), (vec!["signature"], vec!["p256"]));
    let cases = &told["signature"]["p256"]["postgres"];
    measured(cases, &CASES);
    assert_eq!(goals(cases), [""; 0], "reported beside those with goals");
}

#[tokio::test]
async fn several_identities_are_measured_in_one_run_and_new_connections_with_tls() {
    let told = short(&["--only", "sqlite", "--identity", "header,tls", "--key-kind", "p256"]).await;
    assert_eq!(keys(&told), ["header", "tls"]);
    measured(&told["header"]["p256"]["sqlite"], &CASES);
    let mut cases = CASES.to_vec();
    cases.insert(4, "new_tls");
    measured(&told["tls"]["p256"]["sqlite"], &cases);
}

async fn sized(case: &str) -> Value {
    Program::new().json(&["simulate", "--bench", "--case", case, "--devices", "10", "--seconds", "0.1"]).await
}

#[tokio::test]
async fn one_command_reaches_and_wakes_all() {
    let told = sized("fanout").await;
    assert_eq!(told["devices"], 10, "{told}");
    assert!(told["pushes_alone_s"].as_f64() > Some(0.0), "{told}");
    assert!(told["queued_s"].as_f64() <= told["all_pushed_s"].as_f64(), "{told}");
}

#[tokio::test]
async fn a_list_is_measured_by_memory_and_first_byte() {
    let told = sized("list").await;
    assert!(told["bytes"].as_u64() > Some(1000) && told["first_byte_ms"].as_f64() > Some(0.0), "{told}");
    assert!(told["memory_before_mib"].as_f64() > Some(1.0), "{told}");
}

#[tokio::test]
async fn memory_is_that_of_the_server_beside_a_full_database() {
    let told = sized("memory").await;
    assert!(told["polls"].as_u64() > Some(0), "{told}");
    assert!(told["most_mib"].as_f64() >= told["after_polls_mib"].as_f64(), "{told}");
}

#[tokio::test]
async fn enrolling_is_measured_part_by_part() {
    let told = sized("enroll").await;
    let parts = told["parts"].as_array().unwrap();
    assert_eq!(
        parts.iter().map(|part| part["enrolled"].as_u64().unwrap()).collect::<Vec<_>>(),
        [2, 4, 6, 8, 10]
    );
    assert!(parts.iter().all(|part| part["cpu_ms"].as_f64() >= Some(0.0)), "{told}");
}

#[tokio::test]
async fn a_benchmark_has_bounds() {
    let program = Program::new();
    program.fails(&["simulate", "--bench", "--seconds", "1000"], 2, "0.05 to 600 seconds").await;
    program.fails(&["simulate", "--bench", "--devices", "0"], 2, "1 to 1,000,000 devices").await;
    program.fails(&["simulate"], 2, "--enroll").await;
}
