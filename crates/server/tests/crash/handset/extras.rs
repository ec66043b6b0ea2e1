//! What a device does beside its commands: a Mac leaves its bootstrap token and has a user, and whoever was
//! told what is wanted reports its status.

use std::time::Instant;

use apple::{CheckIn, Identifiers, Report, TokenUpdate, Value};
use simulator::apple_device::Failure;

use super::{Handset, Over, Saying};
use crate::record::count;

/// Every Mac has the same user, which is not the same channel.
const USER: (&str, &str) = ("6A8D1C70-0001", "anna");

/// Without this subscription a device does not tell its OS by itself.
const OS: &str = "device.operating-system.version";

/// The push token of a Mac's user that the server has answered for with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// `UserID`.
    pub user: &'static str,
    /// `Token`.
    pub token: Vec<u8>,
}

/// The bootstrap token of this number.
pub(super) fn bootstrap_token(number: u32) -> Vec<u8> {
    format!("bootstrap token {number}").into_bytes()
}

impl Handset {
    /// A Mac leaves a bootstrap token, however often it takes, and asks for it.
    pub async fn leave_token(&mut self) -> Result<(), Over> {
        if !self.device.model().is_mac() {
            return Ok(());
        }
        self.told += 1;
        self.say(Saying::BootstrapToken(self.told)).await?;
        count(&self.world.record.tally.extras);
        self.recall_token().await
    }

    /// A Mac asks for its bootstrap token until it is answered; any but the one that it left is a breach.
    pub async fn recall_token(&mut self) -> Result<(), Over> {
        if !self.device.model().is_mac() {
            return Ok(());
        }
        self.does("asks for its bootstrap token");
        loop {
            match self.device.bootstrap_token().await {
                Ok(_) => return Ok(()),
                Err(failure) => self.meets(failure).await?,
            }
        }
    }

    /// Gets another OS and reports it by itself, if it was told to. What it still owes tells of the OS that it had, and goes first.
    pub async fn tell_status(&mut self) -> Result<(), Over> {
        if !self.tells_its_os() || self.owed.is_some() {
            return self.visit().await.map(drop);
        }
        let version = self.device.model().os_version.clone();
        let (major, minor) = version.split_once('.').unwrap_or((&version, "0"));
        let minor = minor.split('.').next().and_then(|minor| minor.parse().ok()).unwrap_or(0) + 1;
        self.device.model_mut().os_version = format!("{major}.{minor}");
        self.say(Saying::Status).await?;
        count(&self.world.record.tally.extras);
        Ok(())
    }

    /// The OS that it has: whatever it may be, the server was told of it with an answer.
    pub fn os_version(&self) -> &str {
        &self.device.model().os_version
    }

    /// The user of a Mac logs in, or gets another push token; or the channel is asked for commands.
    pub async fn use_mac(&mut self) -> Result<(), Over> {
        if !self.device.model().is_mac() || self.owed.is_some() {
            return self.visit().await.map(drop);
        }
        if self.user.is_some() && self.told.is_multiple_of(2) {
            return self.visit_of_user().await;
        }
        self.told += 1;
        let number = self.told;
        // APNs knows it; nobody listens, for users come by themselves.
        drop(self.world.apns.register(&self.user_token(number), &user_magic()));
        self.say(Saying::User(number)).await?;
        self.user = Some(UserToken { user: USER.0, token: self.user_token(number) });
        count(&self.world.record.tally.extras);
        Ok(())
    }

    /// What the server was told of its user last, with an answer.
    pub fn user(&self) -> Option<&UserToken> {
        self.user.as_ref()
    }

    /// The `TokenUpdate` of this number of its user.
    pub(super) fn user_says(&self, number: u32) -> CheckIn {
        CheckIn::TokenUpdate(TokenUpdate {
            ids: self.user_ids(),
            token: self.user_token(number),
            push_magic: user_magic(),
            unlock_token: None,
            ..self.device.token_update_message()
        })
    }

    /// Everything that waits for the user is done.
    async fn visit_of_user(&mut self) -> Result<(), Over> {
        self.does("has a user who connects");
        match self.users_conversation().await {
            Ok(()) => Ok(()),
            Err(failure) => self.meets(failure).await,
        }
    }

    async fn users_conversation(&mut self) -> Result<(), Failure> {
        let ids = self.user_ids();
        self.asked = Instant::now();
        let mut handed = self.device.poll(&Report::idle(ids.clone())).await?.cloned();
        while let Some(command) = handed {
            self.was_answered();
            self.journal.handed_over(&command.command_uuid, self.asked);
            if !self.journal.has_done(&command.command_uuid) {
                self.journal.user_did(&command.command_uuid, &command.request_type);
            }
            self.asked = Instant::now();
            let report = Report::acknowledged(ids.clone(), &command.command_uuid);
            let report = report.with("ProfileList", Value::Array(Vec::new()));
            handed = self.device.poll(&report).await?.cloned();
            self.journal.confirmed(&command.command_uuid);
        }
        self.was_answered();
        Ok(())
    }

    /// Like no other device's.
    fn user_token(&self, number: u32) -> Vec<u8> {
        format!("{} {number}", self.serial_number()).into_bytes()
    }

    fn user_ids(&self) -> Identifiers {
        let (id, name) = USER;
        Identifiers {
            user_id: Some(id.into()),
            user_short_name: Some(name.into()),
            ..self.device.model().identifiers()
        }
    }

    fn tells_its_os(&self) -> bool {
        self.device.declarations().any(|declaration| {
            let items = declaration.payload.get("StatusItems").and_then(serde_json::Value::as_array);
            items.into_iter().flatten().any(|item| item["Name"] == OS)
        })
    }
}

fn user_magic() -> String {
    format!("magic of {}", USER.1)
}
