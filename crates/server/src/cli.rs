//! The command line: what was typed, and the file of [`crate::commands`] that does it.

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{
    commands::{
        admin, android, api_key, application, command as apple_command, demo, device, device_ca, doctor,
        enrollment, facts, group, init, key_ring, migrate_database, purge, push_certificate, serve, simulate,
        tenant, token_key, user,
    },
    config::{self, Config, Settings},
    logging,
    output::line,
};

/// Device management for Apple and Android devices, on a server of your own.
#[derive(Parser)]
#[command(name = "remuda", version, propagate_version = true, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Shared {
    /// File of settings [default: remuda.toml in this folder, if there is one]
    #[arg(long, env = "REMUDA_CONFIG", value_name = "FILE", global = true)]
    config: Option<std::path::PathBuf>,
    /// Prints one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the first tenant, administrator and API key
    Init(init::Arguments),
    /// Runs the server
    Serve,
    /// Runs the whole thing on a temporary folder, with pretend devices
    Demo(demo::Arguments),
    /// Lets pretend devices live on a server
    Simulate(simulate::Arguments),
    /// Tenants
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Administrators
    #[command(subcommand)]
    Admin(admin::Command),
    /// API keys of administrators
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Applications that use the lifecycle API
    #[command(subcommand)]
    Application(application::Command),
    /// Keys that sign the tokens of the lifecycle API
    #[command(subcommand)]
    TokenKey(token_key::Command),
    /// Keys under which secrets are sealed in the database
    #[command(subcommand)]
    KeyRing(key_ring::Command),
    /// Moves an installation from SQLite to PostgreSQL; may be called again where it was interrupted
    MigrateDatabase(migrate_database::Arguments),
    /// People whose devices are managed
    #[command(subcommand)]
    User(user::Command),
    /// Groups that the Device API lists
    #[command(subcommand)]
    Group(group::Command),
    /// Links that enroll devices
    #[command(subcommand)]
    Enrollment(enrollment::Command),
    /// The certificate by which devices are woken
    #[command(subcommand)]
    PushCertificate(push_certificate::Command),
    /// Android devices: the tenant's place at Google
    #[command(subcommand)]
    Android(android::Command),
    /// CAs whose identities are trusted beside our own
    #[command(subcommand)]
    DeviceCa(device_ca::Command),
    /// Devices
    #[command(subcommand)]
    Device(device::Command),
    /// Purges that the lifecycle API asked for
    #[command(subcommand)]
    Purge(purge::Command),
    /// Apple's commands: sent to devices, looked at, or checked without any
    #[command(subcommand)]
    Command(apple_command::Command),
    /// What Apple's schema says
    #[command(subcommand)]
    Facts(facts::Command),
    /// Tells what is wrong or will expire, and what to do about it
    Doctor,
}

/// What a command gets beside its own arguments.
pub struct Context {
    /// The settings.
    pub config: Config,
    /// The settings as they were given.
    pub settings: Settings,
    /// Whether to print JSON.
    pub json: bool,
}

impl Context {
    /// Prints `value` as JSON, or `text` for people. Ends the program if it cannot: what is printed may be told only once.
    pub fn print(&self, value: &serde_json::Value, text: &str) {
        let printed = if self.json { line(format_args!("{value}")) } else { line(format_args!("{text}")) };
        if let Err(error) = printed {
            eprintln!("remuda: standard output: {error}");
            std::process::exit(1);
        }
    }
}

/// Does what was typed; the exit code says whether it went well.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("remuda: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = config::from_file(cli.shared.config.as_deref()).map_err(anyhow::Error::msg)?;
    let settings = cli.shared.settings.or(file);
    let context = Context { config: Config::new(settings.clone())?, settings, json: cli.shared.json };
    logging::start(&context.config).map_err(anyhow::Error::msg)?;
    match cli.command {
        Command::Init(arguments) => init::run(&context, arguments).await?,
        Command::Serve => serve::run(&context).await?,
        Command::Demo(arguments) => demo::run(&context, arguments).await?,
        Command::Simulate(arguments) => return simulate::run(&context, arguments).await,
        Command::Tenant(command) => tenant::run(&context, command).await?,
        Command::Admin(command) => admin::run(&context, command).await?,
        Command::ApiKey(command) => api_key::run(&context, command).await?,
        Command::Application(command) => application::run(&context, command).await?,
        Command::TokenKey(command) => token_key::run(&context, command).await?,
        Command::KeyRing(command) => key_ring::run(&context, command).await?,
        Command::MigrateDatabase(arguments) => migrate_database::run(&context, arguments).await?,
        Command::User(command) => user::run(&context, command).await?,
        Command::Group(command) => group::run(&context, command).await?,
        Command::Enrollment(command) => enrollment::run(&context, command).await?,
        Command::PushCertificate(command) => push_certificate::run(&context, command).await?,
        Command::Android(command) => android::run(&context, command).await?,
        Command::DeviceCa(command) => device_ca::run(&context, command).await?,
        Command::Device(command) => device::run(&context, command).await?,
        Command::Purge(command) => purge::run(&context, command).await?,
        Command::Command(command) => return apple_command::run(&context, command).await,
        Command::Facts(command) => facts::run(&context, &command)?,
        Command::Doctor => return doctor::run(&context).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole command line, for the page that lists it.
pub fn command() -> clap::Command {
    Cli::command()
}
