//! `remuda migrate-database`: moves an installation from SQLite to PostgreSQL.

use anyhow::{Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use store::{Moved, MovedTable, Phase, Progress};

use crate::{cli::Context, wire::told};

/// From where, and where to.
#[derive(Args)]
pub struct Arguments {
    /// The SQLite database, sqlite:PATH; no server may run on it
    #[arg(long, value_name = "URL")]
    from: String,
    /// An empty PostgreSQL database, postgres://…, or one into which the same was being moved
    #[arg(long, value_name = "URL")]
    to: String,
}

/// Moves, checks, and tells what there is now.
pub async fn run(context: &Context, arguments: Arguments) -> Result<()> {
    let Arguments { from, to } = arguments;
    let file = from.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    if file.is_some_and(|file| !std::path::Path::new(file).is_file()) {
        bail!("--from {from}: there is no such file");
    }
    let bar = bar(context);
    let moved = store::transfer(&from, &to, &|progress| show(&bar, progress)).await.map_err(told)?;
    bar.finish_and_clear();
    context.print(&value(&moved), &text(&moved, &context.config.key_ring.display().to_string()));
    Ok(())
}

fn bar(context: &Context) -> ProgressBar {
    if context.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% {msg}, {per_sec}, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, progress: Progress) {
    let doing = match progress.phase {
        Phase::Copy => "copying",
        Phase::Check => "checking",
    };
    if bar.length() != Some(progress.of) {
        bar.set_length(progress.of);
        // What an earlier run had done says nothing of the speed of this one.
        bar.set_position(progress.done);
        bar.reset_eta();
    }
    bar.set_message(format!("{doing} {}", progress.table));
    bar.set_position(progress.done);
}

fn rows(moved: &Moved) -> u64 {
    moved.tables.iter().map(|table| table.rows).sum()
}

fn value(moved: &Moved) -> Value {
    let table =
        |table: &MovedTable| json!({ "name": table.name, "rows": table.rows, "sha256": hex(&table.sha256) });
    json!({
        "rows": rows(moved),
        "resumed_at": moved.found,
        "replaced": moved.replaced,
        "tables": moved.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

fn text(moved: &Moved, key_ring: &str) -> String {
    let filled: Vec<_> = moved
        .tables
        .iter()
        .filter(|table| table.rows > 0)
        .map(|table| vec![table.name.to_owned(), table.rows.to_string(), hex(&table.sha256)])
        .collect();
    let mut lines = vec![super::table(&["TABLE", "ROWS", "SHA-256"], &filled)];
    if moved.replaced > 0 {
        lines.push(format!(
            "in {} texts U+0000, which PostgreSQL does not know, became U+FFFD",
            moved.replaced
        ));
    }
    lines.push(format!(
        "{} rows are in PostgreSQL as they were in SQLite; start the server with --database and the key ring {key_ring}, \
         and none on the SQLite file any more",
        rows(moved)
    ));
    lines.join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
