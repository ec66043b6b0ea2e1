//! A command that was sent by the admin API, as far as the caller knows.

use std::time::Instant;

use super::Answer;

/// One device of a call that may have named many.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its `CommandUUID`; `None` where the call was not answered, or named the device among those that failed.
    pub uuid: Option<String>,
    /// The dedupe key.
    pub key: Option<String>,
    /// When it is over.
    pub expires: Option<Instant>,
    /// When the call began.
    pub asked: Instant,
    /// What became of the call.
    pub answer: Answer,
    /// What became of the last try to take it back.
    pub cancelled: Option<Answer>,
}

impl Sent {
    /// A call that begins now.
    pub fn now(key: Option<String>, expires: Option<Instant>) -> Self {
        Self { uuid: None, key, expires, asked: Instant::now(), answer: Answer::Missing, cancelled: None }
    }

    /// When it was taken back for certain.
    pub fn taken_back(&self) -> Option<Instant> {
        match self.cancelled {
            Some(Answer::Taken(at)) => Some(at),
            _ => None,
        }
    }

    /// Whether someone may have taken it back, heard or not.
    pub fn may_be_taken_back(&self) -> bool {
        self.cancelled.is_some_and(|answer| !matches!(answer, Answer::Refused(_)))
    }

    /// When it was listed as queued for this device.
    pub fn listed(&self) -> Option<Instant> {
        match (&self.uuid, self.answer) {
            (Some(_), Answer::Taken(at)) => Some(at),
            _ => None,
        }
    }
}
