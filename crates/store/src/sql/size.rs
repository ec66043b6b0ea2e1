//! How much there is.

use domain::{Error, Result};
use sqlx::{AssertSqlSafe, query};

use super::{super::SIZE, Backend, rows::get};
use crate::transfer::TABLES;

impl Backend {
    pub(crate) async fn rows(&self) -> Result<Vec<(&'static str, u64)>> {
        let mut rows = Vec::new();
        for table in TABLES {
            rows.push((
                table,
                self.number(&format!("SELECT count(*) AS number FROM {table}"), "number").await?,
            ));
        }
        Ok(rows)
    }

    pub(crate) async fn size(&self) -> Result<u64> {
        self.number(SIZE, "size").await
    }

    async fn number(&self, select: &str, column: &str) -> Result<u64> {
        let row = self.one(query(AssertSqlSafe(select.to_owned()))).await?;
        let row = row.ok_or_else(|| Error::internal("a number without a row"))?;
        u64::try_from(get::<i64>(&row, column)?).map_err(Error::internal)
    }
}
