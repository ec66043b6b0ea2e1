//! Google's device management, as far as the domain asks it for something.

use std::{fmt, sync::Arc, time::Duration};

use ::android::{
    CommandRequest, Device, DeviceName, EnrollmentToken, EnrollmentTokenRequest, Enterprise, EnterpriseName,
    Operation, OperationName, Page, PolicyName, PubsubMessage, SignupUrl, SignupUrlName, SubscriptionName,
    TopicName, WipeDataFlag,
};
use async_trait::async_trait;

/// The service account by which a tenant asks Google.
#[derive(Clone, PartialEq, Eq)]
pub struct AndroidAccount {
    /// SHA-256 of `file`: by it a client knows that it is made already.
    pub digest: [u8; 32],
    /// The JSON that Google hands out, with the private key.
    pub file: Vec<u8>,
}

impl fmt::Debug for AndroidAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AndroidAccount(…)")
    }
}

/// What an account's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndroidAccountNames {
    /// The project that has quota, enterprises and topics.
    pub project: String,
    /// The account's own address.
    pub email: String,
}

/// Why Google did not do what it was asked, sorted by what there is to do now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoogleFailure {
    /// Away, or asked too much: do it again later.
    #[error("{why}")]
    Later {
        /// How long to wait at least, where Google said.
        after: Option<Duration>,
        /// It may have been done all the same: look before it is asked again.
        maybe_done: bool,
        /// For the diagnosis.
        why: String,
    },
    /// The account or its rights are wrong: it will do once a person has mended that.
    #[error("{why}")]
    Barred {
        /// For the diagnosis.
        why: String,
    },
    /// Google does not have it (any more).
    #[error("{why}")]
    Gone {
        /// For the diagnosis.
        why: String,
    },
    /// The same call will be refused for ever.
    #[error("{why}")]
    Refused {
        /// For the diagnosis.
        why: String,
    },
}

/// Why a push is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushRefused {
    /// Google has not signed it, or not for us.
    #[error("the push is not from Google, or not for us: {0}")]
    NotGenuine(&'static str),
    /// Google's keys cannot be had now: the push is to come again.
    #[error("whether the push is from Google cannot be told now: {0}")]
    Unknown(String),
}

/// What Google answered.
pub type Told<T> = std::result::Result<T, GoogleFailure>;

/// Google's Android Management API and Pub/Sub. Nothing here tries again by itself.
#[async_trait]
pub trait Android: Send + Sync {
    /// Whose file that is; else what is wrong with it.
    fn account(&self, file: &[u8]) -> std::result::Result<AndroidAccountNames, String>;

    /// Invites an administrator to sign up; Google sends them back to `callback_url`.
    async fn sign_up(
        &self,
        account: &Arc<AndroidAccount>,
        callback_url: &str,
        email: Option<&str>,
    ) -> Told<SignupUrl>;

    /// The enterprise of an administrator who came back with `token`; it tells to `topic` what happens.
    async fn create_enterprise(
        &self,
        account: &Arc<AndroidAccount>,
        signup: &SignupUrlName,
        token: &str,
        topic: &TopicName,
    ) -> Told<Enterprise>;

    /// Lets an enterprise that there is tell `topic` what happens.
    async fn notify(
        &self,
        account: &Arc<AndroidAccount>,
        name: &EnterpriseName,
        topic: &TopicName,
    ) -> Told<Enterprise>;

    /// Makes `policy` ask for every report; what else is in it stays.
    async fn ask_reports(&self, account: &Arc<AndroidAccount>, policy: &PolicyName) -> Told<()>;

    /// Makes topic and subscription where they are missing, and lets Google publish to the topic.
    async fn prepare_subscription(
        &self,
        account: &Arc<AndroidAccount>,
        topic: &TopicName,
        subscription: &SubscriptionName,
    ) -> Told<()>;

    /// Lets a subscription's messages be posted to an address, each with a token for that address in the account's
    /// name; or to nobody, so that they wait to be pulled.
    async fn deliver(
        &self,
        account: &Arc<AndroidAccount>,
        subscription: &SubscriptionName,
        to: Option<&str>,
    ) -> Told<()>;

    /// In the name of which service account Google has signed a push for `audience`, by its `Authorization` header.
    async fn pusher(&self, authorization: &str, audience: &str) -> std::result::Result<String, PushRefused>;

    /// Messages that wait, at most some twenty; may take a minute and a half where there are none.
    async fn pull(
        &self,
        account: &Arc<AndroidAccount>,
        from: &SubscriptionName,
    ) -> Told<Vec<(String, PubsubMessage)>>;

    /// Says that messages are stored, by the first parts of what [`Android::pull`] gave.
    async fn acknowledge(
        &self,
        account: &Arc<AndroidAccount>,
        on: &SubscriptionName,
        acks: &[String],
    ) -> Told<()>;

    /// A token by which devices enroll.
    async fn create_enrollment_token(
        &self,
        account: &Arc<AndroidAccount>,
        enterprise: &EnterpriseName,
        request: &EnrollmentTokenRequest,
    ) -> Told<EnrollmentToken>;

    /// A device.
    async fn device(&self, account: &Arc<AndroidAccount>, name: &DeviceName) -> Told<Device>;

    /// A page of devices.
    async fn devices(
        &self,
        account: &Arc<AndroidAccount>,
        enterprise: &EnterpriseName,
        page: Option<&str>,
    ) -> Told<Page<Device>>;

    /// Gives a device up: its record goes at once, and it wipes what is managed when it next connects.
    async fn delete_device(
        &self,
        account: &Arc<AndroidAccount>,
        name: &DeviceName,
        flags: &[WipeDataFlag],
    ) -> Told<()>;

    /// Issues a command. Asked twice, it is issued twice.
    async fn issue_command(
        &self,
        account: &Arc<AndroidAccount>,
        device: &DeviceName,
        request: &CommandRequest,
    ) -> Told<Operation>;

    /// A command on its way.
    async fn operation(&self, account: &Arc<AndroidAccount>, name: &OperationName) -> Told<Operation>;

    /// The newest commands of a device, a page of them.
    async fn operations(&self, account: &Arc<AndroidAccount>, device: &DeviceName) -> Told<Vec<Operation>>;
}
