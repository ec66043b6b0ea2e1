//! `cargo xtask facts`: Apple's schema and our overlay become the tables of the crate `apple`.

mod overlay;
mod rules;
mod schema;
mod tables;
mod terms;
#[cfg(test)]
mod tests;
mod yaml;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use schema::{Schema, yaml_files};

/// Where the tables are, in the workspace.
const TABLES: &str = "crates/apple/src/facts";
/// Where the overlay is, in the workspace.
const OVERLAY: &str = "crates/apple/schema-overlay";

/// Everything that is generated: names and texts of files in the folder of the tables.
pub struct Generated {
    pub files: Vec<(String, String)>,
    pub schema_files: usize,
    pub overlay_entries: usize,
}

/// Reads the schema in `folder` and writes the tables.
pub fn write(root: &Path, folder: &Path) -> Result<()> {
    let generated = generate(root, folder)?;
    for (name, text) in &generated.files {
        let file = root.join(TABLES).join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("{}", file.display());
    }
    println!(
        "{} files of Apple's schema, {} entries of the overlay",
        generated.schema_files, generated.overlay_entries
    );
    Ok(())
}

/// The schema that the arguments name: `--schema DIR`, else the folder beside the workspace.
pub fn schema_folder(root: &Path, arguments: &[String]) -> Result<PathBuf> {
    match arguments {
        [] => Ok(default_folder(root)),
        [flag, folder] if flag == "--schema" => Ok(PathBuf::from(folder)),
        _ => anyhow::bail!("cargo xtask facts [--schema DIR]"),
    }
}

/// `REMUDA_APPLE_SCHEMA`, else `apple-device-management` in the `shared` folder beside the workspace.
fn default_folder(root: &Path) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a chore for developers, which has no settings")]
    let named = std::env::var("REMUDA_APPLE_SCHEMA");
    named.map_or_else(|_| root.join("../shared/apple-device-management"), PathBuf::from)
}

fn generate(root: &Path, folder: &Path) -> Result<Generated> {
    let mut schema = Schema::read(folder)?;
    let schema_files = schema.files.len();
    let overlay_entries = overlay::apply(&mut schema, &root.join(OVERLAY))?;
    let mut files = tables::write(&schema)?;
    for (name, text) in &mut files {
        *text = rustfmt(root, text).with_context(|| format!("rustfmt of {name}"))?;
    }
    let sources = digest_of_sources(&[folder, &root.join(OVERLAY)])?;
    files.push(("REVISION".to_owned(), format!("{}\n", &sources[..8])));
    let manifest = manifest(&files, &overlay_digest(root)?);
    files.push(("MANIFEST".to_owned(), manifest));
    Ok(Generated { files, schema_files, overlay_entries })
}

/// Digests of the generated files and of the overlay, by which they can be checked without the schema.
fn manifest(files: &[(String, String)], overlay: &str) -> String {
    let mut text =
        String::from("SHA-256 of what `cargo xtask facts` wrote, and of the overlay that it read.\n");
    for (name, content) in files {
        let _ = writeln!(text, "{} {name}", sha256(content.as_bytes()));
    }
    let _ = writeln!(text, "{overlay} schema-overlay");
    text
}

fn overlay_digest(root: &Path) -> Result<String> {
    digest_of_sources(&[&root.join(OVERLAY)])
}

/// One digest of all YAML files of these folders, their paths included.
fn digest_of_sources(folders: &[&Path]) -> Result<String> {
    let mut all = Vec::new();
    for folder in folders {
        for path in yaml_files(folder)? {
            all.extend(path.as_bytes());
            all.extend(sha256(&std::fs::read(folder.join(&path))?).into_bytes());
        }
    }
    Ok(sha256(&all))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn rustfmt(root: &Path, text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start rustfmt")?;
    let mut input = child.stdin.take().context("rustfmt takes no input")?;
    let text = text.to_owned();
    let feeder = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    feeder.join().ok().context("rustfmt was not fed")??;
    ensure!(output.status.success(), "rustfmt failed");
    Ok(String::from_utf8(output.stdout)?)
}
