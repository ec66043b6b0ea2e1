//! Chores of this workspace: `cargo xtask openapi` rewrites what is generated, `cargo xtask check` looks whether the
//! rules of the architecture hold. Read `rules.rs` for those.

mod faces;
mod facts;
mod graph;
mod licences;
mod rules;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    let done = match task.as_deref() {
        Some("openapi") => write_openapi(),
        Some("check") => check(),
        Some("facts") => write_facts(),
        _ => {
            eprintln!(
                "cargo xtask openapi   writes docs/openapi/*.json\ncargo xtask check     checks the architecture's rules\ncargo xtask facts     writes crates/apple/src/facts from Apple's schema (--schema DIR)"
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write_openapi() -> Result<()> {
    let folder = root().join("docs/openapi");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (face, document) in web::openapi_documents() {
        let file = folder.join(format!("{face}.json"));
        fs::write(&file, document).with_context(|| format!("cannot write {}", file.display()))?;
        println!("{}", file.display());
    }
    Ok(())
}

fn write_facts() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(2).collect();
    facts::write(&root(), &facts::schema_folder(&root(), &arguments)?)
}

fn check() -> Result<()> {
    let faults = rules::faults(&root())?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        1 => bail!("1 rule is broken"),
        count => bail!("{count} rules are broken"),
    }
}

/// The workspace, two folders above this crate.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_rules() {
        let faults = rules::faults(&root()).unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
