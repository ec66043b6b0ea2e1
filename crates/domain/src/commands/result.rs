//! Results as they are stored: whatever tells a secret is sealed before it is written down, and never stored in plain.
//!
//! A report is stored before anybody has looked at what it answers, so that it is sealed by the names of its keys: by the
//! same rule by which the admin API hides their values. Once it is applied, the secrets that went into escrow are taken
//! out, and what is left is sealed only if it still tells one.

use apple::{Dictionary, Report, Value, command::is_secret_name};

use crate::{Command, CommandId, Installation, Result};

/// Where the result of a command is sealed.
pub(crate) fn result_context(id: CommandId) -> String {
    format!("result/{id}")
}

/// The bytes of a report as they are stored, and whether they are sealed.
pub(crate) fn stored(
    installation: &Installation,
    id: CommandId,
    report: &Report,
    bytes: Vec<u8>,
) -> Result<(Vec<u8>, bool)> {
    if !tells_secrets(&report.body) {
        return Ok((bytes, false));
    }
    Ok((installation.seal(&result_context(id), &bytes)?, true))
}

/// What the device reported of a command, if it has reported and that can be read.
///
/// # Errors
/// If it is sealed, and cannot be opened.
pub(crate) fn report_of(installation: &Installation, command: &Command) -> Result<Option<Report>> {
    let Some(result) = &command.result else { return Ok(None) };
    let opened;
    let plain = if command.result_sealed {
        opened = installation.open_sealed(&result_context(command.id), result)?;
        &opened
    } else {
        result
    };
    match Report::parse(plain) {
        Ok(report) => Ok(Some(report)),
        Err(error) => {
            tracing::warn!(command = %command.id, %error, "a stored report cannot be read");
            Ok(None)
        }
    }
}

/// Whether a key, at any depth, is called like a secret and has a value that may be one.
fn tells_secrets(answer: &Dictionary) -> bool {
    answer.iter().any(|(name, value)| if is_secret_name(name) { !is_plain(value) } else { holds(value) })
}

fn holds(value: &Value) -> bool {
    match value {
        Value::Dictionary(inner) => tells_secrets(inner),
        Value::Array(items) => items.iter().any(holds),
        _ => false,
    }
}

/// Whether it says yes or no, counts, or is empty, at any depth: `PasscodePresent` is no passcode, and
/// `FirmwarePasswordStatus` no password.
pub(super) fn is_plain(value: &Value) -> bool {
    match value {
        Value::Boolean(_) | Value::Integer(_) | Value::Real(_) | Value::Date(_) => true,
        Value::String(text) => text.is_empty(),
        Value::Data(bytes) => bytes.is_empty(),
        Value::Dictionary(inner) => inner.values().all(is_plain),
        Value::Array(items) => items.iter().all(is_plain),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: impl Into<Value>) -> Dictionary {
        Dictionary::from_iter([(name.to_owned(), value.into())])
    }

    #[test]
    fn whatever_is_called_like_a_secret_is_one_at_any_depth() {
        for secret in [
            of("UnlockToken", Value::Data(vec![1])),
            of("ActivationLockBypassCode", "NP1FC-H1G9"),
            of("SecurityInfo", Value::Dictionary(of("FDE_PersonalRecoveryKeyCMS", Value::Data(vec![1])))),
            of("RotateResult", Value::Dictionary(of("EncryptedNewRecoveryKey", Value::Data(vec![1])))),
            of("Accounts", Value::Array(vec![Value::Dictionary(of("Password", "hush"))])),
            of("Tokens", Value::Array(vec!["hush".into()])),
        ] {
            assert!(tells_secrets(&secret), "{secret:?}");
        }
    }

    #[test]
    fn what_says_yes_or_no_or_nothing_is_none() {
        let status = Dictionary::from_iter([
            ("PasswordExists".to_owned(), Value::from(true)),
            ("ChangePending".to_owned(), Value::from(false)),
        ]);
        for plain in [
            of("PasscodePresent", true),
            of("FirmwarePasswordStatus", Value::Dictionary(status)),
            of("UnlockToken", Value::Data(vec![])),
            of("Certificate", Value::Data(vec![1])),
            of("QueryResponses", Value::Dictionary(of("DeviceName", "Ada's Mac"))),
        ] {
            assert!(!tells_secrets(&plain), "{plain:?}");
        }
    }
}
