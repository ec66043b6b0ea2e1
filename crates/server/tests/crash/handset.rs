//! A pretend device in the hands of this test: it says everything again that got no answer, as real ones do,
//! and its journal knows what it did.

mod equipment;
mod extras;
mod saying;

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use apple::{Command, ErrorChainItem, command::DeviceLock};
use rand::{Rng, rngs::StdRng};
use simulator::{
    apns::WakeUps,
    apple_device::{AppleDevice, Failure, Handed, Step},
};
use tokio::time::{sleep, timeout};

use equipment::{Issued, options};
pub use extras::UserToken;
use saying::{Saying, is_passing};

use crate::{
    journal::Journal,
    record::{Finding, count},
    world::{Shared, pause},
};

/// How much of what a device did last is told where it meets what must not be.
const STORY: usize = 24;

/// A device and how it stands.
pub struct Handset {
    /// How it stands.
    pub standing: Standing,
    /// What is known of it.
    pub journal: Arc<Journal>,
    /// Decides what it does.
    pub dice: StdRng,
    device: AppleDevice,
    issued: Issued,
    wakes: Option<WakeUps>,
    /// The result whose 200 never arrived.
    owed: Option<String>,
    /// When it began to say what is answered with the command that it has.
    asked: Instant,
    /// What the server was told of its user last; `None` without one.
    user: Option<UserToken>,
    /// Counts what is never told twice.
    told: u32,
    /// Whether it does what it is told, at once.
    obeys: bool,
    /// What it did last, for whoever has to find out why.
    story: VecDeque<String>,
    world: Shared,
}

/// How a device stands, as far as it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its TokenUpdate was answered with 200, and nothing has ended the management since.
    Managed,
    /// Its user removed the profile; whether its CheckOut was answered with 200.
    Left {
        /// Whether the server knows.
        told: bool,
    },
    /// The server made it drop its management.
    Dismissed,
    /// It met what must not be, and was given up.
    Abandoned,
}

/// The management is over, or the device was given up: see [`Handset::standing`].
#[derive(Debug)]
pub struct Over;

/// How a device takes a command.
enum Manner {
    Obeys,
    NotNow,
    Refuses,
}

impl Handset {
    /// Enrolls a device, however often it takes; `None` if the server did what it must not.
    pub async fn enroll(world: Shared, number: u64, mut dice: StdRng) -> Option<Self> {
        let journal = Arc::new(Journal::default());
        let issued = Issued::default();
        let options = options(&world, &journal, &issued, number, &mut dice);
        let serial_number = options.model.serial_number.clone();
        let device = loop {
            match AppleDevice::install(options.clone()).await {
                Ok(device) => break device,
                Err(error) if is_passing(&error.cause) => count(&world.record.tally.unanswered),
                Err(error) => {
                    world.record.find(Finding::Wrong(format!("{serial_number}: {error}")));
                    return None;
                }
            }
            pause(&mut dice).await;
        };
        let mut handset = Self::unpacked(world, device, journal, issued, dice);
        handset.linger().await;
        handset.say(Saying::Authenticate).await.ok()?;
        handset.linger().await;
        handset.say(Saying::TokenUpdate).await.ok()?;
        handset.leave_token().await.ok()?;
        handset.world.record.enrolled(&serial_number, &handset.journal);
        handset.is_managed_again();
        Some(handset)
    }

    fn unpacked(
        world: Shared,
        device: AppleDevice,
        journal: Arc<Journal>,
        issued: Issued,
        dice: StdRng,
    ) -> Self {
        Self {
            standing: Standing::Managed,
            journal,
            dice,
            device,
            issued,
            wakes: None,
            owed: None,
            asked: Instant::now(),
            user: None,
            told: 0,
            obeys: false,
            story: VecDeque::new(),
            world,
        }
    }

    /// Its serial number.
    pub fn serial_number(&self) -> &str {
        &self.device.model().serial_number
    }

    /// The world that it lives in.
    pub fn world(&self) -> &Shared {
        &self.world
    }

