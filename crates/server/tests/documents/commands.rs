//! Lines that call the program, held against its command line.

use crate::pages::Block;

/// The lines of a block that call `remuda`, continued lines in one, without remarks.
pub fn lines(block: &Block) -> Vec<String> {
    let joined = block.text.replace("\\\n", " ").replace("cargo run --release --", "remuda");
    let joined = joined.replace("cargo run --", "remuda");
    let calls = joined.lines().map(str::trim).filter(|line| line.starts_with("remuda "));
    calls.map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned()).collect()
}

/// What is wrong with a line.
pub fn fault(line: &str) -> Option<String> {
    let words = words(line);
    server::cli::command().try_get_matches_from(words).err().filter(clap_says_no).map(|error| {
        let first = error.to_string();
        format!("{line}: {}", first.lines().next().unwrap_or_default())
    })
}

/// `help` ends the reading of a command line, but is no fault.
fn clap_says_no(error: &impl std::fmt::Display) -> bool {
    error.to_string().starts_with("error:")
}

/// Words as a shell splits them, up to what the shell keeps for itself; variables are what they stand for.
fn words(line: &str) -> Vec<String> {
    let line = line
        .replace("$TENANT", "6b6d9f39-83f3-4850-90b8-5bb955f5659f")
        .replace("$DEVICE", "4907afa9dd7d49939f6f5c030ac6637a");
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            ('\'' | '"', None) => quote = Some(letter),
            (' ', None) => words.push(String::new()),
            (letter, _) => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    let end = words.iter().position(|word| ["|", "||", "&&", "&", ">"].contains(&word.as_str()));
    words.truncate(end.unwrap_or(words.len()));
    words
}
