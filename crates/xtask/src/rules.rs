//! The rules of the architecture that a compiler does not keep, in tables.

use std::path::Path;

use anyhow::Result;

use crate::{faces, graph::Graph, licences};

/// Our crates, each with those of ours that it may build on; `None` is any.
const LAYERS: [(&str, Option<&[&str]>); 12] = [
    ("apple", Some(&[])),
    ("android", Some(&[])),
    ("pki", Some(&[])),
    ("domain", Some(&["apple", "android", "pki"])),
    // `pki` for the fingerprints that the ports hand over.
    ("store", Some(&["domain", "pki"])),
    ("outbound", Some(&["domain", "apple", "android", "pki"])),
    ("web", Some(&["domain", "apple", "android", "pki"])),
    ("simulator", Some(&["apple", "android", "pki"])),
    ("server", None),
    ("testkit", None),
    // Generators write down what other crates know of themselves.
    ("xtask", Some(&["web"])),
    ("fuzz", None),
];

/// Crates of others, each with those of ours that alone may name it.
const OWNERS: [(&str, &[&str]); 11] = [
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    // The server hands routers to its accept loop, and builds none.
    ("axum", &["web"]),
    ("utoipa", &["web"]),
    ("utoipa-axum", &["web"]),
    ("askama", &["web"]),
    ("reqwest", &["outbound", "simulator", "testkit"]),
    ("h2", &["outbound", "simulator"]),
    ("clap", &["server"]),
    ("tokio", &["store", "outbound", "web", "simulator", "server", "testkit"]),
    ("hyper", &["outbound", "simulator", "server", "testkit"]),
];

/// Crates that must not be in the tree, not even of those that we build on, and why.
const BANNED: [(&str, &str); 6] = [
    ("rsa", "RUSTSEC-2023-0071: decryption leaks its key by time; aws-lc-rs has RSA"),
    ("native-tls", "one crypto stack is enough: aws-lc-rs"),
    ("openssl", "one crypto stack is enough: aws-lc-rs"),
    ("openssl-sys", "one crypto stack is enough: aws-lc-rs"),
    ("ring", "one crypto stack is enough: aws-lc-rs; two rustls providers panic at start"),
    ("chrono", "jiff tells the time here"),
];

/// Everything that is wrong, a line each.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let graph = Graph::read(root)?;
    let mut faults = layer_faults(&graph);
    faults.extend(owner_faults(&graph));
    faults.extend(banned_faults(&graph));
    faults.extend(licence_faults(&graph));
    faults.extend(faces::faults(&root.join("crates/web/src"))?);
    Ok(faults)
}

fn layer_faults(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for (ours, dependencies) in &graph.ours {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == ours) else {
            faults.push(format!("{ours}: no layer; give it its line in xtask/src/rules.rs"));
            continue;
        };
        let Some(allowed) = allowed else { continue };
        let forbidden =
            dependencies.iter().filter(|it| graph.ours.contains_key(*it) && !allowed.contains(&it.as_str()));
        faults.extend(forbidden.map(|it| format!("{ours} may not build on {it}")));
    }
    faults
}

fn owner_faults(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for (ours, dependencies) in &graph.ours {
        for (heavy, owners) in OWNERS {
            if dependencies.contains(heavy) && !owners.contains(&ours.as_str()) {
                faults.push(format!("{ours} may not use {heavy}; only {} may", owners.join(", ")));
            }
        }
    }
    faults
}

fn banned_faults(graph: &Graph) -> Vec<String> {
    let present = BANNED.iter().filter(|(name, _)| graph.has(name));
    present.map(|(name, reason)| format!("{name} is in the tree: {reason} (cargo tree -i {name})")).collect()
}

fn licence_faults(graph: &Graph) -> Vec<String> {
    let foreign = graph.others.iter().filter(|(_, licence)| !licences::is_allowed(licence));
    foreign
        .map(|(name, licence)| format!("{name} has the licence \"{licence}\", which is not on the list"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(ours: &[(&str, &[&str])], others: &[(&str, &str)]) -> Graph {
        let text = |text: &str| text.to_owned();
        Graph {
            ours: ours
                .iter()
                .map(|(name, on)| (text(name), on.iter().map(|it| text(it)).collect()))
                .collect(),
            others: others.iter().map(|(name, licence)| (text(name), text(licence))).collect(),
        }
    }

    #[test]
    fn a_crate_stays_in_its_layer() {
        let good =
            graph(&[("apple", &["plist"]), ("domain", &["apple"]), ("server", &["store", "web"])], &[]);
        assert!(layer_faults(&good).is_empty());
        let bad = graph(&[("apple", &[]), ("store", &[]), ("web", &["store"]), ("pki", &["apple"])], &[]);
        assert_eq!(layer_faults(&bad), ["pki may not build on apple", "web may not build on store"]);
    }

    #[test]
    fn a_crate_without_a_layer_is_a_fault() {
        assert_eq!(layer_faults(&graph(&[("helpers", &[])], &[])).len(), 1);
    }

    #[test]
    fn heavy_things_have_owners() {
        assert!(owner_faults(&graph(&[("store", &["sqlx", "tokio"]), ("web", &["axum"])], &[])).is_empty());
        assert_eq!(owner_faults(&graph(&[("web", &["sqlx"]), ("domain", &["tokio"])], &[])).len(), 2);
    }

    #[test]
    fn banned_crates_are_found_in_any_version() {
        assert!(
            banned_faults(&graph(&[], &[("ring-buffer v1.0.0", "MIT"), ("rsa-like v1.0.0", "MIT")]))
                .is_empty()
        );
        assert_eq!(banned_faults(&graph(&[], &[("ring v0.17.14", "MIT")])).len(), 1);
    }

    #[test]
    fn licences_are_looked_at_one_by_one() {
        let others = [("a v1.0.0", "MIT OR Apache-2.0"), ("b v1.0.0", "MPL-2.0"), ("c v1.0.0", "")];
        let faults = licence_faults(&graph(&[], &others));
        assert!(faults.len() == 2, "{faults:?}");
        assert!(faults[0].starts_with("b v1.0.0") && faults[1].starts_with("c v1.0.0"), "{faults:?}");
    }
}
