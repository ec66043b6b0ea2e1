//! What the documents say is true: links and paths lead somewhere, commands are ones that there are, and blocks that
//! are marked for it run.
//!
//! - ```` ```sh runnable ```` runs in an empty folder; the blocks of one page follow each other in the same folder.
//! - ```` ```sh runnable until "TEXT" ```` is one command that runs until it prints TEXT, and is then told to stop.
//! - ```` ```sh beside-a-server ```` runs with `$API`, `$DEVICES`, `$API_KEY` and `$TENANT` of a server that is running.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

mod commands;
mod links;
mod pages;
mod shell;
mod subtleties;

use pages::{Kind, Page};
use shell::{Folder, Server};

#[test]
fn every_link_leads_somewhere() {
    let pages = pages::all();
    let broken: Vec<String> = pages.iter().flat_map(links::broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_path_that_is_named_is_there() {
    let missing: Vec<String> = pages::all().iter().flat_map(links::missing_paths).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_subtlety_of_the_protocols_has_its_tests() {
    let page = pages::all().into_iter().find(|page| page.name.ends_with("protocol-subtleties.md")).unwrap();
    let faults = subtleties::faults(&page.text);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_reason_in_the_table_of_refusals_is_one_that_the_server_gives() {
    let page = pages::all().into_iter().find(|page| page.name.ends_with("troubleshooting.md")).unwrap();
    let sources = pages::sources();
    let rows = page.text.lines().filter(|line| line.contains("| 4") || line.contains("| 5"));
    let reasons: Vec<&str> = rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert!(reasons.len() > 10, "the table is not where it was");
    for part in reasons.iter().flat_map(|reason| reason.split(": ")) {
        assert!(sources.contains(part), "{part}: nobody says so");
    }
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let pages = pages::all();
    let lines: Vec<String> =
        pages.iter().flat_map(Page::blocks).flat_map(|it| commands::lines(&it)).collect();
    assert!(lines.len() > 20, "the commands are not where they were");
    let faults: Vec<String> = lines.iter().filter_map(|line| commands::fault(line)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_flag_that_there_is_not_is_found() {
    assert_eq!(commands::fault("remuda device list --tenant $TENANT | head # all"), None);
    for wrong in ["remuda serve --fast", "remuda lock", "remuda device list", "remuda help lock"] {
        assert!(commands::fault(wrong).is_some(), "{wrong}");
    }
}

#[test]
fn blocks_that_are_marked_for_it_run() {
    let mut ran = 0;
    for page in pages::all() {
        let folder = Folder::new();
        for block in page.blocks() {
            match &block.kind {
                Kind::Runnable => folder.run(&block, &[]),
                Kind::Until(text) => folder.run_until(&block, text),
                Kind::BesideAServer | Kind::Other => continue,
            }
            ran += 1;
        }
    }
    assert!(ran >= 2, "the blocks are not where they were");
}

#[test]
fn blocks_beside_a_server_run() {
    let pages = pages::all();
    let blocks: Vec<_> =
        pages.iter().flat_map(Page::blocks).filter(|block| block.kind == Kind::BesideAServer).collect();
    assert!(blocks.len() >= 3, "the blocks are not where they were");
    let server = Server::start();
    for block in &blocks {
        server.run(block);
    }
}
