//! Status reports: a device's inventory, that it sends by itself.

use apple::declaration::status::{RefusedDeclaration, StatusReport};
use serde_json::json;

use crate::{
    ChannelKey, Device, Event, Identity, Mdm, Refusal, Rejection, Result, Timestamp,
    enrollments::{CheckInAnswer, malformed},
    ports::{Declared, Tx, Worker},
};

impl Mdm {
    /// Takes a status report. One that cannot be read is refused, and not with a 5xx: the device would send it again for
    /// ever (`protocol-subtleties` 7).
    pub(super) async fn take_status(
        &self,
        identity: &Identity,
        channel: &ChannelKey,
        data: &[u8],
    ) -> std::result::Result<CheckInAnswer, Rejection> {
        let report = StatusReport::parse(data).map_err(|why| malformed(format!("a status report: {why}")))?;
        if *channel != ChannelKey::default() {
            return Ok(CheckInAnswer::Taken);
        }
        let now = self.clock.now();
        let mut tx = self.store.begin(identity.tenant).await?;
        // First the enrollment, then the device: check-ins lock them in this order.
        tx.enrollment_for_update(identity.enrollment).await?.ok_or(Refusal::Unknown)?;
        let device = tx.device_for_update(identity.device).await?;
        let before = device.filter(|device| device.enrollment == identity.enrollment);
        let before = before.ok_or(Refusal::NotEnrolled)?;
        let mut device = before.clone();
        device.facts.take_status(&report, now);
        self.learned(&mut *tx, &before, &device, now).await?;
        // What a full report leaves out is not so any more; any other tells of changes alone (`protocol-subtleties` 60).
        let refused = report.refused().or(report.full.then(Vec::new));
        if let Some(refused) = refused {
            note_refused(&mut *tx, &device, &refused, now).await?;
        }
        tx.commit().await?;
        self.wake.wake(Worker::Pushes);
        Ok(CheckInAnswer::Taken)
    }

    /// Writes down what is now known of a device: its commands are judged anew, and it is told of declarations that
    /// became others.
    pub(crate) async fn learned(
        &self,
        tx: &mut dyn Tx,
        before: &Device,
        device: &Device,
        now: Timestamp,
    ) -> Result<()> {
        if before == device {
            return Ok(());
        }
        tx.set_device(device).await?;
        let channel = ChannelKey::default();
        if before.facts.target(&channel) != device.facts.target(&channel) {
            self.judge_queue(tx, before, device, now).await?;
            self.declare(tx, device, now).await?;
        }
        Ok(())
    }
}

/// How many refused declarations are noted, and how much of each reason, letters: we declare few.
const NOTED: (usize, usize) = (50, 200);

/// Notes which of our declarations a device does not carry out, where that is news.
async fn note_refused(
    tx: &mut dyn Tx,
    device: &Device,
    refused: &[RefusedDeclaration],
    now: Timestamp,
) -> Result<()> {
    let channel = ChannelKey::default();
    let Some(declared) = tx.declared(device.enrollment, &channel).await? else { return Ok(()) };
    let (most, longest) = NOTED;
    let list: Vec<_> = refused.iter().take(most).map(|it| noted(it, longest)).collect();
    let text = (!list.is_empty()).then(|| json!(list).to_string());
    if text == declared.refused {
        return Ok(());
    }
    tx.set_declared(device.enrollment, &channel, &Declared { refused: text, ..declared }).await?;
    if list.is_empty() {
        return Ok(());
    }
    tracing::warn!(device = %device.id, declarations = list.len(), "a device does not carry declarations out");
    let details = json!({ "declarations": list });
    tx.record(&Event::of_device("declarations.refused", device.id, details, now)).await
}

fn noted(refused: &RefusedDeclaration, longest: usize) -> serde_json::Value {
    let short = |text: &str| text.chars().take(longest).collect::<String>();
    json!({ "identifier": short(&refused.identifier), "reason": short(&refused.reason) })
}
