//! Where settings come from, and what is said of wrong ones.

use super::Program;

/// A setting that is wrong is named with its value, so that one sees which of several counted.
async fn complains_of(program: &Program, arguments: &[&str], value: &str) {
    program.fails(&[&["serve"], arguments].concat(), 1, &format!("--tls {value}:")).await;
}

#[tokio::test]
async fn a_flag_beats_a_variable_which_beats_the_file() {
    let program = Program::new();
    program.write("remuda.toml", "tls = \"of-the-file\"");
    complains_of(&program, &[], "of-the-file").await;
    let program = program.with("REMUDA_TLS", "of-the-variable");
    complains_of(&program, &[], "of-the-variable").await;
    complains_of(&program, &["--tls", "of-the-flag"], "of-the-flag").await;
}

#[tokio::test]
async fn another_file_may_be_named_by_flag_and_by_variable() {
    let program = Program::new();
    program.write("remuda.toml", "tls = \"of-the-usual-file\"");
    program.write("named.toml", "tls = \"of-the-named-file\"");
    complains_of(&program, &["--config", "named.toml"], "of-the-named-file").await;
    program.fails(&["serve", "--config", "nowhere.toml"], 1, "nowhere.toml: ").await;
    let program = program.with("REMUDA_CONFIG", "named.toml");
    complains_of(&program, &[], "of-the-named-file").await;
}

#[tokio::test]
async fn the_data_folder_is_where_flag_variable_or_file_say() {
    let program = Program::new();
    program.write("remuda.toml", "data = \"of-the-file\"");
    let made = |name: &str| program.folder().join(name).join("remuda.db").exists();
    program.json(&["tenant", "list"]).await;
    assert!(made("of-the-file") && !made("remuda-data"));
    program.json(&["tenant", "list", "--data", "of-the-flag"]).await;
    assert!(made("of-the-flag"));
}

#[tokio::test]
async fn flags_may_stand_before_and_behind_the_command() {
    let program = Program::new();
    for arguments in [&["--data", "here", "tenant", "list"][..], &["tenant", "--data", "here", "list"]] {
        program.json(arguments).await;
    }
    assert!(program.folder().join("here").exists() && !program.folder().join("remuda-data").exists());
}

/// Whether they come by flag, by variable or by file, and whatever type they have.
#[tokio::test]
async fn every_fault_is_told_at_once_and_nothing_is_opened() {
    let program =
        Program::new().with("REMUDA_API_LISTEN", "localhost").with("REMUDA_MAX_CONNECTIONS", "many");
    program
        .write("remuda.toml", "log-format = \"xml\"\nmetrics-open = \"perhaps\"\ntrusted-proxy = [\"ten\"]");
    let arguments = [
        "serve",
        "--database",
        "mysql://host/name",
        "--device-listen",
        "8443",
        "--device-url",
        "http://mdm.example.com",
        "--apns-url",
        "http://push.example.com",
        "--tls",
        "on",
        "--client-cert-header",
        "a header",
        "--log",
        "loud=very",
        "--scep-allow-des=perhaps",
    ];
    let ran = program.run(&arguments).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    let told: Vec<_> =
        ran.stderr.lines().skip(1).map(|line| line.trim_start().split([' ', ':']).next().unwrap()).collect();
    let mut told = told;
    told.sort_unstable();
    let expected = [
        "--api-listen",
        "--apns-url",
        "--client-cert-header",
        "--database",
        "--device-listen",
        "--device-url",
        "--log",
        "--log-format",
        "--max-connections",
        "--metrics-open",
        "--scep-allow-des",
        "--tls",
        "--trusted-proxy",
    ];
    assert_eq!(told, expected, "{}", ran.stderr);
    assert!(!program.folder().join("remuda-data").exists(), "nothing was made");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_with_its_place() {
    let program = Program::new();
    program.write("remuda.toml", "device-lisen = \"0.0.0.0:1\"");
    program.fails(&["serve"], 1, "unknown field `device-lisen`").await;
    program.write("remuda.toml", "tls = off");
    program.fails(&["serve"], 1, "remuda.toml: TOML parse error at line 1").await;
}

#[tokio::test]
async fn what_is_not_a_command_or_a_flag_is_told_with_code_2() {
    let program = Program::new();
    program.fails(&["dance"], 2, "unrecognized subcommand 'dance'").await;
    program.fails(&["serve", "--loud"], 2, "unexpected argument '--loud'").await;
    program.fails(&["tenant"], 2, "Usage: remuda tenant").await;
    program.fails(&["device", "list", "--tenant", "no id"], 2, "no id").await;
}
