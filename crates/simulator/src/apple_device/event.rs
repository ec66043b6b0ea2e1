//! What a pretend device does, told to whoever listens.

use std::fmt;
use std::sync::Arc;

use apple::Status;

use super::failure::Breach;

/// Is told of everything that a device does, in its order; must not block.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Something that a device did or met. Its text is one line without secrets:
/// `device F2LXK0Q1R7 did DeviceLock {"Message":"hello"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which device.
    pub serial_number: Arc<str>,
    /// What happened.
    pub what: Happening,
}

/// What happened to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Its first `TokenUpdate` was taken.
    Enrolled,
    /// It carried out a command, or found that it could not.
    Did {
        /// Apple's `RequestType`.
        request_type: String,
        /// What it reports; never [`Status::Idle`].
        status: Status,
        /// The command's keys as compact JSON, without secrets and long data.
        keys: String,
    },
    /// It dropped its management.
    Unenrolled {
        /// What made it do so.
        why: String,
    },
    /// The server broke the protocol.
    Breached(Breach),
    /// A conversation failed otherwise; a device that lives on its pushes tries again.
    Failed {
        /// How, in a sentence.
        how: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {} ", self.serial_number)?;
        match &self.what {
            Happening::Enrolled => f.write_str("enrolled"),
            Happening::Did { request_type, status, keys } => {
                let did = match status {
                    Status::Idle | Status::Acknowledged => "did",
                    Status::NotNow => "put off",
                    Status::Error => "could not do",
                    Status::CommandFormatError => "could not read",
                };
                write!(f, "{did} {request_type} {keys}")
            }
            Happening::Unenrolled { why } => write!(f, "unenrolled: {why}"),
            Happening::Breached(breach) => write!(f, "saw a breach of the protocol: {breach}"),
            Happening::Failed { how } => write!(f, "failed to connect: {how}"),
        }
    }
}

/// Tells one device's events.
#[derive(Clone)]
pub(super) struct Teller {
    serial_number: Arc<str>,
    listeners: Vec<Listener>,
}

impl Teller {
    pub(super) fn new(serial_number: &str, listener: Option<Listener>) -> Teller {
        Teller { serial_number: serial_number.into(), listeners: listener.into_iter().collect() }
    }

    pub(super) fn add(&mut self, listener: Listener) {
        self.listeners.push(listener);
    }

    pub(super) fn tell(&self, what: Happening) {
        let event = Event { serial_number: Arc::clone(&self.serial_number), what };
        for listener in &self.listeners {
            listener(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let did = |status| Event {
            serial_number: "F2L".into(),
            what: Happening::Did {
                request_type: "DeviceLock".into(),
                status,
                keys: r#"{"Message":"hello"}"#.into(),
            },
        };
        assert_eq!(did(Status::Acknowledged).to_string(), r#"device F2L did DeviceLock {"Message":"hello"}"#);
        assert_eq!(did(Status::NotNow).to_string(), r#"device F2L put off DeviceLock {"Message":"hello"}"#);
    }
}
