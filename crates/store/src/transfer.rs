//! Moving an installation from SQLite to PostgreSQL, whole and checked.
//!
//! `tables` lists what there is to move, `value` is what a column holds in either database, `source` reads the file,
//! `target` writes the server. Each page of rows is committed by itself, in the order of the table's key: whatever ends
//! the move, it is taken up behind the last row that arrived. In the end all is read again on both sides.

mod source;
mod tables;
mod target;
#[cfg(test)]
mod tests;
mod value;

use domain::{Error, Result};
use pki::sha256;

pub(crate) use tables::TABLES;

use self::{
    source::Source,
    tables::Layout,
    target::Target,
    value::{Row, digested},
};
use crate::Location;
pub(crate) use target::is_unfinished;

/// How many rows are in memory at once.
const PAGE_ROWS: usize = 500;

/// And how many bytes, but for a single row that is longer.
const PAGE_BYTES: usize = 4 << 20;

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// The table.
    pub table: &'static str,
    /// How many rows are done, of all tables; each is copied, and then checked.
    pub done: u64,
    /// How many there are.
    pub of: u64,
}

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// They are copied.
    Copy,
    /// They are compared.
    Check,
}

/// A table that was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has, in both databases.
    pub rows: u64,
    /// SHA-256 over all of them in the order of the key, the same in both databases.
    pub sha256: [u8; 32],
}

/// A move that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Every table, in the order in which they were moved.
    pub tables: Vec<MovedTable>,
    /// How many rows were there already, from a move that was interrupted.
    pub found: u64,
    /// In how many of the texts that were copied now U+0000, which PostgreSQL does not know, became U+FFFD.
    pub replaced: u64,
}

/// Moves what is in the SQLite database at `from` into the empty PostgreSQL database at `to`, and checks it. The file stays
/// as it is. One move at a time; one that was interrupted is taken up by calling this again.
///
/// # Errors
/// [`Error::Invalid`] for URLs of other kinds; [`Error::Conflict`] while anything else has the file open, where the target
/// holds something that did not come from it, and where the two differ in the end. Servers refuse a target that is
/// not complete.
pub async fn transfer(from: &str, to: &str, progress: &(dyn Fn(Progress) + Sync)) -> Result<Moved> {
    let Location::File(path) = Location::of(from)? else {
        return Err(Error::invalid("from", "an installation is moved from SQLite: sqlite:PATH"));
    };
    let Location::Server(url) = Location::of(to)? else {
        return Err(Error::invalid("to", "an installation is moved to PostgreSQL: postgres://HOST/NAME"));
    };
    let source = Source::open(&path).await?;
    let mut target = Target::open(url).await?;
    let found = target.claim(source.identity()?).await?;
    let mut layouts = Vec::new();
    for table in TABLES {
        layouts.push(Layout { rows: source.count(table)?, ..target.layout(table).await? });
    }
    source.has_the_columns_of(&layouts)?;
    let of = layouts.iter().map(|layout| layout.rows).sum::<u64>() * 2;
    let mut transfer = Transfer { source, target, progress, done: 0, of };
    transfer.copy(&layouts).await?;
    let replaced = transfer.source.replaced();
    let tables = transfer.check(&layouts).await?;
    transfer.target.finish(&layouts).await?;
    Ok(Moved { tables, found, replaced })
}

struct Transfer<'a> {
    source: Source,
    target: Target,
    progress: &'a (dyn Fn(Progress) + Sync),
    done: u64,
    of: u64,
}

impl Transfer<'_> {
    async fn copy(&mut self, layouts: &[Layout]) -> Result<()> {
        for layout in layouts {
            self.done += self.target.count(layout.table).await?.min(layout.rows);
            let mut after = self.target.last_key(layout).await?;
            loop {
                self.tell(Phase::Copy, layout.table, 0);
                let page = self.source.page(layout, after.as_deref(), PAGE_ROWS, PAGE_BYTES)?;
                let Some(last) = page.last() else { break };
                after = Some(layout.key_of(last));
                self.target.add(layout, &page).await?;
                self.done += page.len() as u64;
            }
        }
        Ok(())
    }

    async fn check(&mut self, layouts: &[Layout]) -> Result<Vec<MovedTable>> {
        self.done = self.of / 2;
        let mut tables = Vec::new();
        for layout in layouts {
            tables.push(self.check_table(layout).await?);
        }
        Ok(tables)
    }

    /// Reads a table on both sides, a stretch of the key at a time.
    async fn check_table(&mut self, layout: &Layout) -> Result<MovedTable> {
        let (mut ours, mut theirs) = ([0; 32], [0; 32]);
        let (mut rows, mut after) = (0, None);
        loop {
            let page = self.source.page(layout, after.as_deref(), PAGE_ROWS, PAGE_BYTES)?;
            let Some(last) = page.last() else { break };
            let upto = layout.key_of(last);
            let arrived = self.target.stretch(layout, after.as_deref(), &upto, page.len() + 1).await?;
            ours = digest(ours, &page);
            theirs = digest(theirs, &arrived);
            if ours != theirs {
                break;
            }
            rows += page.len() as u64;
            after = Some(upto);
            self.tell(Phase::Check, layout.table, page.len() as u64);
        }
        let arrived = self.target.count(layout.table).await?;
        if ours != theirs || rows != arrived {
            return Err(differs(layout.table, layout.rows, arrived));
        }
        Ok(MovedTable { name: layout.table, rows, sha256: ours })
    }

    fn tell(&mut self, phase: Phase, table: &'static str, more: u64) {
        self.done += more;
        (self.progress)(Progress { phase, table, done: self.done, of: self.of });
    }
}

fn differs(table: &str, rows: u64, arrived: u64) -> Error {
    Error::Conflict(format!(
        "the table {table} differs: {rows} rows in SQLite and {arrived} in PostgreSQL, or others than those; something \
         changed one of them since the move began: empty the PostgreSQL database and begin anew"
    ))
}

/// Goes on with a digest over rows.
fn digest(before: [u8; 32], rows: &[Row]) -> [u8; 32] {
    rows.iter().fold(before, |digest, row| sha256(&digested(digest, row)))
}
