//! Faces know nothing of each other: what two of them need goes down into `domain`, or beside them.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Modules of `web` that are a face, or the part of one that no other may use.
const FACES: [&str; 8] =
    ["admin_api", "console", "device_api", "enroll", "lifecycle_api", "mdm", "metrics", "scep"];

/// Every line of a face in `source` that imports another one.
pub fn faults(source: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for face in FACES {
        let mut files = vec![source.join(format!("{face}.rs"))];
        collect(&source.join(face), &mut files)?;
        for file in files.into_iter().filter(|file| file.exists()) {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.strip_prefix(source).unwrap_or(&file).display();
            faults.extend(
                imports(face, &text).into_iter().map(|other| format!("web: {name} imports the face {other}")),
            );
        }
    }
    Ok(faults)
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The other faces that `text`, a file of `face`, names by `crate::…`, alone or in a group of imports.
fn imports(face: &str, text: &str) -> Vec<&'static str> {
    let others = FACES.into_iter().filter(|other| *other != face);
    others.filter(|other| paths(text).any(|path| path == *other)).collect()
}

/// The first word of every path that begins with `crate::`.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => first_words(group),
        None => vec![word(rest)],
    })
}

/// The first word of each path in a group of imports, which ends where its braces do.
fn first_words(group: &str) -> Vec<&str> {
    let (mut depth, mut words, mut is_start) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            letter if is_start && !letter.is_whitespace() => {
                words.push(word(&group[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_of_another_face_is_found_however_it_is_written() {
        for text in [
            "use crate::device_api::error::Failure;",
            "use crate::{api_state::ApiState, device_api};",
            "use crate::{\n    limits::{BodyBudget, Gate},\n    device_api::{self, error},\n};",
            "fn f() { crate::device_api::router() }",
            "pub(in crate::device_api) struct X;",
        ] {
            assert_eq!(imports("lifecycle_api", text), ["device_api"], "{text}");
        }
    }

    #[test]
    fn what_faces_share_and_what_is_their_own_may_be_imported() {
        for text in [
            "use crate::lifecycle_api::error::Failure;",
            "use crate::{limits::{device_api, BodyBudget}, json_body};",
            "use crate::device_api_of_another_name;",
            "/// See `device_api`.",
        ] {
            assert!(imports("lifecycle_api", text).is_empty(), "{text}");
        }
    }
}
