//! What the program says of itself, and the page of the operator's book that is made of it.

use std::path::Path;

use clap::{Arg, Command};
use server::config::Settings;

use super::Program;

/// Asks for the page to be written anew instead of compared.
const UPDATE: &str = "REMUDA_UPDATE_DOCS";

fn whole() -> Command {
    let mut command = server::cli::command();
    command.build();
    command
}

fn page() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/settings-and-commands.md")
}

/// What an argument's help says, its default taken out.
fn said(argument: &Arg) -> (String, String) {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    let (help, default) = match help.split_once(" [default: ") {
        Some((help, rest)) => (help.to_owned(), rest.trim_end_matches(']').to_owned()),
        None => (help, String::new()),
    };
    let own: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    (help, if own.is_empty() { default } else { own.join(", ") })
}

fn settings(command: &Command) -> Vec<&Arg> {
    command.get_arguments().filter(|argument| argument.get_env().is_some()).collect()
}

fn flag(argument: &Arg) -> String {
    let value = argument.get_value_names().map(|names| format!(" {}", names[0])).unwrap_or_default();
    match argument.get_long() {
        Some(_) if !argument.get_action().takes_values() => format!("--{}", argument.get_long().unwrap()),
        Some(long) if argument.get_num_args().is_some_and(|count| count.min_values() == 0) => {
            format!("--{long}")
        }
        Some(long) => format!("--{long}{value}"),
        None => value.trim().to_owned(),
    }
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) }
}

fn rows(lines: &mut Vec<String>, arguments: &[&Arg], with_variable: bool) {
    lines.push(format!("| | {}default | |", if with_variable { "variable | " } else { "" }));
    lines.push(format!("|---|{}---|---|", if with_variable { "---|" } else { "" }));
    for argument in arguments {
        let (help, default) = said(argument);
        let variable =
            argument.get_env().map(|name| format!("`{}` | ", name.to_string_lossy())).unwrap_or_default();
        let needed = if argument.is_required_set() { "needed".to_owned() } else { code(&default) };
        lines.push(format!(
            "| {} | {variable}{needed} | {} |",
            code(&flag(argument)),
            help.replace('|', "\\|")
        ));
    }
    lines.push(String::new());
}

fn commands(lines: &mut Vec<String>, command: &Command, path: &str) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let subcommands: Vec<_> = command.get_subcommands().filter(|it| it.get_name() != "help").collect();
    if subcommands.is_empty() {
        lines.extend([format!("### `{path}`"), String::new(), format!("{about}."), String::new()]);
        let own: Vec<_> = command.get_arguments().filter(|it| !it.is_global_set() && !is_usual(it)).collect();
        if !own.is_empty() {
            rows(lines, &own, false);
        }
    }
    for subcommand in subcommands {
        commands(lines, subcommand, &format!("{path} {}", subcommand.get_name()));
    }
}

fn is_usual(argument: &Arg) -> bool {
    matches!(argument.get_id().as_str(), "help" | "version")
}

fn generated() -> String {
    let command = whole();
    let mut lines: Vec<String> = [
        "# Settings and commands",
        "",
        "<!-- Made of the program's own help: REMUDA_UPDATE_DOCS=1 cargo nextest run -p server --test apis the_page -->",
        "",
        "## Settings",
        "",
        "Each is a flag of every command, an environment variable, and, without its dashes, a key of `remuda.toml`.",
        "A flag beats a variable, a variable beats the file, and that beats the default. All that is wrong is told at",
        "once, before anything is opened.",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    rows(&mut lines, &settings(&command), true);
    lines.extend(["## Commands", "", "With `--json` each prints one JSON object.", ""].map(str::to_owned));
    commands(&mut lines, &command, "remuda");
    lines.pop();
    lines.join("\n") + "\n"
}

#[test]
fn the_page_says_what_the_program_says() {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(page(), generated()).expect("the page is written");
    }
    let checked_in = std::fs::read_to_string(page()).unwrap_or_default();
    assert!(
        checked_in == generated(),
        "docs/guide/settings-and-commands.md is out of date: {UPDATE}=1 writes it anew"
    );
}

#[test]
fn everything_that_can_be_typed_is_explained() {
    fn explained(command: &Command, path: &str) {
        assert!(command.get_about().is_some(), "{path}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {}", argument.get_id());
        }
        for subcommand in command.get_subcommands() {
            explained(subcommand, &format!("{path} {}", subcommand.get_name()));
        }
    }
    explained(&whole(), "remuda");
}

/// A setting without a default in its help has none: then the help says what happens without.
#[test]
fn every_setting_is_a_flag_a_variable_and_a_key() {
    let command = whole();
    let settings = settings(&command);
    assert!(settings.len() > 15);
    for argument in settings {
        let long = argument.get_long().expect("a flag");
        let variable = argument.get_env().expect("a variable").to_string_lossy().into_owned();
        assert_eq!(variable, format!("REMUDA_{}", long.to_uppercase().replace('-', "_")));
        if long != "config" {
            let known = ["\"text\"", "true", "7", "[\"text\"]"];
            let read =
                known.iter().any(|value| toml::from_str::<Settings>(&format!("{long} = {value}")).is_ok());
            assert!(read, "{long} is no key of remuda.toml");
        }
    }
}

#[tokio::test]
async fn help_lists_every_command_and_every_setting_with_its_default_and_variable() {
    let program = Program::new();
    let help = program.run(&["help"]).await;
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    // As wide as a terminal, so that words stand on several lines.
    let flowing = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let command = whole();
    for subcommand in command.get_subcommands() {
        assert!(
            help.stdout.contains(&format!("\n  {} ", subcommand.get_name())),
            "{}",
            subcommand.get_name()
        );
    }
    for argument in settings(&command) {
        let (said, default) = said(argument);
        let variable = argument.get_env().unwrap().to_string_lossy();
        assert!(flowing.contains(&format!("--{}", argument.get_long().unwrap())));
        assert!(flowing.contains(&said), "{said}");
        assert!(flowing.contains(&format!("[env: {variable}")), "{variable}");
        assert!(default.is_empty() || flowing.contains(&format!("[default: {default}]")), "{default}");
    }
}

#[tokio::test]
async fn help_of_a_command_shows_its_arguments_and_the_version_is_told() {
    let program = Program::new();
    let help = program.run(&["help", "enrollment", "add"]).await;
    for word in ["--tenant", "--user", "--device", "--uses", "--ttl", "[default: 7d]"] {
        assert!(help.stdout.contains(word), "{word}");
    }
    let version = program.run(&["--version"]).await;
    assert_eq!(version.stdout.trim(), concat!("remuda ", env!("CARGO_PKG_VERSION")));
}
