//! A server with enrolled devices, ready to be measured.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use simulator::{
    apns::PretendApns,
    load::{Hand, Line, LoadDevice, Run, Target, drive},
};

use super::{
    cases::Sayer,
    figures::{Cpu, Figures},
    fleet,
    installation::{Database, Installation, Serving},
    processes::Watched,
    progress::Progress,
    way::{Identity, Way},
};

/// How long callers warm up at most before a measurement.
const WARM_UP: Duration = Duration::from_secs(1);

/// In how many slices a case is measured that is the same all the time; odd, so that the median is one of them.
const SLICES: u32 = 5;

/// Whose CPU callers cost.
#[derive(Clone, Copy, Debug)]
pub enum Payer {
    /// The server's, and the database's.
    Stage,
    /// The process's that the server is compared with.
    Floor(Watched),
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
    way: Way,
}

impl Stage {
    /// Makes a server and enrolls `devices` devices.
    ///
    /// # Errors
    /// Where something of that fails.
    pub async fn make(
        database: Database,
        way: Way,
        devices: usize,
        apns: &Arc<PretendApns>,
        progress: Progress,
    ) -> Result<Self> {
        progress.say(&format!("{}: a server of its own, and {devices} devices that enroll", database.name()));
        let mut installation = Installation::make(database, way.proof(), apns)?;
        let serving = installation.serve().await?;
        installation.make_link(&serving)?;
        let enrolled = fleet::enroll(&installation, way, apns, (0, devices), &progress).await?;
        let introduced = fleet::introduce(enrolled, &progress).await?;
        let devices = fleet::prepare(introduced, way.proof()).await?;
        let stage = Self { name: database.name(), installation, serving, devices, way };
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
        let all =
            if self.way.identity == Identity::Tls { &self.devices[..callers] } else { &self.devices[..] };
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

    /// Lets each of these groups of callers work for `lasts`, by turns and in slices, so that what else the machine does hits
    /// all of them; what each group came to.
    ///
    /// # Errors
    /// Where anything failed: then nothing was measured.
    pub async fn measure_by_turns<H: Hand>(
        &self,
        groups: Vec<(Payer, Vec<H>)>,
        lasts: Duration,
    ) -> Result<Vec<Figures>> {
        let mut warm = Vec::with_capacity(groups.len());
        for (payer, hands) in groups {
            warm.push((payer, warm_up(hands, lasts).await?, Vec::new()));
        }
        for _ in 0..SLICES {
            for (payer, hands, slices) in &mut warm {
                let before = self.cpu_of(*payer)?;
                let (rested, run) = drive(std::mem::take(hands), lasts / SLICES).await;
                well(&run)?;
                slices.push(Figures::of(&run, self.cpu_of(*payer)?.since(before)));
                *hands = rested;
            }
        }
        Ok(warm.iter().map(|(.., slices)| Figures::median(slices)).collect())
    }

    /// The same for one group, whose follow-up work has yet to be waited for.
    ///
    /// # Errors
    /// Where anything failed.
    pub async fn measure_warm<H: Hand>(&self, hands: Vec<H>, lasts: Duration) -> Result<Figures> {
        let hands = warm_up(hands, lasts).await?;
        self.settle().await?;
        self.measure(drive(hands, lasts)).await.map(|(_, figures)| figures)
    }

    /// What `work` comes to, as [`drive`] or [`drive_in_rounds`](simulator::load::drive_in_rounds) does it without a moment to warm up. What
    /// preparing rounds takes is in the callers' CPU and in nothing else; what is left to be followed up when the work is done is in all
    /// but the latencies.
    ///
    /// # Errors
    /// Where anything failed.
    pub async fn measure<H: Hand>(
        &self,
        work: impl Future<Output = (Vec<H>, Run)>,
    ) -> Result<(Vec<H>, Figures)> {
        let before = self.cpu()?;
        let (hands, mut run) = work.await;
        well(&run)?;
        let done = Instant::now();
        self.settle().await?;
        run.elapsed += done.elapsed();
        Ok((hands, Figures::of(&run, self.cpu()?.since(before))))
    }

    /// What server, database and callers have used so far.
    ///
    /// # Errors
    /// Where the database does not run any more.
    pub fn cpu(&self) -> Result<Cpu> {
        self.cpu_of(Payer::Stage)
    }

    fn cpu_of(&self, payer: Payer) -> Result<Cpu> {
        let callers = Watched { pid: std::process::id(), with_children: false }.cpu();
        Ok(match payer {
            Payer::Floor(process) => Cpu { server: process.cpu(), callers, ..Cpu::default() },
            Payer::Stage => {
                let database = self.installation.database()?.map(Watched::cpu).unwrap_or_default();
                Cpu { server: self.serving.watched().cpu(), database, callers }
            }
        })
    }

    fn tls(&self, device: Option<&Arc<LoadDevice>>) -> Result<Option<Arc<rustls::ClientConfig>>> {
        match (self.way.identity, device) {
            (Identity::Tls, Some(device)) => Ok(Some(device.tls()?)),
            _ => Ok(None),
        }
    }
}

/// So that connections, caches and prepared statements are there.
async fn warm_up<H: Hand>(hands: Vec<H>, lasts: Duration) -> Result<Vec<H>> {
    let (hands, run) = drive(hands, WARM_UP.min(lasts)).await;
    well(&run)?;
    Ok(hands)
}

/// Nothing may fail: the cheapest answer of all is a refusal.
pub fn well(run: &Run) -> Result<()> {
    if run.failed > 0 {
        bail!("{} of {} failed: {}", run.failed, run.failed + run.done(), run.why.join("; "));
    }
    Ok(())
}