    /// From now on it puts nothing off and refuses nothing.
    pub fn obey(&mut self) {
        self.obeys = true;
    }

    /// One conversation, as far as it comes; whether it may go on at once.
    pub async fn visit(&mut self) -> Result<bool, Over> {
        self.does("connects");
        match self.conversation().await {
            Ok(was_busy) => Ok(was_busy),
            Err(failure) => self.meets(failure).await.map(|()| true),
        }
    }

    /// Waits for a push, at most so long; the number of the push.
    pub async fn wake(&mut self, longest: Duration) -> Option<u64> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner).take();
        if issued.is_some() {
            self.wakes = issued;
        }
        let Some(wakes) = &mut self.wakes else {
            sleep(longest).await;
            return None;
        };
        let woken = timeout(longest, wakes.next()).await.ok()?;
        if woken.is_none() {
            self.wakes = None;
        }
        woken.map(|wake_up| wake_up.order)
    }

    /// Gets another push address, and says so until it is heard; APNs may have retired the old one by then.
    pub async fn rotate(&mut self) -> Result<(), Over> {
        self.does("gets a push address");
        if self.dice.random_bool(0.5) {
            self.world.apns.retire(&self.device.push_address().token);
        }
        match self.device.rotate_push_address().await {
            Ok(()) => self.was_answered(),
            Err(failure) => {
                self.meets(failure).await?;
                self.say(Saying::TokenUpdate).await?;
            }
        }
        Ok(())
    }

    /// Asks for a new certificate with the old one, and uses it.
    pub async fn renew(&mut self) -> Result<(), Over> {
        self.does("renews its certificate");
        match self.device.renew_by_request().await.map_err(Failure::from) {
            Ok(()) => Ok(()),
            // Whoever is purged gets no certificate either, but that is not how it learns of it.
            Err(Failure::CertificateRefused(why)) => {
                while let Err(failure) = self.conversation().await {
                    self.meets(failure).await?;
                }
                self.meets(Failure::CertificateRefused(why)).await
            }
            Err(failure) => self.meets(failure).await,
        }
    }

    /// Its user removes the profile. The device says so once, and is not managed any more whatever the
    /// answer.
    pub async fn leave(&mut self) -> Result<(), Over> {
        self.does("leaves");
        let left = self.device.check_out().await;
        self.journal.parted();
        let told = left.is_ok();
        match left {
            Ok(()) => self.was_answered(),
            Err(failure) => self.meets(failure).await?,
        }
        self.standing = Standing::Left { told };
        Ok(())
    }

    /// Enrolls anew, however often it takes.
    pub async fn re_enroll(&mut self) -> Result<(), Over> {
        self.does("enrolls again");
        (self.owed, self.user) = (None, None);
        loop {
            let Err(error) = self.device.re_enroll(None).await else {
                self.was_answered();
                self.was_answered();
                break;
            };
            self.meets(error.cause).await?;
            if error.step >= Step::Authenticate {
                self.say(Saying::Authenticate).await?;
                self.say(Saying::TokenUpdate).await?;
                self.leave_token().await?;
                break;
            }
        }
        self.journal.parted();
        self.is_managed_again();
        Ok(())
    }

    /// What it owes comes before its `Idle`, or not at all: then the server hands the command over once more.
    async fn conversation(&mut self) -> Result<bool, Failure> {
        let mut was_busy = false;
        self.asked = Instant::now();
        if self.dice.random_bool(0.5)
            && let Some(owed) = self.owed.clone()
        {
            self.device.report_again().await?;
            self.has_reported(&owed);
            was_busy = self.work().await?;
        }
        self.asked = Instant::now();
        if self.device.idle().await?.is_none() {
            self.was_answered();
            self.journal.had_nothing_to_do(self.asked);
            return Ok(was_busy);
        }
        self.was_answered();
        self.work().await?;
        Ok(true)
    }

    /// Takes one command after the other; whether there was one.
    async fn work(&mut self) -> Result<bool, Failure> {
        let mut was_busy = false;
        while let Some(handed) = self.device.current().cloned() {
            was_busy = true;
            if self.journal.handed_over(&handed.command_uuid, self.asked) {
                count(&self.world.record.tally.handed_again);
            }
            if let Ok(Command::DeviceLock(DeviceLock { pin: Some(pin), .. })) = &handed.command {
                self.journal.got_pin(&handed.command_uuid, pin.as_str());
            }
            self.asked = Instant::now();
            self.take(&handed).await?;
        }
        Ok(was_busy)
    }

    async fn take(&mut self, handed: &Handed) -> Result<(), Failure> {
        let manner = self.manner(handed);
        if matches!(manner, Manner::NotNow) {
            self.device.not_now().await?;
            self.was_answered();
            return Ok(());
        }
        self.owed = Some(handed.command_uuid.clone());
        if matches!(manner, Manner::Refuses) {
            let reason = ErrorChainItem { code: 12_000, domain: "Crash".into(), ..ErrorChainItem::default() };
            self.device.error(vec![reason]).await?;
        } else {
            self.device.answer().await?;
        }
        self.has_reported(&handed.command_uuid);
        Ok(())
    }

    /// A command is refused or put off before it is done, never after.
    fn manner(&mut self, handed: &Handed) -> Manner {
        if self.obeys || self.journal.has_done(&handed.command_uuid) {
            return Manner::Obeys;
        }
        match self.dice.random_range(0..100) {
            0..8 => Manner::NotNow,
            8..12 if handed.request_type == "DeviceLock" => Manner::Refuses,
            _ => Manner::Obeys,
        }
    }

    fn has_reported(&mut self, command: &str) {
        self.was_answered();
        self.journal.confirmed(command);
        self.owed = None;
    }

    async fn say(&mut self, saying: Saying) -> Result<(), Over> {
        loop {
            self.does(saying.name());
            let said = match saying {
                Saying::Authenticate => self.device.authenticate().await,
                Saying::TokenUpdate => self.device.token_update().await,
                Saying::BootstrapToken(number) => {
                    self.device.set_bootstrap_token(Some(extras::bootstrap_token(number))).await
                }
                Saying::Status => self.device.report_status().await,
                Saying::User(number) => self.device.check_in(&self.user_says(number)).await,
            };
            match said {
                Ok(()) => {
                    self.was_answered();
                    return Ok(());
                }
                Err(failure) => self.meets(failure).await?,
            }
        }
    }

    /// What becomes of a device that met this: it waits a moment, or it is over.
    async fn meets(&mut self, failure: Failure) -> Result<(), Over> {
        self.does(&format!("({failure})"));
        if is_passing(&failure) {
            count(&self.world.record.tally.unanswered);
            pause(&mut self.dice).await;
            return Ok(());
        }
        if let Failure::NotEnrolled(_) = failure {
            self.standing = Standing::Dismissed;
            self.journal.dismissed();
            count(&self.world.record.tally.dismissed);
        } else {
            self.standing = Standing::Abandoned;
            let story: Vec<_> = self.story.iter().map(String::as_str).collect();
            let story = story.join(", ");
            let known = self.world.installation.known_of(self.device.credential()).await;
            let finding = format!("{}: {failure}, after: {story}; {known}", self.serial_number());
            self.world.record.find(match failure {
                Failure::Refused { .. } | Failure::CertificateRefused(_) => Finding::Lost(finding),
                _ => Finding::Wrong(finding),
            });
        }
        Err(Over)
    }

    fn does(&mut self, what: &str) {
        if self.story.len() == STORY {
            self.story.pop_front();
        }
        self.story.push_back(what.to_owned());
    }

    fn is_managed_again(&mut self) {
        self.standing = Standing::Managed;
        count(&self.world.record.tally.enrollments);
    }

    fn was_answered(&self) {
        count(&self.world.record.tally.messages);
    }

    /// Now and then a device takes its time.
    async fn linger(&mut self) {
        if self.dice.random_ratio(1, 4) {
            sleep(Duration::from_millis(self.dice.random_range(0..300))).await;
        }
    }
}
