//! Links between pages, and paths of sources that they name.

use crate::pages::{Page, root};

/// Links of `page` within the repository that lead nowhere.
pub fn broken(page: &Page) -> Vec<String> {
    let folder = root().join(&page.name);
    let folder = folder.parent().unwrap();
    let is_broken = |link: &&str| {
        let (path, heading) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { root().join(&page.name) } else { folder.join(path) };
        !target.exists() || (!heading.is_empty() && !has_heading(&target, heading))
    };
    targets(&page.text)
        .filter(|link| !link.contains("://"))
        .filter(is_broken)
        .map(|link| format!("{}: the link {link} leads nowhere", page.name))
        .collect()
}

/// What stands in the brackets of `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains(' '))
}

fn has_heading(page: &std::path::Path, wanted: &str) -> bool {
    let text = std::fs::read_to_string(page).unwrap();
    text.lines().filter_map(|line| line.strip_prefix('#')).any(|line| anchor(line) == wanted)
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter);
    let heading = heading.trim_start_matches('#').trim();
    heading.chars().filter(kept).collect::<String>().to_lowercase().replace(' ', "-")
}

/// Paths that begin with `crates/`, `docs/` or `scripts/` and are not there; NOUN, NAME and `*` stand for any.
pub fn missing_paths(page: &Page) -> Vec<String> {
    let words = page.text.split(|letter: char| !(letter.is_alphanumeric() || "/._-*{}".contains(letter)));
    let paths = words.filter(|word| ["crates/", "docs/", "scripts/"].iter().any(|it| word.starts_with(it)));
    let named = paths.map(|path| path.trim_end_matches(['.', '/']));
    let concrete = named.filter(|path| !["NOUN", "NAME", "*", "{"].iter().any(|it| path.contains(it)));
    let missing = concrete.filter(|path| !root().join(path).exists());
    missing.map(|path| format!("{}: {path} is not there", page.name)).collect()
}
