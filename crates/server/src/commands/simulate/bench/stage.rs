//! A server with enrolled devices, ready to be measured.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Result, bail};
use simulator::{
    apns::PretendApns,
    load::{Hand, Line, LoadDevice, Proof, Run, Target, drive},
};

use super::{
    cases::Sayer,
    figures::{Cpu, Figures},
    fleet,
    installation::{Database, Installation, Serving},
    processes::Watched,
    progress::Progress,
};

/// How long callers warm up at most before a measurement.
const WARM_UP: Duration = Duration::from_secs(1);

/// Whether what follows from the work counts: results that workers apply, pushes that they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// There is none.
    None,
    /// The CPU is read once all of it is done.
    Counts,
}

/// A server and its devices.
pub struct Stage {
    /// As its part of the report is called.
    pub name: &'static str,
    /// The data, and the way to start the server again.
    pub installation: Installation,
    /// The server.
    pub serving: Serving,
    /// Enrolled, each with nothing left to do.
    pub devices: Vec<Arc<LoadDevice>>,
    proof: Proof,
}

impl Stage {
    /// Makes a server and enrolls `devices` devices.
    ///
    /// # Errors
    /// Where something of that fails.
    pub async fn make(
        database: Database,
        proof: Proof,
        devices: usize,
        apns: &Arc<PretendApns>,
        progress: Progress,
    ) -> Result<Self> {
        progress.say(&format!("{}: a server of its own, and {devices} devices that enroll", database.name()));
        let mut installation = Installation::make(database, proof, apns)?;
        let serving = installation.serve().await?;
        installation.make_link(&serving)?;
        let enrolled = fleet::enroll(&installation, proof, apns, (0, devices), &progress).await?;
        let introduced = fleet::introduce(enrolled, &progress).await?;
        let devices = fleet::prepare(introduced, proof).await?;
        let stage = Self { name: database.name(), installation, serving, devices, proof };
        stage.settle().await?;
        Ok(stage)
    }

    /// Ends the server and starts it again, on other ports.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn serve_anew(&mut self) -> Result<()> {
        self.serving.end();
        self.serving = self.installation.serve().await?;
        Ok(())
    }

    /// Waits until no follow-up work is left.
    ///
    /// # Errors
    /// Where it does not come to an end.
    pub async fn settle(&self) -> Result<()> {
        fleet::settle(&self.api()?).await
    }

    /// The API listener.
    ///
    /// # Errors
    /// Where no TLS client can be made.
    pub fn api(&self) -> Result<Target> {
        Ok(Target { address: self.serving.api, tls: self.tls(self.devices.first())? })
    }

    /// The device listener, or another server's, for the first of `devices`.
    ///
    /// # Errors
    /// Where no TLS client can be made.
    pub fn target(&self, address: SocketAddr, devices: &[Arc<LoadDevice>]) -> Result<Target> {
        Ok(Target { address, tls: self.tls(devices.first())? })
    }

    /// The devices, dealt out to at most `callers` callers. With TLS a connection is one device's, so that a caller has one.
    pub fn shares(&self, callers: usize) -> Vec<Vec<Arc<LoadDevice>>> {
        let callers = callers.min(self.devices.len());
        let all = if self.proof == Proof::Tls { &self.devices[..callers] } else { &self.devices[..] };
        (0..callers).map(|caller| all.iter().skip(caller).step_by(callers).cloned().collect()).collect()
    }

    /// Callers that say `what` at `address`.
    ///
    /// # Errors
    /// Where one cannot connect.
    pub async fn sayers(
        &self,
        address: SocketAddr,
        callers: usize,
        what: fn(&LoadDevice) -> &simulator::load::Message,
    ) -> Result<Vec<Sayer>> {
        let mut sayers = Vec::new();
        for devices in self.shares(callers) {
            let line = Line::open(&self.target(address, &devices)?).await?;
            sayers.push(Sayer::new(line, devices, what));
        }
        Ok(sayers)
    }

    /// Lets these callers work for `lasts`, after a moment to warm up, and reads what it cost.
    ///
    /// # Errors
    /// Where anything failed: then nothing was measured.
    pub async fn measure_warm<H: Hand>(
        &self,
        hands: Vec<H>,
        lasts: Duration,
        follow_up: FollowUp,
    ) -> Result<Figures> {
        let (hands, run) = drive(hands, WARM_UP.min(lasts)).await;
        well(&run)?;
        if follow_up == FollowUp::Counts {
            self.settle().await?;
        }
        self.measure(hands, lasts, follow_up).await.map(|(_, figures)| figures)
    }

    /// The same without a moment to warm up, for work that comes to an end.
    ///
    /// # Errors
    /// Where anything failed.
    pub async fn measure<H: Hand>(
        &self,
        hands: Vec<H>,
        lasts: Duration,
        follow_up: FollowUp,
    ) -> Result<(Vec<H>, Figures)> {
        let before = self.cpu()?;
        let (hands, run) = drive(hands, lasts).await;
        well(&run)?;
        if follow_up == FollowUp::Counts {
            self.settle().await?;
        }
        Ok((hands, Figures::of(&run, self.cpu()?.since(before))))
    }

    /// What server and database have used so far.
    ///
    /// # Errors
    /// Where the database does not run any more.
    pub fn cpu(&self) -> Result<Cpu> {
        let database = self.installation.database()?.map(Watched::cpu).unwrap_or_default();
        Ok(Cpu { server: self.serving.watched().cpu(), database })
    }

    fn tls(&self, device: Option<&Arc<LoadDevice>>) -> Result<Option<Arc<rustls::ClientConfig>>> {
        match (self.proof, device) {
            (Proof::Tls, Some(device)) => Ok(Some(device.tls()?)),
            _ => Ok(None),
        }
    }
}

/// Nothing may fail: the cheapest answer of all is a refusal.
pub fn well(run: &Run) -> Result<()> {
    if run.failed > 0 {
        bail!("{} of {} failed: {}", run.failed, run.failed + run.done(), run.why.join("; "));
    }
    Ok(())
}
