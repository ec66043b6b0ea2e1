//! What can be typed behind `remuda`: one file for each.

pub mod admin;
pub mod android;
pub mod api_key;
pub mod application;
pub mod command;
pub mod demo;
pub mod device;
pub mod device_ca;
pub mod doctor;
pub mod enrollment;
pub mod facts;
pub mod group;
pub mod init;
pub mod key_ring;
pub mod migrate_database;
mod pretend_google;
pub mod purge;
pub mod push_certificate;
pub mod serve;
pub mod simulate;
pub mod tenant;
pub mod token_key;
pub mod user;

use std::future::Future;

use anyhow::Result;
use domain::{Actor, Mdm, TenantId};

use crate::{
    cli::Context,
    wire::{Ground, Parts, told},
};

/// Opens the database, does `work` on it, and closes it again; whether the server runs beside it or not.
async fn on_the_database<T, F: Future<Output = domain::Result<T>>>(
    context: &Context,
    work: impl FnOnce(std::sync::Arc<Mdm>) -> F,
) -> Result<T> {
    let parts = Parts::open(&context.config, Ground::default()).await?;
    let done = work(parts.mdm.clone()).await.map_err(told);
    parts.close().await?;
    done
}

/// Whoever sits at the machine, in a tenant that there is.
async fn local(mdm: &Mdm, tenant: TenantId) -> domain::Result<Actor> {
    let known = mdm.tenants().await?.iter().any(|known| known.id == tenant);
    if known { Ok(Actor::local(tenant)) } else { Err(domain::Error::NotFound(domain::Thing::Tenant)) }
}

/// Rows of a table for people: as wide as their widest cell.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(head.to_vec());
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}
