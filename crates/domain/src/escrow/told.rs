//! Secrets that devices tell in answer to commands: they go into escrow, and out of the stored answer.

use apple::{Dictionary, Report, Value};

use super::{DeviceSecret, escrow_context};
use crate::{
    Command, Mdm, Result, Timestamp,
    actions::unlock_token_context,
    commands::stored,
    ports::{EscrowRow, Tx},
};

/// The longest that is kept, bytes.
const LONGEST: usize = 64 * 1024;

impl Mdm {
    /// Keeps the secrets that a command's answer tells, each unless it is the newest of its kind already, and takes them
    /// out of the answer as it is stored. The device's row is locked.
    pub(super) async fn keep_told(
        &self,
        tx: &mut dyn Tx,
        command: &Command,
        report: &Report,
        now: Timestamp,
    ) -> Result<()> {
        let told = told(&command.request_type, &report.body);
        if told.is_empty() {
            return Ok(());
        }
        for (secret, _, value) in told.iter().filter(|(secret, ..)| *secret != DeviceSecret::UnlockToken) {
            self.keep_in_escrow(tx, command, *secret, value, now).await?;
        }
        let paths: Vec<_> = told.iter().map(|(_, path, _)| *path).collect();
        let (rest, plain) = without(report, &paths);
        let (bytes, sealed) = stored(&self.installation, command.id, &rest, plain)?;
        tx.set_result(command.device, command.id, &bytes, sealed).await?;
        match told.iter().find(|(secret, ..)| *secret == DeviceSecret::UnlockToken) {
            Some((_, _, token)) => self.keep_unlock_token(tx, command, token, now).await,
            None => Ok(()),
        }
    }

    async fn keep_in_escrow(
        &self,
        tx: &mut dyn Tx,
        command: &Command,
        secret: DeviceSecret,
        value: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        let newest = tx.escrow(command.device, secret.name(), 1).await?.into_iter().next();
        let known = newest.filter(|row| row.enrollment == command.enrollment);
        let known = known.map(|row| self.installation.open_sealed(&escrow_context(row.id), &row.sealed));
        if known.transpose()?.as_deref() == Some(value) {
            return Ok(());
        }
        let row = self.escrow_row(command, secret, value)?;
        tx.add_escrow(&EscrowRow { confirmed_at: Some(now), ..row }).await?;
        tracing::info!(device = %command.device, secret = secret.name(), "kept a secret");
        Ok(())
    }

    /// Where the one of a `TokenUpdate` is kept: whichever was told last clears the passcode.
    async fn keep_unlock_token(
        &self,
        tx: &mut dyn Tx,
        command: &Command,
        token: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        let sealed = self.installation.seal(&unlock_token_context(command.enrollment), token)?;
        tx.set_unlock_token(command.enrollment, &sealed, now).await
    }
}

/// Whether the answer to such a command may tell a secret.
pub(super) fn tells(request_type: &str) -> bool {
    !places(request_type).is_empty()
}

type Path = &'static [&'static str];

/// Which secrets the answer to such a command tells.
fn told(request_type: &str, answer: &Dictionary) -> Vec<(DeviceSecret, Path, Vec<u8>)> {
    let found = |(secret, path): &(DeviceSecret, Path)| Some((*secret, *path, bytes(at(answer, path)?)?));
    places(request_type).iter().filter_map(found).collect()
}

/// And where.
fn places(request_type: &str) -> &'static [(DeviceSecret, Path)] {
    match request_type {
        "ActivationLockBypassCode" => {
            &[(DeviceSecret::ActivationLockBypassCode, &["ActivationLockBypassCode"])]
        }
        "RequestUnlockToken" => &[(DeviceSecret::UnlockToken, &["UnlockToken"])],
        "RotateFileVaultKey" => {
            &[(DeviceSecret::FileVaultRecoveryKey, &["RotateResult", "EncryptedNewRecoveryKey"])]
        }
        "SecurityInfo" => {
            &[(DeviceSecret::FileVaultRecoveryKey, &["SecurityInfo", "FDE_PersonalRecoveryKeyCMS"])]
        }
        _ => &[],
    }
}

fn at<'a>(answer: &'a Dictionary, path: &[&str]) -> Option<&'a Value> {
    let (last, way) = path.split_last()?;
    way.iter().try_fold(answer, |place, key| place.get(key)?.as_dictionary())?.get(last)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    let bytes = value.as_data().or_else(|| value.as_string().map(str::as_bytes))?;
    (1..=LONGEST).contains(&bytes.len()).then(|| bytes.to_vec())
}

/// The report without what is kept elsewhere, and its bytes.
fn without(report: &Report, paths: &[Path]) -> (Report, Vec<u8>) {
    let mut report = report.clone();
    for path in paths {
        let Some((last, way)) = path.split_last() else { continue };
        let place = way
            .iter()
            .try_fold(&mut report.body, |place, key| place.get_mut(key).and_then(Value::as_dictionary_mut));
        if let Some(place) = place {
            place.remove(last);
        }
    }
    let bytes = report.encode();
    (report, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(key: &str, value: Value) -> Report {
        let ids = apple::Identifiers { udid: Some("U".into()), ..apple::Identifiers::default() };
        Report::acknowledged(ids, "c").with(key, value)
    }

    #[test]
    fn a_secret_is_found_where_apple_puts_it_and_taken_out() {
        let rotated = Dictionary::from_iter([("EncryptedNewRecoveryKey", Value::Data(vec![1, 2]))]);
        let info = Dictionary::from_iter([
            ("FDE_PersonalRecoveryKeyCMS".to_owned(), Value::Data(vec![1, 2])),
            ("FDE_Enabled".to_owned(), Value::from(true)),
        ]);
        for (request_type, key, value, secret) in [
            (
                "RotateFileVaultKey",
                "RotateResult",
                Value::Dictionary(rotated),
                DeviceSecret::FileVaultRecoveryKey,
            ),
            ("SecurityInfo", "SecurityInfo", Value::Dictionary(info), DeviceSecret::FileVaultRecoveryKey),
        ] {
            let report = report(key, value);
            let told = told(request_type, &report.body);
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].0, &told[0].2), (secret, &vec![1, 2]));
            let stored = without(&report, &[told[0].1]).0;
            assert!(super::told(request_type, &stored.body).is_empty());
            assert!(stored.body.contains_key(key), "the rest stays");
        }
        let code = report("ActivationLockBypassCode", "NP1FC-H1G9".into());
        assert_eq!(told("ActivationLockBypassCode", &code.body)[0].2, b"NP1FC-H1G9");
        let token = report("UnlockToken", Value::Data(vec![7]));
        assert_eq!(told("RequestUnlockToken", &token.body)[0].0, DeviceSecret::UnlockToken);
        assert!(told("DeviceInformation", &code.body).is_empty(), "only the answer that it belongs to");
    }

    #[test]
    fn what_is_no_secret_is_not_kept() {
        for odd in [Value::from(5), Value::from(""), Value::Data(vec![0; LONGEST + 1]), Value::Array(vec![])]
        {
            assert!(
                told("ActivationLockBypassCode", &report("ActivationLockBypassCode", odd).body).is_empty()
            );
        }
        assert!(told("SecurityInfo", &report("SecurityInfo", 5.into()).body).is_empty());
    }
}
