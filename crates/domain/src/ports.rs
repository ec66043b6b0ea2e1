//! What the domain asks of the outside world.
//!
//! [`Store`] opens transactions that see one tenant; [`Directory`] finds the tenant of what knows none yet;
//! [`DeviceRoad`] takes the hot requests in whole steps; [`Outbox`] hands work to workers.

mod accounts;
mod android;
mod android_records;
mod clock;
mod deliver;
mod device_road;
mod directory;
mod hashing;
mod outbox;
mod random;
mod retention;
mod seals;
mod store;

pub use accounts::{Accounts, KnownToken};
pub use android::{Android, AndroidAccount, AndroidAccountNames, GoogleFailure, PushRefused, Told};
pub use android_records::{
    AndroidCall, AndroidCallKind, AndroidComparisons, AndroidEnterprise, AndroidOutbox, AndroidRecords,
    Comparison, RawNotification,
};
pub use clock::Clock;
pub use deliver::{Deliver, Delivery, PushCredentials};
pub use device_road::{Answer, DeviceRoad, HandedOver, PUT_OFF, Poll, PollAnswer, ReportStep, TokenStep};
pub use directory::{Directory, Farewell, Identity, LinkRow, Tombstone};
pub use hashing::Hashing;
pub use outbox::{Outbox, OutcomeJob, PushJob, PushTarget, SettledPush, Wake, Worker};
pub use random::Random;
pub use retention::{DueEnrollments, EscrowPlace, Retention};
pub use seals::{SealedKey, SealedPlace, SealedValue, Seals};
pub use store::{
    Apps, Audit, Certificates, ChannelState, Commands, Declared, Devices, Enrollments, Escrow, EscrowEntry,
    EscrowRow, Groups, LeftToken, Links, Purges, PushCertificates, PushState, RateLimits, Store, Tenants, Tx,
    Users,
};
