//! The workspace and everything that it builds on, as cargo tells it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// What the rules look at.
#[derive(Debug, Default)]
pub struct Graph {
    /// Each of our crates, with what its `[dependencies]` and `[build-dependencies]` name. What only tests use is free.
    pub ours: BTreeMap<String, BTreeSet<String>>,
    /// Each crate of others that is built into ours or their tests, with its licence as an SPDX expression.
    pub others: BTreeMap<String, String>,
}

impl Graph {
    /// Asks cargo; nothing is resolved anew.
    pub fn read(root: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .other_options(vec!["--locked".into()])
            .exec()
            .context("cargo metadata failed")?;
        let ours = metadata.workspace_packages().into_iter().map(|package| {
            let built = package.dependencies.iter().filter(|it| it.kind != DependencyKind::Development);
            (package.name.to_string(), built.map(|it| it.name.clone()).collect())
        });
        let ours: BTreeMap<_, _> = ours.collect();
        let others = others(&tree(root)?, |name| ours.contains_key(name));
        Ok(Self { ours, others })
    }

    /// Whether a crate of others is in the tree, in any version.
    pub fn has(&self, name: &str) -> bool {
        self.others.keys().any(|other| other.split(' ').next() == Some(name))
    }
}

/// Every crate that is really built, a line each: `cargo metadata` also names those that only a feature, which nobody
/// switched on, would bring in.
fn tree(root: &Path) -> Result<String> {
    let tree = Command::new("cargo")
        .args(["tree", "--workspace", "--locked", "--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(root)
        .output()
        .context("cargo tree did not start")?;
    ensure!(tree.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8(tree.stdout).context("cargo tree wrote no UTF-8")
}

/// Reads lines such as `ring v0.17.14 (proc-macro)|MIT (*)`.
fn others(tree: &str, is_ours: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let lines = tree.lines().filter_map(|line| line.split_once('|'));
    let crates = lines.filter_map(|(package, licence)| {
        let (name, rest) = package.split_once(' ')?;
        let version = rest.split(' ').next()?;
        let licence = licence.trim_end_matches(" (*)").trim();
        (!is_ours(name)).then(|| (format!("{name} {version}"), licence.to_owned()))
    });
    crates.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_line_by_line() {
        let tree = "web v0.1.0 (/somewhere/web)|MIT\nserde v1.0.0|MIT OR Apache-2.0\n\n\
                    quote v2.0.0 (proc-macro)|MIT\nserde v1.0.0|MIT OR Apache-2.0 (*)\nbare v0.1.0|\n";
        let others = others(tree, |name| name == "web");
        let others: Vec<_> = others.iter().map(|(name, licence)| (name.as_str(), licence.as_str())).collect();
        assert_eq!(
            others,
            [("bare v0.1.0", ""), ("quote v2.0.0", "MIT"), ("serde v1.0.0", "MIT OR Apache-2.0")]
        );
    }
}
