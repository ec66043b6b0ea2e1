//! The pages, and the blocks of commands in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A page of the documents.
pub struct Page {
    /// Its path within the repository.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// A fenced block of shell commands.
pub struct Block {
    /// Page and line where it begins.
    pub place: String,
    /// How it is marked.
    pub kind: Kind,
    /// What is in it.
    pub text: String,
}

/// How a block is to be run.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// To its end.
    Runnable,
    /// Until it prints this.
    Until(String),
    /// With a server that is running.
    BesideAServer,
    /// Not at all.
    Other,
}

/// The repository's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// Every page: those at the top, and all below `docs`.
pub fn all() -> Vec<Page> {
    let mut files = with_extension(&root(), "md", false);
    files.extend(with_extension(&root().join("docs"), "md", true));
    let page = |file: &PathBuf| Page {
        name: file.strip_prefix(root()).unwrap().display().to_string(),
        text: fs::read_to_string(file).unwrap(),
    };
    files.iter().map(page).collect()
}

/// The text of every source file of ours, in one piece.
pub fn sources() -> String {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let files = crates.flat_map(|folder| with_extension(&folder, "rs", true));
    files.map(|file| fs::read_to_string(file).unwrap()).collect()
}

fn with_extension(folder: &Path, extension: &str, deep: bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            files.extend(with_extension(&path, extension, deep));
        } else if path.extension().is_some_and(|it| it == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

impl Page {
    /// Its blocks of shell commands, in their order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let Some(mark) = line.trim_start().strip_prefix("```") else { continue };
            let inside: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
            if mark.split(' ').next() == Some("sh") {
                let place = format!("{}:{}", self.name, number + 1);
                blocks.push(Block { place, kind: Kind::of(mark), text: inside.join("\n") });
            }
        }
        blocks
    }
}

impl Kind {
    fn of(mark: &str) -> Self {
        match mark.strip_prefix("sh").unwrap_or_default().trim() {
            "" => Self::Other,
            "runnable" => Self::Runnable,
            "beside-a-server" => Self::BesideAServer,
            other => {
                let until = other.strip_prefix("runnable until ").map(|text| text.trim_matches('"'));
                Self::Until(until.unwrap_or_else(|| panic!("{other}: no such mark")).to_owned())
            }
        }
    }
}
