//! `ClearPasscode` (Apple's `mdm/commands/passcode.clear.yaml`).

use apple::command::ClearPasscode;

use super::Outcome;
use crate::apple_device::model::DeviceModel;

/// Takes the passcode away, if the token is byte for byte the one that this device has left with its server.
pub(in crate::apple_device) fn clear_passcode(
    model: &mut DeviceModel,
    escrowed: Option<&[u8]>,
    command: &ClearPasscode,
) -> Outcome {
    if escrowed != Some(command.unlock_token.as_slice()) {
        return Outcome::error(5013, "MCPasscodeErrorDomain", "The passcode could not be cleared.");
    }
    model.passcode_set = false;
    Outcome::done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_token_clears_the_passcode() {
        let mut model = DeviceModel::iphone(0);
        let mut cleared = |escrowed: Option<&[u8]>, token: &[u8]| {
            let command = ClearPasscode { unlock_token: token.to_vec() };
            let outcome = clear_passcode(&mut model, escrowed, &command);
            (outcome == Outcome::done(), model.passcode_set)
        };
        assert_eq!(cleared(None, b"token"), (false, true));
        assert_eq!(cleared(Some(b"token"), b"tokem"), (false, true));
        assert_eq!(cleared(Some(b"token"), b"token\0"), (false, true));
        assert_eq!(cleared(Some(b"token"), b"token"), (true, false));
    }
}
