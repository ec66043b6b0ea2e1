//! The push worker: what is due is claimed, sent and settled, all three side by side.
//!
//! [`flow`] decides what is done when, [`under_way`] keeps account of what is claimed, and [`desk`] is the part of the server that both
//! work for.

use std::sync::Arc;

use domain::{
    Mdm,
    ports::{Deliver, Worker},
};

use super::take_over;
use crate::adapters::Wakes;
use desk::Office;
use flow::Flow;

mod desk;
mod flow;
mod slot;
#[cfg(test)]
mod tests;
mod under_way;

/// Sends what is due, for ever.
pub async fn run(mdm: Arc<Mdm>, wakes: Arc<Wakes>, apns: Arc<dyn Deliver>) {
    take_over(&mdm, Worker::Pushes).await;
    Flow::new(Arc::new(Office { mdm, wakes }), apns).run().await;
}
